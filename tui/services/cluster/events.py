"""Events of the cluster: newest first, by words, and no more of them at a time than somebody reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui.models.change import Refused
from tui.services.cluster.answers import Answer, moment, part, parts, text

if TYPE_CHECKING:
    from tui.services.agent.client import Agent

SHOWN = 100
"""Events that a list holds; the words of the filter bring the others in sight."""


async def asked(agent: Agent, seconds: float) -> Answer:
    """The contract's `v1Events`, looked at no deeper than is needed: there may be ten thousand, and few are shown.

    Raises:
        Refused: A106 where it is no list of objects; else as every call.
    """
    from pydantic_core import from_json

    from tui.models.contract import events
    from tui.services.agent.answers import not_understood

    raw: Any = await agent.call(replace(events.CLUSTER, answer=bytes), seconds=seconds)  # type: ignore[arg-type]  # bytes: as it comes
    try:
        items = from_json(raw or b"{}", cache_strings="keys")["items"] or []  # megabytes: json takes longer
        if not all(isinstance(item, dict) for item in items):
            raise ValueError("an event is no object")
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(not_understood(events.CLUSTER, error)) from error
    return {"items": items}


@dataclass(frozen=True, slots=True)
class Event:
    when: float | None
    mark: str
    subject: str
    reason: str
    message: str


def newest(answer: Answer, words: str = "") -> tuple[tuple[Event, ...], int]:
    """The newest events that have all these words, and how many have them in all.

    Only what is shown is taken apart, so ten thousand cost little more than ten.
    """
    found: Sequence[Answer] = parts(answer, "items")
    wanted = words.lower().split()
    if wanted:
        found = [event for event in found if _has(event, wanted)]
    count = len(found)
    if count > SHOWN:
        import heapq

        chosen = heapq.nlargest(SHOWN, found, key=_when)
    else:
        chosen = sorted(found, key=_when, reverse=True)
    return tuple(event_of(event) for event in chosen), count


def _when(event: Answer) -> str:
    """Times of one agent are written in one way (RFC 3339, UTC), so their texts sort as they do."""
    try:
        meta = event["metadata"]
        found = meta.get("lastModifiedTimestamp") or meta["creationTimestamp"]
    except (KeyError, TypeError, AttributeError):  # a try costs nothing, ten thousand times
        return ""
    return found if isinstance(found, str) else ""


def _has(event: Answer, wanted: Sequence[str]) -> bool:
    about = event.get("involvedObject")
    name = f"{about.get('kind')} {about.get('namespace')} {about.get('name')}" if isinstance(about, dict) else ""
    said = f"{event.get('severity')} {event.get('reason')} {event.get('message')} {name}".lower()
    return all(word in said for word in wanted)


def event_of(event: Answer) -> Event:
    """One event for a list."""
    severity = text(event, "severity").lower()
    about = part(event, "involvedObject")
    subject = " ".join(x for x in (text(about, "kind").lower(), text(about, "name")) if x)
    when = moment(event, "metadata", "lastModifiedTimestamp") or moment(event, "metadata", "creationTimestamp")
    mark = "x" if severity in ("error", "critical") else "!" if severity == "warning" else "-"
    return Event(
        when, mark, subject or text(event, "relatedObject", "name"), text(event, "reason"), text(event, "message")
    )
