"""What is asked for by a trial, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from tui.models.change import Issue
from tui.models.wrong import quoted
from tui.services.proxy.presented import Certificate


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Trial:
    """How one URL was reached, or why not.

    Attributes:
        via: the proxy as shown to people; "" where it went without.
        steps: name and seconds of each step that was made.
        status: of the answer to the request.
        schemes: ways to log in that the proxy offered.
        chain: what the server, or somebody in its place, presented; its own certificate first.
        intercepted: whether it is known that the proxy opens TLS; None where it is not known.
    """

    url: str
    via: str = ""
    steps: tuple[tuple[str, float], ...] = ()
    status: int | None = None
    schemes: tuple[str, ...] = ()
    chain: tuple[Certificate, ...] = ()
    intercepted: bool | None = None
    issues: tuple[Issue, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(issue.severity == "error" for issue in self.issues)

    @property
    def seconds(self) -> float:
        return sum(seconds for _, seconds in self.steps)


def parse(url: str) -> Target | Issue:
    """A URL's parts, or what is wrong with it."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.strip().isprintable():
        text = f"{quoted(url)} is not a web address."
        return Issue("P153", "error", "", text, "Type it such as https://registry.site.example/.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path.replace(" ", "%20"))
