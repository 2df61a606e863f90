"""Which network managers run here, and which of them a link belongs to."""

from __future__ import annotations

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


def owned(link: Link, host: Host) -> Link:
    """The link with its owner. That of a recorded host is in the recording."""
    if host.kind == "recorded":
        return link
    try:
        from tui.services.network import owners
    except ImportError:
        return link
    return replace(link, owner=owners.owner(link, host))
