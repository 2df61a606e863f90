"""The way out that is tested: link, source addresses, gateways, name servers, proxy, trust. Data, nothing is sent.

A check takes all of it from here and never from the process: not its resolv.conf, not its environment, not its
proxy, not its certificates. So a draft is tested by the same code as what the host has.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING

from tui.models.check import ProxyWay
from tui.models.facts import Facts, Link
from tui.services.checks.frames import Ip

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig

Interface = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network
_NOT_USABLE = 0x48
"""IFA_F_TENTATIVE and IFA_F_DADFAILED of if_addr.h."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way out.

    Attributes:
        addresses: those of `link` that can be used now and are wanted.
        missing: addresses that the draft wants and the link does not have yet.
        elsewhere: addresses of the other links, with the names of these: networks that are reached there.
        routed: networks beyond a router of their own.
        leased: an IPv4 address is to come from DHCP.
        proxy: None for the direct way.
        trust: PEM text of every certificate authority that counts.
    """

    link: Link
    addresses: tuple[Interface, ...] = ()
    missing: tuple[Interface, ...] = ()
    gateways: tuple[Ip, ...] = ()
    nameservers: tuple[Ip, ...] = ()
    elsewhere: tuple[tuple[str, Interface], ...] = ()
    routed: tuple[Network, ...] = ()
    leased: bool = False
    drafted: bool = False
    proxy: ProxyWay | None = None
    trust: str = ""

    @property
    def families(self) -> tuple[int, ...]:
        """IP versions with an address that others can answer to."""
        return tuple(sorted({a.version for a in self.addresses}))

    def inside(self, address: Ip) -> bool:
        """Whether it is in a configured network, so that no router is needed."""
        if address.is_link_local:
            return True
        return any(address in a.network for a in (*self.addresses, *(a for _, a in self.elsewhere)))

    def door(self, address: Ip) -> tuple[str, Ip] | None:
        """The link to leave by towards `address` and the address to leave with; None where there is none."""
        for name, own in ((self.link.name, a) for a in self.addresses):
            if address in own.network:
                return name, own.ip
        for name, own in self.elsewhere:
            if address in own.network:
                return name, own.ip
        return next(((self.link.name, a.ip) for a in self.addresses if a.version == address.version), None)


def of(
    facts: Facts, draft: HostConfig | None = None, name: str = "", proxy: ProxyWay | None = None, trust: str = ""
) -> Way | None:
    """The way out of a host, or the one that it would have with the draft; None for a host without interfaces.

    Args:
        name: of the interface to leave by; "" for the one with the gateway.
    """
    drafted = {x.mac: x for x in draft.links} if draft else {}
    link = facts.link(name) if name else _chosen(facts, drafted)
    if link is None:
        return None
    wish = drafted.get(link.identity)
    others = tuple((x.name, a) for x in facts.links if x.index != link.index for a in _usable(x))
    if wish is not None:
        return _wished(link, wish, others, _routed(facts), proxy, trust)
    lease = link.lease
    servers = link.nameservers or (lease.nameservers if lease else ())
    return Way(
        link, _usable(link), (), _gateways(link), _addresses(servers), others, _routed(facts),
        leased=link.method4 == "dhcp", proxy=proxy, trust=trust,
    )  # fmt: skip


def _chosen(facts: Facts, drafted: dict[str, LinkConfig]) -> Link | None:
    """What the draft gives a gateway, else what has one, else what somebody configured, else what has a cable."""
    candidates = [x for x in facts.links if x.kind != "loopback"]

    def rank(link: Link) -> int:
        wish = drafted.get(link.identity)
        if wish is not None:
            return 5 if wish.ipv4.gateway or wish.ipv6.gateway or wish.ipv4.method == "dhcp" else 3
        if link.default_gateways:
            return 4
        if link.method4 not in ("", "off") or _usable(link):
            return 2
        return int(link.carrier)

    return max(candidates, key=lambda link: (rank(link), -link.index), default=None)


def _wished(
    link: Link,
    wish: LinkConfig,
    others: tuple[tuple[str, Interface], ...],
    routed: tuple[Network, ...],
    proxy: ProxyWay | None,
    trust: str,
) -> Way:
    now = _usable(link)
    addresses: list[Interface] = []
    missing: list[Interface] = []
    gateways: list[Ip] = []
    for version, part in ((4, wish.ipv4), (6, wish.ipv6)):
        if part.method == "static":
            addresses += [a for a in now if a in part.addresses]
            missing += [a for a in part.addresses if a not in now]
            gateways += [part.gateway] if part.gateway else []
        elif part.method != "off":
            leased = {a.address for a in link.addresses if a.origin in ("dhcp", "ra")}
            addresses += [a for a in now if a.version == version and str(a) in leased]
            gateways += [g for g in _gateways(link) if g.version == version]
    lease = link.lease if wish.ipv4.method == "dhcp" else None
    servers = wish.nameservers or _addresses(lease.nameservers if lease else ())
    return Way(
        link, tuple(addresses), tuple(missing), tuple(gateways), tuple(servers), others, routed,
        leased=wish.ipv4.method == "dhcp", drafted=True, proxy=proxy, trust=trust,
    )  # fmt: skip


def _usable(link: Link) -> tuple[Interface, ...]:
    return tuple(ip_interface(a.address) for a in link.addresses if not a.link_local and not a.flags & _NOT_USABLE)


def _routed(facts: Facts) -> tuple[Network, ...]:
    """What has a route of its own; link-local and multicast routes of the kernel are none."""
    found = (r for x in facts.links for r in x.routes if r.gateway and r.destination != "default" and r.table == 254)
    return tuple(ip_network(r.destination, strict=False) for r in found)


def _gateways(link: Link) -> tuple[Ip, ...]:
    return _addresses(link.default_gateways)


def _addresses(texts: tuple[str, ...]) -> tuple[Ip, ...]:
    """The addresses among what somebody's file says, each once."""
    found: dict[Ip, None] = {}
    for text in texts:
        try:
            found[ip_address(text.partition("%")[0])] = None
        except ValueError:
            continue
    return tuple(found)
