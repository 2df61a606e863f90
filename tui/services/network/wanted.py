"""What the kernel shows when a wish has taken effect: the same for every backend."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from tui.models.facts import Link, LinkState, Route

if TYPE_CHECKING:
    from tui.models.link import LinkConfig, StaticRoute

FORWARD_DELAY = 4
"""Seconds that a bridge with spanning tree listens, and learns, before it forwards; 15 is usual, 2 the least."""
METRIC6 = 1024
"""What the kernel gives an IPv6 route without a metric (IP6_RT_PRIO_USER)."""


def wanted(config: LinkConfig, link: Link) -> LinkState:
    """The state of `link` after `config`; `dynamic` is empty, as a lease cannot be foreseen."""
    config = with_routes(config.pruned(), link)
    addresses = [spelled(a) for a in (*config.ipv4.addresses, *config.ipv6.addresses)]
    routes = []
    for part in (config.ipv4, config.ipv6):
        if part.gateway is not None:
            six = part.gateway.version == 6
            on_link = outside(part.gateway, part.addresses)
            routes.append(
                Route("default", str(part.gateway), METRIC6 if six else 0, on_link=on_link, family=6 if six else 4)
            )
    routes += [_static(route) for route in config.routes or ()]
    return LinkState(True, config.mtu or link.mtu, tuple(sorted(addresses)), tuple(routes))


def with_routes(config: LinkConfig, link: Link) -> LinkConfig:
    """The wish with the static routes that it leaves as they are, where their routers can still be reached."""
    if config.routes is not None:
        return config
    from tui.models.link import static_routes

    standing = static_routes(link)
    own: list[IPv4Interface | IPv6Interface] = [*config.ipv4.addresses, *config.ipv6.addresses]
    leased = {4: config.ipv4.method == "dhcp", 6: config.ipv6.method == "auto"}
    near = [
        r for r in standing
        if r.via is None or leased[r.to.version] or r.via.is_link_local or any(r.via in a.network for a in own)
    ]  # fmt: skip
    return config.model_copy(update={"routes": tuple(near)}) if near else config


def _static(route: StaticRoute) -> Route:
    six = route.to.version == 6
    metric = route.metric if route.metric is not None else METRIC6 if six else 0
    return Route(str(route.to), str(route.via or ""), metric, family=6 if six else 4)


def spelled(address: object) -> str:
    """As the kernel's dump spells it (inet_ntop): differs from `ipaddress` for IPv4-mapped addresses."""
    import socket

    host, _, prefix = str(address).partition("/")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return f"{socket.inet_ntop(family, socket.inet_pton(family, host))}/{prefix}"


def outside(gateway: IPv4Address | IPv6Address, addresses: Iterable[IPv4Interface | IPv6Interface]) -> bool:
    """A gateway outside every prefix of the link is reached on the link itself; providers do that with /32."""
    return not gateway.is_link_local and not any(gateway in address.network for address in addresses)
