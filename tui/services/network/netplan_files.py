"""Where netplan has its files, and which of them count."""

from __future__ import annotations

from tui.services import reading
from tui.services.host import Host

FOLDERS = ("/lib/netplan", "/etc/netplan", "/run/netplan")
"""Lowest first: of files with one name the last one hides the others (netplan's doc/structure-id.md)."""
KEPT, VOLATILE = FOLDERS[1:]
OWN = "90-onsite.yaml"
"""Our own file, for links that no other one mentions."""
_GENERATORS = ("/usr/libexec/netplan/generate", "/usr/lib/netplan/generate", "/lib/netplan/generate")


def texts(host: Host) -> dict[str, str]:
    """The netplan files that count, by path, in netplan's order; none where netplan is not installed."""
    found = {name: f"{folder}/{name}" for folder in FOLDERS for name in reading.names(host, folder, ".yaml")}
    if not found or not generator(host):
        return {}
    return {found[name]: reading.text(host, found[name]) or "" for name in sorted(found)}


def generator(host: Host) -> str:
    """Path of the generator; "" where there is none."""
    return next((path for path in _GENERATORS if reading.present(host, path)), "")
