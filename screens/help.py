"""Help: which keys work where I was, what does this word mean, what is this code?

The person standing here is stuck, perhaps with somebody on the phone who asks for the code on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from screens.explain import code_rows
from tui.models.form import Field
from tui.session import Session
from tui.widgets.form import TextField
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, heading, text, wrapped
from tui.widgets.place import Place

GLOSSARY = (
    ("Address", "An IP address with its prefix length, such as 192.0.2.10/24."),
    ("Carrier", "A cable with a switched-on partner at its other end."),
    ("DHCP", "The network itself tells the host its address, gateway and name servers."),
    ("Gateway", "The router that leads out of this network."),
    ("Keep", "Makes an applied change permanent. Without it the change is taken back."),
    ("Name server", "Answers which address a name has (DNS)."),
    ("Router", "As a source of a value: announced over IPv6 by the router of the network."),
)
MARKS = "ok fine   ! needs a look   x wrong   .. under way   - does not apply"


class HelpScreen(Place):
    NAME = "help"
    OPEN = True
    CSS_PATH = "../styles/help.tcss"
    HELP_TEXT = "C asks for a code, such as N207, and shows its page."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "code", "look up a code", key_display="C"),
        Binding("escape,ctrl+g", "back", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.code = TextField(Field("code", "text", "Code"), "")
        self.code.display = False

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield self.code

    def update(self) -> None:
        self.page.show(list(self._rows(self.text_width)))

    def _rows(self, width: int) -> Iterator[Row]:
        topic = self.session.help_topic
        if topic is not None:
            yield heading(f"Keys in {topic.title}")
            yield from wrapped(topic.words, width)
            yield BLANK
            for key, words in topic.keys:
                yield text(f"{key:<12}{words}")
            yield BLANK
        yield heading("Everywhere")
        for key, words in EVERYWHERE:
            yield text(f"{key:<12}{words}")
        yield BLANK
        yield text(MARKS)
        yield BLANK
        yield heading("Words")
        for word, meaning in GLOSSARY:
            first, *rest = wrapped(f"{word}: {meaning}", width)
            yield first
            yield from (Row(("  ", *row.parts)) for row in rest)

    def action_code(self) -> None:
        self.code.display = True
        self.code.put("")
        self.code.focus()

    def action_back(self) -> None:
        self.code.display = False
        self.page.focus()

    def on_input_submitted(self) -> None:
        code = self.code.text.strip().upper()
        self.action_back()
        if code:
            self.post_message(Explain(code))


EVERYWHERE = (
    ("0-9 V L P", "go to a place, as the column of places says"),
    ("Left", "into the column of places; Enter goes to the one at >"),
    ("Up, Down", "or Ctrl-P, Ctrl-N: move"),
    ("PgUp, PgDn", "or Ctrl-B, Ctrl-F: a page up or down"),
    ("Tab, Ctrl-T", "next and previous field"),
    ("Esc, Ctrl-G", "leave without doing it"),
    ("?, F1", "help; in a field Ctrl-Y"),
    ("Ctrl-L", "paint the screen anew"),
    ("F9", "or Esc 9: another kind of terminal"),
    ("q, Ctrl-C", "quit"),
)

__all__ = ["HelpScreen", "code_rows"]
