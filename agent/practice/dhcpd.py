"""A small DHCP server (RFC 2131, options of RFC 2132 and RFC 3397) for the healthy link."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from agent.practice.cables import GATEWAY4, SITE

POOL = tuple(str(IPv4Address("192.0.2.100") + n) for n in range(50))
LEASE_SECONDS = 3600
_COOKIE = bytes.fromhex("63825363")
_HEADER = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_DISCOVER, _OFFER, _REQUEST, _DECLINE, _ACK, _NAK, _RELEASE, _INFORM = range(1, 9)
_TYPE, _WANTED, _SERVER, _CLIENT_ID = 53, 50, 54, 61


@dataclass(frozen=True, slots=True)
class Message:
    """The parts of a DHCP message that matter here; `hardware` is the client's 16-byte chaddr."""

    operation: int
    transaction: int
    flags: int
    client: bytes
    hardware: bytes
    options: dict[int, bytes]

    @property
    def kind(self) -> int:
        return int.from_bytes(self.options.get(_TYPE, b"")[:1])

    @property
    def wanted(self) -> str:
        """The address that the client asks for, or has; "" where the option is no address."""
        value = self.options.get(_WANTED) or self.client
        return str(IPv4Address(value)) if len(value) == 4 else ""


def parse(data: bytes) -> Message | None:
    """A message out of a datagram, or None for what is not DHCP."""
    if len(data) < _HEADER.size + 4 or data[_HEADER.size : _HEADER.size + 4] != _COOKIE:
        return None
    operation, _, _, _, transaction, _, flags, client, _, _, _, hardware, _, _ = _HEADER.unpack_from(data)
    options: dict[int, bytes] = {}
    at = _HEADER.size + 4
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        value = data[at + 2 : at + 2 + data[at + 1]]
        options[data[at]] = options.get(data[at], b"") + value  # a long one comes in pieces (RFC 3396)
        at += 2 + data[at + 1]
    return Message(operation, transaction, flags, client, hardware, options)


@dataclass(slots=True)
class Leases:
    """Who has which address; a client gets the same one again."""

    by_client: dict[bytes, str] = field(default_factory=dict)
    declined: set[str] = field(default_factory=set)

    def address(self, client: bytes) -> str | None:
        """The address of this client, leased or new; None when the pool is empty."""
        if client not in self.by_client:
            taken = {*self.by_client.values(), *self.declined}
            free = next((a for a in POOL if a not in taken), None)
            if free is None:
                return None
            self.by_client[client] = free
        return self.by_client[client]

    def answer(self, message: Message) -> tuple[int, str] | None:
        """Kind of reply and address given ("" for none); None where a server keeps silent (RFC 2131 §4.3)."""
        client = message.options.get(_CLIENT_ID) or message.hardware[:6]
        if message.kind == _DISCOVER:
            address = self.address(client)
            return (_OFFER, address) if address else None
        if message.kind == _REQUEST:
            if message.options.get(_SERVER, IPv4Address(GATEWAY4).packed) != IPv4Address(GATEWAY4).packed:
                self.by_client.pop(client, None)  # it took another server's offer
                return None
            leased = self.address(client)
            return (_ACK, leased) if leased and message.wanted == leased else (_NAK, "")
        if message.kind == _RELEASE:
            self.by_client.pop(client, None)
        elif message.kind == _DECLINE and client in self.by_client:
            self.declined.add(self.by_client.pop(client))
        elif message.kind == _INFORM:
            return _ACK, ""
        return None


def reply(message: Message, kind: int, address: str) -> bytes:
    options = {_TYPE: bytes([kind]), _SERVER: IPv4Address(GATEWAY4).packed}
    if kind != _NAK:
        if address:
            times = (LEASE_SECONDS, LEASE_SECONDS // 2, LEASE_SECONDS * 7 // 8)
            options |= {code: struct.pack("!I", t) for code, t in zip((51, 58, 59), times, strict=True)}
        options |= {
            1: IPv4Address("255.255.255.0").packed,
            3: IPv4Address(GATEWAY4).packed,
            6: IPv4Address(GATEWAY4).packed,
            15: SITE.encode(),
            28: IPv4Address("192.0.2.255").packed,
        }
    zero = bytes(4)
    given = IPv4Address(address).packed if address else zero
    header = _HEADER.pack(
        2, 1, 6, 0, message.transaction, 0, message.flags, message.client if kind == _ACK else zero, given, zero, zero,
        message.hardware, b"", b"",
    )  # fmt: skip
    body = b"".join(bytes([code, len(value)]) + value for code, value in options.items())
    return (header + _COOKIE + body + b"\xff").ljust(300, b"\0")


class _Server(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.leases = Leases()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        message = parse(data)
        if message is None or message.operation != 1 or not (found := self.leases.answer(message)):
            return
        # To a client that has its address already, there; else to all: it may not take a unicast yet (§4.1).
        renewing = any(message.client) and found[0] == _ACK
        to = str(IPv4Address(message.client)) if renewing else "255.255.255.255"
        self._transport.sendto(reply(message, *found), (to, 68))  # type: ignore[attr-defined] # it is a datagram one


async def serve(link: str) -> asyncio.BaseTransport:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode())
    listener.bind(("0.0.0.0", 67))  # noqa: S104 - the one link it is bound to
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Server, sock=listener)
    return transport
