"""The console: places, keys for all of them, and the workers that bring news. Nothing else is decided here."""

from __future__ import annotations

import importlib
import logging
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerState

from tui.widgets.messages import AgentAnswered, Edit, FactsChanged, Go
from tui.widgets.place import Place
from tui.widgets.places import PLACES, Places

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.screen import Screen

    from tui.session import Session

log = logging.getLogger(__name__)

NARROW = 60
"""Below this width the column of places is shown only when asked for."""
PENDING_SECONDS = 2.0
"""How often a console looks whether another one has made a change."""


class OnsiteApp(App[None], inherit_bindings=False):
    """The console on one line; see `docs/architecture.md` for who calls whom."""

    TITLE = "Onsite"
    CSS_PATH = "../styles/tokens.tcss"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    DEFAULT_MODE = "home"
    ESCAPE_TO_MINIMIZE = False
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (NARROW, "-wide")]  # noqa: RUF012 - typed so by App
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(place.key, f"go('{place.name}')", "places", show=place.key == "1", key_display=f"1-{len(PLACES)}")
            for place in PLACES
        ),
        Binding("question_mark", "help_here", "help", key_display="?"),
        Binding("f1,ctrl+y", "help", show=False),
        Binding("q", "leave_here", "quit", key_display="q"),
        Binding("ctrl+c,ctrl+q", "leave", show=False),
        Binding("ctrl+l", "repaint", "repaint", show=False),
    ]

    def __init__(self, session: Session, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class, ansi_color=True)
        self.session = session
        self.theme = "ansi-dark"
        for place in PLACES:
            self.add_mode(place.name, partial(self._make, place.name))

    def _make(self, name: str) -> Screen[None]:
        """The screen of a place, imported when somebody goes there for the first time."""
        module = importlib.import_module(f"screens.{name}")
        screen: Place = getattr(module, f"{name.capitalize()}Screen")(self.session)
        return screen

    def on_ready(self) -> None:
        self.run_worker(self._watch_kernel(), group="kernel", exit_on_error=False)
        self.run_worker(self._ask_agent(), group="agent", exit_on_error=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Plain letters and digits lead away from places only: in an editor they are typed."""
        if action in ("go", "help_here", "leave_here"):
            return isinstance(self.screen, Place) and self.screen.IS_PLACE
        return True

    # --- going places ----------------------------------------------------------------------------------------------

    def action_go(self, name: str) -> None:
        """Show a place, from any other one. On top of a dialog or an editor the keys belong to that."""
        if self.check_action("go", ()):
            self.switch_mode(name)

    def on_go(self, message: Go) -> None:
        self.action_go(message.place)

    def on_edit(self, message: Edit) -> None:
        from screens.link import LinkScreen

        link = self.session.facts.link(message.link)
        if link is not None and link.owner.writable:
            self.push_screen(LinkScreen(self.session, link))

    def on_places_chosen(self, event: Places.Chosen) -> None:
        self.action_go(event.name)

    def action_repaint(self) -> None:
        """Forget what the terminal shows and paint all of it again."""
        repaint = getattr(self._driver, "repaint", None)
        if repaint is not None:
            repaint()
        else:
            self.refresh()

    # --- news ------------------------------------------------------------------------------------------------------

    async def _watch_kernel(self) -> None:
        async for _ in self.session.events():
            if self.session.read():
                self.post_message(FactsChanged())

    async def _ask_agent(self) -> None:
        if await self.session.ask_agent():
            self.post_message(AgentAnswered())

    def on_facts_changed(self) -> None:
        self._refresh_places()

    def on_agent_answered(self) -> None:
        self._refresh_places()

    def on_draft_changed(self) -> None:
        self._refresh_places()

    def _refresh_places(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Place):
                screen.refresh_all()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            log.error("worker %s", event.worker.name, exc_info=event.worker.error)
