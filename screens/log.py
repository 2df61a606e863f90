"""Log: who changed what here, and how did it end?

The person standing here came because something is different from yesterday. Newest first, with who and from which
line; the details of a failure are in the files that the last lines name.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from screens.review import in_words
from tui.models.change import Difference
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

MARKS = {
    "applied": "..",
    "clock set by hand": "ok",
    "kept": "ok",
    "support bundle": "ok",
    "reverted": "-",
    "unverified": "x",
}
WORDS = {
    "applied": "applied",
    "kept": "kept",
    "reverted": "taken back (verified)",
    "unverified": "taken back, NOT seen",
}
SHOWN = 200


class LogScreen(Place):
    NAME = "log"
    HELP_TEXT = (
        "Everything that was changed here, newest first: when, by whom, from which line, what, and how it ended. "
        "S makes a support bundle: logs, settings and results for whoever helps, without secrets."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "support", "support bundle", key_display="S")]

    def update(self) -> None:
        self.page.show(list(self._rows()))

    def action_support(self) -> None:
        from screens.support import SupportScreen

        self.app.push_screen(SupportScreen(self.session))

    def _rows(self) -> Iterator[Row]:
        yield heading("What was changed here, newest first")
        yield BLANK
        entries = self.session.audit()[-SHOWN:]
        if not entries:
            yield text("Nothing has been changed here yet.")
        for entry in reversed(entries):
            yield from _entry(entry, self.text_width)


def _entry(entry: dict[str, Any], width: int) -> Iterator[Row]:
    event = str(entry.get("event", ""))
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(entry.get("time", 0))))
    words = f"{when} {WORDS.get(event, event)}, {entry.get('who', '?')} on {entry.get('line', '?')}"
    yield marked(MARKS.get(event, "-"), clip(words, width - 3))
    if entry.get("reason"):
        yield from wrapped(f"because {entry['reason']}", width, indent=3)
    if event == "support bundle":
        for data in entry.get("differences", ()):
            yield from wrapped(str(data.get("after", "")), width, indent=3)
    if event in ("applied", "clock set by hand"):
        for data in entry.get("differences", ()):
            yield from wrapped(in_words(Difference(**data)), width, indent=3)
