"""Neighbours that were heard before this console listened: switches speak every thirty seconds only.

What one console hears is kept in /run for the next one. Besides, systemd-networkd keeps the frames that it heard, each
after its length in eight bytes (`link_lldp_save`, up to version 256). Times are CLOCK_BOOTTIME, so a restart ends all.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from tui.models.change import FileImage
from tui.models.facts import Link
from tui.models.port import Neighbour, printable
from tui.services.change import files
from tui.services.host import Host
from tui.services.port import lldp
from tui.services.port.protocol import Malformed

log = logging.getLogger(__name__)

PATH = "/run/onsite/neighbours.json"
_NETWORKD = "/run/systemd/netif/lldp"
_LARGEST = 1 << 18


def load(host: Host, links: tuple[Link, ...]) -> dict[int, list[Neighbour]]:
    """By the index of the link, what is not out of date. A file that cannot be understood says nothing."""
    now = host.clock.boottime()
    found: dict[int, list[Neighbour]] = {}
    kept = _kept(host)
    for link in links:
        if not link.carrier:  # whoever was there
            continue
        heard = [*kept.get(link.identity or link.name, ()), *_of_networkd(host, link.index)]
        found[link.index] = [x for x in heard if x.until > now]
    return found


def store(host: Host, heard: Mapping[str, tuple[Neighbour, ...]]) -> None:
    """Keep what was heard, by the identity of the link. Where it cannot be written, the next console waits."""
    data = {link: [asdict(x) for x in neighbours] for link, neighbours in heard.items() if neighbours}
    try:
        files.write_image(host, FileImage(PATH, json.dumps(data).encode()))
    except OSError:
        log.exception("neighbours cannot be kept")


def _kept(host: Host) -> dict[str, list[Neighbour]]:
    path = host.path(PATH)
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        data = json.loads(path.read_text())
        return {str(link): [_neighbour(x) for x in found] for link, found in data.items()}
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return {}


_TEXTS = ("chassis", "port", "about_port", "system")


def _neighbour(data: dict[str, Any]) -> Neighbour:
    known = {f.name for f in fields(Neighbour)}
    values = {key: value for key, value in data.items() if key in known}
    for name in _TEXTS:
        values[name] = printable(str(values.get(name, "")).encode())
    values["until"] = float(values["until"])
    values["vlan"] = None if values.get("vlan") is None else int(values["vlan"])
    values["vlans"] = tuple((int(number), printable(str(name).encode())) for number, name in values.get("vlans", ()))
    values["addresses"] = tuple(printable(str(x).encode()) for x in values.get("addresses", ()))
    values["protocol"] = "CDP" if values.get("protocol") == "CDP" else "LLDP"
    return Neighbour(**values)


def _of_networkd(host: Host, index: int) -> Iterator[Neighbour]:
    path = host.path(f"{_NETWORKD}/{index}")
    try:
        age = time.time() - path.stat().st_mtime
        with path.open("rb") as file:
            data = file.read(_LARGEST)
    except OSError:
        return
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        with contextlib.suppress(Malformed):
            yield lldp.parse(data[at + 8 : at + 8 + length], host.clock.boottime() - max(0.0, age))
        at += 8 + length
