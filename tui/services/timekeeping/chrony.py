"""chrony: a file with the servers in its own sourcedir, read without a restart (chrony.conf(5), chronyc(1)).

Every line has to end with a newline, or chronyd leaves the last one out without a word.
"""

from __future__ import annotations

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services import system
from tui.services.facts.setters import CHRONY, CHRONY_MAIN, sources
from tui.services.host import Host

UNITS = ("chrony.service", "chronyd.service")
_MARK = "# Written by Onsite; change it there.\n"


def file(servers: tuple[str, ...], facts: Facts) -> FileImage | None:
    """None where chrony.conf names no folder for such a file."""
    folder = sources(_main(facts))
    if not folder:
        return None
    text = _MARK + "".join(f"server {server} iburst\n" for server in servers)
    return FileImage(f"{folder}/{CHRONY}", text.encode() if servers else None)


def named(facts: Facts) -> tuple[str, ...]:
    """The servers in our file."""
    return _servers(facts.file(f"{sources(_main(facts))}/{CHRONY}").text or "")


def others(facts: Facts) -> tuple[str, ...]:
    """The servers in chrony.conf itself, which are asked beside ours."""
    return _servers(_main(facts))


def _servers(text: str) -> tuple[str, ...]:
    lines = (line.split() for line in text.splitlines())
    return tuple(words[1] for words in lines if len(words) > 1 and words[0] in ("server", "pool", "peer"))


def _main(facts: Facts) -> str:
    return next((text for path in CHRONY_MAIN if (text := facts.file(path).text) is not None), "")


async def follow(host: Host, unit: str) -> None:
    """Not waited for: early in a boot its turn comes after ours. Raises OSError where systemd refuses."""
    try:
        await system.output("chronyc", "reload", "sources")
    except OSError:  # it does not run
        await system.output("systemctl", "--quiet", "--no-block", "restart", unit)


async def known(host: Host) -> set[str]:
    """The servers that the running service asks, as they were written, those without an address yet too.

    Raises:
        OSError: it does not answer.
    """
    said = await system.output("chronyc", "-c", "-N", "sources", "-a")
    return {line.split(",")[2] for line in said.splitlines() if line.count(",") > 2}
