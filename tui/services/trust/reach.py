"""Getting certificates over the network: from a URL, and as a server or the proxy before it presents them.

Nothing that comes this way is believed by itself: the operator compares a fingerprint. So TLS is not verified here,
and nothing of ours is sent but the request.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from tui.models.change import Issue, Refused
from tui.models.wrong import quoted

if TYPE_CHECKING:
    from tui.models.facts import Facts
    from tui.models.host import HostConfig
    from tui.models.proxy import ProxyConfig, Upstream
    from tui.services.proxy.tunnel import Line

LARGEST = 256 << 10
SECONDS = 15.0
REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Server:
    """Where TLS is spoken."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def server(text: str) -> Server:
    """A server as people write it: name, name:port, [address]:port or a URL; without a port 443.

    Raises:
        Refused: S142.
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        if parts.hostname and not any(c.isspace() or ord(c) < 33 for c in text):
            return Server(parts.hostname, parts.port or 443)
    except ValueError:
        pass
    words = f"{quoted(text)} is not a server."
    raise Refused(Issue("S142", "error", "server", words, "Type its name and port, such as registry.example:443."))


def upstream(config: HostConfig | None, facts: Facts) -> ProxyConfig | None:
    """The proxy of the draft, or the one that the host keeps."""
    from tui.services.proxy import kept

    if config is not None and config.proxy is not None:
        return kept.completed(config.proxy, facts)
    return kept.kept(facts)


async def presented(where: Server, proxy: ProxyConfig | None = None) -> tuple[bytes, ...]:
    """The certificates in DER that are presented there, the server's own first.

    Raises:
        Refused: S145.
    """
    from tui.services.proxy.tunnel import looking

    try:
        async with asyncio.timeout(SECONDS):
            line = await _open(where, _via(where.name, proxy, secure=True))
            try:
                await line.secure(looking(), where.name)
                chain = line.chain(verified=False)
            finally:
                line.close()
    except (OSError, ValueError) as error:  # SSLError and TimeoutError are OSErrors
        raise _refused("S145", f"{where} presents no certificate: {_reason(error)}.", "Check name and port.") from error
    if not chain:
        raise _refused("S145", f"{where} presents no certificate.", "Check name and port.")
    return chain


async def fetched(text: str, proxy: ProxyConfig | None = None) -> bytes:
    """What lies at a URL, at most a little more than a certificate has. Redirects to another host are not followed.

    Raises:
        Refused: S142 no URL, S143 no answer, S144 it points elsewhere.
    """
    url = _url(text)
    try:
        async with asyncio.timeout(SECONDS):
            for _ in range(REDIRECTS + 1):
                status, location, body = await _get(url, proxy)
                if status not in (301, 302, 303, 307, 308):
                    break
                there = _url(urljoin(url.geturl(), location))
                if there.hostname != url.hostname:
                    words = f"{url.hostname} sends on to {quoted(str(there.hostname))}."
                    raise _refused("S144", words, "If that is right, type its URL yourself; it may be a login page.")
                url = there
    except (OSError, ValueError) as error:
        remedy = "Check the address and the network."
        raise _refused("S143", f"{quoted(text)} cannot be fetched: {_reason(error)}.", remedy) from error
    if status != 200:
        words = f"{url.hostname} answers with {status} instead of a certificate."
        raise _refused("S143", words, "Check the path of the URL.")
    return body


def _refused(code: str, text: str, remedy: str) -> Refused:
    return Refused(Issue(code, "error", "", text, remedy))


def _url(text: str) -> SplitResult:
    text = text.strip()
    try:
        url = urlsplit(text)
        if url.scheme in ("http", "https") and url.hostname and text.isascii() and not any(c <= " " for c in text):
            _ = url.port
            return url
    except ValueError:
        pass
    remedy = "Type it whole, such as http://pki.example/ca.crt."
    raise Refused(Issue("S142", "error", "url", f"{quoted(text)} is not a URL of the web.", remedy))


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:.0f} seconds"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    words = getattr(error, "strerror", None) or "it answers something else"
    return words[:1].lower() + words[1:] if words[:2] != words[:2].upper() else words


def _via(name: str, proxy: ProxyConfig | None, *, secure: bool) -> Upstream | None:
    if proxy is None or proxy.method == "off":
        return None
    from tui.services.proxy.exceptions import bypasses

    return None if bypasses(name, proxy.exceptions) else proxy.upstreams[secure]


async def _open(where: Server, via: Upstream | None) -> Line:
    """A connection to a server, by CONNECT where there is a proxy before it."""
    from tui.services.proxy.tunnel import Line, NotHttp, login, looking

    if via is None:
        return await Line.open(where.name, where.port)
    line = await Line.open(via.host, via.port)
    try:
        if via.scheme == "https":
            await line.secure(looking(), via.host)
        head = await line.ask(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n{login(via)}\r\n")
        if head.status != 200:
            raise ConnectionError(0, f"the proxy answers with {head.status}")
    except NotHttp as error:
        line.close()
        raise ConnectionError(0, "what answers is no proxy") from error
    except BaseException:
        line.close()
        raise
    return line


async def _get(url: SplitResult, proxy: ProxyConfig | None) -> tuple[int, str, bytes]:
    """Status, Location and body. HTTP/1.0, so that the end of the body is the end of the connection."""
    from tui.services.proxy.tunnel import Line, NotHttp, login, looking

    secure, name = url.scheme == "https", url.hostname or ""
    where = Server(name, url.port or (443 if secure else 80))
    via = _via(name, proxy, secure=secure)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    extra = ""
    if secure or via is None:
        line = await _open(where, via)
        if secure:
            await line.secure(looking(), name)
    else:
        line = await Line.open(via.host, via.port)
        if via.scheme == "https":
            await line.secure(looking(), via.host)
        path, extra = f"http://{where}{path}", login(via)
    try:
        head = await line.ask(f"GET {path} HTTP/1.0\r\nHost: {where}\r\nConnection: close\r\n{extra}\r\n")
        location = next(iter(head.all("location")), "")
        body = b""
        length = next((int(x) for x in head.all("content-length") if x.isdigit()), LARGEST)
        while len(body) < min(length, LARGEST + 1) and (piece := await line.reader.read(65536)):
            body += piece
    except NotHttp as error:
        raise ConnectionError(0, "what answers is no web server") from error
    finally:
        line.close()
    return head.status, location, body[: LARGEST + 1]
