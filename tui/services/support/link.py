"""A bundle for one download: HTTPS on this host with a certificate that is made for it, a token in the path, an end.

Nothing is logged of a request, for its path is a secret. The key lives in memory and in a file without a name.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import hmac
import os
import secrets
import ssl
from collections.abc import Callable
from ipaddress import ip_address

from tui.models.change import Issue, Refused
from tui.models.support import Offered, Told

SECONDS = 600.0
MOST_WRONG = 20
"""Requests for something else before the link closes: somebody guesses, which is hopeless, or it was typed wrongly."""
_PIECE = 64 << 10
_LONGEST, _PATIENCE, _SLOWEST = 8192, 10.0, 300.0
"""Bytes of a request, seconds for it, seconds for a download."""


async def offer(
    data: bytes, name: str, address: str, offered: Callable[[Offered], None], told: Told = lambda _done, _all: None,
    *, seconds: float = SECONDS, port: int = 0,
) -> str:  # fmt: skip
    """Serve it until it was fetched once or the time is over. Cancel it to close the link.

    Args:
        address: of this host, where others reach it.
        offered: called once with what to show.
        told: called with bytes that are sent and all of them.

    Returns:
        The address of whoever fetched it.

    Raises:
        Refused: U111 no link can be opened, U112 nobody has fetched it in time, U113 too many wrong requests.
    """
    if not address:
        raise _refused("U111", "No link can be opened: this host has no address.")
    token = base64.b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=")
    context, fingerprint = _identity(address)
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    wrong = 0
    busy = False

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal wrong, busy
        with contextlib.suppress(OSError, TimeoutError, ssl.SSLError, asyncio.IncompleteReadError, ValueError):
            async with asyncio.timeout(_PATIENCE):
                asked = await _request(reader)
            if asked is None or not hmac.compare_digest(asked, f"/{token}".encode()) or busy or ended.done():
                wrong += 1
                await _say(writer, "404 Not Found", b"There is nothing here.\n")
                if wrong >= MOST_WRONG and not ended.done():
                    ended.set_exception(_refused("U113", f"{wrong} requests came with another address than this link."))
                return
            busy = True
            try:
                async with asyncio.timeout(_SLOWEST):
                    await _send(writer, data, name, told)
                if not ended.done():
                    peer = writer.get_extra_info("peername") or ("?",)
                    ended.set_result(str(peer[0]))
            finally:
                busy = False

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
                async with asyncio.timeout(_PATIENCE):
                    await writer.wait_closed()

    try:
        server = await asyncio.start_server(
            connected, address, port, ssl=context, limit=_LONGEST, backlog=8, ssl_handshake_timeout=_PATIENCE
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such address"
        raise _refused("U111", f"No link can be opened at {address or 'this host'}: {why}.") from error
    try:
        listening = server.sockets[0].getsockname()[1]
        shown = f"[{address}]" if ":" in address else address
        offered(Offered(f"https://{shown}:{listening}/{token}", fingerprint, seconds))
        async with asyncio.timeout(seconds):
            return await ended
    except TimeoutError as error:
        raise _refused("U112", f"Nobody has fetched the bundle within {seconds / 60:.0f} minutes.") from error
    finally:
        server.close()


def _refused(code: str, text: str) -> Refused:
    remedy = {
        "U111": "Give this host an address first, or write to a stick.",
        "U112": "Open the link again when somebody is ready to fetch it.",
        "U113": "Open a new link, and compare each sign of it.",
    }[code]
    return Refused(Issue(code, "error", "", text, remedy))


async def _request(reader: asyncio.StreamReader) -> bytes | None:
    """The path that is asked for; None where it is no GET."""
    head = await reader.readuntil(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].split(b" ")
    return words[1] if len(words) == 3 and words[0] == b"GET" else None


async def _send(writer: asyncio.StreamWriter, data: bytes, name: str, told: Told) -> None:
    await _head(
        writer, "200 OK", len(data), "application/gzip", f'Content-Disposition: attachment; filename="{name}"\r\n'
    )
    for start in range(0, len(data), _PIECE):
        writer.write(data[start : start + _PIECE])
        await writer.drain()
        told(min(start + _PIECE, len(data)), len(data))


async def _say(writer: asyncio.StreamWriter, status: str, body: bytes) -> None:
    await _head(writer, status, len(body), "text/plain")
    writer.write(body)
    await writer.drain()


async def _head(writer: asyncio.StreamWriter, status: str, length: int, kind: str, more: str = "") -> None:
    writer.write(
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n".encode()
    )
    await writer.drain()


def _identity(address: str) -> tuple[ssl.SSLContext, str]:
    """TLS with a key and a certificate of an hour, and its SHA-256."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Onsite support bundle")])
    names: list[x509.GeneralName] = []
    with contextlib.suppress(ValueError):
        names.append(x509.IPAddress(ip_address(address)))
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(hours=3))
        .add_extension(x509.SubjectAlternativeName(names or [x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with open(os.memfd_create("onsite", os.MFD_CLOEXEC), "wb") as unnamed:
        how = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        unnamed.write(key.private_bytes(*how) + certificate.public_bytes(serialization.Encoding.PEM))
        unnamed.flush()
        context.load_cert_chain(f"/proc/self/fd/{unnamed.fileno()}")
    return context, certificate.fingerprint(hashes.SHA256()).hex()
