"""The way from nothing to a cluster, in the order that the agent expects, with how far it has come.

`expectedOrder` of the lifecycle answer names the steps; conditions of host and cluster say which of them are done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from tui.services.cluster.answers import Answer, moment, number, parts, text
from tui.services.cluster.trouble import Trouble, coded, trouble

DONE = ("true", "completed", "complete", "succeeded", "success", "done", "ready")
FAILED = ("failed", "error")
_FAILURE = re.compile(
    r"fail|error|timed? ?out|timeout|invalid|refused|denied|exceeded|back-?off|missing", re.IGNORECASE
)
NOTE = "Note"
"""The reason by which our agent tells what a step meets and gets over: a host that is away, a second try."""
SLOW = 60.0
"""Seconds beyond twice the expected time after which a step is called late."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        key: names it from one visit to the next.
        category: of the host, or of the cluster.
        mark: ok done, .. under way, x failed, ! late, "" not begun.
        spent: seconds that it took, or has taken so far; None where nobody can tell.
        expected: seconds that it took before on this host; None where it is the first time.
    """

    key: str
    label: str
    category: str = ""
    mark: str = ""
    spent: float | None = None
    expected: float | None = None
    trouble: Trouble | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the expected order."""

    category: str
    type: str
    reason: str
    label: str

    @property
    def key(self) -> str:
        return f"{self.type}/{self.reason}" if self.reason else self.type


def steps(lifecycle: Answer, now: float, learned: Mapping[str, float] | None = None) -> tuple[Step, ...]:
    """Every step that is expected, in its order; steps that nobody expected but that failed come last.

    Args:
        now: seconds since the epoch.
        learned: seconds that a step took before, by key.
    """
    events = [*parts(lifecycle, "edgeHostEvents"), *parts(lifecycle, "clusterEvents")]
    by_type: dict[str, list[Answer]] = {}
    for event in events:
        by_type.setdefault(text(event, "type"), []).append(event)
    found: list[tuple[_Entry, Answer | None, bool]] = []
    begun: dict[str, float] = {}
    for kind, group in groupby(_expected(lifecycle), key=lambda entry: entry.type):
        entries, own = list(group), by_type.pop(kind, [])
        found += _matched(entries, own)
        if len(entries) == 1 and (first := _first(own)) is not None:
            begun[entries[0].key] = first
    made = _timed(found, begun, now, learned or {})
    return (*made, *_unexpected(by_type, now))


def under_way(found: Sequence[Step]) -> Step | None:
    """The step that the person waits for."""
    return next((s for s in found if s.mark in ("x", "!", "..")), None)


def _expected(lifecycle: Answer) -> list[_Entry]:
    made: list[_Entry] = []
    for category in sorted(parts(lifecycle, "expectedOrder"), key=lambda c: number(c, "order")):
        for entry in sorted(parts(category, "conditionsOrder"), key=lambda e: number(e, "order")):
            kind, reason = text(entry, "type"), text(entry, "reason")
            label = text(entry, "reasonLabel") or text(entry, "typeLabel") or words_of(reason or kind)
            made.append(_Entry(text(category, "category"), kind, reason, label))
    return made


def _matched(entries: list[_Entry], events: list[Answer]) -> list[tuple[_Entry, Answer | None, bool]]:
    """(entry, its newest event, whether a later one of the same type shows that it is over)."""
    if len(entries) == 1:
        return [(entries[0], _newest(events), False)]
    found = [(entry, _newest([e for e in events if text(e, "reason") == entry.reason])) for entry in entries]
    last = max((n for n, (_, event) in enumerate(found) if event is not None), default=-1)
    return [(entry, event, n < last) for n, (entry, event) in enumerate(found)]


def _newest(events: list[Answer]) -> Answer | None:
    """Of those with one time the last one."""
    return max(reversed(events), key=lambda e: moment(e, "lastTransitionTime") or 0.0, default=None)


def _first(events: list[Answer]) -> float | None:
    """When it began, where more than the end of it was told."""
    times = [at for e in events if (at := moment(e, "lastTransitionTime")) is not None]
    return min(times) if len(times) > 1 else None


def _timed(
    found: list[tuple[_Entry, Answer | None, bool]],
    begun: Mapping[str, float],
    now: float,
    learned: Mapping[str, float],
) -> list[Step]:
    made: list[Step] = []
    before: float | None = None
    waiting = False
    for entry, event, over in found:
        at = moment(event, "lastTransitionTime") if event is not None else None
        mark = "ok" if over else mark_of(event) if event is not None else ""
        expected = learned.get(entry.key)
        spent = None
        if mark == "ok":
            start = begun.get(entry.key, before)
            spent = max(0.0, at - start) if at is not None and start is not None else None
            before = at if at is not None else before
        elif not mark and not waiting and made and all(s.mark == "ok" for s in made):
            mark, at = "..", before
        if mark in ("..", "x") and (start := begun.get(entry.key, at)) is not None:
            spent = max(0.0, now - start)
        waiting = waiting or mark != "ok"
        wrong = None
        if mark == "x" and event is not None:
            wrong = trouble(f'At "{entry.label}"', text(event, "reason"), text(event, "message"), at)
        if mark == ".." and expected is not None and spent is not None and spent > 2 * expected + SLOW:
            mark = "!"
        message = text(event, "message") if event is not None else ""
        made.append(Step(entry.key, entry.label, entry.category, mark, spent, expected, wrong, message))
    return made


def _unexpected(by_type: dict[str, list[Answer]], now: float) -> list[Step]:
    """Failures of what is in no order, and what holds a step up: they must not be hidden for it."""
    made = []
    for kind, events in by_type.items():
        event = _newest(events)
        failed = event is not None and mark_of(event) == "x"
        if event is not None and (failed or (text(event, "reason") == NOTE and coded(text(event, "message")))):
            at = moment(event, "lastTransitionTime")
            label = words_of(kind)
            who = f'At "{label}"' if failed else ""  # what a step gets over names its host itself
            wrong = trouble(who, text(event, "reason"), text(event, "message"), at, warning=not failed)
            spent = max(0.0, now - at) if at is not None else None
            made.append(Step(kind, label, "", "x" if failed else "!", spent, None, wrong, text(event, "message")))
    return made


def mark_of(event: Answer) -> str:
    """ok, .. or x of a condition; - for one that was taken back."""
    status = text(event, "status").lower()
    if text(event, "reason") in ("Cancelled", "Undone"):
        return "-"
    if status in DONE:
        return "ok"
    said = f"{text(event, 'reason')} {text(event, 'message')}"
    return "x" if status in FAILED or (status == "false" and _FAILURE.search(said)) else ".."


def words_of(name: str) -> str:
    """`ImagePullDone` as "Image pull done"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).strip()
    return apart[:1].upper() + apart[1:].lower() if apart else name
