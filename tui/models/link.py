"""How one link shall be configured: the part of `HostConfig` behind the Network place."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from tui.models import values
from tui.models.facts import Link


class Part(BaseModel):
    """A part of the document: strict, unknown keys refused, never changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _read(parse: Any) -> BeforeValidator:
    """Text goes through the very parser that the form calls; values that are values already pass."""

    def before(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except values.Wrong as wrong:
            raise ValueError(f"{wrong.issue.code}: {wrong.issue.text}") from wrong

    return BeforeValidator(before)


_text = PlainSerializer(str, return_type=str)
Interface4 = Annotated[IPv4Interface, _read(values.interface4), _text]
Interface6 = Annotated[IPv6Interface, _read(values.interface6), _text]
Gateway4 = Annotated[IPv4Address, _read(values.gateway4), _text]
Gateway6 = Annotated[IPv6Address, _read(values.gateway6), _text]
NameServer = Annotated[IPv4Address | IPv6Address, _read(values.nameserver), _text]
Domain = Annotated[str, _read(values.domain)]
Mac = Annotated[str, _read(values.mac)]


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


class LinkConfig(Part):
    """The wish for one link. `mac` identifies it (permanent MAC); `name` is a hint for the reader."""

    mac: Mac
    name: str = ""
    ipv4: IPv4 = IPv4()
    ipv6: IPv6 = IPv6()
    nameservers: Annotated[tuple[NameServer, ...], BeforeValidator(_tuple)] = ()
    search_domains: Annotated[tuple[Domain, ...], BeforeValidator(_tuple)] = ()
    mtu: int | None = None

    @classmethod
    def from_link(cls, link: Link) -> LinkConfig:
        """What the link has now, as a wish: the starting point of the editor.

        A static form is prefilled from the lease, because going static drops what DHCP gave.
        """
        own = [a for a in link.addresses if a.origin != "program"]
        addresses4 = [a.address for a in own if a.family == 4]
        addresses6 = [a.address for a in own if a.family == 6 and not a.link_local]
        lease = link.lease
        gateways = {family: _gateway(link, family) for family in (4, 6)}
        return cls.model_validate(
            {
                "mac": link.identity,
                "name": link.name,
                "ipv4": {
                    "method": link.method4 or "dhcp",
                    "addresses": addresses4 or ([lease.address] if lease else []),
                    "gateway": gateways[4] or (lease.gateway if lease and lease.gateway else None),
                },
                "ipv6": {"method": link.method6 or "auto", "addresses": addresses6, "gateway": gateways[6]},
                "nameservers": list(link.nameservers or (lease.nameservers if lease else ())),
                "search_domains": list(link.search_domains or (lease.search_domains if lease else ())),
            }
        )

    def pruned(self) -> LinkConfig:
        """Without the values that the chosen methods do not use, so that equal wishes compare equal."""
        data = self.model_dump()
        for family in ("ipv4", "ipv6"):
            if data[family]["method"] != "static":
                data[family] = {"method": data[family]["method"]}
        return LinkConfig.model_validate(data)


def _gateway(link: Link, family: int) -> str | None:
    return next(
        (r.gateway for r in link.routes if r.destination == "default" and r.family == family and r.gateway), None
    )
