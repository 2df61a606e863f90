"""`onsite deadman CHANGE`: the process that takes a change back where systemd does not; started by apply."""

from __future__ import annotations

from tui.services.host import Host


def main(host: Host, argv: list[str]) -> int:
    """Runs until the change is decided. Exit code 0, or 2 for wrong words."""
    if len(argv) != 1:
        return 2
    from tui.services.change import deadman
    from tui.services.network import backends

    return deadman.watch(host, backends(), argv[0])
