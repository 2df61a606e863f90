"""The other end of a test cable, in a network namespace of its own: told by lines on standard input what to be.

`up`, `down`: carrier. `lease`, `nak`, `silent`, `odd`: how its DHCP server answers. `router`, `no router`: whether a
solicitation gets an advertisement of 2001:db8:0:9::/64. Each line is answered by `ok`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys

from agent.practice import dhcpd
from tui import namespaces

NAME = "far0"
ADDRESS, PREFIX6 = "192.0.2.1", "2001:db8:0:9::"


class Server(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.mode, self.leases = "silent", dhcpd.Leases()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, _: object) -> None:
        message = dhcpd.parse(data)
        if message is None or self.mode == "silent" or not (answer := self.leases.answer(message)):
            return
        if self.mode == "nak" and message.kind == 3:
            self.leases.by_client.clear()
            self.mode, answer = "lease", (6, "")
        packet = dhcpd.reply(message, *answer)
        if self.mode == "odd":  # an answer that is none, and one cut short, before the true one
            for junk in (packet[:240] + b"\xff", packet[:240] + bytes([61, 0, 255]), packet[:200], b"\0"):
                self.transport.sendto(junk, ("255.255.255.255", 68))  # type: ignore[attr-defined] # a datagram one
        self.transport.sendto(packet, ("255.255.255.255", 68))  # type: ignore[attr-defined] # a datagram one


class Router:
    def __init__(self, index: int) -> None:
        self.on, self.index = False, index
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMPV6)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        member = socket.inet_pton(socket.AF_INET6, "ff02::2") + struct.pack("@I", index)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)

    def heard(self) -> None:
        data = self.sock.recv(2048)
        if self.on and data and data[0] == 133:
            prefix = socket.inet_pton(socket.AF_INET6, PREFIX6)
            option = struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 3600, 1800, 0, prefix)
            with contextlib.suppress(OSError):
                to = ("ff02::1", 0, 0, self.index)
                self.sock.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + option, to)


async def main() -> None:
    namespaces.unshare(namespaces.NET)
    print("ready", flush=True)
    sys.stdin.readline()
    await ip("link", "set", NAME, "up")
    await ip("addr", "add", f"{ADDRESS}/24", "dev", NAME)
    loop, server, router = asyncio.get_running_loop(), Server(), Router(socket.if_nametoindex(NAME))
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, NAME.encode())
    listener.bind(("", 67))
    await loop.create_datagram_endpoint(lambda: server, sock=listener)
    loop.add_reader(router.sock, router.heard)
    print("ok", flush=True)
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        if line in ("up", "down"):
            await ip("link", "set", NAME, line)
        elif line.endswith("router"):
            router.on = line == "router"
        else:
            server.mode = line
        print("ok", flush=True)


async def ip(*words: str) -> None:
    done = await asyncio.create_subprocess_exec("ip", *words)
    if await done.wait():
        raise OSError(f"ip {' '.join(words)}")


if __name__ == "__main__":
    asyncio.run(main())
