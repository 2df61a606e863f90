"""From the wish for servers and zone to files, words and doubts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.models.change import Difference, FileImage, Issue, Step
from tui.models.facts import Facts
from tui.services.change.target import Part
from tui.services.facts.setters import LOCALTIME, TIMEZONE
from tui.services.identity import accepted, real
from tui.services.timekeeping import chrony, timesyncd

if TYPE_CHECKING:
    from tui.models.clock import ClockConfig
    from tui.models.host import HostConfig

TARGET = "time"
SERVICES = {"timesyncd": timesyncd, "chrony": chrony}
_ZONES = "usr/share/zoneinfo/"


def part(config: HostConfig, facts: Facts) -> Part:
    """What time servers and zone of a draft add to a plan."""
    if config.clock is None:
        return Part()
    steps: list[Step] = []
    differences: list[Difference] = []
    issues: list[Issue] = []
    wish = config.clock
    if wish.servers is not None and wish.servers != servers(facts):
        step = _servers_step(wish.servers, facts)
        if step is None:
            issues.append(_unwritable(facts))
        else:
            steps.append(step)
            before = ", ".join(servers(facts)) or "none of our own"
            differences.append(Difference("Host", "time servers", before, ", ".join(wish.servers) or "none of our own"))
            issues += _beside(wish.servers, facts)
    if wish.zone is not None and wish.zone != zone(facts):
        steps += _zone_steps(wish.zone, facts)
        differences.append(Difference("Host", "time zone", zone(facts), wish.zone))
    return Part(steps=tuple(steps), differences=tuple(differences), issues=tuple(issues))


def current(facts: Facts) -> ClockConfig:
    """What the host has, as a wish; what the model would refuse is left out."""
    from tui.models import timing
    from tui.models.clock import ClockConfig

    named = tuple(found for name in servers(facts) if (found := accepted(timing.server, name)))
    return ClockConfig(servers=named or None, zone=accepted(timing.zone, zone(facts)))


def writable(facts: Facts) -> bool:
    """Whether servers can be set here at all."""
    return _servers_step((), facts) is not None


def servers(facts: Facts) -> tuple[str, ...]:
    """The servers that the time service of this host was given."""
    service = SERVICES.get(facts.setters.time)
    return service.named(facts) if service else ()


def zone(facts: Facts) -> str:
    """The name of the zone: localtime(5) is a link to it; no link at all means UTC."""
    link = facts.file(LOCALTIME)
    if link.target:
        return link.target.partition("zoneinfo/")[2].removeprefix("posix/") or link.target
    return (real(facts, TIMEZONE).text or "").strip() or ("UTC" if link.text is None else "of its own")


def _servers_step(wish: tuple[str, ...], facts: Facts) -> Step | None:
    service = SERVICES.get(facts.setters.time)
    image = service.file(wish, facts) if service else None
    return None if image is None else _step(image, facts)


def _zone_steps(wish: str, facts: Facts) -> Iterator[Step]:
    """As timedated does; /etc/timezone is Debian's, and only where it is there."""
    yield _step(FileImage(LOCALTIME, target=f"../{_ZONES}{wish}"), facts)
    written = real(facts, TIMEZONE)
    if written.text is not None:
        yield _step(FileImage(written.path, f"{wish}\n".encode(), written.mode, written.uid, written.gid), facts)


def _step(image: FileImage, facts: Facts) -> Step:
    return Step(image, facts.file(image.path).sha256, reload=TARGET, disruption="none")


def _unwritable(facts: Facts) -> Issue:
    service = facts.setters.time
    if service == "chrony":
        text = "chrony.conf has no sourcedir below /etc, so Onsite has no place for the servers."
        remedy = "Add to it: sourcedir /etc/chrony/sources.d, and restart chrony."
    elif service:
        text = f"The time comes from {service}, which Onsite cannot write for."
        remedy = f"Set the servers in the configuration of {service}."
    else:
        text = "No service that asks time servers is on this host."
        remedy = "Install systemd-timesyncd or chrony, or set the clock by hand."
    return Issue("Y124", "error", "clock.servers", text, remedy)


def _beside(wish: tuple[str, ...], facts: Facts) -> Iterator[Issue]:
    others = chrony.others(facts) if facts.setters.time == "chrony" and wish else ()
    if others:
        text = f"chrony.conf names {', '.join(others)} too, and they are asked beside yours."
        yield Issue("Y126", "note", "clock.servers", text, "Remove those lines where they cannot be reached.")
