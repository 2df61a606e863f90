"""What Kubernetes forbids: ranges that it uses inside, and a node address that changes under it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network
from typing import TYPE_CHECKING

from tui.models.change import Issue
from tui.models.facts import Facts, Link

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig

DEFAULT_RANGES = ("10.42.0.0/16", "10.43.0.0/16", "10.96.0.0/12", "10.244.0.0/16")
"""Pods and services of k3s and RKE2 (the first two), services of kubeadm, pods of Flannel and k0s."""
_SINGLE = ("/32", "/128")
Network = IPv4Network | IPv6Network


def check(config: HostConfig, facts: Facts) -> Iterator[Issue]:
    """Overlaps with pod and service ranges, and a node address that would change."""
    used = _networks(facts.cluster_ranges)
    for draft in config.links:
        if used:
            yield from _overlaps(draft, used, "N213")
        else:
            yield from _overlaps(draft, _networks(DEFAULT_RANGES), "N214")
        link = facts.link(draft.identity)
        if link is not None and locked(link, facts):
            yield from _locked(draft, link, _elsewhere(config, draft))


def _networks(ranges: tuple[str, ...]) -> tuple[Network, ...]:
    found: list[Network] = []
    for text in ranges:
        with suppress(ValueError):  # read from somebody else's file
            found.append(ip_network(text, strict=False))
    return tuple(found)


def _overlaps(draft: LinkConfig, ranges: tuple[Network, ...], code: str) -> Iterator[Issue]:
    places: list[tuple[str, str, Network]] = []
    for family, part in (("ipv4", draft.ipv4), ("ipv6", draft.ipv6)):
        if part.method == "static":
            places += [(f"{family}.addresses", str(a), a.network) for a in part.addresses]
    places += [("nameservers", str(server), ip_network(server)) for server in draft.nameservers]
    for field, shown, net in places:
        hit = next((r for r in ranges if r.version == net.version and r.overlaps(net)), None)
        if hit is None:
            continue
        at = f"links.{draft.identity}.{field}"
        if code == "N213":
            text = f"{shown} overlaps {hit}, which the cluster on this box uses for its pods or services."
            yield Issue("N213", "error", at, text, "Take an address outside, or build the cluster with another range.")
        else:
            text = f"{shown} overlaps {hit}, which Kubernetes uses by default for its pods or services."
            remedy = "Take an address outside, or give the cluster another range when it is made."
            yield Issue("N214", "warning", at, text, remedy)


def locked(link: Link, facts: Facts) -> str:
    """The sentence why this link's addresses cannot be changed any more, and the supported way; "" where they can."""
    if not facts.cluster_uses_address or not _has_node_address(link, facts):
        return ""
    text = f"A Kubernetes cluster runs on this box and knows it by the address of {link.name}, so that stays."
    return f"{text} To change it, take the node out of the cluster first and join it again afterwards."


def _has_node_address(link: Link, facts: Facts) -> bool:
    """The node address is on the link of the default route (kubelet takes it from there) or, without one, on any."""
    ways_out = [x.index for x in facts.links if x.default_gateways]
    return link.index in ways_out if ways_out else bool(link.addresses)


def _elsewhere(config: HostConfig, draft: LinkConfig) -> set[str]:
    """The addresses that the draft puts on other links: one that moves to a bond stays the address of the node."""
    parts = (part for other in config.links if other is not draft for part in (other.ipv4, other.ipv6))
    return {str(a.ip) for part in parts if part.method == "static" for a in part.addresses}


def _locked(draft: LinkConfig, link: Link, elsewhere: set[str]) -> Iterator[Issue]:
    for family, part in ((4, draft.ipv4), (6, draft.ipv6)):
        # A single address (/32, /128) is one that moves between nodes, such as that of the control plane.
        now = [a for a in link.addresses if a.family == family and not a.link_local and not a.address.endswith(_SINGLE)]
        leased = part.method in ("dhcp", "auto")
        kept = {str(a.ip) for a in part.addresses} if part.method == "static" else set()
        lost = [
            ip
            for a in now
            if (ip := str(ip_interface(a.address).ip)) not in kept | elsewhere
            and not (leased and a.origin in ("dhcp", "ra"))
        ]
        if lost:
            text = (
                f"A Kubernetes cluster runs on this box and knows it as {lost[0]}; it does not survive another address."
            )
            remedy = "Keep the address, or take the node out of the cluster first and join it again afterwards."
            yield Issue("N222", "error", f"links.{draft.identity}.ipv{family}.addresses", text, remedy)
