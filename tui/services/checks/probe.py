"""Asks the network itself, before anything is applied: is the address free, is the gateway there, is this the port?

Nothing is configured for it: questions carry no sender address (RFC 5227 section 2.1.1, RFC 4862 section 5.4.2), so
nobody's tables change. RFC 5227 spreads three questions over up to seven seconds; a person waits here, so they are
`INTERVAL` apart and half as long is listened as the RFC does at most. A machine that sleeps can be missed, which the
kernel's own detection and the Keep countdown still catch.

What a probe says never blocks: networks filter, machines are off. So nothing here is an error.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, ip_interface
from typing import TYPE_CHECKING

from tui.models.change import Issue
from tui.models.facts import Facts, Link
from tui.services.checks.frames import Ip
from tui.services.checks.wire import Wire, listening
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig

TRIES = 3
INTERVAL = 0.45
"""Seconds between questions in the first round, in which most gateways have answered."""
PATIENCE = 0.7
"""Seconds between them in the second round, for a silent gateway; VLAN tags are looked for meanwhile."""


async def probe(host: Host, config: HostConfig, facts: Facts) -> tuple[Issue, ...]:
    """What the network says about `config`, all links at once, in at most four seconds. Can be cancelled."""
    if host.kind == "recorded":
        return ()
    now = {link.index: link for link in host.kernel.links()}
    own = frozenset(link.mac for link in now.values() if link.mac)
    found = [(draft, now.get(link.index)) for draft in config.links if (link := facts.link(draft.identity))]
    results = await asyncio.gather(*(_probe(draft, link, own) for draft, link in found if link))
    return tuple(issue for issues in results for issue in issues)


async def gateway(link: Link, address: Ip) -> bool:
    """Whether `address` answers on `link` (ARP, or neighbour discovery), asked for at most two seconds.

    Raises:
        OSError: the link is gone, or CAP_NET_RAW is missing (PermissionError).
    """
    with listening(link, frozenset(), (address,)) as wire:
        await ask(wire, [address], TRIES, PATIENCE)
        return address in wire.holders


async def _probe(draft: LinkConfig, link: Link, own: frozenset[str]) -> list[Issue]:
    at = f"links.{draft.identity}"
    if draft.ipv4.method == "off" and draft.ipv6.method == "off":
        return []
    if not link.admin_up:
        text = f"{link.name} is switched off, so its network can be tried only after it is applied."
        return [Issue("N304", "note", at, text, "Apply it; the Keep page says whether the gateway answers.")]
    if not link.carrier:
        text = f"{link.name} has no carrier: no cable, or nothing is on at its other end."
        return [Issue("N304", "warning", at, text, "Plug the cable in, or check the lights at both ends.")]
    if len(link.mac) != 17:  # not an Ethernet
        return []
    questions = Questions(draft, link)
    try:
        with listening(link, own, questions.all) as wire:
            await questions.ask(wire)
            return list(questions.answers(wire))
    except PermissionError:
        text = f"Onsite may not send on {link.name}, so the network there could not be tried."
        return [Issue("N307", "note", at, text, "Run it as root to have it tried.")]
    except OSError:  # gone since it was read; the plan says so
        return []


class Questions:
    """What has to be asked on one link, and what the answers mean."""

    def __init__(self, draft: LinkConfig, link: Link) -> None:
        self.at = f"links.{draft.identity}"
        self.link = link
        parts = [part for part in (draft.ipv4, draft.ipv6) if part.method == "static"]
        self.addresses: list[Ip] = [a.ip for part in parts for a in part.addresses]
        self.gateways: list[Ip] = [part.gateway for part in parts if part.gateway is not None]
        networks = [a.network for part in parts for a in part.addresses if isinstance(a, IPv4Interface)]
        self.improbable = improbable(networks, {*self.addresses, *self.gateways})
        leased = any(a.origin == "dhcp" for a in link.addresses)
        self.awaits_lease = draft.ipv4.method == "dhcp" and not leased
        self.all = [*self.addresses, *self.gateways, *self.improbable]

    async def ask(self, wire: Wire) -> None:
        await ask(wire, self.all, 1, INTERVAL, self.improbable)
        if any(a in wire.holders for a in self.addresses):  # is it theirs, or do they answer for everybody?
            await ask(wire, self.improbable, 1, INTERVAL)
        quiet = not wire.holders and (self.gateways or self.awaits_lease)
        with wire.tags() if quiet else nullcontext():
            await ask(wire, self.all, TRIES - 1, INTERVAL, self.improbable)
            if silent := self.silent(wire):
                await ask(wire, silent, TRIES, PATIENCE)
            elif quiet:
                await wire.until(lambda: wire.untagged or bool(wire.holders), TRIES * PATIENCE)

    def silent(self, wire: Wire) -> list[Ip]:
        return [g for g in self.gateways if g not in wire.holders]

    def answers(self, wire: Wire) -> Iterator[Issue]:
        proxies = set.intersection(*(wire.holders.get(a, set()) for a in self.improbable)) if self.improbable else set()
        for address in self.addresses:
            others = (wire.holders.get(address, set()) | wire.seekers.get(address, set())) - proxies
            if others:
                yield self._duplicate(address, min(others))
        if proxies:
            text = f"The machine with the MAC {min(proxies)} answers for every address here (proxy ARP)."
            remedy = "Look the address up in the network plan; here nobody can tell whether it is free."
            yield Issue("N306", "note", f"{self.at}.ipv4.addresses", text, remedy)
        silent = self.silent(wire)
        if wire.vlans and not wire.untagged and not wire.holders:
            yield self._tagged(silent, wire.vlans)
            return
        for address in silent:
            yield self._silent(address, wire.vlans)

    def _duplicate(self, address: Ip, mac: str) -> Issue:
        text = f"{address} is in use on {self.link.name} by the machine with the MAC {mac}."
        remedy = "Ask for a free address, or find that machine and switch it off."
        code = "N301" if address.version == 4 else "N305"
        return Issue(code, "warning", f"{self.at}.ipv{address.version}.addresses", text, remedy)

    def _silent(self, address: Ip, vlans: set[int]) -> Issue:
        text = f"The gateway {address} does not answer on {self.link.name}."
        remedy = "Check the gateway, the cable and the switch port. Go on if the router comes later."
        if vlans:
            remedy = f"Check the gateway; ask whether this port belongs in {_named(vlans)}, which is heard here too."
        return Issue("N302", "warning", f"{self.at}.ipv{address.version}.gateway", text, remedy)

    def _tagged(self, silent: list[Ip], vlans: set[int]) -> Issue:
        named = _named(vlans)
        text = f"{self.link.name} hears only frames tagged for {named}; without a tag nobody answers there."
        remedy = f"Ask for an untagged (access) port of {named}, or to make it this port's native VLAN."
        field = f"ipv{silent[0].version}.gateway" if silent else "ipv4.method"
        return Issue("N303", "warning", f"{self.at}.{field}", text, remedy)


async def ask(wire: Wire, addresses: list[Ip], tries: int, interval: float, optional: Sequence[Ip] = ()) -> None:
    """Ask for each address until all have answered that are not `optional`; `interval` is in seconds."""
    needed = [a for a in addresses if a not in optional]

    def settled() -> bool:
        return all(a in wire.holders for a in needed)

    for _ in range(tries):
        if settled():
            return
        for address in addresses:
            if address not in wire.holders:
                wire.ask(address, _sender(wire.link, address) if wire.asked(address) else None)
        await wire.until(settled, interval)


def _sender(link: Link, address: Ip) -> Ip | None:
    """An address that is ours already and can speak to it: some routers do not answer a question without sender."""
    mine = [ip_interface(a.address) for a in link.addresses if not a.flags & 0x48]  # tentative, or a duplicate
    if address.version == 6:
        return next((a.ip for a in mine if a.version == 6 and a.ip.is_link_local and a.ip != address), None)
    return next((a.ip for a in mine if a.version == 4 and address in a.network and a.ip != address), None)


def improbable(networks: list[IPv4Network], taken: set[Ip]) -> list[Ip]:
    """Two addresses of the network that hardly anybody has; who answers for both answers for all."""
    net = next((n for n in networks if n.prefixlen <= 28), None)
    if net is None:
        return []
    first, last = int(net.network_address) + 1, int(net.broadcast_address) - 1
    found: set[Ip] = set()
    while len(found) < 2:
        found.add(IPv4Address(random.randint(first, last)))  # noqa: S311 - not a secret
        found -= taken
    return sorted(found)


def _named(vlans: set[int]) -> str:
    return f"VLAN {', '.join(str(v) for v in sorted(vlans)[:3])}"
