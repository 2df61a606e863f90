"""Profiles of NetworkManager as files (nm-settings-keyfile(5)): how ours are written, and how any is read.

NetworkManager ignores a keyfile that others can read, so ours have the mode 0600.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.models.facts import Layer, Link
from tui.services import reading
from tui.services.host import Host
from tui.services.network.stack import ALONE, Place
from tui.services.network.wanted import FORWARD_DELAY, with_routes

if TYPE_CHECKING:
    from tui.models.link import IPv4, IPv6, LinkConfig

KEPT = "/etc/NetworkManager/system-connections"
VOLATILE = "/run/NetworkManager/system-connections"
FOLDERS = (VOLATILE, KEPT, "/usr/lib/NetworkManager/system-connections")
"""The first that has a profile wins."""
MARK = "onsite-"
"""At the beginning of the names of our files."""
PRIORITY = 900
"""autoconnect-priority of ours; that of others is 0 unless somebody set it, and 999 at most."""
Sections = dict[str, dict[str, str]]


def uuid_of(identity: str) -> str:
    """The UUID of our profile of a link: always the same, so that both layers are one profile."""
    import uuid

    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"onsite:link:{identity}"))


def render(config: LinkConfig, link: Link, place: Place = ALONE) -> bytes:
    """The profile of a wish; the same bytes for the same wish.

    It matches by permanent MAC; a link without one (veth and other virtual links) is matched by its MAC and name. The
    IPv6 link-local address is always on. A silent DHCP server is waited for without end, or NetworkManager would give
    up after 45 seconds and take the link down.
    """
    config = with_routes(config.pruned(), link)
    kind = place.layer.kind if place.layer else "ethernet"
    connection = {"id": f"Onsite {link.name}", "uuid": uuid_of(link.identity), "type": kind}
    if not link.permanent_mac or place.layer:
        connection["interface-name"] = link.name
    connection["autoconnect-priority"] = str(PRIORITY)
    if place.master:
        connection |= {"master": place.master, "slave-type": place.kind}
    if place.layer is not None and place.layer.kind != "vlan":
        connection["autoconnect-slaves"] = "1"
    mac = link.permanent_mac or ("" if place.master or link.master else link.mac)  # a bond gives its ports another one
    ethernet = {"mac-address": mac.upper()} if mac and not place.layer else {}
    if place.mac:
        ethernet["cloned-mac-address"] = place.mac.upper()
    if config.mtu is not None:
        ethernet["mtu"] = str(config.mtu)
    methods4 = {"dhcp": "auto", "static": "manual", "off": "disabled"}
    methods6 = {"auto": "auto", "static": "manual", "off": "link-local"}
    four = {"method": methods4[config.ipv4.method]} | _addresses(config.ipv4)
    six = {"method": methods6[config.ipv6.method], "addr-gen-mode": "eui64"} | _addresses(config.ipv6)
    for part, version in ((four, 4), (six, 6)):
        if part["method"] == "disabled":
            continue
        servers = [str(s) for s in config.nameservers if s.version == version]
        if servers:
            part["dns"] = _list(servers)
        if config.search_domains:
            part["dns-search"] = _list(config.search_domains)
        if part["method"] == "auto":
            part["dhcp-timeout" if version == 4 else "ra-timeout"] = "2147483647"
            part["may-fail"] = "true"
            if config.nameservers or config.search_domains:
                part["ignore-auto-dns"] = "true"
    for static in config.routes or ():
        part = four if static.to.version == 4 else six
        number = 1 + sum(key.startswith("route") for key in part)
        words = [str(static.to), str(static.via or ""), "" if static.metric is None else str(static.metric)]
        part[f"route{number}"] = ",".join(words).rstrip(",")
    sections = {"connection": connection, "ethernet": ethernet}
    if place.layer is not None:
        sections[place.layer.kind] = _layer(place.layer)
    if not place.master:
        sections |= {"ipv4": four, "ipv6": six}
    text = "\n".join(
        f"[{name}]\n" + "".join(f"{key}={_escaped(value)}\n" for key, value in keys.items())
        for name, keys in sections.items()
        if keys
    )
    header = "Written by Onsite. Edits by hand are noticed, and shown before they are overwritten."
    return f"# {link.name}: {header}\n{text}".encode()


def _layer(layer: Layer) -> dict[str, str]:
    """What makes the device: nm-settings-keyfile(5), the words of bonding for a bond."""
    if layer.kind == "vlan":
        return {"id": str(layer.vlan), "parent": layer.parent}
    if layer.kind == "bridge":
        return {"stp": str(layer.stp).lower()} | ({"forward-delay": str(FORWARD_DELAY)} if layer.stp else {})
    options = {
        "mode": layer.mode, "miimon": str(layer.monitor), "lacp_rate": layer.lacp_rate,
        "xmit_hash_policy": layer.hash, "primary": layer.primary,
    }  # fmt: skip
    return {key: value for key, value in options.items() if value}


def parse(text: str) -> Sections:
    """Keys by section; a line that is neither is left out."""
    found: Sections = {}
    section: dict[str, str] = {}
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = found.setdefault(line[1:-1], {})
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section[key.strip()] = value.strip()
    return found


def active(host: Host, link: Link) -> tuple[str, Sections]:
    """Path and content of the profile that a device has now, by its state file; ("", {}) where there is none.

    netplan writes profiles without a UUID (0.106); those are found by what they match.
    """
    state = parse(reading.text(host, f"/run/NetworkManager/devices/{link.index}") or "")
    uuid = state.get("device", {}).get("connection-uuid", "")
    if not uuid:
        return "", {}
    for folder in FOLDERS:
        for name in reading.names(host, folder):
            text = reading.text(host, f"{folder}/{name}") or ""
            if f"uuid={uuid}" in text:
                return f"{folder}/{name}", parse(text)
    for name in reading.names(host, VOLATILE):
        profile = parse(reading.text(host, f"{VOLATILE}/{name}") or "") if name.startswith("netplan-") else {}
        if profile and "uuid" not in profile.get("connection", {}) and _matches(profile, link):
            return f"{VOLATILE}/{name}", profile
    return "", {}


def _matches(profile: Sections, link: Link) -> bool:
    name = profile.get("connection", {}).get("interface-name", "")
    mac = profile.get("ethernet", {}).get("mac-address", "").lower()
    return bool(name or mac) and name in ("", link.name) and mac in ("", link.permanent_mac, link.mac)


def our_file(host: Host, link: Link) -> str:
    """The file of ours that wins for this link now; "" where there is none."""
    uuid = uuid_of(link.identity)
    for folder in (VOLATILE, KEPT):
        for name in reading.names(host, folder, ".nmconnection"):
            if name.startswith(MARK) and f"uuid={uuid}\n" in (reading.text(host, f"{folder}/{name}") or ""):
                return f"{folder}/{name}"
    return ""


def is_ours(path: str) -> bool:
    return path.rpartition("/")[2].startswith(MARK)


def _addresses(part: IPv4 | IPv6) -> dict[str, str]:
    keys = {f"address{number}": str(address) for number, address in enumerate(part.addresses, 1)}
    if part.gateway is not None:
        keys["gateway"] = str(part.gateway)
    return keys


def _list(values: Iterable[object]) -> str:
    return "".join(f"{value};" for value in values)


def _escaped(value: str) -> str:
    """GKeyFile: a backslash begins an escape."""
    return value.replace("\\", "\\\\")
