"""Which network managers run here, and which of them a link belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui.models.facts import Link
from tui.services.facts import files
from tui.services.host import Host
from tui.services.network import netif

_RUNNING = (
    ("NetworkManager", "/run/NetworkManager/devices"),
    ("wicked", "/run/wicked"),
    ("connman", "/run/connman"),
)
"""What each keeps under /run while it works."""


def running(host: Host) -> tuple[str, ...]:
    found = [name for name, path in _RUNNING if files.names(host, path)]
    return ("networkd", *found) if netif.runs(host) else tuple(found)


def owned(links: Sequence[Link], host: Host) -> Sequence[Link]:
    """The links with their owners. Those of a recorded host are in the recording."""
    if host.kind == "recorded":
        return links
    from tui.services.network.owners import Managers

    found = Managers.of(host)
    return [replace(link, owner=found.owner(link)) for link in links]
