"""A change of a host before it is made: what is wrong with it, what it writes, what it means.

Everything that is wrong, from a typo to a gateway that does not answer, is an `Issue`.
A `Plan` is what Review shows and what a transaction applies; it is empty when nothing would change.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tui.models.facts import LinkState

Severity = Literal["error", "warning", "note"]
Disruption = Literal["none", "restart", "connectivity"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, for a person.

    Attributes:
        code: short enough to read out on the phone, such as "N104"; its page is assets/codes/N104.md.
        severity: an error blocks; a warning explains and lets the operator go on.
        field: path in the HostConfig, such as "links.00:00:5e:00:53:01.ipv4.gateway"; "" where no field is to blame.
        text: the cause, in the operator's words.
        remedy: something that the operator can do.
    """

    code: str
    severity: Severity
    field: str
    text: str
    remedy: str

    def at(self, field: str) -> Issue:
        """The same issue at another field."""
        return replace(self, field=field)


class Refused(Exception):
    """A service says no, with the issues that say why."""

    def __init__(self, *issues: Issue) -> None:
        super().__init__("; ".join(f"{i.code}: {i.text}" for i in issues))
        self.issues = issues


@dataclass(frozen=True, slots=True)
class FileImage:
    """A file as it is or shall be. `content` is None where there is none; `target` makes it a symbolic link."""

    path: str
    content: bytes | None = field(default=None, repr=False)  # may hold a password
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""

    @property
    def absent(self) -> bool:
        return self.content is None and not self.target

    @property
    def sha256(self) -> str:
        if self.target:
            return hashlib.sha256(b"symlink:" + self.target.encode()).hexdigest()
        return "" if self.content is None else hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """One file that a change writes.

    Attributes:
        image: the file after the change.
        before_hash: SHA-256 of the file that Review was made from; "" where there was none.
        volatile: where the same content goes while nobody has said Keep; None for a file without a volatile layer,
            which is written at once and put back by the journal.
        link: identity of the link that this file configures; "" for none.
        reload: the backend that has to read it.
    """

    image: FileImage
    before_hash: str
    volatile: FileImage | None = None
    link: str = ""
    reload: str = ""
    disruption: Disruption = "connectivity"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that changes, in words: "lan0 gateway: 192.0.2.1 (DHCP) -> 192.0.2.254"."""

    subject: str
    label: str
    before: str
    after: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change does; empty when nothing would change.

    Attributes:
        config: the draft this was made from, as plain data of `HostConfig`.
        links: identities of the links it touches, with the backend of each.
        lost: sentences about what goes away, such as the gateway and DNS that DHCP gave.
        restarts: services that restart.
        cuts_session: sentence, or "" when the session that asks stays up.
    """

    config: dict[str, Any]
    links: tuple[tuple[str, str], ...] = ()
    steps: tuple[Step, ...] = ()
    differences: tuple[Difference, ...] = ()
    lost: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    cuts_session: str = ""
    issues: tuple[Issue, ...] = ()
    wanted: tuple[tuple[str, LinkState], ...] = ()
    """What the kernel shall show of each link afterwards."""
    others: tuple[tuple[str, LinkState], ...] = ()
    """What running programs have set on those links, and what stays (part of `wanted` too)."""
    restore: tuple[tuple[str, LinkState], ...] = ()
    """Where the plan takes a kept change back: each link with what the kernel had before it."""

    @property
    def empty(self) -> bool:
        return not self.steps

    @property
    def errors(self) -> tuple[Issue, ...]:
        return tuple(i for i in self.issues if i.severity == "error")

    @property
    def hash(self) -> str:
        """Names this plan in the audit; twelve hexadecimal digits."""
        digest = hashlib.sha256()
        for step in self.steps:
            digest.update(f"{step.image.path}\0{step.before_hash}\0{step.image.sha256}\0".encode())
        return digest.hexdigest()[:12]
