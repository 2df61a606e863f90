"""As much HTTP/1.1 (RFC 9112) as a check needs: one request, the head of one answer; CONNECT (RFC 9110 §9.3.6)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.services.checks.stream import Stream

if TYPE_CHECKING:
    from tui.models.check import ProxyWay, Target

_LARGEST = 32768
"""Bytes of a head; who sends more does not speak HTTP with us."""


class NotHttp(Exception):
    """The peer answered, with something that is no HTTP; the text shows how it begins."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and fields of an answer; field names in lower case, the last of a name counts."""

    status: int
    phrase: str
    fields: dict[str, str]

    def __str__(self) -> str:
        return f"{self.status} {self.phrase}".strip()

    @property
    def date(self) -> float | None:
        """The clock of the peer, seconds since the epoch; None where it does not say."""
        from email.utils import parsedate_to_datetime

        try:
            return parsedate_to_datetime(self.fields.get("date", "")).timestamp()
        except (ValueError, TypeError):
            return None


async def get(stream: Stream, target: Target, proxy: ProxyWay | None = None, more: str = "") -> Head:
    """Ask for the path of `target`.

    Args:
        proxy: the peer is this proxy, and the request is for it to pass on.
        more: further fields, each with its line end.

    Raises:
        NotHttp: the answer is none.
        OSError: the connection broke.
    """
    path = f"http://{target.authority}{target.path}" if proxy else target.path
    fields = f"Host: {target.authority}\r\nUser-Agent: onsite-check\r\nAccept: */*\r\nConnection: close\r\n"
    if proxy:
        fields += _credentials(proxy)
    return await _exchange(stream, f"GET {path} HTTP/1.1\r\n{fields}{more}\r\n")


async def connect(stream: Stream, target: Target, proxy: ProxyWay) -> Head:
    """Ask the proxy for a tunnel. Raises as `get`."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    authority = f"{host}:{target.port}"
    request = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: onsite-check\r\n"
    return await _exchange(stream, f"{request}{_credentials(proxy)}\r\n")


def _credentials(proxy: ProxyWay) -> str:
    if not proxy.user:
        return ""
    pair = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    return f"Proxy-Authorization: Basic {pair}\r\n"


async def _exchange(stream: Stream, request: str) -> Head:
    await stream.send(request.encode())
    data = b""
    while piece := await stream.receive():
        data += piece
        if b"\r\n\r\n" in data or not data.startswith(b"HTTP/1."[: len(data)]) or len(data) > _LARGEST:
            break
    return head(data)


def head(data: bytes) -> Head:
    """Raises NotHttp for bytes that are no answer."""
    first, *rest = data.partition(b"\r\n\r\n")[0].decode("latin-1").splitlines() or [""]
    words = first.split(" ", 2)
    if not first.startswith("HTTP/1.") or len(words) < 2 or not (words[1].isdigit() and len(words[1]) == 3):
        raise NotHttp(f"{ascii(first[:40])[1:-1]}" if data else "it hung up without a word")
    pairs = (line.partition(":") for line in rest if ":" in line)
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Head(int(words[1]), words[2] if len(words) > 2 else "", fields)
