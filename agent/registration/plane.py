"""What a management plane has to be for a host: five questions. See docs/adding-a-management-plane.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tui.models.change import Issue

if TYPE_CHECKING:
    from tui.models.contract.cluster import ClusterConfiguration


@dataclass(frozen=True, slots=True)
class Applicant:
    """As whom the host comes. `token` is "" on the manual way; `key` proves that it is the same host as before."""

    uid: str
    key: str = field(repr=False)
    token: str = field(repr=False)
    project: str = ""
    tags: tuple[str, ...] = ()
    address: str = ""
    mac: str = ""
    device: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the plane thinks of the host. `credential` speaks for the host from then on; it is a secret."""

    state: Literal["unpaired", "ready", "in-use"]
    credential: str = field(default="", repr=False)
    clusters: tuple[str, ...] = ()


class Trouble(Exception):
    """It did not work. `step` is the one of the timeline that failed; `waits`: somebody else has to do something."""

    def __init__(
        self, step: str, issue: Issue, *, after: float = 0.0, waits: bool = False, on_the_way: bool = False
    ) -> None:
        super().__init__(issue.text)
        self.step, self.issue, self.after, self.waits, self.on_the_way = step, issue, after, waits, on_the_way


class Forgotten(Exception):
    """The plane does not know the credential any more; registering again is the way out."""


class Plane(Protocol):
    """One management plane. Every call may be made again after a kill, and must then not make a second entry."""

    skew: float | None
    """Seconds that the plane's clock is ahead, as its last answer says."""

    async def register(self, applicant: Applicant) -> Standing:
        """Make the host known there, or ask how it stands. Raises Trouble."""
        ...

    async def health(self, uid: str, credential: str) -> None:
        """Say that the host lives. Raises Trouble, Forgotten."""
        ...

    async def clusters(self, uid: str, credential: str) -> tuple[str, ...]:
        """Ids of the clusters that the host is meant for. Raises Trouble, Forgotten."""
        ...

    async def assignment(self, uid: str, credential: str) -> ClusterConfiguration | None:
        """That cluster in the words of the Local Management API; None where the plane has other words, or none now."""
        ...
