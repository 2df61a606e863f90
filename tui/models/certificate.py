"""A certificate that was read, and what was thought of it; plain dataclasses, for the parser child and Home."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tui.models.change import Issue

SOON = 60 * 86400
"""Seconds before its end from which on a certificate of a host is said to end soon: another one takes long to get."""
BELIEVABLE = 1735689600.0
"""2025-01-01: a clock that is before this program was written is not set."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one X.509 certificate says of itself (RFC 5280).

    Attributes:
        pem: that certificate alone, in canonical PEM.
        sha256: of its DER, 64 hexadecimal digits in lower case: the fingerprint.
        not_before, not_after: seconds since the epoch.
        authority: basicConstraints say CA:TRUE.
        self_signed: its own key verifies its signature: a root.
        key_usage: names as in RFC 5280; empty where the extension is absent.
        refused_by: (consumer, reason) of programs that will not use it as an authority.
    """

    pem: str
    sha256: str
    subject: str
    issuer: str
    not_before: float
    not_after: float
    key: str = ""
    signature: str = ""
    authority: bool = False
    self_signed: bool = False
    path_length: int | None = None
    key_usage: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    refused_by: tuple[tuple[str, str], ...] = ()

    @property
    def short(self) -> str:
        """The first eight digits of the fingerprint: names the file."""
        return self.sha256[:8]


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in some bytes: certificates, leaf first, and everything that is wrong.

    An issue with a fingerprint as its field is about that certificate; one without is about the file as a whole.
    """

    certificates: tuple[Certificate, ...] = ()
    issues: tuple[Issue, ...] = ()

    @property
    def whole(self) -> tuple[Issue, ...]:
        """What is wrong with the input as a whole; an error among these means that nothing of it is taken."""
        return tuple(issue for issue in self.issues if not issue.field)

    def about(self, certificate: Certificate) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.issues if issue.field == certificate.sha256)

    @property
    def usable(self) -> tuple[Certificate, ...]:
        """Those that may become an authority of this host: no error, in them or in the whole."""
        if any(issue.severity == "error" for issue in self.whole):
            return ()
        wrong = {issue.field for issue in self.issues if issue.severity == "error"}
        return tuple(c for c in self.certificates if c.sha256 not in wrong)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(issue.code for issue in self.issues))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Judged:
        """The inverse of `to_dict` after JSON; text is cut to what a screen can show.

        Raises:
            ValueError: not of this shape.
        """
        try:
            return cls(
                tuple(_certificate(item) for item in data["certificates"]),
                tuple(Issue(**{key: str(value) for key, value in item.items()}) for item in data["issues"]),  # type: ignore[arg-type]  # severity is looked at by nobody before it is shown
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not what the parser says: {type(error).__name__}") from error


def _certificate(data: dict[str, Any]) -> Certificate:
    pairs = tuple((str(who), str(why)) for who, why in data["refused_by"])
    lists = {key: tuple(map(str, data[key])) for key in ("key_usage", "names")}
    return Certificate(**{**data, **lists, "refused_by": pairs})


def groups(sha256: str) -> list[str]:
    """A fingerprint in groups of four, as two people read it to each other by phone."""
    upper = sha256.upper()
    return [upper[i : i + 4] for i in range(0, len(upper), 4)]
