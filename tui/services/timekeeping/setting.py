"""The clock set by hand, where no server can be reached: an action of its own, for a clock cannot be taken back.

It is in the audit with the time before and after. The countdown of a pending change runs on CLOCK_BOOTTIME and does
not notice.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from tui.models.change import Difference, Issue, Refused
from tui.services import system
from tui.services.change import audit
from tui.services.host import Host
from tui.services.timekeeping import state

log = logging.getLogger(__name__)


async def set_clock(host: Host, now: float, *, who: str, line: str) -> str:
    """Set wall clock and, where there is one, the hardware clock. Returns a sentence about it.

    Args:
        now: seconds since the epoch.

    Raises:
        Refused: the clock is synchronised (Y133), belongs to another host (Y134), or may not be set (C106).
    """
    if host.kind in ("user", "network"):
        text = "A practice host has no clock of its own; this one is of the machine that it runs on."
        raise Refused(Issue("Y134", "error", "now", text, "Practise with names, servers and zones instead."))
    found = await state.read(host)
    if found.synchronised:
        text = f"The clock is set by {found.server or found.service}; by hand it would only become wrong."
        raise Refused(Issue("Y133", "error", "now", text, "Correct the time servers instead."))
    before = host.clock.now()
    try:
        host.clock.set(now)
    except OSError as error:
        text = f"The clock may not be set here: {error.strerror or error}."
        raise Refused(Issue("C106", "error", "now", text, "Do it as root on the host itself.")) from error
    audit.note(host, "clock set by hand", who, line, Difference("Host", "clock", written(before), written(now)))
    return f"The clock was set to {written(now)}.{await _hardware(host)}"


def written(moment: float) -> str:
    """A moment in UTC, for people and for the audit."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


async def _hardware(host: Host) -> str:
    """Keep it over a restart; a box without a clock of its own forgets, and that is said."""
    hwclock = system.program(host, "hwclock")
    if not hwclock:
        return "" if host.kind != "real" else " It is not kept over a restart: there is no hwclock."
    try:
        await system.output(hwclock, "--systohc", "--utc")
    except OSError as error:
        log.warning("hwclock: %s", error)
        return " It is not kept over a restart: there is no hardware clock."
    return ""
