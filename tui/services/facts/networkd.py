"""What systemd-networkd says about a link: its state under /run/systemd/netif and the .network file that won.

The formats are those of `networkctl`'s own state files: KEY=value lines, private to systemd but the same since 2014.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from tui.models.facts import Lease, Link, Origin
from tui.services import reading
from tui.services.host import Host

_STATE = "/run/systemd/netif/links"
_LEASES = "/run/systemd/netif/leases"
_YES = {"yes", "true", "on", "1"}


def described(link: Link, host: Host) -> Link:
    """The link with lease, name servers and configuration as networkd has them."""
    state = _keys(reading.text(host, f"{_STATE}/{link.index}"))
    config = state.get("NETWORK_FILE") or link.owner.config
    network = _network_section(reading.text(host, config) if config else None)
    addresses = network.get("Address", [])
    lease = _lease(_keys(reading.text(host, f"{_LEASES}/{link.index}")))
    method4 = _method4(network, addresses)
    method6 = _method6(network, addresses)
    origin: Origin = "console" if "onsite" in config.rpartition("/")[2] else "other"
    given = {a.partition("/")[0] for a in addresses}
    leased = lease.address.partition("/")[0] if lease else ""
    named = []
    for address in link.addresses:
        ip = address.address.partition("/")[0]
        kernel: Origin = "program" if given and address.origin == "other" and not address.link_local else address.origin
        named.append(replace(address, origin=origin if ip in given else "dhcp" if ip == leased else kernel))
    return replace(
        link,
        addresses=tuple(named),
        lease=lease if method4 in ("dhcp", "") else None,
        nameservers=tuple(state.get("DNS", "").split()) or tuple(_all(network, "DNS")),
        search_domains=tuple(state.get("DOMAINS", "").split()) or tuple(_all(network, "Domains")),
        method4=method4,
        method6=method6,
        origin=origin if network else link.origin,
    )


def _method4(network: dict[str, list[str]], addresses: list[str]) -> Literal["", "dhcp", "static", "off"]:
    if not network:
        return ""
    if network.get("DHCP", [""])[-1].lower() in _YES | {"ipv4"}:
        return "dhcp"
    return "static" if any(":" not in a for a in addresses) else "off"


def _method6(network: dict[str, list[str]], addresses: list[str]) -> Literal["", "auto", "static", "off"]:
    if not network:
        return ""
    if any(":" in a for a in addresses):
        return "static"
    return "auto" if network.get("IPv6AcceptRA", ["yes"])[-1].lower() in _YES else "off"


def _lease(keys: dict[str, str]) -> Lease | None:
    address = keys.get("ADDRESS", "")
    if not address:
        return None
    mask = keys.get("NETMASK", "")
    if mask:
        address += f"/{sum(bin(int(part)).count('1') for part in mask.split('.') if part.isdigit())}"
    domains = [*keys.get("DOMAINNAME", "").split(), *keys.get("DOMAIN_SEARCH_LIST", "").split()]
    seconds = keys.get("LIFETIME", "")
    return Lease(
        address=address,
        gateway=keys.get("ROUTER", "").partition(" ")[0],
        nameservers=tuple(keys.get("DNS", "").split()),
        search_domains=tuple(dict.fromkeys(domains)),
        server=keys.get("SERVER_ADDRESS", ""),
        seconds=int(seconds) if seconds.isdigit() else 0,
    )


def _keys(text: str | None) -> dict[str, str]:
    pairs = (line.partition("=") for line in (text or "").splitlines() if not line.startswith("#"))
    return {key: value for key, _, value in pairs}


def _network_section(text: str | None) -> dict[str, list[str]]:
    """The settings of [Network], with the Address= of every [Address]; systemd.network(5) adds up repeated keys."""
    found: dict[str, list[str]] = {}
    section = ""
    for raw in (text or "").splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line
        elif "=" in line and line[0] not in "#;":
            key, _, value = (part.strip() for part in line.partition("="))
            if section == "[Network]" or (section == "[Address]" and key == "Address"):
                found.setdefault(key, []).append(value)
    return found


def _all(network: dict[str, list[str]], key: str) -> list[str]:
    return [word for value in network.get(key, []) for word in value.split()]
