"""What udev has noted of a card: its database, KEY=value lines under /run/udev/data, private but the same for years."""

from __future__ import annotations

from tui.models.facts import Link
from tui.services import reading
from tui.services.host import Host


def named_by(link: Link, host: Host) -> str:
    """Path of the .link file by which udev has set this card up; "" where there is no udev, or no card."""
    if host.kind != "real" or link.made or not link.permanent_mac:
        return ""
    for line in (reading.text(host, f"/run/udev/data/n{link.index}") or "").splitlines():
        if line.startswith("E:ID_NET_LINK_FILE="):
            return line.partition("=")[2]
    return ""
