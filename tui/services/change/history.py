"""Changes that have ended, newest last, and how to take the last kept one back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from tui.models.change import Difference, Issue, Plan, Refused, Step
from tui.services.change import journal
from tui.services.host import Host

log = logging.getLogger(__name__)
_RESULTS: dict[str, journal.Result] = {"kept": "kept", "reverted": "reverted", "unverified": "unverified"}


@dataclass(frozen=True, slots=True)
class Record:
    """One ended change. `finished` is the wall clock at its end, in seconds since the epoch."""

    number: int
    result: journal.Result
    finished: float
    change: journal.Pending


def records(host: Host) -> tuple[Record, ...]:
    """All of them; what cannot be read is left out and logged."""
    return tuple(record for path in _paths(host) if (record := _record(path)))


def after(host: Host, numbers: set[int]) -> tuple[Record, ...]:
    """Those whose number is not among `numbers`."""
    return tuple(r for path in _paths(host) if int(path.name[:4]) not in numbers and (r := _record(path)))


def _paths(host: Host) -> list[Path]:
    return sorted(host.path(journal.HISTORY).glob("[0-9][0-9][0-9][0-9].*.json"))


def _record(path: Path) -> Record | None:
    number, _, result, _ = path.name.split(".", 3)
    try:
        return Record(int(number), _RESULTS[result], path.stat().st_ctime, journal.from_json(path.read_text()))
    except (OSError, ValueError, KeyError):
        log.exception("history: %s", path.name)
        return None


def last_kept(host: Host) -> Record | None:
    kept = (path for path in reversed(_paths(host)) if ".kept." in path.name)
    return next((record for path in kept if (record := _record(path))), None)


def revert_last(host: Host) -> tuple[Plan, str]:
    """The plan that puts back what the last kept change replaced, and the id of that change.

    It is applied like any other change, with a countdown and a Keep; taking it back again brings the change forth anew.

    Raises:
        Refused: nothing was ever kept here (C108).
    """
    record = last_kept(host)
    if record is None:
        text = "No change has been kept on this host yet."
        raise Refused(Issue("C108", "error", "", text, "There is nothing to take back."))
    change = record.change
    after = {image.path: image.sha256 for image in change.after}
    links = {x.path: x.identity for x in change.links}
    targets = {path: name for name, paths in change.targets for path in paths}
    plan = Plan(
        config={"version": 1, "links": []},
        links=tuple((x.identity, x.backend) for x in change.links),
        steps=tuple(
            Step(image, after[image.path], link=links.get(image.path, ""), reload=targets.get(image.path, ""))
            for image in change.undo
        ),
        differences=tuple(Difference(d.subject, d.label, d.after, d.before, "console") for d in change.differences),
        restore=tuple((x.identity, x.before) for x in change.links),
    )
    return plan, change.change_id
