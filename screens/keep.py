"""Keep or revert: does it work, so that it shall stay?

The person standing here has seconds. They read what changed and what the checks say, try the host from elsewhere, and
press K. Whatever else happens, nothing or a lost line, takes the change back and says whether that was seen to work.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from screens.review import in_words, issue_rows
from tui.models.change import Issue, Refused
from tui.session import Session
from tui.widgets.look import STRONG
from tui.widgets.messages import ChangeDecided
from tui.widgets.page import BLANK, Page, Row, heading, marked, text, wrapped
from tui.widgets.place import KeyLine, TitleLine

if TYPE_CHECKING:
    from tui.services.change.journal import Pending
    from tui.services.change.transaction import Outcome

log = logging.getLogger(__name__)

MORE_SECONDS = 120.0
TICK, SLOW_TICK = 1.0, 5.0


class TimeLeft(Widget):
    """The one thing that paints by itself: a number, and only its digits that change."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""

    def show(self, words: str) -> None:
        if words != self.words:
            self.words = words
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self.words, self.visual_style.rich_style + STRONG)])


class KeepScreen(Screen[None], inherit_bindings=False):
    CSS_PATH = "../styles/keep.tcss"
    AUTO_FOCUS = "Page"
    HELP_TEXT = "K keeps the change for good. R takes it back now. M gives two more minutes."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "keep", "keep", key_display="K"),
        Binding("r", "revert", "revert", key_display="R"),
        Binding("m", "more", "more time", key_display="M"),
        Binding("enter", "leave", "go on", key_display="Enter"),
        Binding("escape,ctrl+g", "leave", show=False),
    ]

    def __init__(self, session: Session, pending: Pending) -> None:
        super().__init__(name="keep")
        self.session = session
        self.pending = pending
        self.ended: tuple[Row, ...] = ()
        self.deciding = ""
        self.problems: tuple[Issue, ...] = ()
        self.ladder: tuple[str, str] = ("..", "The way out is being checked.")
        """What the ladder of checks says of the host as it is now; only information, it decides nothing."""
        self.time_left = TimeLeft()
        self.page = Page()

    def compose(self) -> ComposeResult:
        yield TitleLine(self.session)
        yield KeyLine()
        with Vertical(id="full"):
            yield self.time_left
            yield self.page

    def on_mount(self) -> None:
        self.update()
        self._tick()
        if self.session.host.kind != "recorded":
            self.run_worker(self._climb(), group="checks", exit_on_error=False)
        self.set_interval(SLOW_TICK if self.session.slow_line else TICK, self._tick)

    def on_resize(self) -> None:
        self.update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        over = bool(self.ended)
        if action == "leave":
            return over
        if action in ("keep", "revert", "more"):
            return not over and not self.deciding
        return True

    def update(self) -> None:
        self.page.show(list(self._rows(max(20, self.app.size.width - 4))))
        self.refresh_bindings()

    def _rows(self, width: int) -> Iterator[Row]:
        if self.ended:
            yield from self.ended
            yield BLANK
        for difference in self.pending.differences:
            yield from wrapped(in_words(difference), width)
        if self.ended:
            return
        yield BLANK
        yield heading("Checks")
        if not self.pending.checks:
            yield marked("ok", "The addresses and routes are in the kernel.")
        yield from issue_rows(self.pending.checks, width)
        if self.session.host.kind != "recorded":
            yield from wrapped(self.ladder[1], width, self.ladder[0])
        if self.problems:
            yield from issue_rows(self.problems, width)
        yield BLANK
        yield text(f"Changed by {self.pending.who} on {self.pending.line}. Without K it is taken back by itself.")

    async def _climb(self) -> None:
        """Ends with this screen, whatever it has found by then."""
        marks = {"ok": "ok", "failed": "x", "warning": "!"}
        try:
            run = await self.session.climb(lambda number, rung: None)
        except Refused as refused:
            self.ladder = ("!", refused.issues[0].text)
        else:
            remedy = f" {run.blame.issue.remedy}" if run.blame and run.blame.issue else ""
            self.ladder = (marks.get(run.verdict, "-"), f"{run.line}{remedy}")
        if not self.ended:
            self.update()

    # --- time ------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self.ended:
            self.time_left.show("")
            return
        left = self.pending.left(self.session.host.clock)
        if self.deciding:
            self.time_left.show(self.deciding)
        elif left > 0:
            self.time_left.show(f"Keep this change?  Time left: {left:3.0f} s")
        else:
            self._decide("The time is over; taking it back...", self._expire())
        if not self.deciding:
            self._look_elsewhere()

    def _look_elsewhere(self) -> None:
        """Another console, or the dead-man, may have decided; or given more time."""
        try:
            now = self.session.pending()
        except (OSError, ValueError):  # being written, or not ours to read: the next tick looks again
            log.exception("journal")
            return
        if now is None or now.change_id != self.pending.change_id:
            self._finish(self._from_history())
        elif now.deadline != self.pending.deadline:
            self.pending = now

    # --- deciding --------------------------------------------------------------------------------------------------

    def action_keep(self) -> None:
        self._decide("Keeping...", self.session.keep(self.pending.change_id))

    def action_revert(self) -> None:
        who = f"{self.session.who} on {self.session.line} said so"
        self._decide("Taking it back...", self.session.revert(self.pending.change_id, who))

    def action_more(self) -> None:
        self.app.run_worker(self._more(), group="decide", exit_on_error=False)

    def action_leave(self) -> None:
        self.app.post_message(ChangeDecided())
        self.dismiss()

    def _decide(self, words: str, decision: Awaitable[Outcome | None]) -> None:
        self.deciding = words
        self.time_left.show(words)
        self.refresh_bindings()
        self.app.run_worker(self._decision(decision), group="decide", exit_on_error=False)

    async def _decision(self, decision: Awaitable[Outcome | None]) -> None:
        try:
            outcome = await decision
        except Refused as refused:
            self.problems = refused.issues
            outcome = None
        except OSError as error:
            text = f"The system refused: {error.strerror or error}."
            self.problems = (Issue("C104", "error", "", text, "It is tried again by itself; see the Log."),)
            outcome = None
        self.deciding = ""
        if outcome is not None:
            self._finish(tuple(_ending(outcome.result, outcome.text, outcome.issues, self._width)))
        else:
            self._look_elsewhere()
            if not self.ended:
                self.update()

    async def _expire(self) -> Outcome | None:
        return await self.session.expire(self.pending.change_id)

    async def _more(self) -> None:
        try:
            self.pending = await self.session.extend(self.pending.change_id, MORE_SECONDS)
        except Refused as refused:
            self.problems = refused.issues
            self.update()
        self._tick()

    @property
    def _width(self) -> int:
        return max(20, self.app.size.width - 4)

    def _from_history(self) -> tuple[Row, ...]:
        """How it ended, where somebody else ended it."""
        record = next((r for r in self.session.history() if r.change.change_id == self.pending.change_id), None)
        if record is None:
            return tuple(_ending("unverified", "It ended, and its record is missing.", self.problems, self._width))
        words = {
            "kept": "Kept, by somebody else. It will be there after a restart.",
            "reverted": "Taken back; addresses and routes are as before (verified).",
            "unverified": "Taken back, but not everything was seen to be as before.",
        }[record.result]
        return tuple(_ending(record.result, words, self.problems, self._width))

    def _finish(self, rows: tuple[Row, ...]) -> None:
        self.session.take_up(self.pending.change_id)
        self.ended = rows
        self.time_left.show("")
        self.session.read()
        self.query_one(TitleLine).refresh()
        self.update()


def _ending(result: str, words: str, issues: tuple[Issue, ...], width: int) -> Iterator[Row]:
    yield from wrapped(words, width, {"kept": "ok", "reverted": "ok", "unverified": "x"}[result])
    yield from issue_rows(issues, width)
