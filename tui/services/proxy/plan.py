"""From the wish for the proxy to files, words and services that restart. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.models.change import Difference, FileImage, Step
from tui.models.facts import Facts
from tui.services.change.target import Part
from tui.services.proxy import apt, check, dnf, environment, kept, login, manager, places, units
from tui.services.proxy.settings import Settings

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.proxy import ProxyConfig

NAME = "proxy"
"""The target that follows these files."""
_TOLD = (environment, units, login, manager, apt)


def part(config: HostConfig, facts: Facts) -> Part:
    """What the proxy of a draft adds to a plan; nothing where the host has all of it."""
    if config.proxy is None:
        return Part()
    wish = kept.completed(config.proxy, facts)
    images = [image for image in files(wish, facts) if not check.foreign(image.path, facts)]
    steps = tuple(
        Step(image, facts.file(image.path).sha256, reload=NAME, disruption="restart")
        for image in images
        if _differs(image, facts)
    )
    return Part(
        steps=steps,
        differences=tuple(_differences(wish, facts)) if steps else (),
        restarts=tuple(unit for unit in places.UNITS if unit in facts.consumers) if _services(steps) else (),
        issues=check.check(config, wish, facts),
    )


def files(wish: ProxyConfig, facts: Facts) -> Iterator[FileImage]:
    """Every file of every consumer, as it shall be."""
    settings = Settings.of(wish)
    yield from kept.files(wish, facts)
    for consumer in _TOLD:
        yield from consumer.files(settings, facts)
    yield from dnf.files(wish, facts)


def _differs(image: FileImage, facts: Facts) -> bool:
    before = facts.file(image.path)
    return before.sha256 != image.sha256 or (not image.absent and before.mode != image.mode)


def _services(steps: tuple[Step, ...]) -> bool:
    read = {places.ENVIRONMENT, *(places.drop_in(unit) for unit in places.UNITS)}
    return any(step.image.path in read for step in steps)


def _differences(wish: ProxyConfig, facts: Facts) -> Iterator[Difference]:
    from tui.models.proxy import ProxyConfig

    before = kept.kept(facts) or ProxyConfig()
    for label, was, shall in zip(("HTTP", "HTTPS"), before.upstreams, wish.upstreams, strict=True):
        old, new = (was.shown if was else "none"), (shall.shown if shall else "none")
        if old != new:
            yield Difference("Proxy", label, old, new)
        elif was and shall and was.secret != shall.secret:
            yield Difference("Proxy", f"{label} password", "***", "another ***")
    old_list, new_list = (set(c.exceptions) if c.method != "off" else set() for c in (before, wish))
    if gone := [e for e in before.exceptions if e in old_list - new_list]:
        yield Difference("Proxy", "exceptions", ", ".join(gone), "no longer")
    if added := [e for e in wish.exceptions if e in new_list - old_list]:
        yield Difference("Proxy", "exceptions", "none" if not old_list else "also", ", ".join(added))
    if before == wish and wish.method != "off":
        yield Difference("Proxy", "files", "not as kept", "written again")
