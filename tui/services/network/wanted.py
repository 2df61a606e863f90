"""What the kernel shows when a wish has taken effect: the same for every backend."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from tui.models.facts import Link, LinkState, Route

if TYPE_CHECKING:
    from tui.models.link import LinkConfig

METRIC6 = 1024
"""What the kernel gives an IPv6 route without a metric (IP6_RT_PRIO_USER)."""


def wanted(config: LinkConfig, link: Link) -> LinkState:
    """The state of `link` after `config`; `dynamic` is empty, as a lease cannot be foreseen."""
    config = config.pruned()
    addresses = [spelled(a) for a in (*config.ipv4.addresses, *config.ipv6.addresses)]
    routes = []
    for part in (config.ipv4, config.ipv6):
        if part.gateway is not None:
            six = part.gateway.version == 6
            on_link = outside(part.gateway, part.addresses)
            routes.append(
                Route("default", str(part.gateway), METRIC6 if six else 0, on_link=on_link, family=6 if six else 4)
            )
    return LinkState(True, config.mtu or link.mtu, tuple(sorted(addresses)), tuple(routes))


def spelled(address: object) -> str:
    """As the kernel's dump spells it (inet_ntop): differs from `ipaddress` for IPv4-mapped addresses."""
    import socket

    host, _, prefix = str(address).partition("/")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return f"{socket.inet_ntop(family, socket.inet_pton(family, host))}/{prefix}"


def outside(gateway: IPv4Address | IPv6Address, addresses: Iterable[IPv4Interface | IPv6Interface]) -> bool:
    """A gateway outside every prefix of the link is reached on the link itself; providers do that with /32."""
    return not gateway.is_link_local and not any(gateway in address.network for address in addresses)
