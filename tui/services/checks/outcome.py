"""What the links of a host will have once a draft is applied, as far as that can be foreseen.

A link that the draft does not name stays as it is. One that goes over to DHCP or to router advertisements keeps what
it had from them; a lease that is still to come cannot be foreseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface
from typing import TYPE_CHECKING

from tui.models.facts import Facts, Link

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig

Interface = IPv4Interface | IPv6Interface
Ip = IPv4Address | IPv6Address
STATIC_METRIC = {4: 0, 6: 1024}
"""Metric of a static default route: for IPv6 the kernel makes 1024 of 0 (IP6_RT_PRIO_USER)."""
_LEASED = (9, 16)
"""RTPROT_RA and RTPROT_DHCP of rtnetlink(7)."""


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    family: int
    metric: int
    leased: bool


@dataclass(frozen=True, slots=True)
class After:
    """One link as it will be. `config` is None for a link that the draft does not name."""

    link: Link
    config: LinkConfig | None
    addresses: tuple[Interface, ...]
    defaults: tuple[DefaultRoute, ...]


def after(config: HostConfig, facts: Facts) -> tuple[After, ...]:
    """Every link but loopback, those of the draft first; links that are gone are left out."""
    drafted = [(draft, link) for draft in config.links if (link := facts.link(draft.identity))]
    taken = {link.index for _, link in drafted}
    rest = [link for link in facts.links if link.index not in taken and link.kind != "loopback"]
    return (*(_drafted(draft, link) for draft, link in drafted), *(_untouched(link) for link in rest))


def _drafted(draft: LinkConfig, link: Link) -> After:
    addresses: list[Interface] = []
    defaults: list[DefaultRoute] = []
    for family, part in ((4, draft.ipv4), (6, draft.ipv6)):
        if part.method == "static":
            addresses += part.addresses
            if part.gateway is not None:
                defaults.append(DefaultRoute(family, STATIC_METRIC[family], leased=False))
        elif part.method in ("dhcp", "auto"):
            addresses += [a for a in _addresses(link, ("dhcp", "ra")) if a.version == family]
            defaults += [route for route in _defaults(link) if route.family == family and route.leased]
    return After(link, draft, tuple(addresses), tuple(defaults))


def _untouched(link: Link) -> After:
    return After(link, None, tuple(_addresses(link)), tuple(_defaults(link)))


def _addresses(link: Link, origins: tuple[str, ...] = ()) -> list[Interface]:
    return [
        ip_interface(a.address) for a in link.addresses if not a.link_local and (not origins or a.origin in origins)
    ]


def _defaults(link: Link) -> list[DefaultRoute]:
    return [
        DefaultRoute(route.family, route.metric, route.protocol in _LEASED)
        for route in link.routes
        if route.destination == "default" and route.table == 254
    ]
