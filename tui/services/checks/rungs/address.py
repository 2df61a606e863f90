"""Does the interface have an address that others can answer to?"""

from __future__ import annotations

from tui.services.checks.climb import Climb, Finding, failed, ok, skipped
from tui.services.checks.rungs import tags

LIMIT = 4.0
_LISTEN = 2.6
"""Seconds; whoever speaks with tags is mostly heard in the first."""


async def check(climb: Climb) -> Finding:
    way = climb.way
    if way.addresses:
        return ok(", ".join(map(str, way.addresses)))
    if way.missing:
        climb.stopped = "after apply: the draft's address is not on the interface yet"
        return skipped("after apply")
    climb.stopped = f"{way.link.name} has no address"
    duplicate = next((a.address for a in way.link.addresses if a.duplicate), None)
    if duplicate:
        text = f"{duplicate} is in use by another machine on this network, so {way.link.name} may not use it."
        return failed("N305", text, "Ask for a free address, or switch the other machine off.", "IFA_F_DADFAILED")
    vlans = await tags.heard(way.link, _LISTEN)
    if vlans:
        return tags.finding(way.link, vlans)
    if way.leased:
        text = f"{way.link.name} has no address: no DHCP server has answered."
        remedy = "Ask IT whether this port has DHCP, or set a static address."
        return failed("N308", text, remedy, "no lease")
    text = f"{way.link.name} has no address that others can answer to."
    remedy = "Set one in Network, or choose DHCP."
    return failed("D201", text, remedy, f"{len(way.link.addresses)} addresses, none of them global")
