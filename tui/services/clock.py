"""Time, so that tests and replays can set it: wall clock for people, CLOCK_BOOTTIME for every countdown.

The wall clock of a box without a battery jumps by years when NTP comes up; CLOCK_BOOTTIME
(clock_gettime(2)) goes on through a step and through suspend.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def boottime(self) -> float:
        """Seconds since boot, suspend included."""
        ...

    def set(self, now: float) -> None:
        """Set the wall clock; boot time goes on.

        Raises:
            OSError: it may not be set here.
        """
        ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def set(self, now: float) -> None:
        time.clock_settime(time.CLOCK_REALTIME, now)


class FixedClock:
    """A clock that stands still until it is moved: for replays and tests."""

    def __init__(self, now: float = 0.0, boottime: float = 1000.0) -> None:
        self._now, self._boottime = now, boottime

    def now(self) -> float:
        return self._now

    def boottime(self) -> float:
        return self._boottime

    def set(self, now: float) -> None:
        self._now = now

    def move(self, seconds: float) -> None:
        self._now += seconds
        self._boottime += seconds
