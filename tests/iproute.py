"""What iproute2 says of links, in the shape of `Link`, so that the two can be compared. It shares no code with us."""

from __future__ import annotations

from typing import Any

from tui.models.facts import Link

PROTOCOLS = {"kernel": 2, "boot": 3, "static": 4, "ra": 9, "dhcp": 16}
FOREVER = 0xFFFFFFFF

Comparable = dict[str, dict[str, Any]]


def said(addresses: list[dict[str, Any]], *routes: dict[str, Any]) -> Comparable:
    """From `ip -j -d address` and `ip -j route`."""
    found = {link["ifname"]: _link(link) for link in addresses}
    for route in routes:
        if route.get("type", "unicast") == "unicast":
            for hop in route.get("nexthops", [route]):
                found[hop["dev"]]["routes"].append(_route(route, hop))
    return _sorted(found)


def read(links: tuple[Link, ...]) -> Comparable:
    """The same of what we read."""
    return _sorted({link.name: _of(link) for link in links})


def _link(link: dict[str, Any]) -> dict[str, Any]:
    flags = set(link["flags"])
    kind = {"ether": "ethernet"}.get(link["link_type"], link["link_type"])
    mac = link.get("address", "")
    return {
        "index": link["ifindex"],
        "mac": "" if set(mac) <= set("0:.") else mac,
        "mtu": (link["mtu"], link["min_mtu"], link["max_mtu"] or 65535),
        "up": "UP" in flags,
        "carrier": "LOWER_UP" in flags,
        "operstate": link["operstate"].lower(),
        "kind": link.get("linkinfo", {}).get("info_kind", kind),
        "addresses": [
            (f"{a['local']}/{a['prefixlen']}", a["valid_life_time"] == FOREVER, "tentative" in a)
            for a in link["addr_info"]
        ],
        "routes": [],
    }


def _route(route: dict[str, Any], hop: dict[str, Any]) -> tuple[Any, ...]:
    destination = route["dst"]
    if destination != "default" and "/" not in destination:
        destination += "/128" if ":" in destination else "/32"
    gateway = hop.get("gateway") or hop.get("via", {}).get("host", "")
    protocol = route.get("protocol", "boot")
    return (
        destination,
        gateway,
        route.get("metric", 0),
        PROTOCOLS.get(protocol) or int(protocol),
        "onlink" in hop["flags"],
        route.get("prefsrc", ""),
    )


def _of(link: Link) -> dict[str, Any]:
    return {
        "index": link.index,
        "mac": link.mac,
        "mtu": (link.mtu, link.min_mtu, link.max_mtu),
        "up": link.admin_up,
        "carrier": link.carrier,
        "operstate": link.operstate,
        "kind": link.kind,
        "addresses": [(a.address, a.valid_seconds is None, bool(a.flags & 0x40)) for a in link.addresses],
        "routes": [(r.destination, r.gateway, r.metric, r.protocol, r.on_link, r.source) for r in link.routes],
    }


def _sorted(found: Comparable) -> Comparable:
    for link in found.values():
        link["addresses"].sort()
        link["routes"].sort()
    return found
