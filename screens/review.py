"""Review: is this what I meant, and what does it cost?

The person standing here reads every value that changes, what goes away with it and whether it cuts the line they sit
on. They apply it, or throw it away. Until Apply nothing is written, and after Apply nothing stays without Keep.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.models.change import Difference, Issue, Plan, Refused
from tui.models.facts import Facts
from tui.models.masking import keyless, masked
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.look import SEVERITY_MARKS
from tui.widgets.messages import ChangeApplied, DraftChanged, Explain
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

View = str
"""words, files or history: what the page shows of the change."""


class ReviewScreen(Place):
    NAME = "review"
    HELP_TEXT = (
        "What would change, in words or as files. a asks the network about it and applies it; a countdown follows, "
        "and without Keep everything is taken back. Enter on a line with a code explains it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "apply", "apply", key_display="A"),
        Binding("f", "files", "files", key_display="F"),
        Binding("d", "discard", "discard", key_display="D"),
        Binding("h", "history", "history", key_display="H"),
        Binding("r", "revert_last", "revert last", key_display="R"),
        Binding("enter", "explain", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.view: View = "words"
        self.doing = ""
        self.refused: tuple[Issue, ...] = ()
        self.reverts = ""
        self.going_back: Plan | None = None

    @property
    def plan(self) -> Plan:
        """What is reviewed: the draft, or the way back from the last kept change."""
        return self.going_back or self.session.plan()

    def update(self) -> None:
        self.page.show(list(self._rows()))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.doing and action in ("apply", "discard", "revert_last", "history"):
            return False
        if action in ("apply", "files", "discard"):
            return not self.plan.empty or bool(self.plan.issues)
        if action == "revert_last":
            return self.view == "history"
        return True

    # --- what is shown ---------------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[Row]:
        plan, width = self.plan, self.text_width
        if self.view == "history":
            yield from self._history(width)
            return
        yield heading(self.doing or headline(plan, bool(self.reverts)))
        yield BLANK
        if self.refused:
            yield from issue_rows(self.refused, width)
            yield BLANK
        if self.view == "files":
            yield from file_rows(plan, self.session.facts, width)
            return
        for difference in plan.differences:
            yield from wrapped(in_words(difference), width)
        yield from consequences(plan, width)
        yield from issue_rows((*plan.issues, *self.session.checked), width)

    def _history(self, width: int) -> Iterator[Row]:
        yield heading("Changes of this host, newest first")
        yield BLANK
        records = self.session.history()
        if not records:
            yield text("No change has been made here yet.")
        for record in reversed(records):
            change = record.change
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(change.since))
            mark = {"kept": "ok", "reverted": "-", "unverified": "x"}[record.result]
            yield marked(mark, clip(f"{when} {record.result} by {change.who} on {change.line}", width - 3))
            for difference in change.differences:
                yield from wrapped(in_words(difference), width, indent=3)

    # --- what is done ----------------------------------------------------------------------------------------------

    def action_files(self) -> None:
        self.view = "words" if self.view == "files" else "files"
        self.update()

    def action_history(self) -> None:
        self.view = "words" if self.view == "history" else "history"
        self.update()

    def action_explain(self) -> None:
        if self.page.key:
            self.post_message(Explain(self.page.key))

    def action_discard(self) -> None:
        if self.going_back is not None:
            self._discard(True)
            return
        self.app.push_screen(
            Question("Discard the changes?", "The host stays as it is.", yes="Discard", no="No"), self._discard
        )

    def _discard(self, yes: bool | None) -> None:
        if not yes:
            return
        if self.going_back is None and not self.put(self.session.discard):
            return
        self._start_over()
        self.app.post_message(DraftChanged())

    def _start_over(self) -> None:
        self.going_back, self.reverts, self.refused, self.view = None, "", (), "words"

    def action_revert_last(self) -> None:
        """Show the way back from the last kept change as a change of its own."""
        try:
            self.going_back, self.reverts = self.session.revert_last()
        except Refused as refused:
            self.refused = refused.issues
        self.view = "words"
        self.update()

    def action_apply(self) -> None:
        self.refused = ()
        if self.plan.errors:
            self.update()
            return
        self.app.run_worker(self._probe(), group="change", exclusive=True, exit_on_error=False)

    async def _probe(self) -> None:
        """Ask the network first; what it says can be overruled, because only the operator knows the plan."""
        if self.going_back is None:
            self._say("Asking the network...")
            try:
                await self.session.probe()
            finally:
                self._say("")
        plan = self.plan
        doubts = [i for i in (*plan.issues, *self.session.checked) if i.severity != "note"]
        if doubts or plan.cuts_session:
            number = len(doubts) + bool(plan.cuts_session)
            words = "The page behind says what. It is taken back by itself unless you keep it."
            title = f"Apply in spite of {number} warning{'s' * (number > 1)}?"
            self.app.push_screen(Question(title, words, yes="Apply", no="No"), self._confirmed)
        else:
            self._confirmed(True)

    def _confirmed(self, yes: bool | None) -> None:
        if yes:
            self.app.run_worker(self._apply(), group="change", exclusive=True, exit_on_error=False)

    async def _apply(self) -> None:
        self._say("Applying...")
        try:
            pending = await self.session.apply(self.plan, self.reverts)
        except Refused as refused:
            self.refused = refused.issues
        else:
            self._start_over()
            self.app.post_message(ChangeApplied(pending.change_id))
        finally:
            self._say("")

    def _say(self, doing: str) -> None:
        self.doing = doing
        self.update()


def headline(plan: Plan, going_back: bool) -> str:
    if plan.errors:
        return "This cannot be applied yet"
    if plan.empty:
        return "Nothing waits to be applied"
    if going_back:
        return "This takes the last kept change back; nothing is written yet"
    number = len(plan.differences)
    return f"{number} change{'s' * (number != 1)}; nothing is written yet"


def in_words(difference: Difference) -> str:
    """lan0 IPv4 gateway: 192.0.2.1 (DHCP) -> 192.0.2.254"""
    origin = f" ({difference.origin})" if difference.origin else ""
    return f"{difference.subject} {difference.label}: {difference.before}{origin} -> {difference.after}"


def consequences(plan: Plan, width: int) -> Iterator[Row]:
    """What goes away, what restarts, and whether this very session is cut."""
    if plan.lost or plan.restarts or plan.cuts_session:
        yield BLANK
    for sentence in plan.lost:
        yield from wrapped(sentence, width, "!")
    if plan.restarts:
        yield from wrapped(f"Restarts: {', '.join(plan.restarts)}", width, "-")
    if plan.cuts_session:
        yield from wrapped(plan.cuts_session, width, "!")


def issue_rows(issues: Iterable[Issue], width: int) -> Iterator[Row]:
    """Mark, code, sentence and the way out; the cursor stops at each, for Enter explains its code."""
    for issue in dict.fromkeys(issues):
        first, *rest = wrapped(f"{issue.code} {issue.text} {issue.remedy}", width, SEVERITY_MARKS[issue.severity])
        yield BLANK
        yield first._replace(key=issue.code)
        yield from rest


def file_rows(plan: Plan, facts: Facts, width: int) -> Iterator[Row]:
    """Every file as a unified difference."""
    from difflib import unified_diff

    for step in plan.steps:
        old = facts.file(step.image.path).text or ""
        image = step.image
        new = "" if image.content is None else image.content.decode("utf-8", "replace")
        old, new = keyless(old, new)
        yield heading(clip(f"{image.path}{' -> ' + image.target if image.target else ''}", width))
        for line in list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))[2:]:
            yield text(clip(masked(line), width))
        yield BLANK
