"""Checks: what is wrong with the way out of this host, and who can mend it?

The person standing here has been told "it does not work". They press R, read the one sentence at the top to somebody on
the phone, and go where the remedy sends them. Rungs appear as they are climbed; leaving the place ends them at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.worker import Worker

from tui.models.change import Refused
from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.check import Run, Rung

MARKS = {"ok": "ok", "warning": "!", "failed": "x", "not tried": "-", "running": "..", "waiting": ""}
TITLE = 24
"""Columns for the name of a rung; the raw reason has the rest of the line."""


class ChecksScreen(Place):
    NAME = "checks"
    OPEN = True
    CSS_PATH = "../styles/checks.tcss"
    HELP_TEXT = (
        "R climbs the ladder, from the cable up to the registry; the first line that fails is the one to mend. "
        "Space shows all about the line at the mark, Enter the page of its code. Leaving ends the check. After a "
        "failure S makes a support bundle."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "climb", "check now", key_display="R"),
        Binding("d", "climb_draft", "check the draft", key_display="D"),
        Binding("space", "details", "details", key_display="Space"),
        Binding("enter", "explain", "explain", key_display="Enter"),
        Binding("s", "support", "support", key_display="S"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.rungs: list[Rung] = []
        self.open: set[str] = set()
        self.words: tuple[str, str] = ("", "")
        """Mark and sentence at the top while there is no result of a run to show."""
        self.done: Run | None = None
        self.climbing: Worker[None] | None = None

    def update(self) -> None:
        if self.done is None and not self.rungs:
            self.done = self.session.last_run
        self.page.show(list(self._rows(self.text_width)))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "climb_draft":
            return self.session.draft is not None
        if action == "support":
            return self.done is not None and self.done.verdict == "failed"
        if action == "explain":
            rung = self._at_cursor()
            return rung is not None and rung.issue is not None
        return True

    def _rows(self, width: int) -> Iterator[Row]:
        yield heading(self._heading())
        if self.words[1]:
            yield from wrapped(self.words[1], width, self.words[0])
        elif self.done is not None:
            yield from wrapped(self.done.line, width, MARKS[self.done.verdict])
        else:
            yield text("Nothing has been checked here yet. Press R.")
        yield BLANK
        for rung in self.shown:
            yield from self._rung(rung, width)

    @property
    def shown(self) -> tuple[Rung, ...]:
        return tuple(self.rungs) if self.rungs else self.done.rungs if self.done else ()

    def _heading(self) -> str:
        if self.climbing is not None:
            return "Checking..."
        if self.done is None:
            return "Checks"
        from tui.services.checks.run import aged

        subject = "the draft" if self.done.subject == "draft" else self.done.link or "this host"
        return f"Checks of {subject}, {aged(self.done, self.session.host)}"

    def _rung(self, rung: Rung, width: int) -> Iterator[Row]:
        took = f"{rung.seconds:5.1f} s " if rung.verdict in ("ok", "warning", "failed") else " " * 8
        words = f"{clip(rung.title, TITLE - 1):<{TITLE}}{took}{rung.reason}"
        yield marked(MARKS[rung.verdict], clip(words, width - 3), rung.name)
        if rung.name not in self.open and rung.verdict not in ("failed", "warning"):
            return
        if rung.issue is not None:
            yield from wrapped(f"{rung.issue.code} {rung.issue.text}", width, indent=3)
            yield from wrapped(f"What to do: {rung.issue.remedy}", width, indent=3)
        if rung.name in self.open:
            yield from wrapped(f"Seen: {rung.reason or 'nothing'} (limit {rung.limit:.0f} s)", width, indent=3)

    def _at_cursor(self) -> Rung | None:
        return next((rung for rung in self.shown if rung.name == self.page.key), None)

    # --- climbing --------------------------------------------------------------------------------------------------

    def action_climb(self) -> None:
        self._begin(draft=False)

    def action_climb_draft(self) -> None:
        self._begin(draft=True)

    def _begin(self, *, draft: bool) -> None:
        self.rungs, self.done, self.words = [], None, ("..", "Each line appears as it is tried.")
        self.open.clear()
        self.climbing = self.run_worker(self._climb(draft), group="checks", exclusive=True, exit_on_error=False)
        self.update()

    async def _climb(self, draft: bool) -> None:
        try:
            self.done = await self.session.climb(self._told, draft=draft)
            self.words = ("", "")
        except Refused as refused:
            self.words = ("x", f"{refused.issues[0].code} {refused.issues[0].text} {refused.issues[0].remedy}")
        self.climbing, self.rungs = None, []
        self.refresh_all()

    def _told(self, number: int, rung: Rung) -> None:
        self.rungs[number:] = [rung]
        self.update()

    def on_screen_suspend(self) -> None:
        """Leaving ends it: no packet is sent for somebody who does not look."""
        if self.climbing is not None:
            self.climbing.cancel()
            self.climbing, self.rungs = None, []
            self.words = ("-", "Ended because the place was left. Press R to check again.")

    def action_support(self) -> None:
        from screens.support import SupportScreen

        self.app.push_screen(SupportScreen(self.session))

    # --- looking ---------------------------------------------------------------------------------------------------

    def action_details(self) -> None:
        self.open ^= {self.page.key}
        self.update()

    def action_explain(self) -> None:
        rung = self._at_cursor()
        if rung is not None and rung.issue is not None:
            self.post_message(Explain(rung.issue.code))
