"""The rest of the world for the ladder, in a network namespace of its own: router, name server, time server, proxy,
management plane, registry, and a wire in between that can be made to fail.

Everything of the host goes through `Wire`, frame by frame in user space, so a fault needs nothing of the kernel. On
standard input comes one line of JSON, a list of faults; `ok` is printed when they hold.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import json
import socket
import ssl
import struct
import subprocess
import sys
import time
from email.utils import formatdate
from ipaddress import ip_address
from pathlib import Path

from agent.practice import dhcpd, frames, wire
from tests.netns import ladder_certs
from tests.netns.ladder_world import (
    AWAY,
    ENDPOINT4,
    ENDPOINT6,
    GATEWAY4,
    GATEWAY6,
    HOST4,
    HOST6,
    NAMES,
    PASSWORD,
    PORTAL,
    PROXY,
    REGISTRY4,
    REGISTRY6,
    ROUTER_MAC,
    STRANGER,
    USER,
    VLAN,
    WEB4,
    WEB6,
)  # fmt: skip
from tui import namespaces

FAULTS: set[str] = set()
YEARS = 2 * 31_556_952
_SIOCETHTOOL = 0x8946
_OFF = (0x17, 0x1F, 0x24, 0x2C)
"""ETHTOOL_STXCSUM, STSO, SGSO, SGRO: without them frames are as they would be on a cable."""


def plain(name: str) -> None:
    """Whole checksums and no super-frames on link `name`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        import ctypes

        for command in _OFF:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            with contextlib.suppress(OSError):
                fcntl.ioctl(asking, _SIOCETHTOOL, struct.pack("16sP", name.encode(), ctypes.addressof(value)))


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=30)


class Wire:
    """Two ports; a frame goes from one to the other unless a fault eats it."""

    def __init__(self, near: str, far: str) -> None:
        self.near, self.far = wire.open_wire(near), wire.open_wire(far)
        loop = asyncio.get_running_loop()
        loop.add_reader(self.near, self._move, self.near, self.far, True)
        loop.add_reader(self.far, self._move, self.far, self.near, False)
        self.beat = asyncio.create_task(self._chatter())

    def _move(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:
        for _ in range(64):
            try:
                received = wire.receive(source)
            except OSError:
                return
            if received is None:
                continue
            frame, vlan = received
            if outward and not FAULTS & {"silent", "tagged"}:
                self._impersonate(frame)
            if vlan is None and not self._eaten(frame, outward):
                wire.send(sink, frame if "tagged" not in FAULTS else self._tagged(frame))

    def _eaten(self, frame: bytes, outward: bool) -> bool:
        if "silent" in FAULTS or ("tagged" in FAULTS and outward):
            return True
        if "hole" in FAULTS and len(frame) > 14 + 1300:
            return True
        kind = int.from_bytes(frame[12:14])
        if "no gateway answers" in FAULTS and self._about_gateway(frame, kind):
            return True
        if FAULTS & {"no echoes", "small echoes only"} and _echo(frame, kind):
            return "no echoes" in FAULTS or len(frame) > 1000
        protocol, to = _port(frame, kind)
        if protocol == 17 and to == 53:
            return outward and ("dns silent" in FAULTS or ("dns 4 silent" in FAULTS and kind == 0x0800))
        if protocol == 17 and to == 123:
            return outward and "ntp silent" in FAULTS
        if protocol == 6 and to == 443:
            return outward and bool(FAULTS & {"tcp silent", "firewall"})
        return False

    def _about_gateway(self, frame: bytes, kind: int) -> bool:
        if kind == frames.ARP:
            return ip_address(GATEWAY4).packed in (frame[28:32], frame[38:42])
        return (
            kind == frames.IPV6 and frame[54:55] in (b"\x87", b"\x88") and ip_address(GATEWAY6).packed in frame[62:78]
        )

    def _impersonate(self, frame: bytes) -> None:
        kind = int.from_bytes(frame[12:14])
        stranger = frames.mac(STRANGER)
        if kind == frames.ARP and "duplicate 4" in FAULTS and (found := frames.arp_answer(frame[14:], stranger, HOST4)):
            wire.send(self.near, frames.ethernet(found[0], stranger, frames.ARP, found[1]))
        if kind == frames.IPV6 and "duplicate 6" in FAULTS:
            answer = frames.neighbour_answer(frame[14:], stranger, HOST6)
            if answer:
                wire.send(self.near, frames.ethernet(answer[0] or frame[6:12], stranger, frames.IPV6, answer[1]))

    def _tagged(self, frame: bytes) -> bytes:
        return frame[:12] + struct.pack("!HH", frames.TAGGED, VLAN) + frame[12:]

    async def _chatter(self) -> None:
        """A port that hears tagged frames only is a port on which somebody speaks."""
        asking = frames.arp_request(frames.mac(ROUTER_MAC), GATEWAY4, "192.0.2.200")
        while True:
            if "tagged" in FAULTS:
                wire.send(
                    self.near, frames.ethernet(frames.BROADCAST, frames.mac(ROUTER_MAC), frames.ARP, asking, VLAN)
                )
            await asyncio.sleep(0.3)


def _echo(frame: bytes, kind: int) -> bool:
    """An echo request."""
    if kind == 0x0800:
        return frame[23] == socket.IPPROTO_ICMP and frame[34] == 8
    return kind == frames.IPV6 and frame[20] == socket.IPPROTO_ICMPV6 and frame[54] == 128


def _port(frame: bytes, kind: int) -> tuple[int, int]:
    """Protocol and destination port of an IP packet without options; zeros for everything else."""
    if kind == 0x0800:
        return frame[23], int.from_bytes(frame[36:38])
    if kind == frames.IPV6:
        return frame[20], int.from_bytes(frame[56:58])
    return 0, 0


class Dns(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if len(data) > 16:
            self.transport.sendto(self.answer(data), address)  # type: ignore[attr-defined] # a datagram one

    def answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, kind, end = ".".join(labels).lower(), int.from_bytes(query[at + 1 : at + 3]), at + 5
        code, records = 0, list(NAMES.get(name, ()))
        if not records:
            code = 2 if "no outside names" in FAULTS else 3
        if "dns refuses" in FAULTS:
            code, records = 5, []
        elif ("no outside names" in FAULTS and not name.endswith(".site.example")) or (
            "servfail" in FAULTS and name.startswith("api.")
        ):
            code, records = 2, []
        elif "nxdomain" in FAULTS and name.startswith("api."):
            code, records = 3, []
        elif "no address" in FAULTS and name.startswith("api."):
            records = []
        found = [r.packed for r in map(ip_address, records) if kind == (1 if r.version == 4 else 28)]
        body = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(r)) + r for r in found)
        return query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(found), 0, 0) + query[12:end] + body


class Ntp(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        now = time.time() + 2_208_988_800 + YEARS * bool(FAULTS & {"clock", "ntp wrong"})
        stamp = struct.pack("!II", int(now) & 0xFFFFFFFF, int(now % 1 * (1 << 32)))
        leap, stratum = (0xE4, 16) if "ntp unsynchronised" in FAULTS else (0x24, 2)
        head = bytes([leap, stratum, 6, 0xE9]) + bytes(12) + stamp
        self.transport.sendto(head + data[40:48] + stamp + stamp, address)  # type: ignore[attr-defined] # as above


class Site:
    """The management plane, the registry and a web page; one certificate for each way to be wrong."""

    def __init__(self, folder: str) -> None:
        self.contexts: dict[str, ssl.SSLContext] = {}
        for name in ladder_certs.LEAVES:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{folder}/{name}.pem")
            self.contexts[name] = context

    async def endpoint(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        certificate = next((name for name in ladder_certs.LEAVES if name in FAULTS), "good")
        certificate = "future" if "clock" in FAULTS else certificate
        await self._serve(reader, writer, certificate, self._api)

    async def registry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, "good", self._v2)

    async def web(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, "", self._page)

    async def _serve(self, reader, writer, certificate, answer) -> None:  # type: ignore[no-untyped-def]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            if "not tls" in FAULTS and certificate and answer == self._api:
                writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
                await writer.drain()
            else:
                if certificate:
                    await writer.start_tls(self.contexts[certificate])
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer())
                await writer.drain()
        writer.transport.abort()

    def _head(self, status: str, *fields: str) -> bytes:
        date = formatdate(time.time() + YEARS * ("clock" in FAULTS), usegmt=True)
        return "\r\n".join((f"HTTP/1.1 {status}", f"Date: {date}", *fields, "Content-Length: 0", "", "")).encode()

    def _api(self) -> bytes:
        if "not http" in FAULTS:
            return b"220 mail.site.example ESMTP\r\n"
        if "unwell" in FAULTS:
            return self._head("503 Service Unavailable")
        return self._head("404 Not Found" if "other service" in FAULTS else "401 Unauthorized")

    def _v2(self) -> bytes:
        if "no registry" in FAULTS:
            return self._head("404 Not Found")
        return self._head("401 Unauthorized", "Docker-Distribution-Api-Version: registry/2.0")

    def _page(self) -> bytes:
        if "portal" in FAULTS:
            return self._head("302 Found", f"Location: https://{PORTAL}/sign-in")
        return self._head("204 No Content")


async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """CONNECT with Basic (RFC 9110 section 9.3.6, RFC 7617)."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        if "not a proxy" in FAULTS:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        elif status := refused(await reader.readuntil(b"\r\n\r\n")):
            writer.write(f"HTTP/1.1 {status}\r\nProxy-Authenticate: Basic realm=x\r\n\r\n".encode())
        else:
            await _tunnel(reader, writer)
        await writer.drain()
    writer.transport.abort()


REQUESTED: dict[str, str] = {}


def refused(request: bytes) -> str:
    words, token = request.decode().split(), base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    REQUESTED["host"] = words[1].rpartition(":")[0]
    if "proxy password" in FAULTS or f"Basic {token}" not in request.decode():
        return "407 Proxy Authentication Required"
    if "proxy forbids" in FAULTS:
        return "403 Forbidden"
    return "502 Bad Gateway" if "proxy blind" in FAULTS else ""


async def _tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    address = NAMES[REQUESTED["host"]][0]
    try:
        inner, outer = await asyncio.open_connection(address, 443)
    except OSError:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        return
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(_pump(reader, outer), _pump(inner, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


SERVERS: dict[str, tuple[object, list[tuple[str, int]]]] = {}
"""What stops listening by a fault: name of the fault, handler, addresses."""
LISTENING: dict[str, list[asyncio.Server]] = {}


async def listen(name: str) -> None:
    handler, places = SERVERS[name]
    LISTENING[name] = [await asyncio.start_server(handler, *place) for place in places]  # type: ignore[arg-type]


async def hold(faults: set[str]) -> None:
    """Make the world be as `faults` say, from whatever it was."""
    before = set(FAULTS)
    FAULTS.clear()
    FAULTS.update(faults)
    for name in SERVERS:
        if name in faults and name in LISTENING:
            for server in LISTENING.pop(name):
                server.close()
        elif name not in faults and name not in LISTENING:
            await listen(name)
    if ("unplugged" in faults) != ("unplugged" in before):
        ip("link", "set", "near0", "down" if "unplugged" in faults else "up")
    if ("no route" in faults) != ("no route" in before):
        word = "delete" if "no route" in faults else "add"
        ip("address", word, f"{ENDPOINT4}/32", "dev", "lo")
        ip("-6", "address", word, f"{ENDPOINT6}/128", "dev", "lo", "nodad")


async def main(folder: str) -> None:
    namespaces.unshare(namespaces.NET)
    print("ready", flush=True)
    sys.stdin.readline()  # the rig tells when near0 has been moved here
    ip("link", "add", "far0", "address", ROUTER_MAC, "type", "veth", "peer", "name", "far1")
    for name in ("near0", "far1"):
        ip("link", "set", name, "arp", "off", "addrgenmode", "none", "up")
    for name in ("lo", "far0"):
        ip("link", "set", name, "up")
    for name in ("far0", "far1", "near0"):
        plain(name)
    for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        Path(f"/proc/sys/net/{setting}").write_text("1")
    for address in (f"{GATEWAY4}/24", f"{PROXY}/24"):
        ip("address", "add", address, "dev", "far0")
    ip("-6", "address", "add", f"{GATEWAY6}/64", "dev", "far0", "nodad")
    for address in (ENDPOINT4, REGISTRY4, WEB4, AWAY):
        ip("address", "add", f"{address}/32", "dev", "lo")
    for address in (ENDPOINT6, REGISTRY6, WEB6):
        ip("-6", "address", "add", f"{address}/128", "dev", "lo", "nodad")
    kept: list[object] = [Wire("near0", "far1"), await dhcpd.serve("far0")]
    loop, site = asyncio.get_running_loop(), Site(folder)
    for where in (GATEWAY4, GATEWAY6):
        kept.append(await loop.create_datagram_endpoint(Dns, local_addr=(where, 53)))
        kept.append(await loop.create_datagram_endpoint(Ntp, local_addr=(where, 123)))
    SERVERS["tcp refused"] = (site.endpoint, [(ENDPOINT4, 443), (ENDPOINT6, 443)])
    SERVERS["registry refused"] = (site.registry, [(REGISTRY4, 443), (REGISTRY6, 443), (PROXY, 443)])
    SERVERS["web refused"] = (site.web, [(WEB4, 80), (WEB6, 80)])
    SERVERS["proxy refused"] = (proxy, [(PROXY, 3128)])
    await hold(set())
    print("ok", flush=True)
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        await hold(set(json.loads(line)))
        print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
