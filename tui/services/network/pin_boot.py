"""Pinned names at boot: cards that stand in each other's way change names before a network manager starts.

udev does not exchange two names (systemd#16665, #29073): it refuses one of the cards, which networkd then takes for one
that is not ready yet, for ever. With kernel names such as eth0 that is every pair that has changed places.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tui.services import reading
from tui.services.network.netif import KEPT, MARK, VOLATILE

if TYPE_CHECKING:
    from tui.models.facts import Link
    from tui.services.host import Host

_SETTLE = 10
"""Seconds for udev to be done with the cards of the boot."""


def pins(host: Host) -> dict[str, str]:
    """Name by permanent MAC, of our files and of those that netplan makes of `set-name`."""
    found = {}
    for folder in (VOLATILE, KEPT):
        for name in reading.names(host, folder, ".link"):
            if MARK in name or name.startswith("10-netplan-"):
                keys = dict(x.partition("=")[::2] for x in (reading.text(host, f"{folder}/{name}") or "").splitlines())
                mac = keys.get("PermanentMACAddress") or keys.get("MACAddress")
                if mac and keys.get("Name"):
                    found[mac.lower()] = keys["Name"]
    return found


def renames(links: Iterable[Link], wanted: Mapping[str, str]) -> list[tuple[int, str]]:
    """Index and new name, in an order that the kernel takes; empty where every pin holds.

    A card without a pin that holds the name of one that has it gets the name that becomes free. A card that is up
    keeps its name (the kernel refuses), and so does everything that would need it.
    """
    cards = [link for link in links if link.permanent_mac and not link.made]
    macs = Counter(link.permanent_mac for link in cards)
    target = {
        x.name: wanted[x.permanent_mac]
        for x in cards
        if macs[x.permanent_mac] == 1 and wanted.get(x.permanent_mac, x.name) != x.name
    }
    by_name, every = {link.name: link for link in cards}, {link.name for link in links}
    dropped = True
    while dropped:  # one that cannot go keeps its name from another
        dropped = False
        for old, new in list(target.items()):
            holder = by_name.get(new)
            stuck = by_name[old].admin_up or (new in every and (holder is None or holder.admin_up))
            pinned = holder is not None and holder.permanent_mac in wanted and new not in target
            if stuck or pinned or list(target.values()).count(new) > 1:
                del target[old]
                dropped = True
    evicted = [new for new in target.values() if new in by_name and new not in target]
    free = [old for old in target if old not in target.values()]
    target |= dict(zip(evicted, free, strict=False))  # as many as are free are enough
    indexes = {old: by_name[old].index for old in target}
    return [(i, f"onsite{i}") for i in indexes.values()] + [(indexes[old], new) for old, new in target.items()]


async def mended(host: Host) -> tuple[str, ...]:
    """Before a manager starts: let cards that stand in each other's way change names; the new names.

    Raises:
        OSError: the kernel or udev refused.
    """
    wanted = pins(host)
    if not wanted:
        return ()
    await _udevadm("settle", f"--timeout={_SETTLE}")
    steps = renames(host.kernel.links(), wanted)
    if not steps:
        return ()
    from tui.services.network.reconcile import Operation

    await host.kernel.change([Operation("rename", index, name=name) for index, name in steps])
    names = tuple(name for _, name in steps[len(steps) // 2 :])
    await _udevadm("trigger", "--action=add", "--settle", *(f"/sys/class/net/{name}" for name in names))
    return names


async def _udevadm(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "udevadm", *arguments, env=os.environ | {"LC_ALL": "C"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(2 * _SETTLE):
            status = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise OSError(errno.ETIMEDOUT, f"udevadm {arguments[0]} did not end") from None
    if status and arguments[0] != "settle":  # a queue that is busy with something else
        raise OSError(errno.EIO, f"udevadm {arguments[0]} failed")
