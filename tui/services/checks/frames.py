"""The questions and answers on an Ethernet, as bytes.

Sources: RFC 826 (ARP) and RFC 5227 (asking for an address without having one), RFC 4861 sections 4.3, 4.4 and 7.1
(neighbour solicitation and advertisement), RFC 4862 section 5.4 (asking for duplicates), RFC 8200 section 8.1 (the
checksum), IEEE 802.1Q (tags) and 802.1D table 7-10 (addresses that never carry one).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

ARP, IPV6 = 0x0806, 0x86DD
_TAGS = (0x8100, 0x88A8)
_BROADCAST = b"\xff" * 6
_ARP_HEAD = struct.pack("!HHBB", 1, 0x0800, 6, 4)
_REQUEST = 1
_SOLICITATION, _ADVERTISEMENT = 135, 136
_NOBODY = bytes(16)
_CONTROL = (bytes.fromhex("0180c2"), bytes.fromhex("01000c"))
"""Switches talk among themselves by these (spanning tree, LLDP, LACP, CDP): without a tag on every port."""
Ip = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says that `address` is theirs, or, `seeking`, asks whether it is free."""

    address: Ip
    mac: str
    seeking: bool = False


def question(mac: str, address: Ip, sender: Ip | None) -> bytes:
    """Who has `address`? Without a sender nobody learns anything from the question (RFC 5227, RFC 4862)."""
    source = bytes.fromhex(mac.replace(":", ""))
    if address.version == 4:
        asker = sender.packed if sender else bytes(4)
        body = _ARP_HEAD + struct.pack("!H", _REQUEST) + source + asker + bytes(6) + address.packed
        return (_BROADCAST + source + struct.pack("!H", ARP) + body).ljust(60, b"\0")
    group = solicited_node(address)
    origin = sender.packed if sender else _NOBODY
    option = b"\x01\x01" + source if sender else b""
    body = struct.pack("!BBHI", _SOLICITATION, 0, 0, 0) + address.packed + option
    pseudo = origin + group + struct.pack("!II", len(body), socket.IPPROTO_ICMPV6)
    body = body[:2] + struct.pack("!H", _checksum(pseudo + body)) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), socket.IPPROTO_ICMPV6, 255) + origin + group
    return group_mac(group) + source + struct.pack("!H", IPV6) + header + body


def solicited_node(address: Ip) -> bytes:
    """The multicast group that whoever has `address` listens to (RFC 4291 section 2.7.1)."""
    return bytes.fromhex("ff0200000000000000000001ff") + address.packed[-3:]


def group_mac(group: bytes) -> bytes:
    """The hardware address of an IPv6 multicast group (RFC 2464 section 7)."""
    return b"\x33\x33" + group[-4:]


def claim(frame: bytes) -> Claim | None:
    """What an untagged frame says about who has which address; None if nothing, or if it is malformed."""
    kind = int.from_bytes(frame[12:14])
    if kind == ARP:
        return _arp(frame[14:])
    return _neighbour(frame) if kind == IPV6 else None


def _arp(packet: bytes) -> Claim | None:
    if len(packet) < 28 or not packet.startswith(_ARP_HEAD):
        return None
    operation, mac, sender = int.from_bytes(packet[6:8]), packet[8:14].hex(":"), IPv4Address(packet[14:18])
    if sender.is_unspecified:
        return Claim(IPv4Address(packet[24:28]), mac, seeking=True) if operation == _REQUEST else None
    return Claim(sender, mac)


def _neighbour(frame: bytes) -> Claim | None:
    packet = frame[14:]
    if len(packet) < 64 or packet[6] != socket.IPPROTO_ICMPV6 or packet[7] != 255:  # 255: no router passed it on
        return None
    mac, source, target = frame[6:12].hex(":"), packet[8:24], packet[48:64]
    if packet[40] == _ADVERTISEMENT:
        option = packet[64:72]
        return Claim(IPv6Address(target), option[2:].hex(":") if option[:2] == b"\x02\x01" else mac)
    if packet[40] == _SOLICITATION:
        return Claim(IPv6Address(target), mac, seeking=True) if source == _NOBODY else Claim(IPv6Address(source), mac)
    return None


def vlan(frame: bytes, beside: int | None) -> int | None:
    """The VLAN of a frame: 0 without a tag, None if it says nothing about how the port is set.

    Args:
        beside: the tag control information that the kernel took out of the frame, or None.
    """
    if frame.startswith(_CONTROL):
        return None
    if beside is not None:
        return beside & 0x0FFF
    return int.from_bytes(frame[14:16]) & 0x0FFF if int.from_bytes(frame[12:14]) in _TAGS else 0


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
