"""Registration: does the management plane know this host, and if not, why not?

The person standing here is on the phone with whoever runs the management plane. They read the first line that failed,
its code and what to do; correct the token or read the host id out; and see the next line come without leaving.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.models.change import Issue, Refused
from tui.services import registration
from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.registration import RegistrationConfig
    from tui.models.timeline import Step, Timeline

MARKS = {"ok": "ok", "warning": "!", "failed": "x", "running": "..", "waiting": "..", "not needed": "-", "": ""}
STATES = {
    "not set up": ("!", "Not set up yet. Press Enter."),
    "local": ("ok", "Managed here; nothing is registered."),
    "trying": ("..", "Registering."),
    "waiting": ("..", "Waits for the management plane."),
    "paired": ("ok", "Registered and paired."),
    "in use": ("ok", "Registered, and in use by a cluster."),
    "failed": ("x", "Not registered: see the line that failed."),
    "held": ("!", "Begins when the change is kept."),
}
"""Mark and sentence of each state."""
SOURCES = {"serial": "from the serial number", "machine": "of this installation", "typed": "as typed", "": ""}
LOOK, LOOK_SLOWLY = 2.0, 10.0
"""Seconds between questions to the agent while somebody looks, and on a slow line."""


class RegistrationScreen(Place):
    NAME = "registration"
    HELP_TEXT = (
        "Whether the management plane knows this host, step by step; the first line that failed is the one to mend. "
        "Enter changes where and as whom it registers; nothing is written before Review. T tries at once, R shows the "
        "code to scan, C the page of the line that failed."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", "change", key_display="Enter"),
        Binding("t", "try_now", "try now", key_display="T"),
        Binding("r", "code", "QR code", key_display="R"),
        Binding("c", "explain", "explain", key_display="C"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.said = ""
        self.looking = False

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(LOOK_SLOWLY if self.session.slow_line else LOOK, self._look)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._look()

    def _look(self) -> None:
        if self.is_current and not self.looking:  # a slow agent is waited for, not asked anew
            self.looking = True
            self._ask()

    @work(group="registration-look", exit_on_error=False)
    async def _ask(self) -> None:
        try:
            news = await self.session.read_timeline()
        finally:
            self.looking = False
        if news:
            self.refresh_all()

    def update(self) -> None:
        self.page.show(list(rows(self.session, self.text_width, self.said)))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "explain":
            return bool(self._code())
        if action == "edit":
            return not other_agent(self.session)
        if action in ("try_now", "code"):
            config = self.session.registration()[0]
            return config is not None and config.mode == "central"
        return True

    def _code(self) -> str:
        told = self.session.timeline
        if told is None or isinstance(told, Issue):
            return told.code if told else ""
        return next((s.code for s in told.steps if s.code), "")

    def action_edit(self) -> None:
        from screens.registration_edit import RegistrationEditScreen

        self.app.push_screen(RegistrationEditScreen(self.session))

    def action_code(self) -> None:
        from screens.registration_qr import RegistrationQrScreen

        self.app.push_screen(RegistrationQrScreen(self.session))

    def action_explain(self) -> None:
        self.post_message(Explain(self._code()))

    @work(group="registration", exclusive=True, exit_on_error=False)
    async def action_try_now(self) -> None:
        from tui.models import timeline

        try:
            await (await self.session.agent_client()).call(timeline.TRY)
            self.said = ""
        except Refused as refused:
            self.said = f"{refused.issues[0].code} {refused.issues[0].text}"
        await self.session.read_timeline()
        self.refresh_all()


def rows(session: Session, width: int, said: str) -> Iterator[Row]:
    """What is set, how it stands, and each step."""
    config, drafted = session.registration()
    yield heading("Registration" + (", changed in the draft: see Review" if drafted else ""))
    told = session.timeline
    if isinstance(told, Issue):
        yield from wrapped(f"{told.code} {told.text} {told.remedy}", width, "x")
    elif told is not None:
        yield from _standing(told, width)
    if said:
        yield from wrapped(said, width, "x")
    if url := other_agent(session):
        words = f"The agent at {url} registers this host (agent.url in the settings); change it where that is managed."
        yield from wrapped(words, width, "-")
    yield BLANK
    if config is not None and config.mode == "local":
        yield from local(session, width)
        return
    if config is not None:
        yield from _settings(session, config, width)
        yield BLANK
    elif said_there := list(given_rows(session, {"endpoint": "", "project": ""}, width)):
        yield from said_there
        yield BLANK
    if told is not None and not isinstance(told, Issue):
        for step in told.steps:
            yield from _step(step, width)


def other_agent(session: Session) -> str:
    """Where another agent than ours is, which does not read what we would write; "" for ours."""
    try:
        return session.settings().agent_url
    except Refused:
        return ""


def _standing(told: Timeline, width: int) -> Iterator[Row]:
    mark, words = STATES[told.state]
    if mark == "ok" and told.trouble is not None:
        mark, words = "!", "Registered, but the cluster that it is meant for is not made."
    if told.state in ("trying", "waiting", "failed") and told.next_try >= 0:
        words += f" Next try in {_rounded(told.next_try)}."
    if told.derived:
        mark, words = ("-", "Managed centrally.") if told.state == "trying" else (mark, words)
        words += " This is derived: the agent does not tell."
    yield from wrapped(words, width, mark)


def _rounded(seconds: float) -> str:
    """A countdown that changes as seldom as a person needs it to."""
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return f"{max(5, round(seconds / 5) * 5)} s"


def _settings(session: Session, config: RegistrationConfig, width: int) -> Iterator[Row]:
    uid, source = registration.host_id(config, session.host)
    yield text(clip(f"Host id   {uid or 'none'}  {SOURCES[source]}", width))
    way = "by token" if config.way == "token" else "by hand: the host id is entered there"
    yield text(clip(f"Endpoint  {config.endpoint}  {way}", width))
    project = config.project or ("default of the token" if config.way == "token" else "none")
    tags = f"  tags {', '.join(config.tags)}" if config.tags else ""
    yield text(clip(f"Project   {project}{tags}", width))
    yield from given_rows(session, {"endpoint": config.endpoint, "project": config.project}, width)


def given_rows(session: Session, now: dict[str, str], width: int) -> Iterator[Row]:
    """What installer and site say in place of what is set, each with its file; nothing where they agree."""
    from tui.services.facts.given import winner

    for key, value in registration.given(session.facts).items():
        last = winner(session.facts, key)
        if key in now and last is not None and value != now[key]:
            counts = "what is set here counts" if now[key] else "Enter takes it over"
            source = "site" if last.origin == "site" else "factory"
            yield from wrapped(f"The {source} file {last.path} says {key} {value}; {counts}.", width, "-")


def _step(step: Step, width: int) -> Iterator[Row]:
    from tui.models.timeline import LABELS

    when = datetime.fromtimestamp(step.time, UTC).strftime("%H:%M:%S") if step.time else " " * 8
    yield marked(MARKS[step.mark], clip(f"{LABELS.get(step.name, step.name):<21}{when}  {step.said}", width - 3))
    if step.text:
        yield from wrapped(f"{step.code} {step.text}", width, indent=3)
        yield from wrapped(f"What to do: {step.remedy}", width, indent=3)


def local(session: Session, width: int) -> Iterator[Row]:
    """Nothing to register: where this host is managed from, how to be sure that it is this one, and what comes next."""
    from tui.services.registration import management

    address, fingerprint = management(session.host, session.facts)
    yield from wrapped("This host belongs to no management plane. It is managed at this console and, where that is "
                       "switched on, by a browser:", width)  # fmt: skip
    yield BLANK
    if address:
        yield text(f"Address      {address}")
        for number, line in enumerate(fingerprint):
            yield text(f"{'Fingerprint  ' if not number else ' ' * 13}{line}")
    else:
        yield text("Address      none: agent.https is off in the settings")
    yield BLANK
    yield from wrapped("Next: Content (7), then Hosts (8) where there are several, then Cluster (9).", width)


def standing(session: Session) -> tuple[str, str]:
    """For Home: mark and words; nothing where nobody has set it up and nobody has to."""
    config, _ = session.registration()
    told = session.timeline
    if told is None or isinstance(told, Issue):
        return ("", "") if config is None else ("!", "the agent does not say how it stands")
    if told.state == "not set up":
        return "!", "not set up"
    mark, words = STATES[told.state]
    trouble = told.trouble
    if trouble is not None and trouble.code:
        return "!" if mark == "ok" else mark, f"{trouble.code} {trouble.text}"
    return mark, words[0].lower() + words[1:].rstrip(".")
