"""A support bundle: what leaves this host for whoever helps, member by member, with the size that each has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.models.form import Field, Form

Told = Callable[[int, int], None]
"""Called with what is done and all of it, sources or bytes; what it raises ends the work, and nothing is left of it."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle, as it will be written: its secrets are masked already.

    Attributes:
        name: path within the bundle.
        what: what it is, for the person who decides whether it may leave.
    """

    name: str
    what: str
    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that a support bundle holds.

    Attributes:
        name: of the file, without its ending; it has the name of the host and the time.
        hidden: places at which a secret was replaced.
    """

    name: str
    members: tuple[Member, ...]
    hidden: int = 0

    @property
    def size(self) -> int:
        """Bytes before compression."""
        return sum(member.size for member in self.members)

    @property
    def file_name(self) -> str:
        return f"{self.name}.tar.gz"


@dataclass(frozen=True, slots=True)
class Offered:
    """A link from which a bundle can be fetched once.

    Attributes:
        url: with the token, which is a secret: for a screen, never for a log.
        fingerprint: SHA-256 of the certificate that the link presents, in hexadecimal digits.
        seconds: how long it can be fetched.
    """

    url: str = field(repr=False)
    fingerprint: str
    seconds: float


FILE_FORM = Form(
    "support",
    "File",
    (
        Field(
            "path", "text", "File or folder", "/var/lib/onsite/support", needed=True,
            help="Where the bundle is written. In a folder it gets a name of its own; no file is overwritten.",
        ),
    ),
)  # fmt: skip
