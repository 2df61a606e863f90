"""Name & time: what is this host called, what time does it think it is, and who says so?

The person standing here compares the name with their paper and the clock with their watch: a certificate or a token
that is refused is often a clock that is wrong. They change name, servers, zone or keyboard, or set the clock by hand
where no server can be reached.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.models.change import Issue, Refused
from tui.models.system import CLOCK_FORM
from tui.services import identity
from tui.services.facts import given
from tui.services.keyboard import layout
from tui.services.timekeeping import plan as timekeeping
from tui.services.timekeeping import setting, state
from tui.services.timekeeping.state import Synchronisation
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.page import BLANK, Row, heading, text, wrapped
from tui.widgets.place import Place

LABEL = 14


class SystemScreen(Place):
    NAME = "system"
    CSS_PATH = "../styles/system.tcss"
    HELP_TEXT = (
        "The name of this host, its clock, and the keyboard at its console. Enter changes them; nothing is written "
        "before Review. T sets the clock at once, for a site without a time server: that cannot be taken back, and "
        "it is in the Log. A wrong clock makes certificates and registration tokens look expired or not yet valid."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", "change", key_display="Enter"),
        Binding("t", "set_clock", "set the clock", key_display="T"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.found: Synchronisation | None = None
        self.said: tuple[Row, ...] = ()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._look()

    @work(group="time", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        self.found = await state.read(self.session.host)
        self.refresh_all()

    def update(self) -> None:
        self.page.show([heading("Name & time"), BLANK, *self._rows(), *((BLANK, *self.said) if self.said else ())])

    def _rows(self) -> Iterator[Row]:
        facts, width = self.session.facts, self.text_width
        now = self.session.host.clock.now()
        yield from _value("Host name", facts.hostname or "none", width)
        if told := given.words(facts, "name", facts.hostname):
            yield from _value("", told, width)
        if (locked := identity.locked(facts)) is not None:
            yield from wrapped(f"{locked.text} {locked.remedy}", width, "!")
        yield BLANK
        yield from _value("Clock", f"{_written(now)} UTC, when this page was drawn", width)
        yield from _value("Time zone", timekeeping.zone(facts), width)
        servers = ", ".join(timekeeping.servers(facts)) or "those of DHCP and of the distribution"
        yield from _value("Time servers", servers if facts.setters.time else "none can be set here", width)
        if told := given.words(facts, "time", servers):
            yield from _value("", told, width)
        yield from synchronised(self.found, now, width)
        yield BLANK
        keyboard = layout(facts) or ("as it came" if facts.setters.keyboard else "no settings here")
        yield from _value("Keyboard", keyboard, width)
        draft = self.session.draft
        if draft is not None and (draft.identity or draft.clock):
            yield BLANK
            yield text("changed in the draft, not applied: see Review")

    def action_edit(self) -> None:
        from screens.system_form import SystemForm

        self.said = ()
        self.app.push_screen(SystemForm(self.session))

    def action_set_clock(self) -> None:
        from screens.system_clock import ClockScreen

        if self.found is not None and self.found.synchronised:
            self._refused((Issue("Y133", "error", "now", "A time server sets the clock already.", ""),))
            return
        self.app.push_screen(ClockScreen(self.session, CLOCK_FORM, "Set the clock", self._ask))

    def _ask(self, typed: str) -> None:
        """A clock cannot be taken back, so it is asked for once more."""
        moment = float(typed)
        words = f"It was {_written(self.session.host.clock.now())}. This cannot be taken back."

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.run_worker(self._set(moment), group="clock", exit_on_error=False)

        self.app.push_screen(Question(f"Set it to {_written(moment)} UTC?", words, yes="Set", no="No"), answered)

    async def _set(self, moment: float) -> None:
        session = self.session
        try:
            sentence = await setting.set_clock(session.host, moment, who=session.who, line=session.line)
        except Refused as refused:
            self._refused(refused.issues)
        else:
            self.said = tuple(wrapped(sentence, self.text_width, "ok"))
        self._look()

    def _refused(self, issues: Iterable[Issue]) -> None:
        rows: list[Row] = []
        for issue in issues:
            rows += [*wrapped(f"{issue.code} {issue.text} {issue.remedy}", self.text_width, "x")]
        self.said = tuple(rows)
        self.update()


def synchronised(found: Synchronisation | None, now: float, width: int) -> Iterator[Row]:
    """Whether a server sets the clock, who, and when it did last."""
    if found is None:
        yield from _value("Set by", "asking the time service...", width)
        return
    by = f" ({found.server})" if found.server else ""
    last = f"; last {_ago(now - found.last)}" if found.last else ""
    if found.synchronised:
        yield from wrapped(f"{found.service} sets the clock{by}{last}.", width, "ok")
    elif found.synchronised is None:
        yield from wrapped(f"Whether the clock is right is not known. {found.reason}", width, "!")
    elif not found.service:
        yield from wrapped(f"{found.reason} T sets the clock by hand.", width, "!")
    else:
        yield from wrapped(f"{found.service} has not set the clock since the start{last}.", width, "!")


def _ago(seconds: float) -> str:
    if seconds < 0:
        return "at a time that is still to come"
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'s' * (count > 1)} ago"
    return "less than a minute ago"


def _written(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment))


def _value(label: str, value: str, width: int) -> Iterator[Row]:
    first, *rest = wrapped(value, width - LABEL)
    yield Row((f"{label:<{LABEL}}", *first.parts))
    yield from (Row((" " * LABEL, *row.parts)) for row in rest)
