"""LLDP frames: what a switch says of itself and of the port that a cable leads to.

Sources: IEEE 802.1AB-2016 clauses 8 and 9.2.7 (what makes a frame invalid), 802.1Q annex D (VLAN).
"""

from __future__ import annotations

from collections.abc import Iterator

from tui.models.port import Neighbour, printable
from tui.services.port.protocol import LLDP, LLDP_GROUPS, Malformed, address, mac

_END, _CHASSIS, _PORT, _LIFETIME, _ABOUT_PORT, _SYSTEM, _ADDRESS, _OF_OTHERS = 0, 1, 2, 3, 4, 5, 8, 127
_BRIDGES = b"\x00\x80\xc2"
"""IEEE 802.1's own; the byte after it says what."""
_PORT_VLAN, _VLAN_NAME = 1, 3
MOST = 16
"""VLANs and addresses that are kept of one neighbour; a frame has room for hundreds."""


def parse(frame: bytes, now: float) -> Neighbour:
    """The neighbour that sent a frame. One whose lifetime is 0 says that it goes: it is over at `now`.

    Args:
        now: CLOCK_BOOTTIME in seconds.

    Raises:
        Malformed: no LLDP, or invalid by 9.2.7.7.
    """
    if len(frame) < 14 or frame[:6] not in LLDP_GROUPS or int.from_bytes(frame[12:14]) != LLDP:
        raise Malformed("not LLDP")
    items = list(_items(frame[14:]))
    if [kind for kind, _ in items[:3]] != [_CHASSIS, _PORT, _LIFETIME]:
        raise Malformed("chassis, port and lifetime come first, in that order")
    (_, chassis), (_, port), (_, lifetime), *more = items
    if not 2 <= len(chassis) <= 256 or not 2 <= len(port) <= 256 or len(lifetime) < 2:
        raise Malformed("a length that chassis, port or lifetime cannot have")
    if any(kind in (_CHASSIS, _PORT, _LIFETIME) for kind, _ in more):
        raise Malformed("chassis, port or lifetime twice")
    of_others = [value for kind, value in more if kind == _OF_OTHERS]
    names = dict.fromkeys(name for value in of_others if (name := _vlan_name(value)) is not None)
    addresses = dict.fromkeys(where for kind, value in more if kind == _ADDRESS and (where := _managed(value)))
    return Neighbour(
        "LLDP", _named(chassis, mac_at=4, network_at=5), _named(port, mac_at=3, network_at=4),
        now + int.from_bytes(lifetime[:2]), _text(more, _ABOUT_PORT), _text(more, _SYSTEM),
        next((vlan for value in of_others if (vlan := _port_vlan(value)) is not None), None),
        tuple(names)[:MOST], tuple(addresses)[:MOST],
    )  # fmt: skip


def _items(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and value up to the end mark; where it is missing, the frame is the end (9.2.7.7.1)."""
    at = 0
    while at + 2 <= len(body):
        head = int.from_bytes(body[at : at + 2])
        kind, length = head >> 9, head & 0x1FF
        if kind == _END:
            if length:
                raise Malformed("an end with something in it")
            return
        if at + 2 + length > len(body):
            raise Malformed("longer than the frame")
        yield kind, body[at + 2 : at + 2 + length]
        at += 2 + length


def _named(value: bytes, *, mac_at: int, network_at: int) -> str:
    """A chassis or a port, by its subtype (tables 8-2 and 8-3); what is no name is shown as its bytes."""
    kind, raw = value[0], value[1:]
    if kind == mac_at and len(raw) == 6:
        return mac(raw)
    if kind == network_at and (found := address(raw[1:], raw[0])):
        return found
    text = raw.rstrip(b"\0").decode("utf-8", "replace")
    return printable(raw) if text.isprintable() and "\ufffd" not in text and text.strip() else raw[:20].hex()


def _text(items: list[tuple[int, bytes]], wanted: int) -> str:
    return next((printable(value) for kind, value in items if kind == wanted), "")


def _managed(value: bytes) -> str:
    """Management address (8.5.9): its length, subtype included, then family and address."""
    length = value[0] if value else 0
    return address(value[2 : 1 + length], value[1]) if 2 <= length < len(value) else ""


def _port_vlan(value: bytes) -> int | None:
    """802.1Q D.2.1; 0: this port takes no frames without a tag."""
    if not value.startswith(_BRIDGES + bytes([_PORT_VLAN])) or len(value) != 6:
        return None
    vlan = int.from_bytes(value[4:6])
    return vlan if vlan < 4095 else None


def _vlan_name(value: bytes) -> tuple[int, str] | None:
    """802.1Q D.2.3"""
    if not value.startswith(_BRIDGES + bytes([_VLAN_NAME])) or len(value) < 7:
        return None
    vlan, length = int.from_bytes(value[4:6]), value[6]
    return (vlan, printable(value[7 : 7 + length])) if 0 < vlan < 4095 and 7 + length <= len(value) else None
