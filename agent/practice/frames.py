"""Ethernet, ARP, neighbour discovery and LLDP as bytes.

Sources: RFC 826 (ARP), RFC 4861 §4.3-4.4 and §7.2.4 (neighbour solicitation and advertisement), RFC 8200 §8.1 (the
checksum), IEEE 802.1Q (tags), IEEE 802.1AB (LLDP),
IEEE 802.1AX §6.4.2.3 (LACP).
"""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address

ARP, IPV6, LLDP, SLOW, TAGGED = 0x0806, 0x86DD, 0x88CC, 0x8809, 0x8100
BROADCAST = b"\xff" * 6
LLDP_GROUP = bytes.fromhex("0180c200000e")
SLOW_GROUP = bytes.fromhex("0180c2000002")
_REQUEST, _REPLY = 1, 2
_SOLICITATION, _ADVERTISEMENT = 135, 136
_ALL_NODES = IPv6Address("ff02::1").packed


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ethernet(destination: bytes, source: bytes, kind: int, payload: bytes, vlan: int | None = None) -> bytes:
    """A frame, tagged with `vlan` if given, padded to the 60 bytes that a wire wants."""
    tag = b"" if vlan is None else struct.pack("!HH", TAGGED, vlan)
    return (destination + source + tag + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def arp(operation: int, sender_mac: bytes, sender: bytes, target_mac: bytes, target: bytes) -> bytes:
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + sender_mac + sender + target_mac + target


def arp_request(sender_mac: bytes, sender: str, target: str) -> bytes:
    return arp(_REQUEST, sender_mac, IPv4Address(sender).packed, bytes(6), IPv4Address(target).packed)


def arp_answer(payload: bytes, own_mac: bytes, own: str) -> tuple[bytes, bytes] | None:
    """Destination and reply to an ARP request for `own`, also to a probe with sender 0.0.0.0; else None."""
    if len(payload) < 28 or payload[:8] != struct.pack("!HHBBH", 1, 0x0800, 6, 4, _REQUEST):
        return None
    asker_mac, asker, wanted = payload[8:14], payload[14:18], payload[24:28]
    if wanted != IPv4Address(own).packed:
        return None
    return asker_mac, arp(_REPLY, own_mac, wanted, asker_mac, asker)


def neighbour_answer(packet: bytes, own_mac: bytes, own: str) -> tuple[bytes, bytes] | None:
    """Destination and advertisement that answer a solicitation for `own`; to all nodes where the asker is still
    looking for duplicates (source "::"). Else None.
    """
    address = IPv6Address(own).packed
    if len(packet) < 64 or packet[6] != socket.IPPROTO_ICMPV6 or packet[40] != _SOLICITATION:
        return None
    source, target = packet[8:24], packet[48:64]
    if target != address:
        return None
    detecting = source == bytes(16)
    to = _ALL_NODES if detecting else source
    flags = 0x2000_0000 if detecting else 0x6000_0000  # override; solicited only where somebody waits for it
    body = struct.pack("!BBHI", _ADVERTISEMENT, 0, 0, flags) + address + b"\x02\x01" + own_mac
    checksum = _checksum(address + to + struct.pack("!II", len(body), socket.IPPROTO_ICMPV6) + body)
    body = body[:2] + struct.pack("!H", checksum) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), socket.IPPROTO_ICMPV6, 255) + address + to
    return b"\x33\x33" + to[12:] if detecting else b"", header + body


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def lldp(source: bytes, port: str, system: str, vlan: int, about: str = "") -> bytes:
    """What a switch says of itself: chassis, port, lifetime, name and the VLAN of untagged frames (802.1Q annex D)."""

    def item(kind: int, value: bytes) -> bytes:
        return struct.pack("!H", kind << 9 | len(value)) + value

    items = (
        item(1, b"\x04" + source),
        item(2, b"\x05" + port.encode()),
        item(3, struct.pack("!H", 120)),
        *([item(4, about.encode())] if about else []),
        item(5, system.encode()),
        item(127, b"\x00\x80\xc2\x01" + struct.pack("!H", vlan)),
        item(0, b""),
    )
    return ethernet(LLDP_GROUP, source, LLDP, b"".join(items))


def lacp(source: bytes, key: int, port: int, partner: bytes = bytes(6)) -> bytes:
    """What a switch says at a port of a bundle; of a partner it knows nothing, unless given."""
    state = 0x05 if any(partner) else 0x45  # active, can be aggregated; 0x40: the partner is a default
    actor = struct.pack("!BBH6sHHHB3x", 1, 20, 0x8000, source, key, 0x8000, port, state)
    other = struct.pack("!BBH6sHHHB3x", 2, 20, 0, partner, 0, 0, 0, 0)
    collector = struct.pack("!BBH12x", 3, 16, 0)
    return ethernet(SLOW_GROUP, source, SLOW, b"\x01\x01" + actor + other + collector + bytes(52))
