"""What the protocols have in common by which switches talk to whoever is at the other end of a cable.

A frame that breaks a rule of its protocol says nothing: none of it is believed.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

LLDP, SLOW, LLC = 0x88CC, 0x8809, 0x0004
"""EtherTypes of 802.1AB and of the slow protocols (802.3 annex 57A); ETH_P_802_2 of if_ether.h, which CDP has."""
LLDP_GROUPS = tuple(bytes.fromhex(f"0180c20000{last}") for last in ("0e", "03", "00"))
"""Nearest bridge, nearest bridge that is no relay, nearest customer bridge (802.1AB table 7-1)."""
SLOW_GROUP = bytes.fromhex("0180c2000002")
CDP_GROUP = bytes.fromhex("01000ccccccc")


class Malformed(ValueError):
    """The frame breaks a rule of its protocol, so nothing of it is believed."""


def mac(raw: bytes) -> str:
    return raw.hex(":")


def address(raw: bytes, family: int) -> str:
    """An address of an IANA address family (1 IPv4, 2 IPv6, 6 hardware); "" for others and for a wrong length."""
    if family == 1 and len(raw) == 4:
        return str(IPv4Address(raw))
    if family == 2 and len(raw) == 16:
        return str(IPv6Address(raw))
    return mac(raw) if family == 6 and len(raw) == 6 else ""
