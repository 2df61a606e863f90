"""The host that is worked on: a root folder, a kernel and a clock.

Everything that reads or writes goes through one of these, so a practice host (a sandbox folder and
a namespace), a recorded host (a folder and a JSON file) and the real one are the same to the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from tui.models.facts import Link
from tui.services.clock import Clock, SystemClock

if TYPE_CHECKING:
    from tui.services.network.reconcile import Operation

Kind = Literal["real", "user", "network", "recorded"]
"""real: this very host. user, network: practice in such a namespace. recorded: replayed from facts."""


class Kernel(Protocol):
    """The links of a host: read them, change them, hear of changes."""

    def links(self) -> tuple[Link, ...]:
        """A dump; sorted by index, without owner, lease and what files say."""
        ...

    async def change(self, operations: Sequence[Operation]) -> None:
        """Carry out in order.

        Raises:
            OSError: the kernel refused; `errno` and `strerror` are the kernel's.
        """
        ...

    def events(self) -> AsyncIterator[None]:
        """One item after every burst of link, address or route events; hints to read again, not data."""
        ...


@dataclass(slots=True)
class Host:
    root: Path
    kernel: Kernel
    kind: Kind = "real"
    clock: Clock = field(default_factory=SystemClock)

    def path(self, absolute: str) -> Path:
        """Where the file that the host calls `absolute` really lies."""
        return self.root / absolute.lstrip("/")

    def boot_id(self) -> str:
        """Names this boot; a practice host has one of its own in its sandbox."""
        for candidate in (self.path("/proc/sys/kernel/random/boot_id"), Path("/proc/sys/kernel/random/boot_id")):
            try:
                return candidate.read_text().strip()
            except OSError:
                continue
        return ""
