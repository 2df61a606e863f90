"""CDP frames: what switches of Cisco say where LLDP is not switched on, which is how they are delivered.

There is no standard; the layout is the one that every open reader of it agrees on (lldpd, Wireshark): a header of
version, lifetime and checksum, then items whose length counts their own four bytes of head. The checksum is not
looked at: senders differ in how they add up an odd byte, and Ethernet has one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from tui.models.port import Neighbour, printable
from tui.services.port.protocol import CDP_GROUP, Malformed, address

_SNAP = bytes.fromhex("aaaa0300000c2000")
"""Logical link control, Cisco's organisation, protocol 0x2000."""
_DEVICE, _ADDRESSES, _PORT, _NATIVE_VLAN, _MANAGEMENT = 0x01, 0x02, 0x03, 0x0A, 0x16
_IPV4 = b"\x01\x01\xcc\x00\x04"
"""NLPID, one byte: IP; then an address of four bytes."""


def parse(frame: bytes, now: float) -> Neighbour:
    """The neighbour that sent a frame; `now` as in `lldp.parse`.

    Raises:
        Malformed: no CDP, without a device or a port, or with lengths that lead out of the frame.
    """
    if frame[:6] != CDP_GROUP or frame[14:22] != _SNAP or len(frame) < 26:
        raise Malformed("not CDP")
    length = int.from_bytes(frame[12:14])
    if not 12 <= length <= len(frame) - 14:
        raise Malformed("longer than the frame")
    found: dict[int, bytes] = {}
    for kind, value in _items(frame[26 : 14 + length]):
        found.setdefault(kind, value)
    device, port = printable(found.get(_DEVICE, b"")), printable(found.get(_PORT, b""))
    if not device or not port:
        raise Malformed("without a device or a port")
    native = found.get(_NATIVE_VLAN, b"")
    vlan = int.from_bytes(native) if len(native) == 2 else 0
    addresses = [*_addresses(found.get(_MANAGEMENT, b"")), *_addresses(found.get(_ADDRESSES, b""))]
    return Neighbour(
        "CDP", device, port, now + frame[23], system=device, vlan=vlan if 0 < vlan < 4095 else None,
        addresses=tuple(dict.fromkeys(addresses)),
    )  # fmt: skip


def _items(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(body):
        kind, length = int.from_bytes(body[at : at + 2]), int.from_bytes(body[at + 2 : at + 4])
        if length < 4 or at + length > len(body):
            raise Malformed("a length that no item has")
        yield kind, body[at + 4 : at + length]
        at += length


def _addresses(value: bytes) -> list[str]:
    """IPv4 addresses of a list: their count, then kind and address of each; others end it."""
    found: list[str] = []
    rest = value[4:]
    while len(found) < min(int.from_bytes(value[:4]), 4) and rest.startswith(_IPV4) and len(rest) >= 9:
        found.append(address(rest[5:9], 1))
        rest = rest[9:]
    return found
