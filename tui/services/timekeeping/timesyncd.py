"""systemd-timesyncd: a drop-in with the servers (timesyncd.conf(5)).

The list is emptied first, because every NTP= adds to those before it. Servers that DHCP gives a link are asked too;
those compiled in only where there are no others, so there is no need to empty FallbackNTP= (which 252 ignores).
"""

from __future__ import annotations

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services import system
from tui.services.facts.setters import TIMESYNCD, TIMESYNCD_MAIN
from tui.services.host import Host

UNITS = ("systemd-timesyncd.service",)
_MARK = "# Written by Onsite; change it there.\n"


def file(servers: tuple[str, ...], facts: Facts) -> FileImage:
    text = f"{_MARK}[Time]\nNTP=\nNTP={' '.join(servers)}\n"
    return FileImage(TIMESYNCD, text.encode() if servers else None)


def named(facts: Facts) -> tuple[str, ...]:
    """The servers that files name; our own drop-in counts last."""
    found: list[str] = []
    for path in (TIMESYNCD_MAIN, TIMESYNCD):
        for line in (facts.file(path).text or "").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "NTP":
                found = [*found, *value.split()] if value.strip() else []
    return tuple(found)


async def follow(host: Host, unit: str) -> None:
    """Not waited for: early in a boot its turn comes after ours. Raises OSError where systemd refuses."""
    await system.output("systemctl", "--quiet", "--no-block", "restart", unit)


async def known(host: Host) -> set[str]:
    """The servers that the running service asks.

    Raises:
        OSError: it does not answer.
    """
    said = await system.output("timedatectl", "show-timesync", "--property=SystemNTPServers", "--value")
    return set(said.split())
