"""A small authoritative name server (RFC 1035, AAAA of RFC 3596) for the names of the practice site, UDP and TCP."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from ipaddress import ip_address

from agent.practice.cables import GATEWAY4, GATEWAY6, NEIGHBOUR4, NEIGHBOUR6, SITE

A, SOA, PTR, AAAA, ANY = 1, 6, 12, 28, 255
_TTL = 60
_OK, _FORMAT_ERROR, _NO_SUCH_NAME, _NOT_IMPLEMENTED = 0, 1, 3, 4
_ADDRESSES = {
    SITE: (GATEWAY4, GATEWAY6),
    f"gateway.{SITE}": (GATEWAY4, GATEWAY6),
    f"hub.{SITE}": (GATEWAY4, GATEWAY6),
    f"printer.{SITE}": (NEIGHBOUR4, NEIGHBOUR6),
}


def _name(text: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".") if part) + b"\0"


def _records() -> dict[str, dict[int, list[bytes]]]:
    found: dict[str, dict[int, list[bytes]]] = {}
    for name, addresses in _ADDRESSES.items():
        for address in map(ip_address, addresses):
            found.setdefault(name, {}).setdefault(A if address.version == 4 else AAAA, []).append(address.packed)
            if name.count(".") > SITE.count("."):
                found.setdefault(address.reverse_pointer, {}).setdefault(PTR, []).append(_name(name))
    return found


RECORDS = _records()
_AUTHORITY = _name(f"gateway.{SITE}") + _name(f"admin.{SITE}") + struct.pack("!IIIII", 1, 3600, 600, 86400, _TTL)


def answer(query: bytes) -> bytes | None:
    """The reply to one query; None for what does not even have a header, or is no query."""
    if len(query) < 12:
        return None
    identity, flags, questions = struct.unpack_from("!HHH", query)
    if flags & 0x8000:
        return None
    recursion = flags & 0x0100
    if flags & 0x7800 or questions != 1:
        return struct.pack("!HHHHHH", identity, 0x8000 | recursion | _NOT_IMPLEMENTED, 0, 0, 0, 0)
    parsed = _question(query)
    if parsed is None:
        return struct.pack("!HHHHHH", identity, 0x8000 | recursion | _FORMAT_ERROR, 0, 0, 0, 0)
    name, kind, end = parsed
    known = RECORDS.get(name)
    answers = [
        struct.pack("!HHHIH", 0xC00C, found, 1, _TTL, len(value)) + value
        for found, values in (known or {}).items()
        if kind in (found, ANY)
        for value in values
    ]
    authority = [] if answers else [_name(SITE) + struct.pack("!HHIH", SOA, 1, _TTL, len(_AUTHORITY)) + _AUTHORITY]
    code = _OK if known else _NO_SUCH_NAME
    header = struct.pack("!HHHHHH", identity, 0x8480 | recursion | code, 1, len(answers), len(authority), 0)
    return header + query[12:end] + b"".join(answers + authority)


def _question(query: bytes) -> tuple[str, int, int] | None:
    """Name in lower case, type, and where the question ends; None where it is cut off or compressed."""
    at, parts = 12, []
    while at < len(query) and query[at]:
        if query[at] > 63:
            return None
        parts.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace").lower())
        at += 1 + query[at]
    if at + 5 > len(query):
        return None
    return ".".join(parts), int.from_bytes(query[at + 1 : at + 3]), at + 5


class _Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if found := answer(data):
            self._transport.sendto(found, address)  # type: ignore[attr-defined] # it is a datagram one


async def _stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
            if found := answer(query):
                writer.write(len(found).to_bytes(2) + found)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve(addresses: Sequence[str], port: int = 53) -> list[object]:
    """Listen on each address; what is returned has to be kept."""
    loop = asyncio.get_running_loop()
    kept: list[object] = []
    for address in addresses:
        kept.append(await loop.create_datagram_endpoint(_Datagrams, local_addr=(address, port)))
        kept.append(await asyncio.start_server(_stream, address, port))
    return kept
