"""What else follows files: the host name, the trust store, a service that reads its proxy.

A link has a backend with two layers of files. Everything else has one: it is written at once, the journal puts it
back, and a target makes the system follow whatever the files say at that moment, before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.models.change import Difference, Issue, Step
from tui.services.host import Host


class Target(Protocol):
    name: str

    async def reload(self, host: Host, paths: Sequence[str]) -> None:
        """Make the system follow these files as they are now; called after a change and after taking it back.

        Raises:
            OSError: the system refused.
        """
        ...

    async def problems(self, host: Host, paths: Sequence[str]) -> tuple[Issue, ...]:
        """Where the system does not follow the files; an error takes the change back."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """What one noun of the draft adds to a plan."""

    steps: tuple[Step, ...] = ()
    differences: tuple[Difference, ...] = ()
    lost: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()


def targets() -> dict[str, Target]:
    """Every target by the name that `Step.reload` has."""
    from tui.services.identity import NameTarget
    from tui.services.keyboard import KeyboardTarget
    from tui.services.proxy.target import ProxyTarget
    from tui.services.timekeeping.target import TimeTarget
    from tui.services.trust.server import ServerTarget
    from tui.services.trust.target import TrustTarget

    found: tuple[Target, ...] = (
        TrustTarget(),
        ServerTarget(),
        ProxyTarget(),
        NameTarget(),
        KeyboardTarget(),
        TimeTarget(),
    )
    return {target.name: target for target in found}
