"""A small application with a form, a list and a dialog: what the driver is tried on without the program around it.

Run as a program it takes the profile as its argument: `python -m tests.console.sample vt100`.
"""

import sys
from collections.abc import Iterable
from typing import ClassVar

from tui.terminal.profile import PROFILES, prepare_environment

if __name__ == "__main__":
    prepare_environment(PROFILES[sys.argv[1]])

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Offset
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Label, OptionList, Static

FIELDS = ("Address", "Gateway", "Name server", "Search domain", "MTU", "VLAN", "Proxy", "No proxy")


class Field(Input):
    """One line, no frame of its own, and the terminal's cursor."""

    DEFAULT_CSS = """
    Field { border: none; height: 1; padding: 0; width: 30; background: ansi_default; text-style: underline; }
    Field:focus { border: none; background: ansi_default; }
    Field:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: underline; }
    """

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where the caret is; Textual's own is one column too far at the end of the text."""
        offset = super().cursor_screen_offset
        return offset - (1, 0) if self.cursor_at_end else offset

    def on_mount(self) -> None:
        self.cursor_blink = False
        self.select_on_focus = False


class Dialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]
    DEFAULT_CSS = (
        "Dialog { align: center middle; } Dialog Vertical { width: 40; height: 7; border: solid ansi_default; }"
    )

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label("Leave without applying?")
            yield Label("Enter: leave   Esc: back")


class Listing(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Back")]
    DEFAULT_CSS = """
    Listing OptionList { border: none; background: ansi_default; }
    """

    def compose(self) -> ComposeResult:
        yield OptionList(*[f"host-{n:02} 192.0.2.{n} registered" for n in range(1, 41)])


class Sample(App[None]):
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    Label.name { width: 16; }
    Horizontal { height: 1; }
    #frame { border: solid ansi_cyan; height: 12; }
    #state { color: ansi_green; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "dialog", "Dialog"),
        Binding("f3", "list", "List"),
        Binding("ctrl+l", "repaint", "Repaint", priority=True),
        Binding("f4", "crash", "Crash"),
        Binding("ctrl+x", "app.quit", "Leave", priority=True),
    ]

    def __init__(self, driver_class: type | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.theme = "ansi-dark"

    def compose(self) -> ComposeResult:
        yield Static("Onsite  edge-01  ok → ready ✓ 日本", id="state")
        with Vertical(id="frame"):
            yield from self.fields()
        yield Static("F2 dialog  F3 list  ^X leave")

    def fields(self) -> Iterable[Horizontal]:
        for name in FIELDS:
            yield Horizontal(Label(name, classes="name"), Field(id=name.lower().replace(" ", "-")))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one("#state", Static).update(f"submitted {event.value}")

    def action_dialog(self) -> None:
        self.push_screen(Dialog())

    def action_list(self) -> None:
        self.push_screen(Listing())

    def action_repaint(self) -> None:
        self._driver.repaint()

    def action_crash(self) -> None:
        raise RuntimeError("crashed on purpose")


if __name__ == "__main__":
    from tui.terminal.driver import OnsiteDriver

    sample = Sample(OnsiteDriver.on(PROFILES[sys.argv[1]]))
    sample.run()
    sys.exit(sample.return_code or 0)
