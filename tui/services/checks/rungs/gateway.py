"""Does the router answer? By ARP and neighbour discovery: no router can do without them, many do without ping."""

from __future__ import annotations

from ipaddress import ip_address

from tui.services.checks import probe
from tui.services.checks.climb import Climb, Finding, failed, ok, skipped
from tui.services.checks.rungs import tags
from tui.services.checks.wire import listening

LIMIT = 6.0
_LISTEN = 2.6


async def check(climb: Climb) -> Finding:
    way = climb.way
    if not way.gateways:
        return _without(climb)
    if len(way.link.mac) != 17:
        return skipped(f"{way.link.name} is no Ethernet")
    with listening(way.link, frozenset({way.link.mac}), way.gateways) as wire:
        await probe.ask(wire, list(way.gateways), probe.TRIES, probe.PATIENCE)
        climb.silent = {g for g in way.gateways if g not in wire.holders}
        heard = dict(wire.holders)
    if not climb.silent:
        return ok(", ".join(f"{g} is at {min(heard[g])}" for g in way.gateways))
    if not heard and (vlans := await tags.heard(way.link, _LISTEN)):
        climb.stopped = f"{way.link.name} hears tagged frames only"
        return tags.finding(way.link, vlans)
    silent = next(g for g in way.gateways if g in climb.silent)
    text = f"The gateway {silent} does not answer on {way.link.name}."
    remedy = "Check the gateway's address, the cable and the switch port (is it the right VLAN?)."
    return failed("N302", text, remedy, f"no answer to {probe.TRIES} questions")


def _without(climb: Climb) -> Finding:
    """No gateway is right for a site that wants nothing beyond its own network."""
    way, wanted = climb.way, climb.wanted
    beyond: list[str] = [str(s) for s in way.nameservers if not way.inside(s) and not s.is_loopback]
    for host in (t.host for t in (wanted.main, wanted.registry) if t):
        try:
            address = ip_address(host)
        except ValueError:
            continue
        if not way.inside(address) and not (way.proxy and way.proxy.covers(host)):
            beyond.append(host)
    if not beyond or wanted.mode == "local":
        return skipped("no gateway is set")
    text = f"No gateway is set, and {beyond[0]} is outside of this network."
    return failed("D202", text, "Set the gateway in Network; the network plan of the site has it.", "no default route")
