"""What systemd-networkd says about its links, and which file of ours a link has: cheap reads, no process.

/run/systemd/netif/links/INDEX is what networkctl(1) itself reads (sd-network): KEY=value lines. Its words:
ADMIN_STATE pending, initialized, configuring, configured, unmanaged, failed, linger; CARRIER_STATE off, no-carrier,
dormant, degraded-carrier, carrier, enslaved.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tui.models.facts import Link
from tui.services import reading
from tui.services.host import Host

KEPT = "/etc/systemd/network"
VOLATILE = "/run/systemd/network"
MARK = "-onsite-"
"""In the names of our files, after the number that sorts them."""
_LINKS = "/run/systemd/netif/links"


class State(NamedTuple):
    """What networkd does with a link; all empty where it does not run. `file` is the .network file that won."""

    admin: str = ""
    carrier: str = ""
    file: str = ""

    @property
    def managed(self) -> bool:
        return self.admin not in ("", "unmanaged", "pending", "linger")


def state(host: Host, index: int) -> State:
    keys = dict(line.partition("=")[::2] for line in (reading.text(host, f"{_LINKS}/{index}") or "").splitlines())
    return State(keys.get("ADMIN_STATE", ""), keys.get("CARRIER_STATE", ""), keys.get("NETWORK_FILE", ""))


def runs(host: Host) -> bool:
    """systemd-networkd is up: systemd keeps this link to the invocation of each active unit."""
    return os.path.lexists(host.path("/run/systemd/units/invocation:systemd-networkd.service"))


def our_file(host: Host, link: Link) -> str:
    """The file of ours that wins for this link now; "" where there is none."""
    found = [
        (name, f"{folder}/{name}")
        for folder in (VOLATILE, KEPT)
        for name in reading.names(host, folder, ".network")
        if MARK in name and matches(reading.text(host, f"{folder}/{name}") or "", link)
    ]
    return min(found)[1] if found else ""


def matches(text: str, link: Link) -> bool:
    """Whether the [Match] of a file as we write it means this link."""
    wanted = {}
    for line in text.partition("[Match]")[2].partition("\n[")[0].splitlines():
        key, equals, value = line.partition("=")
        if equals:
            wanted[key] = value
    have = {"PermanentMACAddress": link.permanent_mac, "MACAddress": link.mac, "Name": link.name}
    return bool(wanted) and all(have.get(key) == value for key, value in wanted.items())
