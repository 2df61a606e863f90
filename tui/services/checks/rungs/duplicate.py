"""Does another machine have our address? Asked by ARP and neighbour discovery without naming ourselves."""

from __future__ import annotations

from ipaddress import IPv4Interface

from tui.services.checks import probe
from tui.services.checks.climb import Climb, Finding, failed, ok, skipped
from tui.services.checks.frames import Ip
from tui.services.checks.wire import Wire, listening

LIMIT = 4.0


async def check(climb: Climb) -> Finding:
    way = climb.way
    wanted = (*way.addresses, *way.missing)
    if len(way.link.mac) != 17:
        return skipped(f"{way.link.name} is no Ethernet")
    if not wanted:
        return skipped(climb.stopped or "no address")
    addresses: list[Ip] = [a.ip for a in wanted]
    networks = [a.network for a in wanted if isinstance(a, IPv4Interface)]
    nobodys = probe.improbable(networks, {*addresses, *way.gateways})
    with listening(way.link, frozenset({way.link.mac}), addresses) as wire:
        await probe.ask(wire, [*addresses, *nobodys], probe.TRIES, probe.INTERVAL, nobodys)
    for address in addresses:
        if others := _others(wire, address, nobodys):
            text = f"{address} is in use on {way.link.name} by the machine with the MAC {min(others)}, too."
            remedy = "Ask for a free address, or find that machine and switch it off."
            return failed("N301" if address.version == 4 else "N305", text, remedy, f"answers from {sorted(others)}")
    return ok(f"nobody else answers for {', '.join(map(str, addresses))}")


def _others(wire: Wire, address: Ip, nobodys: list[Ip]) -> set[str]:
    """Who claims the address; a router that answers for everybody (proxy ARP) does not count."""
    routers = set.intersection(*(wire.holders.get(a, set()) for a in nobodys)) if nobodys else set()
    return (wire.holders.get(address, set()) | wire.seekers.get(address, set())) - routers
