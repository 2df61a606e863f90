"""What is known of the ports of a host, and how it is kept up to date while a console is open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

from tui.models.change import Issue
from tui.models.facts import Link
from tui.models.port import Bundle, Neighbour, Plug, bonds, ports
from tui.services.host import Host
from tui.services.port import carrier, cdp, hearing, lacp, lldp, remembered
from tui.services.port.hints import DYNAMIC, hints
from tui.services.port.protocol import LLDP, SLOW, Malformed

JUST_NOW = 15.0
"""Seconds for which a move is the one that somebody has just made."""
_MOST_PLUGS = 50
_MOST_NEIGHBOURS = 8
"""Of one port; a hub may have several at its other end, a liar any number."""
_BOND_SECONDS = 3.0
"""How often bonds are asked for their partner: the kernel tells nobody when LACP has found one."""
_STORE_SECONDS = 30.0
"""As often as a switch speaks."""
_BREATH = 0.2
"""Seconds between two looks, so that a port that flaps is one burst."""
_GATHER = 1.0
"""Seconds in which frames are one piece of news: whoever sends a thousand may not make a slow line busy."""


class Ports:
    """Who is at the other end of each port, and what moved.

    Args:
        links: as they were read last; what moved since then counts.

    Attributes:
        plugs: what a hand moved since this console looks, the newest first.
        refused: why nobody is heard; None while all ports are listened on.
    """

    def __init__(self, host: Host, links: tuple[Link, ...]) -> None:
        self.host = host
        self.plugs: list[Plug] = []
        self.refused: Issue | None = None
        self.bonds = bonds(links)
        self._listened_since = host.clock.boottime()
        self._links = {link.index: link for link in ports(links)}
        self._carriers = carrier.carriers(links)
        self._last: dict[int, Plug] = {}
        heard = remembered.load(host, ports(links))
        self._neighbours = {index: {_key(x): x for x in found} for index, found in heard.items()}
        self._bundles: dict[int, Bundle] = {}
        self._open: dict[int, contextlib.ExitStack] = {}
        self._moves: list[Plug] = []
        self._stored = 0.0
        self._soon: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()

    # --- looking -----------------------------------------------------------------------------------------------------

    def neighbours(self, index: int) -> tuple[Neighbour, ...]:
        """Who is at that port; LLDP, which says more, before CDP."""
        now = self.host.clock.boottime()
        alive = [x for x in self._neighbours.get(index, {}).values() if x.until > now]
        return tuple(sorted(alive, key=lambda x: (x.protocol != "LLDP", x.system, x.port)))

    def bundle(self, index: int) -> Bundle | None:
        """Who speaks LACP at that port."""
        found = self._bundles.get(index)
        return found if found is not None and found.until > self.host.clock.boottime() else None

    def hints(self) -> dict[int, Issue]:
        """Bundles that do not meet, by the index of the port or bond."""
        bundles = {index: found for index in self._bundles if (found := self.bundle(index))}
        listened = self.host.clock.boottime() - self._listened_since if self.refused is None else 0.0
        return hints(self._carriers, bundles, self.bonds, listened)

    def moved(self, index: int) -> Plug | None:
        """The last move of that port by a hand."""
        return next((plug for plug in self.plugs if plug.index == index), None)

    def just_now(self, plug: Plug) -> bool:
        return self.host.clock.boottime() - plug.at < JUST_NOW

    def _shown(self) -> object:
        """Everything that a screen shows of it, to see whether it is other than before."""
        heard = {i: [replace(x, until=0.0) for x in self.neighbours(i)] for i in self._links}
        bundles = {i: (b.system, b.key) for i in self._bundles if (b := self.bundle(i))}
        fresh = [plug for plug in self.plugs if self.just_now(plug)]
        return heard, bundles, self.plugs[:1], fresh, self.bonds, self.hints(), self.refused

    # --- following ---------------------------------------------------------------------------------------------------

    async def follow(self) -> AsyncIterator[None]:
        """Listen on every port and to the kernel, until cancelled; one item whenever something that shows has changed.

        Raises:
            OSError: the kernel does not tell of its links.
        """
        before = self._shown()
        with contextlib.ExitStack() as ends:
            ends.callback(self._deaf)
            self._listen(self.host.kernel.links())
            there = set(self._carriers)
            watching = asyncio.create_task(self._watch())
            ends.callback(watching.cancel)
            while not watching.done():
                self._news.clear()
                known = set(self._links)
                if self.bonds or there != set(self._carriers):
                    there = set(self._carriers)
                    self._listen(self.host.kernel.links())
                self._take_moves(known | set(self._links))
                shown = self._shown()
                if shown != before or self.host.clock.boottime() - self._stored >= _STORE_SECONDS:
                    self._store()
                if shown != before:
                    before = shown
                    yield None
                await asyncio.sleep(_BREATH)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._until_next()):
                        await self._news.wait()
            watching.result()

    def _listen(self, links: tuple[Link, ...]) -> None:
        """Listen on every port that is there now, and no longer on those that are gone."""
        self._links = {link.index: link for link in ports(links)}
        self.bonds = bonds(links)
        for index in set(self._open) - set(self._links):
            self._open.pop(index).close()
        if self.host.kind == "recorded":
            return
        for index, link in self._links.items():
            if index in self._open:
                continue
            try:
                with contextlib.ExitStack() as stack:
                    stack.enter_context(hearing.listening(link, partial(self.hear, index)))
                    self._open[index] = stack.pop_all()
            except PermissionError:
                text = "Onsite may not listen on the ports of this host, so neighbours are not known."
                self.refused = Issue("N314", "note", "", text, "Run it as root.")
                return
            except OSError:  # gone since it was read
                continue

    def _deaf(self) -> None:
        while self._open:
            self._open.popitem()[1].close()
        if self._soon is not None:
            self._soon.cancel()

    async def _watch(self) -> None:
        async for plugs in carrier.moves(self.host, self._carriers):
            self._moves += plugs
            self._news.set()

    def _take_moves(self, of: set[int]) -> None:
        """Only ports count: pods and containers come and go without a hand at this box."""
        moves, self._moves = self._moves, []
        for plug in moves:
            if plug.index not in of:
                continue
            if plug.move in ("unplugged", "switched off", "gone"):
                self._neighbours.pop(plug.index, None)
                self._bundles.pop(plug.index, None)
            if carrier.by_hand(plug, self._last):
                self.plugs = [plug, *self.plugs][:_MOST_PLUGS]
            self._last[plug.index] = plug

    def hear(self, index: int, frame: bytes) -> None:
        """A frame came in at that port; one that breaks a rule of its protocol did not."""
        now = self.host.clock.boottime()
        kind = int.from_bytes(frame[12:14])
        try:
            if kind == SLOW:
                bundle = lacp.parse(frame, now)
                if bundle.system in {link.mac for link in self._links.values()}:  # a bond here, heard at another port
                    return
                self._bundles[index] = bundle
            else:
                self._meet(index, lldp.parse(frame, now) if kind == LLDP else cdp.parse(frame, now))
        except Malformed:
            return
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_GATHER, self._gathered)

    def _gathered(self) -> None:
        self._soon = None
        self._news.set()

    def _meet(self, index: int, neighbour: Neighbour) -> None:
        known = self._neighbours.setdefault(index, {})
        now = self.host.clock.boottime()
        for key in [key for key, old in known.items() if old.until <= now]:
            del known[key]
        if _key(neighbour) in known or len(known) < _MOST_NEIGHBOURS:
            known[_key(neighbour)] = neighbour

    def _store(self) -> None:
        """Keep what was heard for the next console."""
        self._stored = self.host.clock.boottime()
        if self.host.kind != "recorded":
            heard = {x.identity or x.name: self.neighbours(x.index) for x in self._links.values()}
            remembered.store(self.host, heard)

    def _until_next(self) -> float | None:
        """Seconds until something ends by itself: a neighbour, a bundle, "just now", patience with a silent bond."""
        now = self.host.clock.boottime()
        ends = [x.until for known in self._neighbours.values() for x in known.values()]
        ends += [x.until for x in self._bundles.values()]
        ends += [plug.at + JUST_NOW for plug in self.plugs]
        left = [end - now for end in ends if end > now]
        if any(bond.mode == DYNAMIC for bond in self.bonds):
            left.append(_BOND_SECONDS)
        return min(left) + 0.01 if left else None


def _key(neighbour: Neighbour) -> tuple[str, ...]:
    return neighbour.protocol, neighbour.chassis, neighbour.port
