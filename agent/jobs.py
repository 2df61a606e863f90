"""Long work: a job has steps, each is journalled, and a job that was killed goes on at the step that it was in.

    running --last step--> done        running --a step fails--> failed --retry--> running
    running --pause--> paused --retry--> running
    running, paused, failed --cancel--> undoing --taken back in reverse order--> cancelled

A step may be run twice: a kill can fall between its end and the journal. So steps look first what is there already,
or write in a way that does not mind. Whoever offers work declares a `Kind` and adds it before the agent serves.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agent import events
from agent.events import About
from agent.store import Row, Store
from tui.models.change import Issue, Refused
from tui.services.clock import Clock

_log = logging.getLogger("agent")


@dataclass(slots=True)
class Work:
    """What a step works with.

    Attributes:
        argument: what the job was started with; gone when it has ended well or was cancelled.
        kept: what earlier steps found out, by `keep`.
        progress: 0 to 1 of the step that runs, or None where it cannot tell; not journalled.
    """

    job: str
    argument: Mapping[str, Any]
    kept: dict[str, Any]
    _store: Store
    _clock: Clock
    _about: About
    progress: float | None = None
    message: str = ""

    def keep(self, **found: Any) -> None:
        """Remember for later steps, also those after a kill; plain data."""
        self.kept |= found
        self._store.run("UPDATE jobs SET kept = ? WHERE id = ?", json.dumps(self.kept), self.job)

    def told(self, progress: float | None, message: str = "") -> None:
        """How far the step is, for whoever asks in this moment."""
        self.progress, self.message = progress, message or self.message

    def event(self, kind: str, status: str, reason: str, message: str) -> None:
        """Tell of something beside the steps, such as a node that became ready."""
        events.record(self._store, self._about, kind, status, reason, message, self._clock.now())


Run = Callable[[Work], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: type of its condition, such as "ImagesImported"; no two kinds about one thing share a name.
        label: for a person.
        undo: takes it back when the job is cancelled; runs also for a step that was only begun.
    """

    name: str
    label: str
    run: Run
    undo: Run | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job.

    Attributes:
        title: the category in `expectedOrder`.
        lane: no two jobs of one lane at the same time.
        steps: from the argument; the same steps for the same argument, also after a restart of the agent.
    """

    name: str
    title: str
    about: About
    lane: str
    steps: Callable[[Mapping[str, Any]], Sequence[Step]]


@dataclass(slots=True)
class Jobs:
    """All jobs of this host."""

    store: Store
    clock: Clock
    kinds: dict[str, Kind] = field(default_factory=dict)
    _running: dict[str, tuple[asyncio.Task[None], Work]] = field(default_factory=dict)
    _stopping: bool = False

    def add(self, kind: Kind) -> None:
        self.kinds[kind.name] = kind

    # --- what others ask for ---------------------------------------------------------------------------------------

    def start(self, kind: str, argument: Mapping[str, Any], who: str = "") -> str:
        """Journal it and begin. Returns its id.

        Raises:
            Refused: A120, another job of its lane runs.
        """
        chosen, job, now = self.kinds[kind], secrets.token_hex(6), self.clock.now()
        steps = chosen.steps(argument)
        names = [step.name for step in steps]
        try:
            with self.store.transaction():
                self.store.run(
                    "INSERT INTO jobs (id, kind, title, about, lane, who, argument, state, created)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?)",
                    job, kind, chosen.title, chosen.about, chosen.lane, who, json.dumps(dict(argument)), now,
                )  # fmt: skip
                self.store.many(
                    "INSERT INTO steps (job, position, name, label) VALUES (?, ?, ?, ?)",
                    [(job, number, step.name, step.label) for number, step in enumerate(steps, 1)],
                )
                self.store.run(
                    "UPDATE events SET past = 1 WHERE past = 0 AND about = ? AND (type IN"
                    " (SELECT value FROM json_each(?)) OR (status <> 'True' AND about = 'cluster'))",
                    chosen.about, json.dumps(names),
                )  # fmt: skip
        except sqlite3.IntegrityError as error:
            raise Refused(self._busy(chosen.lane)) from error
        self._begin(job)
        return job

    def cancel(self, job: str) -> None:
        """Stop it and take back what it did.

        Raises:
            Refused: A121, there is no such job, or it has ended.
        """
        self._wish(job, "cancel", ("running", "paused", "failed"))

    def pause(self, job: str) -> None:
        """Stop it where it is. Raises Refused as `cancel`."""
        self._wish(job, "pause", ("running",))

    def retry(self, job: str) -> None:
        """Go on with a failed or paused job at the step that it stopped in.

        Raises:
            Refused: A121, it is neither; A120, another job of its lane runs.
        """
        row = self._known(job)
        if row["state"] not in ("failed", "paused"):
            raise Refused(_ended(row["state"]))
        try:
            self.store.run(
                "UPDATE jobs SET state = 'running', wish = '', code = '', message = '', ended = NULL WHERE id = ?", job
            )
        except sqlite3.IntegrityError as error:
            raise Refused(self._busy(row["lane"])) from error
        self._begin(job)

    def resume(self) -> None:
        """Go on with everything that ran when the agent ended; called once, before it serves."""
        for row in self.store.rows("SELECT id FROM jobs WHERE state IN ('running', 'undoing') ORDER BY created"):
            self._begin(row["id"])

    async def stop(self) -> None:
        """Let go of everything that runs; the journal keeps it for the next start."""
        self._stopping = True
        tasks = [task for task, _ in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def wait(self, job: str) -> str:
        """Wait until it does not run any more. Returns its state."""
        while job in self._running:
            await asyncio.wait([self._running[job][0]])
        return str(self._known(job)["state"])

    def running(self, lane: str) -> str:
        """The id of the job that runs in a lane, or ""."""
        row = self.store.row("SELECT id FROM jobs WHERE lane = ? AND state IN ('running', 'undoing')", lane)
        return str(row["id"]) if row else ""

    def shown(self, row: Row) -> dict[str, Any]:
        """A job for a person who asks: without argument and kept data, which may hold secrets."""
        steps = self.store.rows("SELECT * FROM steps WHERE job = ? ORDER BY position", row["id"])
        running = self._running.get(row["id"])
        return {
            "id": row["id"], "kind": row["kind"], "title": row["title"], "about": row["about"], "who": row["who"],
            "state": row["state"], "code": row["code"], "message": row["message"],
            "created": events.moment(row["created"]), "ended": events.moment(row["ended"]) if row["ended"] else "",
            "progress": running[1].progress if running else None, "doing": running[1].message if running else "",
            "steps": [
                {
                    "name": s["name"], "label": s["label"], "state": s["state"], "message": s["message"],
                    "begun": events.moment(s["begun"]) if s["begun"] else "",
                    "ended": events.moment(s["ended"]) if s["ended"] else "",
                }
                for s in steps
            ],
        }  # fmt: skip

    # --- running ---------------------------------------------------------------------------------------------------

    def _begin(self, job: str) -> None:
        row = self._known(job)
        work = Work(job, json.loads(row["argument"]), json.loads(row["kept"]), self.store, self.clock, row["about"])
        task = asyncio.get_running_loop().create_task(self._go(row, work), name=f"job {job}")
        self._running[job] = (task, work)
        task.add_done_callback(partial(self._after, job))

    async def _go(self, row: Row, work: Work) -> None:
        job = row["id"]
        try:
            steps = self._steps(row, work)
            if row["state"] == "undoing":
                await self._undo(row, work, steps)
                return
            for position, step in enumerate(steps, 1):
                await self._step(row, work, step, position)
        except Refused as refused:
            self._end(job, "failed", refused.issues[0])
        else:
            self._end(job, "done")

    def _after(self, job: str, task: asyncio.Task[None]) -> None:
        """A task has ended: well, by what the journal could not take, or because somebody wished it."""
        del self._running[job]
        if not task.cancelled():
            if (error := task.exception()) is not None:
                _log.error("job %s stopped and goes on when the agent starts again", job, exc_info=error)
            return
        wish = self._known(job)["wish"]
        if self._stopping or not wish:
            return  # the agent ends; the journal says where to go on
        if wish == "pause":
            self.store.run("UPDATE jobs SET state = 'paused' WHERE id = ?", job)
        else:
            self.store.run("UPDATE jobs SET state = 'undoing' WHERE id = ?", job)
            self._begin(job)

    def _steps(self, row: Row, work: Work) -> Sequence[Step]:
        kind = self.kinds.get(row["kind"])
        steps = kind.steps(work.argument) if kind else ()
        journalled = self.store.rows("SELECT name FROM steps WHERE job = ? ORDER BY position", row["id"])
        if [step.name for step in steps] != [r["name"] for r in journalled]:
            text = "This work was begun by another version of Onsite, which did it in other steps."
            raise Refused(Issue("A122", "error", "", text, "Start it anew; what is done already is found again."))
        return steps

    async def _step(self, row: Row, work: Work, step: Step, position: int) -> None:
        job = row["id"]
        known = self.store.row("SELECT state FROM steps WHERE job = ? AND position = ?", job, position)
        if known is not None and known["state"] == "done":
            return
        self._mark(row, step, position, "running", "Unknown", "InProgress", "")
        work.progress, work.message = None, ""
        try:
            await step.run(work)
        except Refused as refused:
            issue = refused.issues[0]
            self._mark(row, step, position, "failed", "False", "Failed", f"{issue.code}: {issue.text} {issue.remedy}")
            raise
        except Exception as error:
            issue = _unforeseen(job, error)
            self._mark(row, step, position, "failed", "False", "Failed", f"{issue.code}: {issue.text}")
            raise Refused(issue) from error
        self._mark(row, step, position, "done", "True", "Completed", work.message)

    async def _undo(self, row: Row, work: Work, steps: Sequence[Step]) -> None:
        job = row["id"]
        for position, step in reversed(list(enumerate(steps, 1))):
            known = self.store.row("SELECT state FROM steps WHERE job = ? AND position = ?", job, position)
            if known is None or known["state"] in ("waiting", "undone"):
                continue
            try:
                if step.undo is not None:
                    await step.undo(work)
            except Exception as error:  # noqa: BLE001 - one that cannot be undone must not keep the others
                issue = error.issues[0] if isinstance(error, Refused) else _unforeseen(job, error)
                self._mark(row, step, position, "failed", "False", "UndoFailed", f"{issue.code}: {issue.text}")
                continue
            self._mark(row, step, position, "undone", "False", "Cancelled", "taken back")
        left = self.store.row("SELECT 1 FROM steps WHERE job = ? AND state = 'failed'", job)
        issue = Issue("A123", "error", "", "Not everything could be taken back.", "See the steps for what is left.")
        self._end(job, "cancelled", issue if left else None)

    def _mark(self, row: Row, step: Step, position: int, state: str, status: str, reason: str, message: str) -> None:
        now = self.clock.now()
        column = "begun" if state == "running" else "ended"
        with self.store.transaction():
            self.store.run(
                f"UPDATE steps SET state = ?, message = ?, {column} = ? WHERE job = ? AND position = ?",  # noqa: S608
                state, message, now, row["id"], position,
            )  # fmt: skip
            events.record(self.store, row["about"], step.name, status, reason, message, now)

    def _end(self, job: str, state: str, issue: Issue | None = None) -> None:
        code, message = (issue.code, f"{issue.text} {issue.remedy}") if issue else ("", "")
        argument = "" if state == "failed" else ", argument = '{}'"
        self.store.run(
            f"UPDATE jobs SET state = ?, code = ?, message = ?, ended = ?{argument} WHERE id = ?",  # noqa: S608
            state, code, message, self.clock.now(), job,
        )  # fmt: skip

    def _wish(self, job: str, wish: str, states: tuple[str, ...]) -> None:
        row = self._known(job)
        if row["state"] not in states:
            raise Refused(_ended(row["state"]))
        self.store.run("UPDATE jobs SET wish = ? WHERE id = ?", wish, job)
        if job in self._running:
            self._running[job][0].cancel()
            return
        try:
            self.store.run("UPDATE jobs SET state = 'undoing' WHERE id = ?", job)
        except sqlite3.IntegrityError as error:
            raise Refused(self._busy(row["lane"])) from error
        self._begin(job)

    def _known(self, job: str) -> Row:
        row = self.store.row("SELECT * FROM jobs WHERE id = ?", job)
        if row is None:
            raise Refused(Issue("A121", "error", "", "There is no such job.", "See the list of jobs."))
        return row

    def _busy(self, lane: str) -> Issue:
        row = self.store.row("SELECT title FROM jobs WHERE lane = ? AND state IN ('running', 'undoing')", lane)
        what = row["title"] if row else "Other work"
        return Issue("A120", "error", "", f"{what} is under way.", "Wait until it has ended, or cancel it.")


def _ended(state: str) -> Issue:
    return Issue("A121", "error", "", f"This work is {state} and cannot be changed so.", "See the list of jobs.")


def _unforeseen(job: str, error: Exception) -> Issue:
    _log.error("job %s failed", job, exc_info=error)
    return Issue("X101", "error", "", "Something unforeseen happened.", f"The agent's log has it under job {job}.")
