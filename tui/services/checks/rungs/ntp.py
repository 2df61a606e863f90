"""The time servers, asked once a climb: by the rung of the clock, or earlier by TLS where a date is in doubt."""

from __future__ import annotations

import asyncio

from tui.services.checks import sntp
from tui.services.checks.climb import Climb, Finding, Trouble, failed
from tui.services.checks.rungs.resolve import addresses_of

TOLERATED = 60.0
"""Seconds of difference that neither TLS nor a token minds."""


async def ask_all(climb: Climb) -> None:
    """Ask each server of `Wanted.ntp` that may be asked; what they say is in `Climb.times`."""
    async with climb.lock:
        left = [server for server in climb.wanted.ntp if server not in climb.times]
        said = await asyncio.gather(*(_said(climb, server) for server in left))
        climb.times |= dict(zip(left, said, strict=True))


async def _said(climb: Climb, server: str) -> sntp.Time | str:
    try:
        addresses = await addresses_of(climb, server)
        allowed = [a for a in addresses if not climb.forbidden(a)]
        if not allowed:
            return f"not asked: {climb.forbidden(addresses[0])}"
        return await sntp.ask(climb.way, allowed[0], climb.clock)
    except Trouble as trouble:
        return f"not asked: {trouble.finding.reason}"
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return error.strerror or str(error)


def wrong_clock(offset: float, reason: str) -> Finding:
    text = f"The clock of this host is {in_words(offset)} {'slow' if offset > 0 else 'fast'}."
    return failed("D241", text, "Set the clock, or NTP servers, in Name & time; then check again.", reason)


def in_words(seconds: float) -> str:
    """A time span in the unit that fits, such as "2 years"."""
    left = abs(seconds)
    for unit, size in (("year", 31_556_952), ("day", 86400), ("hour", 3600), ("minute", 60)):
        if left >= size * 1.5 or (unit == "minute" and left >= size):
            count = round(left / size)
            return f"{count} {unit}{'s' * (count > 1)}"
    return f"{left:.1f} seconds"
