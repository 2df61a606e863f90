"""The console: places, keys for all of them, and the workers that bring news. Nothing else is decided here."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerState

from tui.session import Session, Topic
from tui.widgets.messages import AgentAnswered, Edit, Explain, FactsChanged, Go, Held, LoggedIn, TakenOver
from tui.widgets.page import Row, heading, wrapped
from tui.widgets.place import NARROW, SHORT, Place, keys_of
from tui.widgets.places import PLACES, Places

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.screen import Screen

    from tui.services.cluster.reading import Reading

log = logging.getLogger(__name__)

OPEN = ("home", "checks", "help")
"""The places that need no login."""
UNFORESEEN = "X101 Something went wrong that Onsite did not foresee."
LOG_PATH = "/var/lib/onsite/log/onsite.log"
PENDING_SECONDS = 2.0
"""How often a console looks whether another one has made a change."""
TEND_SECONDS = 5.0
"""How often it says that it still edits, and looks who does."""

AGENT_SECONDS = 3.0
"""How often the agent is asked how it and its cluster are; Home is to be right within five."""
FACTS_SECONDS = 600.0
"""How often the host is read without an event of the kernel."""


class OnsiteApp(App[None], inherit_bindings=False):
    """The console on one line; see `docs/architecture.md` for who calls whom."""

    TITLE = "Onsite"
    CSS_PATH = Path(__file__).parents[1] / "styles" / "tokens.tcss"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    DEFAULT_MODE = "home"
    ESCAPE_TO_MINIMIZE = False
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (NARROW, "-wide")]  # noqa: RUF012 - typed so by App
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-short"), (SHORT, "-tall")]  # noqa: RUF012 - as above
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(place.key, f"go('{place.name}')", "places", show=place.key == "1", key_display="1-9")
            for place in PLACES
            if place.name != "help"  # whose key says first where one stands
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
        self._asking = False
        self._told: Reading | None = None
        for place in PLACES:
            self.add_mode(place.name, partial(self._make, place.name))

    def _make(self, name: str) -> Screen[None]:
        """The screen of a place, imported when somebody goes there for the first time."""
        module = importlib.import_module(f"screens.{name}")
        screen: Place = getattr(module, f"{name.capitalize()}Screen")(self.session)
        return screen

    def on_ready(self) -> None:
        self._look_for_pending()
        self.set_interval(PENDING_SECONDS, self._look_for_pending)
        self._tend()
        self.set_interval(TEND_SECONDS, self._tend)
        if self.session.gate.asked:
            self.set_interval(PENDING_SECONDS, self._lock)
        self.run_worker(self._watch_kernel(), group="kernel", exit_on_error=False)
        self._look_at_agent()
        self.set_interval(AGENT_SECONDS, self._look_at_agent)
        self.set_interval(FACTS_SECONDS, self._look_at_files)

    def on_unmount(self) -> None:
        self.session.let_go()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Plain letters and digits lead away from places only: in an editor they are typed."""
        if action in ("go", "help_here", "leave_here"):
            return isinstance(self.screen, Place) and self.screen.IS_PLACE
        return True

    # --- going places ----------------------------------------------------------------------------------------------

    async def action_go(self, name: str) -> None:
        """Show a place, from any other one. On top of a dialog or an editor the keys belong to that."""
        if not self.check_action("go", ()):
            return
        if name in OPEN or self.session.gate.open:
            await self.switch_mode(name)
            return
        from screens.login import LoginScreen

        await self.push_screen(LoginScreen(self.session, name))

    def push_screen(
        self, screen: Any, callback: Any = None, wait_for_dismiss: Any = False, *, mode: str | None = None
    ) -> Any:
        """Show a screen on top. One that is for more than looking asks for a login first, whoever it comes from."""
        if isinstance(screen, Place) and not (screen.OPEN or self.session.gate.open):
            from screens.login import LoginScreen

            screen, callback = LoginScreen(self.session, self.current_mode, screen), None
        return super().push_screen(screen, callback, wait_for_dismiss, mode=mode)

    async def on_logged_in(self, message: LoggedIn) -> None:
        self._refresh_places()
        await self.action_go(message.then)
        if message.onward is not None:
            await self.push_screen(message.onward)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste):
            self.session.touched()
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """A capital that nobody has taken is its small letter: so the last line names keys, and so Caps Lock sends."""
        if len(event.key) == 1 and event.key.isupper():
            event.prevent_default()
            self.simulate_key(event.key.lower())

    async def _lock(self) -> None:
        """Back to Home after some minutes without a key; what is open elsewhere waits there as it is."""
        from tui.widgets.dialog import Question

        if self.session.lock():
            if isinstance(self.screen, Question):  # asked by a place that is shut now
                self.screen.dismiss(False)
            for name in OPEN:  # nothing that needs a login stays on top of a place that needs none
                while any(isinstance(x, Place) and not x.OPEN for x in self._screen_stacks.get(name, ())):
                    await self.switch_mode(name)
                    await self.pop_screen()
            await self.switch_mode("home")
            self._refresh_places()

    async def on_go(self, message: Go) -> None:
        await self.action_go(message.place)

    async def on_edit(self, message: Edit) -> None:
        link = self.session.facts.link(message.link)
        if link is None or link.layer is not None:
            from screens.layers import LayersScreen

            await self.push_screen(LayersScreen(self.session, edited=message.link))
            return
        from screens.link import LinkScreen

        if link.owner.writable:
            await self.push_screen(LinkScreen(self.session, link))

    async def action_help(self) -> None:
        """Help for where one stands: the place, or the field in an editor."""
        here = self.screen
        if not isinstance(here, Place):
            return
        if not here.IS_PLACE:
            await self._show_text(here.explain())
            return
        if here.NAME != "help":
            self.session.help_topic = Topic(here.places.title, here.HELP_TEXT, keys_of(here))
            await self.action_go("help")

    async def action_help_here(self) -> None:
        await self.action_help()

    async def on_explain(self, message: Explain) -> None:
        from screens.explain import code_rows

        await self._show_text(tuple(code_rows(message.code)))

    async def _show_text(self, rows: Sequence[Row]) -> None:
        from screens.explain import ExplainScreen

        if not isinstance(self.screen, ExplainScreen):
            await self.push_screen(ExplainScreen(self.session, rows))

    async def action_leave_here(self) -> None:
        await self.action_leave()

    async def action_leave(self) -> None:
        from tui.widgets.dialog import Question

        if self.screen.is_modal:
            return
        await self.push_screen(Question("Quit the console?", self._what_stays(), yes="Quit", no="Stay"), self._leave)

    def _what_stays(self) -> str:
        if self.session.waiting:
            return "A change is not decided: nobody keeps it, so it is taken back by itself."
        words = "The draft stays here; nothing of it was applied." if self.session.draft is not None else ""
        if self.session.gate.asked:
            words = f"{words} The host's own login prompt follows, and then the console again.".strip()
        return words

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.exit()

    async def on_places_chosen(self, event: Places.Chosen) -> None:
        await self.action_go(event.name)

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

    def _look_at_files(self) -> None:
        """Those of others change without an event of the kernel, as when a certificate is renewed over the API."""
        with contextlib.suppress(OSError):  # the kernel's next event tries again
            if self.session.read():
                self.post_message(FactsChanged())

    def _look_at_agent(self) -> None:
        """Ask the agent again, unless it still owes the last answer."""
        if not self._asking:
            self._asking = True
            self.run_worker(self._ask_agent(), group="agent", exit_on_error=False)

    async def _ask_agent(self) -> None:
        try:
            news = await self.session.ask_agent()
            await self.session.read_cluster()
            news = self.session.look_for_ending() or news
        finally:
            self._asking = False
        # A page that reads for itself may have learned of it first: what counts is what the frame does not show yet.
        if news or self.session.cluster != self._told:
            self._told = self.session.cluster
            self.post_message(AgentAnswered())

    def on_facts_changed(self) -> None:
        self._refresh_places()

    def on_ports_changed(self) -> None:
        self._refresh_places()

    def on_agent_answered(self) -> None:
        self._refresh_places()

    async def on_draft_changed(self) -> None:
        if self.session.draft is not None:
            await self.action_go("review")
        self._refresh_places()

    def on_change_applied(self) -> None:
        self._look_for_pending()

    def on_change_decided(self) -> None:
        self._refresh_places()

    def _look_for_pending(self) -> None:
        """A change that nobody has kept is on every console, whatever it showed before."""
        try:
            pending = self.session.pending()
        except (OSError, ValueError):
            log.exception("journal")
            return
        if pending is None or pending.phase != "waiting":
            return
        if all(screen.name != "keep" for screen in self.screen_stack):
            from screens.keep import KeepScreen

            self.push_screen(KeepScreen(self.session, pending))

    def _tend(self) -> None:
        """Who edits this host, and what they have written meanwhile."""
        session = self.session
        before = session.holder, session.draft_seen
        editing = any(isinstance(x, Place) and not x.IS_PLACE for stack in self._screen_stacks.values() for x in stack)
        over = session.tend(editing=editing)
        if (session.holder, session.draft_seen) != before:
            self._refresh_places()
        if over is not None:
            self.post_message(TakenOver(over.words))

    async def on_taken_over(self, message: TakenOver) -> None:
        words = "The draft is theirs now; nothing of it is lost. Changing anything here asks you to take over again."
        await self._show_text([heading(f"Taken over: {message.words}"), *wrapped(words, 60)])

    async def on_held(self, message: Held) -> None:
        """Somebody else edits: nothing happens here unless that is taken over."""
        from tui.widgets.dialog import Question

        if not isinstance(self.screen, Question):
            words = f"{message.words} They are told. What they have typed into the draft stays."
            await self.push_screen(Question("Take over?", words, yes="Take over", no="No"), self._take_over)

    def _take_over(self, yes: bool | None) -> None:
        if yes:
            self.session.claim(over=True)
            self._refresh_places()

    def _refresh_places(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Place):
                screen.refresh_all()

    # --- what nobody foresaw ---------------------------------------------------------------------------------------

    async def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Work that failed is said and logged; the console goes on."""
        if event.state is WorkerState.ERROR:
            log.error("worker %s", event.worker.name, exc_info=event.worker.error)
            await self._show_text([heading(UNFORESEEN), *wrapped(self._what_now(), 60)])

    def _fatal_error(self) -> None:
        """Textual's own (8.2.8) prints a traceback over the line; ours goes to the log, and a sentence to the line."""
        log.critical("the console ends", exc_info=True)
        self.panic(f"{UNFORESEEN}\n  -> {self._what_now()}")

    def _what_now(self) -> str:
        path = self.session.host.path(LOG_PATH)
        return f"The details are in {path}; try again, and send that log to IT if it happens again."
