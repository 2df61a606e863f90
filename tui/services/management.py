"""The interface that the host and its agent speak from: a file of Onsite's own, routing stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.models.change import Difference, FileImage, Step
from tui.models.layers import resolved
from tui.services.change.target import Part
from tui.services.facts.management import PATH

if TYPE_CHECKING:
    from tui.models.facts import Facts
    from tui.models.host import HostConfig


def part(config: HostConfig, facts: Facts) -> Part:
    """What a chosen interface adds to a plan; nothing where it is the one already."""
    chosen = resolved(config.management or "", facts)
    if chosen == facts.management:
        return Part()
    image = FileImage(PATH, f"{chosen}\n".encode() if chosen else None)
    words = Difference("Host", "Speaks from", _name(facts.management, facts), _name(chosen, facts))
    step = Step(image, facts.file(PATH).sha256, disruption="none")
    return Part(steps=(step,), differences=(words,))


def _name(identity: str, facts: Facts) -> str:
    link = facts.link(identity)
    return link.name if link is not None else identity or "the way out"
