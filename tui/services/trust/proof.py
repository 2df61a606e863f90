"""Whether programs of this host believe a server now: asked of each kind of program, with the host's own bundle."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tui.models.wrong import quoted
from tui.services.host import Host
from tui.services.trust import stores
from tui.services.trust.reach import SECONDS, Server

STRICT = "Python 3.13 and later"
LENIENT = "Python and OpenSSL"
CURL = "curl"
_CURL_UNTRUSTED = (51, 60, 77)


@dataclass(frozen=True, slots=True)
class Proof:
    """What one consumer says of a server. `believed` is None where it could not be asked."""

    consumer: str
    believed: bool | None
    reason: str = ""
    code: str = ""


async def proofs(host: Host, where: Server) -> AsyncIterator[Proof]:
    """One consumer after the other, directly and without a proxy."""
    store = stores.store_of(host)
    bundle = None if store is None else str(host.path(store.bundle))
    yield await _python(LENIENT, where, bundle, strict=False)
    yield await _python(STRICT, where, bundle, strict=True)
    if shutil.which("curl") is not None:
        yield await _curl(where, None if str(host.root) == "/" else bundle)


async def _python(consumer: str, where: Server, bundle: str | None, *, strict: bool) -> Proof:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if strict:  # as ssl.create_default_context does from 3.13 on
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        if bundle is not None:
            context.load_verify_locations(bundle)
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(where.name, where.port, ssl=context, server_hostname=where.name)
            writer.transport.abort()
    except ssl.SSLCertVerificationError as error:
        return Proof(consumer, False, quoted(error.verify_message), "S161" if strict else "S160")
    except (OSError, ValueError) as error:
        return Proof(consumer, None, _unreached(error))
    return Proof(consumer, True)


async def _curl(where: Server, bundle: str | None) -> Proof:
    """The real program with its own defaults; its options come by standard input, so that none is in the list of
    processes."""
    options = [f'url = "https://{where}/"', 'noproxy = "*"', f"max-time = {SECONDS:.0f}", 'output = "/dev/null"']
    options += [f'cacert = "{bundle}"'] if bundle else []
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            "curl", "-q", "--silent", "--config", "-", stdin=pipe, stdout=null, stderr=null, env=environment
        )
    except OSError as error:
        return Proof(CURL, None, _unreached(error))
    try:
        async with asyncio.timeout(SECONDS + 5):
            await process.communicate("\n".join(options).encode())
    except TimeoutError as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return Proof(CURL, None, _unreached(error))
    if process.returncode in _CURL_UNTRUSTED:
        return Proof(CURL, False, f"curl ends with code {process.returncode}", "S160")
    # Whatever comes after the handshake, such as an empty answer (52), is no matter of trust.
    reached = process.returncode in (0, 1, 8, 22, 52, 56)
    return Proof(CURL, True) if reached else Proof(CURL, None, f"curl ends with code {process.returncode}")


def _unreached(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return (getattr(error, "strerror", None) or "no TLS there")[:60]
