"""The practice hub on its ports: `python -m agent.practice.hub_server FOLDER HTTPS HTTP PROXY`, until its input ends.

The three are listening sockets, as numbers of inherited descriptors. Faults on the way to the hub are here: who
presents which certificate, who answers on port 80, what the proxy lets through.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import sys
from pathlib import Path

import uvicorn

from agent.practice.hub import build, orders
from agent.practice.hub_certs import NAMES

PORTAL = "portal.guest.example"


class Ways:
    """Which certificate is presented now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contexts: dict[str, ssl.SSLContext] = {}
        for name in ("good", "clock", "intercepted", "portal"):
            self.contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.contexts[name].load_cert_chain(folder / f"{name}.pem")

    def present(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        faults = orders(self.folder)["faults"]
        connection.context = self.contexts[next((name for name in self.contexts if name in faults), "good")]

    async def plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Port 80: everybody is sent to the hub by HTTPS, or to the sign-in page."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            asked = re.search(r"(?im)^host: *([\w.-]+)", head)
            where = f"https://{asked[1] if asked else NAMES[0]}/"
            if "portal" in orders(self.folder)["faults"]:
                where = f"http://{PORTAL}/sign-in"
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.transport.abort()

    async def proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Port 3128: CONNECT (RFC 9110 section 9.3.6)."""
        faults = orders(self.folder)["faults"]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split()
            host, _, port = head[1].rpartition(":")
            if "proxy-login" in faults:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n")
            elif "proxy-refuses" in faults or head[0] != "CONNECT":
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            else:
                inner, outer = await asyncio.open_connection(_own(host), int(port))
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_pump(reader, outer), _pump(inner, writer))
            await writer.drain()
        writer.transport.abort()


def _own(host: str) -> str:
    """The proxy resolves the hub by itself: it runs where the hub does."""
    return "localhost" if host in NAMES else host


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


async def main(folder: Path, https: int, http: int, proxy: int) -> None:
    ways = Ways(folder)
    config = uvicorn.Config(
        build(folder), log_level="warning", lifespan="off", ws="none", server_header=False, date_header=False,
        proxy_headers=False, ssl_certfile=folder / "good.pem",
    )  # fmt: skip
    config.load()
    assert config.ssl is not None  # noqa: S101 - a certificate was given
    config.ssl.sni_callback = ways.present
    server = uvicorn.Server(config)
    kept = [
        await asyncio.start_server(ways.plain, sock=socket.socket(fileno=http)),
        await asyncio.start_server(ways.proxy, sock=socket.socket(fileno=proxy)),
    ]
    asyncio.get_running_loop().add_reader(0, setattr, server, "should_exit", True)
    await server.serve([socket.socket(fileno=https)])
    for one in kept:
        one.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
