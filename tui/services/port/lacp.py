"""LACP frames: a switch that says that a port belongs to a bundle of several.

Source: IEEE 802.1AX-2014, 6.4.2.3: all fields are of fixed length, so a frame with other lengths is not read; what
comes after actor and partner is left alone.
"""

from __future__ import annotations

from tui.models.port import Bundle
from tui.services.port.protocol import SLOW, SLOW_GROUP, Malformed, mac

_LACP = 1
"""Subtype of the slow protocols; the others are markers and link management."""
_ACTOR, _PARTNER = b"\x01\x14", b"\x02\x14"
SECONDS = 90.0
"""Three times the slower of the two periods at which it is sent: Long_Timeout_Time of 6.4.4."""


def parse(frame: bytes, now: float) -> Bundle:
    """What the sender says of its end.

    Args:
        now: CLOCK_BOOTTIME in seconds.

    Raises:
        Malformed: another slow protocol, or cut short.
    """
    if frame[:6] != SLOW_GROUP or int.from_bytes(frame[12:14]) != SLOW or frame[14:15] != bytes([_LACP]):
        raise Malformed("not LACP")
    actor, partner = frame[16:36], frame[36:56]
    if len(partner) < 20 or actor[:2] != _ACTOR or partner[:2] != _PARTNER:
        raise Malformed("not an actor and a partner of twenty bytes each")
    # Each: kind, length, priority of the system (2), system (6), key (2), priority of the port (2), port (2), state
    return Bundle(
        mac(actor[4:10]), int.from_bytes(actor[10:12]), int.from_bytes(actor[14:16]), mac(partner[4:10]),
        now + SECONDS,
    )  # fmt: skip
