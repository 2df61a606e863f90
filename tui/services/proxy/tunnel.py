"""The wire below a trial: one connection, heads of HTTP answers (RFC 9112), TLS, certificates as presented."""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64encode
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.models.proxy import Upstream

LARGEST = 32 << 10
"""Bytes of a head; who sends more does not speak HTTP with us."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |\r|$)")
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h): validity is judged by us, against a clock that is an argument."""


class NotHttp(Exception):
    """The peer answered, or hung up, with something that is no HTTP."""


@dataclass(frozen=True, slots=True)
class Head:
    status: int
    fields: tuple[tuple[str, str], ...]
    """Names in lower case; a name may come several times."""

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.fields if key == name)

    @property
    def date(self) -> float | None:
        """The clock of whoever answered, in seconds since the epoch."""
        try:
            return parsedate_to_datetime(self.all("date")[0]).timestamp()
        except (IndexError, ValueError, TypeError):
            return None

    @property
    def schemes(self) -> tuple[str, ...]:
        """Ways to log in that the proxy offers, in lower case (RFC 9110 section 11.7.1)."""
        words = (re.match(r"[A-Za-z0-9-]+", value) for value in self.all("proxy-authenticate"))
        return tuple(dict.fromkeys(word[0].lower() for word in words if word))


class Line:
    """One TCP connection with what is laid over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int) -> Line:
        return cls(*await asyncio.open_connection(host, port, limit=LARGEST))

    async def secure(self, context: ssl.SSLContext, name: str) -> None:
        """TLS from here on. A second layer within TLS works as well.

        Raises:
            ssl.SSLError: the handshake failed; OSError: the peer hung up.
        """
        await self.writer.start_tls(context, server_hostname=name)

    async def ask(self, request: str) -> Head:
        """Send a request and read the head of the answer.

        Raises:
            NotHttp: no such answer. OSError: the connection broke.
        """
        self.writer.write(request.encode())
        await self.writer.drain()
        try:
            data = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            data = error.partial
        except asyncio.LimitOverrunError as error:
            raise NotHttp from error
        found = _STATUS.match(data)
        if found is None:
            raise NotHttp
        lines = data.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if ":" in line)
        return Head(int(found[1]), tuple((key.strip().lower(), value.strip()) for key, _, value in pairs))

    @property
    def tls(self) -> Any:
        return self.writer.get_extra_info("ssl_object")

    def chain(self, *, verified: bool) -> tuple[bytes, ...]:
        """Certificates in DER, the server's own first: as presented, or up to the authority once verified."""
        tls = self.tls
        inner = tls if hasattr(tls, "get_verified_chain") else tls._sslobj  # public since Python 3.13
        found = (inner.get_verified_chain() if verified else inner.get_unverified_chain()) or ()
        return tuple(c if isinstance(c, bytes) else ssl.PEM_cert_to_DER_cert(c.public_bytes()) for c in found)

    def close(self) -> None:
        self.writer.transport.abort()


def verifying(bundle: str | None) -> ssl.SSLContext:
    """Everything is verified but the time. `bundle` is a file of authorities; None trusts nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= _NO_CHECK_TIME
    if bundle is not None:
        context.load_verify_locations(bundle)
    return context


def looking() -> ssl.SSLContext:
    """Verifies nothing: for looking at what is presented, never for sending anything of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def login(upstream: Upstream) -> str:
    """The header of Basic authentication in UTF-8 (RFC 7617), "" without a user."""
    if not upstream.user:
        return ""
    pair = b64encode(f"{upstream.user}:{upstream.secret}".encode()).decode()
    return f"Proxy-Authorization: Basic {pair}\r\n"
