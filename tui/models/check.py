"""The ladder of checks: what is to be reached, and what each rung found.

Plain dataclasses: Home and `onsite status` read the last run and may not pay for a validation library.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Any, Literal

from tui.models.change import Issue

Verdict = Literal["waiting", "running", "ok", "warning", "failed", "not tried"]
Mode = Literal["central", "local"]
"""Who manages this host. "local": an air gap; nothing outside the configured networks is asked."""


@dataclass(frozen=True, slots=True)
class ProxyWay:
    """An HTTP proxy, in parts: a URL is composed by nobody, so a password needs no escaping.

    Attributes:
        exceptions: what is reached without it: host names (which cover their subdomains), addresses, networks in CIDR
            notation, or "*".
        scheme: what is spoken with the proxy itself.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    exceptions: tuple[str, ...] = ()
    scheme: Literal["http", "https"] = "http"

    def covers(self, host: str) -> bool:
        """Whether `host` is reached by the proxy. Names are compared as names, networks hold addresses only."""
        return not any(_excepts(exception.strip().lower(), host.lower()) for exception in self.exceptions)


def _excepts(exception: str, host: str) -> bool:
    if exception == "*" or exception == host:
        return True
    try:
        return ip_address(host) in ip_network(exception, strict=False)
    except ValueError:
        return bool(exception) and host.endswith("." + exception.lstrip("*").lstrip("."))


@dataclass(frozen=True, slots=True)
class Target:
    """Something that speaks HTTP or HTTPS. `what` is the word for it in a sentence: "management plane"."""

    what: str
    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str = "/"

    @classmethod
    def parse(cls, what: str, text: str) -> Target:
        """From "HOST", "HOST:PORT" or a URL; https where no scheme is given.

        Raises:
            ValueError: it is none of these; the text is a sentence.
        """
        from urllib.parse import urlsplit

        complaint = f"{what}: {text!r} is no host, host:port or https:// URL."
        try:
            parts = urlsplit(text if "://" in text else f"https://{text}")
            port = parts.port
        except ValueError as error:
            raise ValueError(complaint) from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or " " in text:
            raise ValueError(complaint)
        query = f"?{parts.query}" if parts.query else ""
        usual = 443 if parts.scheme == "https" else 80
        scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
        return cls(what, scheme, parts.hostname, port or usual, (parts.path or "/") + query)

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"the {self.what} {self.authority}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be reached; what is left out is not tried."""

    endpoint: Target | None = None
    registry: Target | None = None
    url: Target | None = None
    ntp: tuple[str, ...] = ()
    mode: Mode = "central"

    @property
    def main(self) -> Target | None:
        """What the rungs from the name up to HTTP go to."""
        return self.endpoint or self.url or self.registry


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of a run.

    Attributes:
        name: stable, for scripts: "carrier", "nameserver 192.0.2.53".
        title: for a person.
        limit: seconds that it may take at most.
        seconds: how long it took.
        reason: what was seen, in raw words; why, if it was not tried.
        issue: what is wrong and what to do; None where nothing is.
    """

    name: str
    title: str
    limit: float
    verdict: Verdict = "waiting"
    seconds: float = 0.0
    reason: str = ""
    issue: Issue | None = None

    def now(self, verdict: Verdict, seconds: float = 0.0, reason: str = "", issue: Issue | None = None) -> Rung:
        return replace(self, verdict=verdict, seconds=seconds, reason=reason, issue=issue)


@dataclass(frozen=True, slots=True)
class Run:
    """One climb.

    Attributes:
        link: name of the interface that it left by; "" where there is none.
        subject: what was tested: "now" (what the host has) or "draft".
        finished: seconds since the epoch, by the host's clock.
        boot_id, boottime: the same moment by the clock that nobody sets.
    """

    link: str
    rungs: tuple[Rung, ...]
    subject: Literal["now", "draft"] = "now"
    mode: Mode = "central"
    finished: float = 0.0
    boot_id: str = ""
    boottime: float = 0.0

    @property
    def blame(self) -> Rung | None:
        """The first rung that failed; where none did, the first with a warning."""
        return blamed(self.rungs)

    @property
    def verdict(self) -> Verdict:
        """Of the whole."""
        worst = self.blame
        if worst is not None:
            return worst.verdict
        return "ok" if any(rung.verdict == "ok" for rung in self.rungs) else "not tried"

    @property
    def line(self) -> str:
        """The blame line: one sentence to read out on the phone, with its code."""
        if self.blame is not None and self.blame.issue is not None:
            return f"{self.blame.issue.code} {self.blame.issue.text}"
        return "Everything that was tried works." if self.verdict == "ok" else "Nothing could be tried."

    def age(self, now: float, boot_id: str, boottime: float) -> float:
        """Seconds since it finished; by the clock that nobody sets where the host has not been restarted since."""
        return max(0.0, boottime - self.boottime if boot_id and boot_id == self.boot_id else now - self.finished)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the stable document of `onsite check --json`. Keys are only ever added."""
        data = asdict(self)
        return {"version": 1, "verdict": self.verdict, "line": self.line, **data}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Run:
        """The inverse of `to_dict`.

        Raises:
            ValueError: not a run of this version.
        """
        try:
            values = {key: value for key, value in data.items() if key in cls.__slots__}
            return cls(**{**values, "rungs": tuple(_rung(rung) for rung in data["rungs"])})
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not the result of a check: {error}") from error


def _rung(data: dict[str, Any]) -> Rung:
    return Rung(**{**data, "issue": Issue(**data["issue"]) if data["issue"] else None})


def blamed(rungs: Iterable[Rung]) -> Rung | None:
    """The first rung that failed; where none did, the first with a warning."""
    known = [rung for rung in rungs if rung.verdict in ("failed", "warning")]
    return next((rung for rung in known if rung.verdict == "failed"), known[0] if known else None)
