"""What is wrong with a HostConfig in a file, in words: the field as the form calls it, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tui.models.change import Issue
from tui.models.form import LINK_FORM
from tui.models.wrong import Wrong, quoted

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_LABELS = {field.path: field.label for field in LINK_FORM.fields} | {
    "mac": "MAC address", "name": "Interface name", "ipv4": "IPv4", "ipv6": "IPv6", "links": "links",
    "version": "version", "vlan": "VLAN", "vlan.parent": "Parent", "vlan.id": "VLAN id", "bond": "Bond",
    "bond.ports": "Ports", "bond.mode": "Mode", "bond.primary": "Preferred port", "bond.lacp_rate": "LACP rate",
    "bond.hash": "Hash policy", "bond.monitor": "Link check", "bridge": "Bridge", "bridge.ports": "Ports",
    "bridge.stp": "Spanning tree", "routes": "Routes", "routes.to": "Destination", "routes.via": "Router",
    "routes.metric": "Metric", "removed": "Removed", "management": "Management interface",
}  # fmt: skip
_EXAMPLES = {field.path: field.example for field in LINK_FORM.fields} | {"mac": "00:00:5e:00:53:01", "version": "1"}
_OTHERS = {
    "identity": "Name", "hostname": "Host name", "keyboard": "Keyboard", "clock": "Time", "servers": "Time servers",
    "zone": "Time zone", "registration": "Registration", "mode": "Managed", "endpoint": "Endpoint", "way": "Registers",
    "token": "Token", "pairing_key": "Pairing key", "project": "Project", "tags": "Tags",
    "host_id_from": "Host id from", "host_id": "Host id", "registration_url": "QR page",
}  # fmt: skip
"""Keys of the parts that every host has once."""
_FAMILY = {"ipv4": "IPv4", "ipv6": "IPv6"}


def issues(error: ValidationError, content: dict[str, Any]) -> Iterator[Issue]:
    """An issue for each thing that pydantic found, at its field, without a word of pydantic's.

    Args:
        content: what was validated; it tells which interface is meant.
    """
    for detail in error.errors(include_url=False):
        field, subject = _named(detail["loc"], content)
        yield _issue(detail, subject, detail["loc"]).at(field)


def _issue(detail: ErrorDetails, subject: str, location: tuple[int | str, ...]) -> Issue:
    kind, context = detail["type"], detail.get("ctx", {})
    key = str(location[-1]) if location else ""
    path = ".".join(str(part) for part in location[2:] if isinstance(part, str))
    example = _EXAMPLES.get(path, "")
    such = f", such as {example}." if example else "."
    cause = getattr(context.get("error"), "__cause__", None)
    if isinstance(cause, Wrong):
        return Issue(cause.issue.code, "error", "", f"{subject}: {cause.issue.text}", cause.issue.remedy)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(key, [*_keys()], 1)
        remedy = f"Did you mean {near[0]}?" if near else "Remove it; onsite export shows what there is."
        return Issue("D105", "error", "", f"{subject}: Onsite does not know {quoted(key)}.", remedy)
    if kind == "missing":
        return Issue("D106", "error", "", f"{subject} is missing.", f"Add {key}{such}")
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        value = quoted(str(detail.get("input")))
        return Issue("D107", "error", "", f"{subject}: {value} is none of the choices.", f"Use one of: {expected}.")
    if kind in ("model_type", "dict_type", "model_attributes_type", "tuple_type", "list_type"):
        what = "a list, each value behind a dash" if kind in ("tuple_type", "list_type") else "keys and values"
        return Issue("D107", "error", "", f"{subject} has to be {what}.", "Write it as onsite export does.")
    return Issue("D107", "error", "", f"{subject} is not a value of the right kind.", f"Write a plain value{such}")


def _named(location: tuple[int | str, ...], content: dict[str, Any]) -> tuple[str, str]:
    """The field as in an Issue, and the words for it: "lan0, IPv4 Address"."""
    if location and location[0] in ("identity", "clock", "registration"):
        keys = [str(part) for part in location if part in _OTHERS]
        return ".".join(keys), _OTHERS[keys[-1]]
    if len(location) < 2 or location[0] != "links" or not isinstance(location[1], int):
        word = str(location[0]) if location else "The file"
        return word if location else "", _LABELS.get(word, "The file")
    links = content.get("links")
    link = links[location[1]] if isinstance(links, list) and location[1] < len(links) else {}
    known = link if isinstance(link, dict) else {}
    name = quoted(str(known.get("name") or known.get("mac") or f"interface {location[1] + 1}"))
    parts = [str(part) for part in location[2:] if isinstance(part, str) and part in _keys()]
    field = ".".join(["links", quoted(str(known.get("mac") or known.get("name") or location[1])), *parts])
    label = _LABELS.get(".".join(parts), "")
    family = _FAMILY.get(parts[0], "") if len(parts) > 1 else ""
    words = " ".join(dict.fromkeys(word for word in (family, label) if word))
    return field, ", ".join(word for word in (name, words) if word)


def _keys() -> set[str]:
    return {part for path in _LABELS for part in path.split(".")} | {*_OTHERS}
