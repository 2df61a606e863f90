"""What NetworkManager says about a link: its state file under /run, and the profile that the device has.

The state file (/run/NetworkManager/devices/INDEX) has the profile's UUID and, since 1.42, what the DHCP server gave.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from tui.models.facts import Lease, Link, Origin
from tui.services import reading
from tui.services.host import Host
from tui.services.network import keyfiles


def described(link: Link, host: Host) -> Link:
    """The link with lease, name servers and configuration as NetworkManager has them."""
    path, profile = keyfiles.active(host, link)
    state = keyfiles.parse(reading.text(host, f"/run/NetworkManager/devices/{link.index}") or "")
    four, six = profile.get("ipv4", {}), profile.get("ipv6", {})
    given = {value.partition("/")[0] for part in (four, six) for value in _addresses(part)}
    lease = _lease(state.get("dhcp4", {}))
    leased = lease.address.partition("/")[0] if lease else ""
    origin: Origin = "console" if keyfiles.is_ours(path) else "other"
    named = []
    for address in link.addresses:
        ip = address.address.partition("/")[0]
        kernel: Origin = "program" if given and address.origin == "other" and not address.link_local else address.origin
        named.append(replace(address, origin=origin if ip in given else "dhcp" if ip == leased else kernel))
    method4 = _method4(four)
    if method4 != "dhcp":
        lease = None
    servers = (*_list(four, "dns"), *_list(six, "dns"))
    domains = tuple(dict.fromkeys((*_list(four, "dns-search"), *_list(six, "dns-search"))))
    return replace(
        link,
        addresses=tuple(named),
        lease=lease,
        nameservers=servers or (lease.nameservers if lease else ()),
        search_domains=domains or (lease.search_domains if lease else ()),
        method4=method4,
        method6=_method6(six),
        origin=origin if profile else link.origin,
    )


def _method4(part: dict[str, str]) -> Literal["", "dhcp", "static", "off"]:
    methods: dict[str, Literal["", "dhcp", "static", "off"]] = {"auto": "dhcp", "manual": "static"}
    return methods.get(part.get("method", ""), "off") if part else ""


def _method6(part: dict[str, str]) -> Literal["", "auto", "static", "off"]:
    methods: dict[str, Literal["", "auto", "static", "off"]] = {"auto": "auto", "dhcp": "auto", "manual": "static"}
    return methods.get(part.get("method", ""), "off") if part else ""


def _addresses(part: dict[str, str]) -> list[str]:
    """address1=ADDRESS/PREFIX[,GATEWAY]; older files say addresses1."""
    return [
        value.partition(",")[0] for key, value in part.items() if key.rstrip("0123456789") in ("address", "addresses")
    ]


def _list(part: dict[str, str], key: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in part.get(key, "").replace(",", ";").split(";") if word.strip())


def _lease(said: dict[str, str]) -> Lease | None:
    keys = {key.removeprefix("dhcp4."): value for key, value in said.items()}
    address, mask = keys.get("ip_address", ""), keys.get("subnet_mask", "")
    if not address:
        return None
    if mask:
        address += f"/{sum(bin(int(part)).count('1') for part in mask.split('.') if part.isdigit())}"
    domains = [*keys.get("domain_name", "").split(), *keys.get("domain_search", "").split()]
    seconds = keys.get("dhcp_lease_time", "")
    return Lease(
        address=address,
        gateway=keys.get("routers", "").partition(" ")[0],
        nameservers=tuple(keys.get("domain_name_servers", "").split()),
        search_domains=tuple(dict.fromkeys(domains)),
        server=keys.get("dhcp_server_identifier", ""),
        seconds=int(seconds) if seconds.isdigit() else 0,
    )
