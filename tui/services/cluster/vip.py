"""Is the address of the control plane free? Asked by ARP on the link that is in its network, before all else."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_interface

from tui.models.change import Issue
from tui.models.facts import Facts, Link
from tui.services.checks import probe
from tui.services.checks.wire import listening
from tui.services.host import Host


async def probed(host: Host, facts: Facts, address: IPv4Address) -> Issue | None:
    """What the network says of it, in at most two seconds. None: nobody answers there.

    A probe cannot prove that an address is free (a machine may sleep), so what it finds is the only sure answer.
    """
    link = _link(facts, address)
    if host.kind == "recorded":
        return _untried(address, "this is a recorded host")
    if link is None:
        return _untried(address, "no interface of this host is in its network")
    if not link.carrier or len(link.mac) != 17:
        return _untried(address, f"{link.name} has no cable or is no Ethernet")
    own = frozenset(x.mac for x in facts.links if x.mac)
    networks = [ip_interface(a.address).network for a in link.addresses if a.family == 4]
    here = [n for n in networks if n.version == 4 and address in n]
    nobodys = probe.improbable(here, {address})
    try:
        with listening(link, own, [address]) as wire:
            await probe.ask(wire, [address, *nobodys], probe.TRIES, probe.INTERVAL, nobodys)
            if address in wire.holders and nobodys:  # is it theirs, or do they answer for everybody?
                await probe.ask(wire, list(nobodys), 1, probe.INTERVAL)
            routers = set.intersection(*(wire.holders.get(a, set()) for a in nobodys)) if nobodys else set()
            others = (wire.holders.get(address, set()) | wire.seekers.get(address, set())) - routers
    except PermissionError:
        return _untried(address, "Onsite may not send on the network; run it as root")
    except OSError:
        return _untried(address, f"{link.name} is gone")
    if others:
        text = f"{address} is in use: the machine with the MAC {min(others)} answers there."
        return Issue("K413", "error", "address", text, "Take another address, or switch that machine off.")
    if routers:
        return _untried(address, f"the machine with the MAC {min(routers)} answers for every address here")
    return None


def _link(facts: Facts, address: IPv4Address) -> Link | None:
    for link in facts.links:
        for own in link.addresses:
            if own.family == 4 and address in ip_interface(own.address).network:
                return link
    return None


def _untried(address: IPv4Address, why: str) -> Issue:
    text = f"Whether {address} is free could not be tried: {why}."
    return Issue("K414", "warning", "address", text, "Make sure by the network plan that nobody has it.")
