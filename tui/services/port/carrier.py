"""Cables that come and go, as the kernel tells it: one message each, at once.

`Kernel.events` waits for the end of a burst and stands for everything that may have changed; here each message counts,
in its order, and a storm of routes does not delay one.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator, Iterator, Mapping

from tui.models.facts import Link
from tui.models.port import Carrier, Move, Plug
from tui.services.facts import netlink, rtnl
from tui.services.host import Host

NEGOTIATION = 5.0
"""Seconds after switching a port on in which a carrier was there already and is only noticed now (802.3 clause 28)."""
_UNSPECIFIED = 0
"""AF_UNSPEC. Of the family AF_BRIDGE the same messages tell of bridge ports, and "gone" means: out of the bridge."""
Carriers = dict[int, Carrier]


async def moves(host: Host, now: Carriers) -> AsyncIterator[tuple[Plug, ...]]:
    """What moves from now on; an item without a move says that something else about a link has changed.

    Args:
        now: how it was when one looked last; kept up to date.

    Raises:
        OSError: the kernel refuses to tell.
    """
    if host.kind == "recorded":
        async for _ in host.kernel.events():
            yield tuple(_all(host, now))
        return
    loop = asyncio.get_running_loop()
    with contextlib.closing(rtnl.listen(rtnl.LINKS)) as heard:
        yield tuple(_all(host, now))  # what moved before we listened
        while True:
            try:
                data = await loop.sock_recv(heard, 65536)
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # messages were lost
                    raise
                yield tuple(_all(host, now))
            else:
                yield tuple(_told(host, now, data))


def carriers(links: tuple[Link, ...]) -> Carriers:
    return {x.index: Carrier(x.index, x.name, x.admin_up, x.carrier) for x in links}


def _all(host: Host, now: Carriers) -> Iterator[Plug]:
    after = carriers(host.kernel.links())
    for index in sorted({*now, *after}):
        yield from _one(host, now, index, after.get(index))


def _told(host: Host, now: Carriers, data: bytes) -> Iterator[Plug]:
    for kind, _, _, body in netlink.messages(data):
        if kind in (rtnl.RTM_NEWLINK, rtnl.RTM_DELLINK) and body[:1] == bytes([_UNSPECIFIED]):
            link = rtnl.parse_link(body, {}, {})
            if link is not None:
                after = carriers((link,))[link.index] if kind == rtnl.RTM_NEWLINK else None
                yield from _one(host, now, link.index, after)


def _one(host: Host, now: Carriers, index: int, after: Carrier | None) -> Iterator[Plug]:
    before = now.pop(index, None)
    if after is not None:
        now[index] = after
    named = after or before
    if named is not None and (what := moved(before, after)):
        yield Plug(index, named.name, what, host.clock.boottime())


def moved(before: Carrier | None, after: Carrier | None) -> Move | None:
    """What happened between two looks at one link; None where nothing did that a person does by hand."""
    if before is None or after is None:
        return "appeared" if after else "gone" if before else None
    if before.admin_up != after.admin_up:
        return "switched on" if after.admin_up else "switched off"
    if before.carrier != after.carrier:
        return "plugged in" if after.carrier else "unplugged"
    return None


def by_hand(plug: Plug, last: Mapping[int, Plug]) -> bool:
    """Whether a person did it: programs switch on and off, and a carrier right after that is only noticed now.

    Args:
        last: the move before it, of each link.
    """
    before = last.get(plug.index)
    late = before is not None and before.move in ("switched on", "appeared") and plug.at - before.at < NEGOTIATION
    return plug.move not in ("switched on", "switched off") and not (plug.move == "plugged in" and late)
