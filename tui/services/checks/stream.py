"""A TCP connection, perhaps by a proxy, perhaps with TLS on it, that is gone the moment its block ends.

The socket is ours alone: no transport of asyncio keeps it open for a polite farewell, so that leaving the screen
leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tui.services.checks.bound import bound, where
from tui.services.checks.frames import Ip
from tui.services.checks.way import Way

if TYPE_CHECKING:
    import ssl

CONNECT = 4.0
"""Seconds for a connection to come up: the first SYN and the two that Linux repeats after 1 and 3 s."""
_PIECE = 16384


class Stream:
    """Bytes to and from a peer; with `secure` called, through TLS."""

    def __init__(self, opened: socket.socket, address: Ip) -> None:
        self.address = address
        self._socket = opened
        self._loop = asyncio.get_running_loop()
        self._tls: ssl.SSLObject | None = None

    @property
    def tls(self) -> ssl.SSLObject | None:
        return self._tls

    async def secure(self, context: ssl.SSLContext, name: str) -> ssl.SSLObject:
        """Speak TLS from now on.

        Raises:
            ssl.SSLError: the handshake failed (ssl.SSLCertVerificationError where only the certificate is at fault).
            OSError: the connection broke.
        """
        import ssl

        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError:
                await self._flush()  # the alert, so that the peer's log has the reason too
                raise
            else:
                await self._flush()
                self._tls = tls
                return tls

    async def send(self, data: bytes) -> None:
        if self._tls is None:
            await self._loop.sock_sendall(self._socket, data)
        else:
            self._tls.write(data)
            await self._flush()

    async def receive(self) -> bytes:
        """What came; b"" at the end."""
        if self._tls is None:
            return await self._loop.sock_recv(self._socket, _PIECE)
        import ssl

        while True:
            try:
                return self._tls.read(_PIECE)
            except ssl.SSLWantReadError:
                if not await self._fill():
                    return b""
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def _flush(self) -> None:
        if data := self._out.read():
            await self._loop.sock_sendall(self._socket, data)

    async def _fill(self) -> bool:
        data = await self._loop.sock_recv(self._socket, _PIECE)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        return bool(data)


@asynccontextmanager
async def connected(way: Way, address: Ip, port: int) -> AsyncIterator[Stream]:
    """A connection to one address.

    Raises:
        TimeoutError: nobody answered within `CONNECT` seconds.
        OSError: refused, unreachable, or there is no address to leave with.
    """
    with bound(way, address, socket.SOCK_STREAM) as opened:
        async with asyncio.timeout(CONNECT):
            await asyncio.get_running_loop().sock_connect(opened, where(way, address, port))
        try:
            yield Stream(opened, address)
        except BaseException:
            # Left in the middle: a reset, so that the kernel does not repeat a farewell for minutes to who is silent.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise
