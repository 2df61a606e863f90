"""The reader of user data: what installer and site say about a host, out of files that anybody may have written.

Keys are those of the installer's reference (`stylus`), of Kairos stages (`stages`) and of cloud-config (`hostname`,
`ntp`). Only what is asked for is looked up, by name, so a document's size and its aliases cost nothing. A token
never leaves the child: only that there is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tui.models.masking import masked

LARGEST = 1 << 20
"""Bytes of one file."""
_LONGEST, _MOST = 300, 200
"""Characters of a value, and values of a file, that are taken."""
_DEEPEST = 40
_MODES = {"central": "central", "local": "local", "connected": "central", "airgap": "local"}
_PROXIES = {"httpProxy": "proxy.http", "httpsProxy": "proxy.https", "noProxy": "proxy.exceptions"}
_LINK = {"type": "method", "ipAddress": "address", "mask": "mask", "gateway": "gateway", "nameserver": "nameserver"}
Found = tuple[str, str]


def warm_up() -> None:
    """Import all that reading needs; afterwards no file can be opened."""
    read(json.dumps([["/x", "a: [1, é, 0x1, 2026-01-01, 1.5, yes]"], ["/y", "a: ["]]).encode(), {})


def read(data: bytes, details: dict[str, Any]) -> dict[str, Any]:
    """The reader for the parser child: `[path, text]` of each file in, `[path, [key, value], ...]` out."""
    return {"files": [[path, sorted(set(values(text)))[:_MOST]] for path, text in json.loads(data)]}


def values(text: str) -> Iterator[Found]:
    """What one file says; ("unreadable", "") where it is no such file."""
    import yaml

    if len(text) > LARGEST or _nested(text):
        yield "unreadable", ""
        return
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError):
        yield "unreadable", ""
        return
    stylus = _part(document, "stylus")
    site = _part(stylus, "site")
    found = [*_mode(stylus), *_site(site), *_network(site), *_cloud(document)]
    for stage in _part(document, "stages").values():
        for step in stage if isinstance(stage, list) else ():
            found += [*_cloud(step), *_listed("time", _part(step, "timesyncd").get("NTP"))]
            files = _get(step, "files")
            found += [("file", v) for f in (files if isinstance(files, list) else ()) for v in _word(_get(f, "path"))]
    yield from found


def _mode(stylus: dict[str, Any]) -> Iterator[Found]:
    word = stylus.get("managementMode", stylus.get("installationMode"))
    if isinstance(word, str) and word in _MODES:
        yield "mode", _MODES[word]


def _site(site: dict[str, Any]) -> Iterator[Found]:
    for key, name in (("paletteEndpoint", "endpoint"), ("registrationURL", "registration"), ("projectName", "project")):
        yield from ((name, masked(v)) for v in _word(site.get(key)))
    if site.get("edgeHostToken"):
        yield "token", "set"
    tags = site.get("tags")
    if isinstance(tags, dict):
        yield from _listed("tags", [f"{k}:{v}" for k, v in list(tags.items())[:_MOST] if isinstance(v, str | int)])
    host = site.get("hostName") or site.get("name")
    yield from (("name", v) for v in _word(host) if not v.startswith("$"))
    yield from _listed("time", site.get("ntpServers"))


def _network(site: dict[str, Any]) -> Iterator[Found]:
    network = _part(site, "network") or _part(site, "siteNetwork")
    for key, name in _PROXIES.items():
        yield from ((name, masked(v)) for v in _word(network.get(key)))
    yield from _listed("nameserver", network.get("nameserver"))
    for link, settings in _part(network, "interfaces").items():
        for key, name in _LINK.items():
            yield from (
                (f"links.{link}.{name}", v) for v in _word(_get(settings, key)) if _printable(str(link)[:_LONGEST])
            )


def _cloud(document: Any) -> Iterator[Found]:
    for key in ("hostname", "fqdn"):
        yield from (("name", v) for v in _word(_get(document, key)))
    yield from _listed("time", _part(document, "ntp").get("servers"))


def _part(value: Any, key: str) -> dict[str, Any]:
    found = _get(value, key)
    return found if isinstance(found, dict) else {}


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _word(value: Any) -> Iterator[str]:
    """A plain value as text, if it is short and can be shown."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        text = str(value)[: _LONGEST + 1].strip()
        if text and len(text) <= _LONGEST and _printable(text):
            yield text


def _listed(name: str, value: Any) -> Iterator[Found]:
    """Several values in a list, or in one text with commas or blanks, as one text."""
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    words = [word for part in parts[:_MOST] for word in _word(part)] if isinstance(parts, list) else []
    if words and len(listed := ", ".join(words)) <= _LONGEST:
        yield name, listed


def _printable(text: str) -> bool:
    return text.isprintable()


def _nested(text: str) -> bool:
    """Deeper than any such file is: a parser in C would not mind, ours recurses."""
    deep = 0
    for character in text:
        deep += (character in "[{") - (character in "]}")
        if deep > _DEEPEST:
            return True
    return any(len(line) - len(line.lstrip(" -")) > 4 * _DEEPEST for line in text.splitlines())
