"""One question to one time server (NTP version 4, client mode, RFC 5905 section 7.3)."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass

from tui.services.checks.bound import asked
from tui.services.checks.frames import Ip
from tui.services.checks.way import Way
from tui.services.clock import Clock

TRIES, PATIENCE = 3, 1.0
"""Questions to a silent server, and the seconds that each is waited for."""
_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""
_ERA = 1 << 32
_CLIENT = bytes([0x23]) + bytes(39)
"""Version 4, mode 3."""
_UNSYNCHRONISED = 3


@dataclass(frozen=True, slots=True)
class Time:
    """What a time server said.

    Attributes:
        offset: seconds that its clock is ahead of ours.
        synchronised: it says that it knows the time itself.
    """

    offset: float
    synchronised: bool
    stratum: int


async def ask(way: Way, server: Ip, clock: Clock) -> Time:
    """The time of `server`.

    Raises:
        TimeoutError, OSError: as `bound.asked`.
    """
    cookie = secrets.token_bytes(8)
    sent = clock.now()

    def fits(data: bytes) -> bool:
        return len(data) >= 48 and data[0] & 7 == 4 and data[24:32] == cookie

    data = await asked(way, server, 123, [_CLIENT + cookie] * TRIES, PATIENCE, fits)
    return parse(data, sent, clock.now())


def parse(data: bytes, sent: float, received: float) -> Time:
    """Args: `sent` and `received` by our clock, seconds since the epoch."""
    arrived, left = _seconds(data[32:40], received), _seconds(data[40:48], received)
    stratum = data[1]
    known = data[0] >> 6 != _UNSYNCHRONISED and 0 < stratum < 16
    return Time((arrived - sent + left - received) / 2, known, stratum)


def _seconds(stamp: bytes, near: float) -> float:
    """A timestamp as seconds since 1970, in the era of NTP that is nearest to `near` (RFC 5905 section 6)."""
    whole, fraction = struct.unpack("!II", stamp)
    seconds = whole - _EPOCH + fraction / _ERA
    return float(seconds + round((near - seconds) / _ERA) * _ERA)
