"""How the verbs speak: issues as a code, a sentence and a remedy; a plan as differences and files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tui.models.masking import keyless, masked
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.change import FileImage, Issue, Plan
    from tui.models.facts import Facts, FileFact
    from tui.services.change.journal import Pending

_EXITS = {"C101": 3, "C102": 3, "C106": 5}
"""Exit codes of refusals; see docs/administrator.md. Everything else is 1."""
HISTORY = "/var/lib/onsite/history"


def complain(issues: Iterable[Issue]) -> None:
    """Print issues to standard error, each with what can be done."""
    for issue in issues:
        mark = "" if issue.severity == "error" else f"{issue.severity}: "
        print(f"{issue.code} {mark}{issue.text}\n  -> {issue.remedy}", file=sys.stderr)


def exit_code(issues: Iterable[Issue]) -> int:
    return next((_EXITS[i.code] for i in issues if i.code in _EXITS), 1)


def endings(host: Host) -> frozenset[str]:
    """The changes that have ended; what is new in it afterwards has ended meanwhile."""
    try:
        return frozenset(os.listdir(host.path(HISTORY)))  # noqa: PTH208
    except OSError:
        return frozenset()


def taken_back(host: Host, before: frozenset[str]) -> bool:
    """Whether a change was taken back since `before` was noted."""
    return any(name.endswith((".reverted.json", ".unverified.json")) for name in endings(host) - before)


def planned(plan: Plan, facts: Facts) -> Iterator[str]:
    """What a plan does, in words and then as files."""
    if plan.empty:
        yield "Nothing would change."
        return
    for d in plan.differences:
        origin = f" ({d.origin})" if d.origin else ""
        yield f"{d.subject}  {d.label}: {d.before}{origin} -> {d.after}"
    yield from (f"Lost: {sentence}" for sentence in plan.lost)
    if plan.restarts:
        yield f"Restarts: {', '.join(plan.restarts)}"
    if plan.cuts_session:
        yield f"Careful: {plan.cuts_session}"
    for step in plan.steps:
        yield from _file(facts.file(step.image.path), step.image)


def _file(before: FileFact, after: FileImage) -> Iterator[str]:
    import difflib

    old = f"-> {before.target}" if before.target else before.text
    new = f"-> {after.target}" if after.target else after.content
    text = new.decode("utf-8", "replace") if isinstance(new, bytes) else new
    yield ""
    yield f"--- {before.path if old is not None else '(no file)'}"
    yield f"+++ {after.path if text is not None else '(removed)'}"
    shown, wanted = keyless(old or "", text or "")
    lines = difflib.unified_diff(shown.splitlines(), wanted.splitlines(), lineterm="")
    yield from map(masked, list(lines)[2:])


def waiting(change: Pending, host: Host) -> Iterator[str]:
    """What to do about a change that waits for its Keep."""
    left = round(change.left(host.clock))
    yield f"Applied (change {change.change_id}). It is taken back in {left} s unless somebody keeps it:"
    yield "  onsite keep      if everything works"
    yield "  onsite revert    to take it back now"
