"""Events of the cluster: newest first, by words, and no more of them at a time than somebody reads."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from tui.models.change import Refused
from tui.services.cluster.answers import Answer, moment, part, text

if TYPE_CHECKING:
    from tui.services.agent.client import Agent

SHOWN = 100
"""Events that a list holds; the words of the filter bring the others in sight."""


class _Listed(msgspec.Struct):
    items: list[msgspec.Raw] | None


class _Times(msgspec.Struct, rename="camel"):
    last_modified_timestamp: str | None = None
    creation_timestamp: str | None = None


class _Dated(msgspec.Struct):
    metadata: _Times | None = None


_DAMAGED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_LISTED, _DATED = msgspec.json.Decoder(_Listed), msgspec.json.Decoder(_Dated)


@dataclass(frozen=True, slots=True)
class Events:
    """What the agent said, not yet taken apart: each event as its JSON, and its time."""

    items: Sequence[msgspec.Raw] = ()
    times: Sequence[str] = ()


async def asked(agent: Agent, seconds: float) -> Events:
    """The contract's `v1Events`, looked at no deeper than is needed: there may be ten thousand, and few are shown.

    Raises:
        Refused: A106 where it is no list; else as every call.
    """
    from tui.models.contract import events
    from tui.services.agent.answers import not_understood

    raw: Any = await agent.call(replace(events.CLUSTER, answer=bytes), seconds=seconds)  # type: ignore[arg-type]  # bytes: as it comes
    try:
        return listed(raw)
    except _DAMAGED as error:
        raise Refused(not_understood(events.CLUSTER, error)) from error


def listed(raw: bytes) -> Events:
    """Raises msgspec.DecodeError where it is no list."""
    items = _LISTED.decode(raw).items or []
    return Events(items, [_when(item) for item in items])


@dataclass(frozen=True, slots=True)
class Event:
    when: float | None
    mark: str
    subject: str
    reason: str
    message: str


def newest(said: Events, words: str = "") -> tuple[tuple[Event, ...], int]:
    """The newest events that have all these words, and how many have them in all.

    Only what is shown is taken apart, so ten thousand cost little more than ten.
    """
    found: Sequence[int] = range(len(said.items))
    if wanted := words.lower().split():
        found = [number for number in found if _has(_whole(said.items[number]), wanted)]
    chosen = heapq.nlargest(SHOWN, found, key=said.times.__getitem__)
    return tuple(event_of(_whole(said.items[number])) for number in chosen), len(found)


def _when(item: msgspec.Raw) -> str:
    """Times of one agent are written in one way (RFC 3339, UTC), so their texts sort as they do."""
    try:
        meta = _DATED.decode(item).metadata
    except _DAMAGED:
        return ""
    return (meta.last_modified_timestamp or meta.creation_timestamp or "") if meta else ""


def _whole(item: msgspec.Raw) -> Answer:
    try:
        said = msgspec.json.decode(item)
    except _DAMAGED:
        return {}
    return said if isinstance(said, dict) else {}


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
