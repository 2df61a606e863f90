"""What netplan files say about a link, and how one of them is changed. Pure: texts in, texts out.

A file of somebody else keeps everything but the definition of the one link: its comments, its order, other links.
Format: netplan's doc/netplan-yaml.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from tui.models.facts import Link, Route
from tui.services.network.stack import ALONE, Place

if TYPE_CHECKING:
    from tui.models.link import LinkConfig, StaticRoute

_KINDS = (
    "ethernets",
    "wifis",
    "modems",
    "bonds",
    "bridges",
    "vlans",
    "tunnels",
    "vrfs",
    "dummy-devices",
    "virtual-ethernets",
)
"""The mappings of definitions in a netplan file."""
WRITABLE = ("ethernets", "bonds", "bridges", "vlans")
MARK = "# Set by Onsite."
"""The first line in a definition that Onsite has written into a file of somebody else."""
HEADER = "# Written by Onsite. Edits by hand are noticed, and shown before they are overwritten.\n"
_OURS = ("dhcp4", "dhcp6", "accept-ra", "addresses", "gateway4", "gateway6", "nameservers")
_DEFAULT = ("default", "0.0.0.0/0", "::/0", "0/0")


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition that means a link.

    Attributes:
        kind: the mapping that it stands in; "" where the file cannot be read.
        shared: it means other links as well, by a pattern.
    """

    path: str
    kind: str = ""
    name: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    shared: bool = False


def definitions(texts: Mapping[str, str], link: Link) -> Iterator[Definition]:
    """Every definition of this link by path, in the order of the files; also each file that cannot be read."""
    for path, text in texts.items():
        # PyYAML costs more than all else that is read here: only for a file that can mean this link.
        if link.name not in text and "match" not in text and "set-name" not in text:
            continue
        import yaml

        try:
            network = yaml.safe_load(text)["network"]
            found = [
                Definition(path, kind, str(name), body, _shared(body))
                for kind in _KINDS
                for name, value in (network.get(kind) or {}).items()
                if _means(str(name), body := value if isinstance(value, dict) else {}, link)
            ]
        except (yaml.YAMLError, TypeError, KeyError, AttributeError, RecursionError, ValueError):
            found = [Definition(path)]
        yield from found


LAYERS = {"vlan": "vlans", "bond": "bonds", "bridge": "bridges"}
"""The mapping that a made link is defined in."""


def body(
    config: LinkConfig,
    link: Link,
    former: Definition | None,
    place: Place = ALONE,
    names: Mapping[str, str] | None = None,
    *,
    profiles: bool = False,
) -> dict[str, Any]:
    """The definition of a wish. What the former one says beside addresses, routes out and name servers stays.

    A new definition is bound to the card by its permanent MAC, and keeps its name (`set-name`).

    Args:
        names: the name of the definition of a link by the link's own, where the two differ.
        profiles: NetworkManager follows. Where IPv4 is off netplan (0.106) would ask it for an address of
            169.254.0.0/16.
    """
    config = config.pruned()
    before = former.body if former else {}
    new: dict[str, Any] = {key: value for key, value in before.items() if key not in _OURS}
    if former is None and link.permanent_mac:
        new |= {"match": {"macaddress": link.permanent_mac}, "set-name": link.name}
    if isinstance(settings := new.get("networkmanager"), dict) and isinstance(settings.get("passthrough"), dict):
        passed = {k: v for k, v in settings["passthrough"].items() if not str(k).startswith(("ipv4.", "ipv6."))}
        new["networkmanager"] = settings | {"passthrough": passed}
        if settings.keys() == {"passthrough"} and not passed:
            del new["networkmanager"]
    if profiles and config.ipv4.method == "off" and not place.master:
        given = new.get("networkmanager") or {}
        off = {"ipv4.method": "disabled"}
        new["networkmanager"] = given | {"passthrough": (given.get("passthrough") or {}) | off}
    leased, automatic = config.ipv4.method == "dhcp", config.ipv6.method == "auto"
    new |= {"dhcp4": leased, "dhcp6": automatic, "accept-ra": automatic}
    if place.master:
        new.pop("link-local", None)
        new["link-local"] = []
    elif new.get("link-local") == [] and set_by_layer(before):
        del new["link-local"]
    if place.layer is not None:
        new = _layer(new, place, names or {}) | {k: v for k, v in new.items() if k not in _LAYER}
    addresses = [str(a) for part in (config.ipv4, config.ipv6) for a in part.addresses]
    if addresses:
        new["addresses"] = addresses
    if config.mtu is not None:
        new["mtu"] = config.mtu
    others = [route for route in _routes(before) if str(route.get("to")) not in _DEFAULT or "table" in route]
    if config.routes is not None:
        others = [route for route in others if "table" in route or route.get("type", "unicast") != "unicast"]
        others += [_route(route) for route in config.routes]
    ways_out = [_way_out(part) for part in (config.ipv4, config.ipv6) if part.gateway is not None]
    new.pop("routes", None)
    if others or ways_out:
        new["routes"] = [*others, *ways_out]
    servers = {"addresses": [str(s) for s in config.nameservers], "search": list(config.search_domains)}
    if given := {key: values for key, values in servers.items() if values}:
        new["nameservers"] = given
    for key, method in (("dhcp4-overrides", leased), ("dhcp6-overrides", automatic)):
        overrides = dict(new.pop(key, None) or {})
        overrides.pop("use-dns", None)
        overrides.pop("use-domains", None)
        if method and config.nameservers:
            overrides["use-dns"] = False
        if method and config.search_domains:
            overrides["use-domains"] = False
        if overrides:
            new[key] = overrides
    return new


_LAYER = ("interfaces", "parameters", "id", "link", "macaddress")


def set_by_layer(before: dict[str, Any]) -> bool:
    """A definition as `body` writes one for a port: it asks for nothing."""
    return not any(before.get(key) for key in ("dhcp4", "dhcp6", "accept-ra", "addresses"))


def _layer(before: dict[str, Any], place: Place, names: Mapping[str, str]) -> dict[str, Any]:
    """What makes the device. Parameters that Onsite does not know stay."""
    layer = place.layer
    assert layer is not None, "the caller has looked"  # noqa: S101
    if layer.kind == "vlan":
        return {"id": layer.vlan, "link": names.get(layer.parent, layer.parent)}
    made: dict[str, Any] = {"interfaces": [names.get(x.name, x.name) for x in place.ports]}
    if place.mac:
        made["macaddress"] = place.mac
    from tui.services.network.wanted import FORWARD_DELAY

    known: dict[str, Any] = {"stp": layer.stp, "forward-delay": FORWARD_DELAY if layer.stp else None}
    if layer.kind == "bond":
        known = {
            "mode": layer.mode, "mii-monitor-interval": layer.monitor, "lacp-rate": layer.lacp_rate or None,
            "transmit-hash-policy": layer.hash or None, "primary": names.get(layer.primary, layer.primary) or None,
        }  # fmt: skip
    others = {k: v for k, v in (before.get("parameters") or {}).items() if k not in known}
    return made | {"parameters": others | {k: v for k, v in known.items() if v is not None}}


def _route(route: StaticRoute) -> dict[str, Any]:
    made: dict[str, Any] = {"to": str(route.to)}
    made |= {"via": str(route.via)} if route.via is not None else {"scope": "link"}
    return made | ({"metric": route.metric} if route.metric is not None else {})


def removed(text: str, kind: str, name: str) -> str:
    """The text of a netplan file without that definition, and all else as it was."""
    import yaml

    document = yaml.safe_load(text)
    definitions = document["network"][kind]
    del definitions[name]
    if not definitions:
        del document["network"][kind]
    cut = _cut(text, kind, name, whole=not definitions)
    try:
        if cut is not None and yaml.safe_load(cut) == document:
            return cut
    except yaml.YAMLError:
        pass
    return HEADER + yaml.safe_dump(document, sort_keys=False)


def _cut(text: str, kind: str, name: str, *, whole: bool) -> str | None:
    """Without the lines of that definition, or of its mapping where it is the last; None where that is not lines."""
    import yaml

    network: Any = _child(yaml.compose(text, Loader=yaml.SafeLoader), "network")
    inside, key = (network, kind) if whole else (_child(network, kind), name)
    pair = next((p for p in inside.value if p[0].value == key), None) if isinstance(inside, yaml.MappingNode) else None
    if pair is None or inside.flow_style:
        return None
    lines = text.splitlines(keepends=True)
    first, last = pair[0].start_mark.line, pair[1].end_mark.line
    while last > first + 1 and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#")):
        last -= 1
    return "".join([*lines[:first], *lines[last:]])


def edited(text: str, kind: str, name: str, new: dict[str, Any]) -> str:
    """The text of a netplan file with this definition in it, and all else as it was."""
    import yaml

    document = yaml.safe_load(text) or {"network": {"version": 2}}
    network = document["network"]
    if (network.get(kind) or {}).get(name) == new:
        return text
    network[kind] = (network.get(kind) or {}) | {name: new}
    spliced = _spliced(text, kind, name, new)
    try:
        if spliced is not None and yaml.safe_load(spliced) == document:
            return spliced
    except yaml.YAMLError:
        pass
    return HEADER + yaml.safe_dump(document, sort_keys=False)


def set_by_onsite(text: str, name: str) -> bool:
    """Whether Onsite has written the definition of that name."""
    lines = [line.strip() for line in text.splitlines()]
    if lines and f"{lines[0]}\n" == HEADER:
        return True
    keys = (f"{name}:", f'"{name}":', f"'{name}':")
    for number, line in enumerate(lines, 1):
        if line in keys:
            return MARK in takewhile(lambda following: following[:1] in ("", "#"), lines[number:])
    return False


def routes(definition: dict[str, Any]) -> tuple[Route, ...]:
    """What the kernel shows of the routes in a definition that lead somewhere else than out."""
    from ipaddress import ip_network

    found = []
    for route in _routes(definition):
        to, gateway = str(route.get("to")), str(route.get("via") or "")
        if to in _DEFAULT or "table" in route or route.get("type", "unicast") != "unicast":
            continue
        try:
            network = ip_network(to, strict=False)
        except ValueError:
            continue
        found.append(Route(str(network), gateway, int(route.get("metric") or 0), family=network.version))
    return tuple(found)


def _routes(definition: dict[str, Any]) -> list[dict[str, Any]]:
    value = definition.get("routes")
    return [route for route in value if isinstance(route, dict)] if isinstance(value, list) else []


def _way_out(part: Any) -> dict[str, Any]:
    from tui.services.network.wanted import outside

    route: dict[str, Any] = {"to": "default", "via": str(part.gateway)}
    return route | {"on-link": True} if outside(part.gateway, part.addresses) else route


def _spliced(text: str, kind: str, name: str, new: dict[str, Any]) -> str | None:
    """The text with only the lines of that definition replaced; None where they do not stand by themselves."""
    import yaml

    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in ("network", kind, name):
        node = _child(node, key)
    if not isinstance(node, yaml.MappingNode) or not node.value or node.flow_style:
        return None
    start, column = node.start_mark.index, node.start_mark.column
    former = text[start : node.end_mark.index].splitlines(keepends=True)
    while former and (not former[-1].strip() or former[-1].lstrip().startswith("#")):
        former.pop()  # what follows is somebody else's comment
    end = start + sum(map(len, former))
    lines = yaml.safe_dump(new, sort_keys=False).splitlines()
    if not text[:start].rstrip().endswith(MARK):
        lines.insert(0, MARK)
    return text[:start] + f"\n{' ' * column}".join(lines) + ("\n" if former[-1].endswith("\n") else "") + text[end:]


def _child(node: Any, key: str) -> Any:
    pairs = node.value if node is not None and node.id == "mapping" else ()
    return next((value for name, value in pairs if name.value == key), None)


def _shared(definition: dict[str, Any]) -> bool:
    match = definition.get("match")
    if not isinstance(match, dict) or "macaddress" in match:
        return False
    names = match.get("name", "*")
    return isinstance(names, list) or any(c in str(names) for c in "*?[")


def _means(name: str, definition: dict[str, Any], link: Link) -> bool:
    from tui.services.network.claims import fits

    match = definition.get("match")
    if not isinstance(match, dict) or link.made:  # a made link has the MAC of what it is made of
        return name == link.name
    if link.name == definition.get("set-name"):
        return True
    names = match.get("name", "*")
    if not any(fits(link.name, str(pattern)) for pattern in (names if isinstance(names, list) else [names])):
        return False
    mac = str(match.get("macaddress", "")).lower()
    return not mac or mac in (link.permanent_mac, link.mac)
