"""Power: restart this host, switch it off, or put its network back to how it came.

The person standing here means this box and no other, so they type its name. While a change waits for its Keep nothing
of this is done. The way back of the network is a change like any other, with a countdown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.models.change import Issue, Refused
from tui.models.form import Field, Form
from tui.services import power
from tui.session import Session
from tui.widgets.form import FormView
from tui.widgets.messages import DraftChanged, Explain
from tui.widgets.page import BLANK, Page, Row, heading, text, wrapped
from tui.widgets.place import Place

ACTS = {
    "restart": ("Restart this host", "Everything on it stops for some minutes and starts again."),
    "off": ("Switch this host off", "Everything on it stops. Only its power button starts it again."),
    "network": (
        "Factory network",
        "Every interface that was configured here takes its address from the network again (DHCP). The draft is "
        "replaced. It is a change like any other: Review shows it, and without Keep it is taken back.",
    ),
}
NAME_FORM = Form("power", "Power", (Field("name", "text", "Host name", help="As in the top left corner."),))


class PowerScreen(Place):
    NAME = "power"
    HELP_TEXT = (
        "Enter on a line asks for the name of the host and then does it. The factory network is offered on the host's "
        "own screen and serial line only, where a lost address loses nobody."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "do it", key_display="Enter")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.said = ""
        self.refused: tuple[Issue, ...] = ()

    def update(self) -> None:
        self.page.show(list(self._rows()))

    def _rows(self) -> Iterator[Row]:
        width = self.text_width
        yield heading("Power")
        for act, (title, words) in ACTS.items():
            if act == "network" and not self.session.physical:
                continue
            yield BLANK
            yield text(title)._replace(key=act)
            yield from wrapped(words, width, indent=3)
        if self.said:
            yield BLANK
            yield from wrapped(self.said, width, "-")
        for issue in self.refused:
            first, *rest = wrapped(f"{issue.code} {issue.text} {issue.remedy}", width, "x")
            yield BLANK
            yield first._replace(key=issue.code)
            yield from rest

    def action_choose(self) -> None:
        act = self.page.key
        if act and act not in ACTS:
            self.post_message(Explain(act))
            return
        self.said, self.refused = "", ()
        try:
            self._refuse(act)
        except Refused as refused:
            self.refused = refused.issues
            self.update()
        else:
            self.app.push_screen(NameScreen(self.session, act, self._named))

    def _named(self, act: str) -> None:
        if act == "network":
            self._factory_network()
        else:
            self.app.run_worker(self._do(act), group="power", exclusive=True, exit_on_error=False)

    def _factory_network(self) -> None:
        try:
            wish = power.factory_network(self.session.facts)
        except Refused as refused:
            self.refused = refused.issues
            self.update()
            return
        if self.put(self.session.replace_draft, wish):
            self.app.post_message(DraftChanged())

    def _refuse(self, act: str) -> None:
        """Raises Refused while a change is not decided, or where the factory network is not to be had."""
        power.refuse_while_pending(self.session.host)
        if act == "network":
            power.factory_network(self.session.facts)

    async def _do(self, act: str) -> None:
        session = self.session
        try:
            self.said = await power.power(
                session.host, "off" if act == "off" else "restart", who=session.who, line=session.line
            )
        except Refused as refused:
            self.refused = refused.issues
        self.update()


class NameScreen(Place):
    """Asks for the name of the host, closes itself, and goes on with what was asked for."""

    NAME = "power"
    CSS_PATH = "../styles/power.tcss"
    IS_PLACE = False
    AUTO_FOCUS = "FormView > *"
    HELP_TEXT = "The name has to be that of this host, so that nobody restarts another one by mistake."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+x,f2", "done", "do it", priority=True, key_display="Enter"),
        Binding("escape,ctrl+g", "cancel", "cancel", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session, act: str, then: Callable[[str], None]) -> None:
        super().__init__(session)
        self.act, self.then = act, then
        self.head = Page(focusable=False, id="head")
        self.form = FormView(NAME_FORM, {})
        self.message = Page(focusable=False, id="message")
        self.wrong = False

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.form
        yield self.message

    def update(self) -> None:
        title, words = ACTS[self.act]
        head = [heading(f"{title}?"), *wrapped(words, self.text_width), BLANK]
        self.head.styles.height = len(head)
        self.head.show(head)
        name = self.session.facts.hostname
        words = f"Type the name of this host, {name}, and press Enter."
        self.message.show(list(wrapped(f"This is {name}. {words}" if self.wrong else words, self.text_width)))

    def action_done(self) -> None:
        if self.form.texts["name"].strip() == self.session.facts.hostname:
            self.dismiss()
            self.then(self.act)
            return
        self.wrong = True
        self.update()

    def action_cancel(self) -> None:
        self.dismiss()
