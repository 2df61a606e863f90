"""One attempt to reach a server: step by step, each failure with its own reason; see `trial` for what it promises."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tui.models.change import Issue
from tui.models.wrong import quoted
from tui.services.proxy import presented
from tui.services.proxy.presented import Certificate
from tui.services.proxy.tried import Target, Trial
from tui.services.proxy.tunnel import Head, Line, NotHttp, login, looking, verifying

if TYPE_CHECKING:
    from tui.models.proxy import Upstream


@dataclass(slots=True)
class Run:
    """One attempt under way: its arguments, and what is known so far."""

    target: Target
    upstream: Upstream | None
    bundle: str | None
    now: float
    limit: float
    steps: list[tuple[str, float]] = field(default_factory=list)
    date: float | None = None

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.limit):
                yield
        finally:
            self.steps.append((name, time.monotonic() - began))


class Stop(Exception):
    """The attempt ends here."""

    def __init__(self, code: str, text: str, remedy: str, **known: object) -> None:
        super().__init__(code)
        self.issue, self.known = Issue(code, "error", "proxy", text, remedy), known


async def reach(run: Run, made: Trial) -> Trial:
    line = await _connected(run)
    try:
        if run.target.scheme == "http":
            return await _answer(run, made, line, by_proxy=run.upstream is not None)
        if run.upstream is not None:
            await _through(run, line)
        return await _secured(run, made, line)
    finally:
        line.close()


async def _connected(run: Run) -> Line:
    host, port = (run.upstream.host, run.upstream.port) if run.upstream else (run.target.host, run.target.port)
    what = "The proxy" if run.upstream else "The server"
    try:
        async with run.step("connect"):
            line = await Line.open(host, port)
    except socket.gaierror:
        text = f"The name {host} is not known to the name servers."
        raise Stop("P131", text, "Check its spelling and the name servers under Network.") from None
    except TimeoutError:
        text = f"{what} {host}:{port} does not answer: not within {run.limit:.0f} s."
        raise Stop("P133", text, "Check the address; a firewall between may drop it silently.") from None
    except OSError as error:
        reason = (error.strerror or "it failed").lower() if error.errno else "nothing listens there"
        text = f"{what} {host}:{port} does not take the connection: {reason}."
        raise Stop("P132", text, "Check host and port; the port is often 3128 or 8080.") from None
    if run.upstream is None or run.upstream.scheme == "http":
        return line
    try:
        async with run.step("TLS with the proxy"):
            await line.secure(verifying(run.bundle), host)
    except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
        line.close()
        untrusted = isinstance(error, ssl.SSLCertVerificationError)
        why = "its certificate is not trusted here" if untrusted else "it does not speak TLS on this port"
        remedy = "Import its CA." if untrusted else "Choose HTTP at Spoken with it; nearly all proxies want that."
        raise Stop("P141", f"No TLS with the proxy {host}:{port}: {why}.", remedy) from None
    return line


async def _through(run: Run, line: Line) -> None:
    """A tunnel to the target, or the proxy's reason against it."""
    upstream, authority = run.upstream, run.target.authority
    assert upstream is not None  # noqa: S101 - for the type
    request = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: onsite\r\n{login(upstream)}\r\n"
    head = await _asked(run, line, "CONNECT", request)
    run.date = head.date
    if head.status // 100 != 2:
        _refused(run, head)


async def _asked(run: Run, line: Line, name: str, request: str) -> Head:
    who = f"the proxy {run.upstream.host}:{run.upstream.port}" if run.upstream else f"the server {run.target.authority}"
    try:
        async with run.step(name):
            return await line.ask(request)
    except NotHttp:
        text = f"What answers as {who} is no proxy." if run.upstream else f"What answers as {who} speaks no HTTP."
        raise Stop("P134", text, "Check the port: something else listens there.") from None
    except TimeoutError:
        text = f"Connected to {who}, but no answer within {run.limit:.0f} s."
        raise Stop("P149", text, "The proxy may wait for a server that it cannot reach; ask IT.") from None
    except OSError:
        text = f"The connection to {who} was cut off."
        raise Stop("P134", text, "Check the port, and whether it wants TLS.") from None


def _refused(run: Run, head: Head) -> None:
    """Say why the proxy does not pass on."""
    upstream, where, known = run.upstream, run.target.authority, {"status": head.status, "schemes": head.schemes}
    assert upstream is not None  # noqa: S101 - for the type
    if head.status == 407:
        offered = ", ".join({"ntlm": "NTLM", "basic": "Basic"}.get(s, s.capitalize()) for s in head.schemes) or "none"
        if "basic" not in head.schemes:
            text = f"The proxy wants a login, but offers only: {offered}. This host can do Basic."
            raise Stop("P137", text, "Ask IT for an exemption by address, or a proxy with Basic.", **known)
        if upstream.user:
            text = f"The proxy does not take user {quoted(upstream.user)} with this password."
            raise Stop("P135", text, "Type the password again; ask IT whether the account is locked.", **known)
        raise Stop("P136", "The proxy wants a user and a password.", "Type them in the Proxy place.", **known)
    if head.status in (403, 405):
        text = f"The proxy forbids {where} ({head.status})."
        raise Stop("P138", text, f"Ask IT to allow this host {where}.", **known)
    if head.status in (500, 502, 503, 504):
        text = f"The proxy cannot reach {where} ({head.status})."
        raise Stop("P139", text, "Check the address asked for; the proxy itself works.", **known)
    text = f"The proxy answers {head.status} when asked for {where}."
    raise Stop("P140", text, "Ask IT what that means there.", **known)


async def _secured(run: Run, made: Trial, line: Line) -> Trial:
    where = run.target.authority
    try:
        async with run.step("TLS"):
            await line.secure(verifying(run.bundle), run.target.host)
    except ssl.SSLCertVerificationError as error:
        return await _untrusted(run, made, error)
    except TimeoutError:
        text = f"{where} is reached, but TLS is not finished within {run.limit:.0f} s."
        raise Stop("P149", text, "A firewall may hold back large packets: check the MTU.") from None
    except OSError:
        text = f"{where} is reached, but does not speak TLS."
        raise Stop("P148", text, "Check the port; or is it http:// and not https://?") from None
    chain = tuple(presented.read(der) for der in line.chain(verified=True))
    made = replace(made, chain=chain)
    answered = await _answer(run, made, line, by_proxy=False)
    issues = (*presented.out_of_time(chain, run.now, run.date, where), *answered.issues)
    if run.upstream is not None and chain:
        seen = await _directly(run)
        if seen is not None:
            other = seen.sha256 != chain[0].sha256 and seen.issuer != chain[0].issuer
            answered = replace(answered, intercepted=other)
            if other:
                issues = (*issues, presented.opened(where, chain[-1], trusted=True))
    return replace(answered, issues=issues)


async def _answer(run: Run, made: Trial, line: Line, *, by_proxy: bool) -> Trial:
    target = run.target
    uri = f"http://{target.authority}{target.path}" if by_proxy else target.path
    extra = login(run.upstream) if by_proxy and run.upstream else ""
    fields = f"Host: {target.authority}\r\nUser-Agent: onsite\r\nAccept: */*\r\nConnection: close\r\n{extra}"
    if by_proxy:
        head = await _asked(run, line, "answer", f"GET {uri} HTTP/1.1\r\n{fields}\r\n")
        if head.status == 407 or head.all("x-squid-error") or head.status in (502, 504):
            _refused(run, head)
    else:
        behind = replace(run, upstream=None)  # what is wrong from here on is not the proxy's; steps are shared
        head = await _asked(behind, line, "answer", f"GET {uri} HTTP/1.1\r\n{fields}\r\n")
    run.date = head.date or run.date
    made = replace(made, status=head.status)
    if head.status < 500:
        return made
    text = f"{target.authority} is reached and answers {head.status}: it has a fault of its own."
    return replace(made, issues=(Issue("P151", "warning", "", text, "Tell whoever runs that server."),))


async def _untrusted(run: Run, made: Trial, error: ssl.SSLCertVerificationError) -> Trial:
    """Look again without verifying, so that the operator sees who it was."""
    chain = await _looked(run)
    made = replace(made, chain=chain)
    where = run.target.authority
    if not chain or error.verify_code in presented.OTHER_NAME:
        return replace(made, issues=(presented.refused(error, where, chain),))
    seen = await _directly(run) if run.upstream is not None else chain[0]
    intercepted = None if seen is None else seen.sha256 != chain[0].sha256 and seen.issuer != chain[0].issuer
    issue = (
        presented.opened(where, chain[-1], trusted=False)
        if intercepted
        else presented.unknown(where, chain[-1], by_proxy=None if intercepted is None else False)
        if error.verify_code in presented.UNKNOWN
        else presented.refused(error, where, chain)
    )
    late = presented.out_of_time(chain[:1], run.now, run.date, where)
    return replace(made, intercepted=intercepted, issues=(issue, *late))


async def _looked(run: Run) -> tuple[Certificate, ...]:
    """The certificates at the end of the same way, and the clock of whoever presents them."""
    again = replace(run, steps=[])
    try:
        line = await _connected(again)
    except Stop:
        return ()
    try:
        if again.upstream is not None:
            await _through(again, line)
        async with asyncio.timeout(run.limit):
            await line.secure(looking(), run.target.host)
            chain = line.chain(verified=False)
            head = await line.ask(f"HEAD / HTTP/1.1\r\nHost: {run.target.authority}\r\nConnection: close\r\n\r\n")
            run.date = head.date or run.date
    except (OSError, TimeoutError, NotHttp, Stop):
        chain = line.chain(verified=False) if line.tls is not None else ()
    finally:
        line.close()
    return tuple(presented.read(der) for der in chain)


async def _directly(run: Run) -> Certificate | None:
    """The server's own certificate without the proxy, where that way is open; one try, briefly."""
    try:
        async with asyncio.timeout(min(3.0, run.limit)):
            line = await Line.open(run.target.host, run.target.port)
            try:
                await line.secure(looking(), run.target.host)
                chain = line.chain(verified=False)
            finally:
                line.close()
    except (OSError, TimeoutError):
        return None
    return presented.read(chain[0]) if chain else None
