"""Is what somebody wants of the addresses possible? Pure: from the draft and the facts, nothing is sent.

An error blocks, a warning explains and lets the operator go on, a note only tells. The order is that of the links in
the draft, then what holds between links.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.models.address import usable
from tui.models.change import Issue
from tui.models.facts import Facts, Link
from tui.models.wrong import Wrong
from tui.services.checks import cluster, layers, names, size, together
from tui.services.checks.outcome import Interface, Ip, after
from tui.services.network import stack

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.link import IPv4, IPv6, LinkConfig


def check(config: HostConfig, facts: Facts) -> tuple[Issue, ...]:
    """Everything about addresses, MTU and name servers that is wrong with `config` on the host of `facts`."""
    issues: list[Issue] = [*layers.check(config, facts)]
    config, facts = stack.expanded(config, facts), stack.foreseen(config, facts)
    outcome = after(config, facts)
    own = frozenset(a.ip for link in outcome for a in link.addresses)
    for draft in config.links:
        link = facts.link(draft.identity)
        if link is None:
            issues.append(_gone(draft))
            continue
        issues += _writable(draft, link)
        issues += _family(draft, draft.ipv4, "ipv4", own)
        issues += _family(draft, draft.ipv6, "ipv6", own)
        issues += size.check(draft, link)
        issues += names.check(draft, own)
    issues += together.check(outcome)
    issues += names.missing(outcome)
    issues += cluster.check(config, facts)
    return tuple(issues)


def _gone(draft: LinkConfig) -> Issue:
    known = f"{draft.name} (MAC {draft.mac})" if draft.name else f"with the MAC {draft.mac}"
    text = f"This box has no interface {known}."
    return Issue(
        "C110", "error", f"links.{draft.identity}", text, "Put the network card back, or choose another interface."
    )


def _writable(draft: LinkConfig, link: Link) -> Iterator[Issue]:
    at = f"links.{draft.identity}"
    if not link.owner.writable:
        text = link.owner.reason or f"{link.name} is configured by {link.owner.backend}, which Onsite cannot write for."
        remedy = f"Change it with {link.owner.backend}" + (f" ({link.owner.config})." if link.owner.config else ".")
        yield Issue("C111", "error", at, text, remedy)
    wanted = draft.ipv4.method != "off" or draft.ipv6.method != "off"
    if wanted and link.admin_up and not link.carrier:
        remedy = "Plug the cable in at both ends and switch on what is at the other end."
        yield Issue("N221", "warning", at, f"{link.name} has no cable; this takes effect when one is in.", remedy)


def _family(draft: LinkConfig, part: IPv4 | IPv6, family: str, own: frozenset[Ip]) -> Iterator[Issue]:
    if part.method != "static":
        return
    at = f"links.{draft.identity}.{family}.addresses"
    if not part.addresses:
        yield Issue(
            "N223", "error", at, "Static is chosen, but no address is given.", "Type one, or choose another way."
        )
    for address in part.addresses:
        yield from _address(address, at)
    if part.addresses and all(a.ip.is_link_local for a in part.addresses):
        text = f"{part.addresses[0].ip} is a link-local address: it reaches this network only, never beyond a router."
        yield Issue("N219", "warning", at, text, "Add an address from the network plan of this site.")
    if part.gateway is not None and part.addresses:
        yield from _gateway(part.gateway, part.addresses, f"links.{draft.identity}.{family}.gateway", own)


def _address(address: Interface, at: str) -> Iterator[Issue]:
    if refused := _unusable(address.ip, at):
        yield refused
        return
    net = address.network
    if net.max_prefixlen - net.prefixlen < 2:  # /31 (RFC 3021) and /127 (RFC 6164) have two hosts, /32 and /128 one
        return
    if address.ip == net.network_address:
        what = "names the network itself" if net.version == 4 else "belongs to the routers (RFC 4291, anycast)"
        yield Issue("N201", "error", at, f"{address.ip} with /{net.prefixlen} {what}.", f"Take {_range(address)}.")
    if net.version == 4 and address.ip == net.broadcast_address:
        text = f"{address.ip} with /{net.prefixlen} is the broadcast address of {net}."
        yield Issue("N202", "error", at, text, f"Take {_range(address)}.")
    if net.version == 4 and net.prefixlen <= 8:
        text = f"With /{net.prefixlen} the box takes all of {net} for neighbours and asks no router for them."
        yield Issue("N224", "warning", at, text, f"Check the prefix; often it is /24: {address.ip}/24.")
    if net.version == 4 and net.prefixlen == 30:
        text = f"A /30 has two addresses: {address.ip} and one other."
        yield Issue("N225", "note", at, text, "Right between two routers; else ask for the prefix of this network.")


def _range(address: Interface) -> str:
    net = address.network
    if net.version == 6:
        return f"another, such as {net.network_address + 0x10}"
    return f"one from {net.network_address + 1} to {net.broadcast_address - 1}"


def _unusable(ip: Ip, at: str) -> Issue | None:
    """Also for values that did not come from text, and so never met the parser."""
    try:
        usable(ip)
    except Wrong as wrong:
        return wrong.issue.at(at)
    return None


def _gateway(gateway: Ip, addresses: tuple[Interface, ...], at: str, own: frozenset[Ip]) -> Iterator[Issue]:
    if refused := _unusable(gateway, at):
        yield refused
        return
    if gateway in own:
        text = f"{gateway} is an address of this box itself."
        yield Issue("N208", "error", at, text, "Type the address of the router.")
        return
    if gateway.version == 6 and gateway.is_link_local:
        return
    home = next((a.network for a in addresses if gateway in a.network), None)
    if home is None:
        yield Issue("N207", "error", at, _outside(gateway, addresses), _inside(addresses[0]))
    elif home.version == 4 and home.prefixlen < 31 and gateway in (home.network_address, home.broadcast_address):
        what = "names the network" if gateway == home.network_address else "is the broadcast address"
        text = f"{gateway} {what} of {home}; a router has an address of its own."
        yield Issue("N209", "error", at, text, f"Often it is {home.network_address + 1}.")


def _outside(gateway: Ip, addresses: tuple[Interface, ...]) -> str:
    networks = ", ".join(str(a.network) for a in addresses)
    return f"The gateway {gateway} is not in the network of the address ({networks})."


def _inside(address: Interface) -> str:
    net = address.network
    if net.num_addresses == 1:
        usual = 24 if net.version == 4 else 64
        return f"/{net.prefixlen} leaves no room for a gateway; type that of the network, as in {address.ip}/{usual}."
    first = net.network_address + (0 if net.num_addresses == 2 else 1)
    return f"Check gateway and prefix; the gateway often is {first if first != address.ip else first + 1}."
