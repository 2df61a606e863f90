"""How one link shall be configured: the part of `HostConfig` behind the Network place."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator

from tui.models import linkname, values
from tui.models.facts import Link, Route


class Part(BaseModel):
    """A part of the document: strict, unknown keys refused, never changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _read(parse: Any) -> BeforeValidator:
    """Text goes through the very parser that the form calls; values that are values already pass."""
    return BeforeValidator(lambda value: _parsed(parse, value) if isinstance(value, str) else value)


def _read_number(parse: Any) -> BeforeValidator:
    """The same for a number, which a document may have as one."""
    return BeforeValidator(lambda value: _parsed(parse, str(value)) if type(value) in (int, str) else value)


def _parsed(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except values.Wrong as wrong:
        raise ValueError(f"{wrong.issue.code}: {wrong.issue.text}") from wrong


_text = PlainSerializer(str, return_type=str)
Interface4 = Annotated[IPv4Interface, _read(values.interface4), _text]
Interface6 = Annotated[IPv6Interface, _read(values.interface6), _text]
Gateway4 = Annotated[IPv4Address, _read(values.gateway4), _text]
Gateway6 = Annotated[IPv6Address, _read(values.gateway6), _text]
NameServer = Annotated[IPv4Address | IPv6Address, _read(values.nameserver), _text]
Domain = Annotated[str, _read(values.domain)]
Mac = Annotated[str, _read(values.mac)]
LinkName = Annotated[str, _read(linkname.linkname)]
Reference = Annotated[str, _read(linkname.reference)]
"""How one link speaks of another: the MAC of a port, the name of one that was made (or of a port, for people)."""
Network = Annotated[IPv4Network | IPv6Network, _read(linkname.destination), _text]
VlanId = Annotated[int, _read_number(linkname.vlan_id)]
Metric = Annotated[int | None, _read_number(linkname.metric)]
Flag = Annotated[bool, _read(values.flag)]
Monitor = Annotated[int, _read_number(linkname.monitor)]


def _tuple(value: object) -> object:
    """YAML and JSON have lists; the model keeps tuples."""
    return tuple(value) if isinstance(value, list) else value


class IPv4(Part):
    method: Literal["dhcp", "static", "off"] = "dhcp"
    addresses: Annotated[tuple[Interface4, ...], BeforeValidator(_tuple)] = ()
    gateway: Gateway4 | None = None


class IPv6(Part):
    method: Literal["auto", "static", "off"] = "auto"
    addresses: Annotated[tuple[Interface6, ...], BeforeValidator(_tuple)] = ()
    gateway: Gateway6 | None = None


class StaticRoute(Part):
    """A network that is reached by another router than the gateway. Without `via` it is on the link itself."""

    to: Network
    via: NameServer | None = None
    metric: Metric = None

    def __str__(self) -> str:
        """As `linkname.route` reads it."""
        via = f" via {self.via}" if self.via is not None else ""
        return f"{self.to}{via}" + (f" metric {self.metric}" if self.metric is not None else "")


class Vlan(Part):
    """A link with tagged frames on another one, its parent: a port or a bond (or a bridge)."""

    parent: Reference
    id: VlanId


class Bond(Part):
    """Several ports as one link. What a mode does not use is left as it is and does nothing.

    Attributes:
        mode: active-backup works with any switch; 802.3ad needs LACP at the other end; balance-xor a fixed group
            there; balance-alb none.
        primary: port that active-backup prefers; "" for none.
        hash: what chooses the port of a packet, in 802.3ad and balance-xor.
        monitor: milliseconds between two looks at each port's carrier (miimon).
    """

    ports: Annotated[tuple[Reference, ...], BeforeValidator(_tuple)] = ()
    mode: Literal["active-backup", "802.3ad", "balance-xor", "balance-alb"] = "active-backup"
    primary: Reference = ""
    lacp_rate: Literal["slow", "fast"] = "slow"
    hash: Literal["layer2", "layer2+3", "layer3+4"] = "layer2+3"
    monitor: Monitor = 100


class Bridge(Part):
    """A switch inside this host."""

    ports: Annotated[tuple[Reference, ...], BeforeValidator(_tuple)] = ()
    stp: Flag = True


class LinkConfig(Part):
    """The wish for one link.

    A port is identified by its permanent MAC, and `name` is a hint for the reader. A link that is made (exactly one of
    `vlan`, `bond`, `bridge` is given) has no MAC of its own and is identified by its `name`. `identity` is either.

    Attributes:
        routes: static routes beside the gateway; None leaves those that the link has.
        mtu: None leaves it as it is.
    """

    mac: Annotated[str, _read(lambda text: values.mac(text) if text else "")] = ""
    name: str = ""
    vlan: Vlan | None = None
    bond: Bond | None = None
    bridge: Bridge | None = None
    ipv4: IPv4 = IPv4()
    ipv6: IPv6 = IPv6()
    nameservers: Annotated[tuple[NameServer, ...], BeforeValidator(_tuple)] = ()
    search_domains: Annotated[tuple[Domain, ...], BeforeValidator(_tuple)] = ()
    routes: Annotated[tuple[StaticRoute, ...] | None, BeforeValidator(_tuple)] = None
    mtu: int | None = None

    @model_validator(mode="after")
    def _identified(self) -> LinkConfig:
        try:
            if self.made:
                linkname.linkname(self.name)
            if bool(self.mac) == self.made:
                raise linkname.no_identity(self.made)
            if len([part for part in (self.vlan, self.bond, self.bridge) if part is not None]) > 1:
                raise linkname.two_kinds(self.name)
        except values.Wrong as wrong:
            raise ValueError(f"{wrong.issue.code}: {wrong.issue.text}") from wrong
        return self

    @property
    def made(self) -> bool:
        return self.vlan is not None or self.bond is not None or self.bridge is not None

    @property
    def kind(self) -> Literal["port", "vlan", "bond", "bridge"]:
        return "vlan" if self.vlan else "bond" if self.bond else "bridge" if self.bridge else "port"

    @property
    def identity(self) -> str:
        """What names the link in `HostConfig` and in facts."""
        return self.name if self.made else self.mac

    @property
    def lower(self) -> tuple[str, ...]:
        """What it is made of: the parent of a VLAN, the ports of a bond or bridge."""
        if self.vlan is not None:
            return (self.vlan.parent,)
        return self.bond.ports if self.bond else self.bridge.ports if self.bridge else ()

    @classmethod
    def from_link(cls, link: Link, links: tuple[Link, ...] = ()) -> LinkConfig:
        """What the link has now, as a wish: the starting point of the editor.

        A static form is prefilled from the lease, because going static drops what DHCP gave. A port of a bond or bridge
        carries nothing itself. An MTU of 1500 is what a link has where nobody set one.

        Args:
            links: all of the host, for the ports of a bond or bridge.
        """
        own = [a for a in link.addresses if a.origin != "program"]
        addresses4 = [a.address for a in own if a.family == 4]
        addresses6 = [a.address for a in own if a.family == 6 and not a.link_local]
        lease = link.lease
        gateways = {family: _gateway(link, family) for family in (4, 6)}
        return cls.model_validate(
            {
                "mac": "" if link.layer else link.permanent_mac or link.mac,
                "name": link.name,
                **_made(link, links),
                "ipv4": {
                    "method": "off" if link.master else link.method4 or "dhcp",
                    "addresses": addresses4 or ([lease.address] if lease else []),
                    "gateway": gateways[4] or (lease.gateway if lease and lease.gateway else None),
                },
                "ipv6": {
                    "method": "off" if link.master else link.method6 or "auto",
                    "addresses": addresses6,
                    "gateway": gateways[6],
                },
                "nameservers": list(link.nameservers or (lease.nameservers if lease else ())),
                "search_domains": list(link.search_domains or (lease.search_domains if lease else ())),
                "routes": static_routes(link) or None,
                "mtu": link.mtu if link.mtu != _USUAL_MTU and not link.master else None,
            }
        )

    def pruned(self) -> LinkConfig:
        """Without the values that the chosen methods do not use, so that equal wishes compare equal."""
        data = self.model_dump()
        for family in ("ipv4", "ipv6"):
            if data[family]["method"] != "static":
                data[family] = {"method": data[family]["method"]}
        return LinkConfig.model_validate(data)


_USUAL_MTU = 1500
_OFFERED = {
    "mode": ("active-backup", "802.3ad", "balance-xor", "balance-alb"),
    "hash": ("layer2", "layer2+3", "layer3+4"),
    "lacp_rate": ("slow", "fast"),
}
"""What a wish can say of a bond; one that somebody else made in another way begins with our defaults."""
_STATIC = 4
"""RTPROT_STATIC of rtnetlink(7): routes that a person configured."""


def static_routes(link: Link) -> tuple[StaticRoute, ...]:
    """The routes of the link that a person set, without those out."""
    mine = [r for r in link.routes if r.protocol == _STATIC and r.table == 254 and r.destination != "default"]
    return tuple(StaticRoute.model_validate(_route(route)) for route in mine)


def _route(route: Route) -> dict[str, Any]:
    usual = 1024 if route.family == 6 else 0  # what the kernel gives an IPv6 route without a metric
    metric = route.metric if route.metric != usual else None
    return {"to": route.destination, "via": route.gateway or None, "metric": metric}


def _made(link: Link, links: tuple[Link, ...]) -> dict[str, Any]:
    """The part of the wish that makes the link; nothing for a port."""
    layer = link.layer
    if layer is None:
        return {}
    of = {x.name: x.identity for x in links}
    ports = [x.identity for x in links if x.master == link.name]
    if layer.kind == "vlan":
        return {"vlan": {"parent": of.get(layer.parent, layer.parent), "id": layer.vlan}}
    if layer.kind == "bridge":
        return {"bridge": {"ports": ports, "stp": layer.stp}}
    given = {"mode": layer.mode, "lacp_rate": layer.lacp_rate, "hash": layer.hash, "monitor": layer.monitor}
    known = {key: value for key, value in given.items() if key not in _OFFERED or value in _OFFERED[key]}
    bond = {key: value for key, value in known.items() if value}
    return {"bond": {"ports": ports, "primary": of.get(layer.primary, layer.primary)} | bond}


def _gateway(link: Link, family: int) -> str | None:
    return next(
        (r.gateway for r in link.routes if r.destination == "default" and r.family == family and r.gateway), None
    )
