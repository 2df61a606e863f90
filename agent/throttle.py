"""Wrong passwords over HTTPS: each further try waits longer, and then nobody is let in under that name for a while.

As the product documents it: after three failures 1 s that doubles, after five locked for 15 minutes; all three numbers
are settings. Counted by user name, whether there is such a user or not, so that nothing can be learned from it; kept
in the store, so that a restart of the agent forgives nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

from agent.store import Store
from tui.services.clock import Clock
from tui.settings import Settings

FORGOTTEN = 24 * 3600.0
"""Seconds after the last failure in which a count starts anew."""
NAMES = 10_000
"""Names that are remembered; whoever tries more of them loses the oldest."""
LONGEST_DELAY = 30.0
AT_ONCE = 4
"""Passwords that are tried at the same time, over all users."""
WAITING = 5
"""Tries under one name that wait for their turn; more are refused at once."""
ADDRESS = "@"
"""Begins the name of an address in the same table: it may be wrong `PEOPLE` times as often, for people share one."""
PEOPLE = 4


def network(address: str) -> str:
    """What one customer of a provider has: the address, of IPv6 its first 64 bits."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ip_network((found, 64), strict=False))


class Throttle:
    """Counts failures of one agent."""

    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self._store, self._clock, self._settings = store, clock, settings
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[bool]:
        """One try at a time for each name, for many at once would all find the same count.

        Gives False, at once, where too many wait for this name already.
        """
        lock, waiting = self._turns.get(name, (asyncio.Lock(), 0))
        if waiting >= WAITING:
            yield False
            return
        self._turns[name] = (lock, waiting + 1)
        try:
            async with lock, self._places:
                yield True
        finally:
            left = self._turns[name][1] - 1
            if left:
                self._turns[name] = (lock, left)
            else:
                del self._turns[name]

    def locked(self, name: str) -> float:
        """Seconds for which nobody is let in under this name; 0 for not locked."""
        row = self._store.row("SELECT locked_until FROM failures WHERE name = ?", name)
        left = row["locked_until"] - self._clock.now() if row is not None else 0.0
        # A clock that was set back must not lock for years.
        return min(max(left, 0.0), self._settings.agent_lock_minutes * 60.0)

    def delay(self, name: str) -> float:
        """Seconds that the next try under this name has to wait."""
        over = self._count(name) - self._limit(name, self._settings.agent_delay_after)
        return min(2.0**over, LONGEST_DELAY) if over >= 0 else 0.0

    def failed(self, name: str) -> None:
        """Count one more."""
        count, now = self._count(name) + 1, self._clock.now()
        locked = (
            now + self._settings.agent_lock_minutes * 60
            if count >= self._limit(name, self._settings.agent_lock_after)
            else 0.0
        )
        with self._store.transaction():
            self._store.run(
                "INSERT INTO failures (name, count, last, locked_until) VALUES (?, ?, ?, ?) ON CONFLICT (name)"
                " DO UPDATE SET count = excluded.count, last = excluded.last, locked_until = excluded.locked_until",
                name, 0 if locked else count, now, locked,
            )  # fmt: skip
            self._store.run(
                "DELETE FROM failures WHERE name IN (SELECT name FROM failures ORDER BY last DESC LIMIT -1 OFFSET ?)",
                NAMES,
            )

    def succeeded(self, name: str) -> None:
        self._store.run("DELETE FROM failures WHERE name = ?", name)

    def _count(self, name: str) -> int:
        row = self._store.row("SELECT count, last FROM failures WHERE name = ?", name)
        return int(row["count"]) if row is not None and self._clock.now() - row["last"] < FORGOTTEN else 0

    @staticmethod
    def _limit(name: str, number: int) -> int:
        return number * PEOPLE if name.startswith(ADDRESS) else number
