"""The frame around every place: title line, places on the left, keys below. A screen adds what is special."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.models.change import Refused
from tui.models.facts import main_address
from tui.session import Session
from tui.widgets.look import HERE, MARKS, SEVERITY_MARKS
from tui.widgets.messages import Held
from tui.widgets.page import Page, Row, clip, wrapped
from tui.widgets.places import Places

NARROW, SHORT = 60, 14
"""Below this width the column of places is shown only when asked for; below this height an editor leaves out lines."""
COLUMN = 15
"""Columns of the places and the gap beside them."""


class TitleLine(Widget):
    """Host name, main address, mode, and the state as mark and word."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def render_line(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        name, address, mode, (mark, word) = title(self.session)
        state = f"{mark} {word}"
        room = self.size.width - len(name) - len(state) - 4
        left = "  ".join(x for x in (address, mode) if x)
        if len(left) > room:
            left = clip(mode or address, room)
        gap = self.size.width - len(name) - len(left) - len(state) - 2
        return Strip(
            [
                Segment(name, base + HERE),
                Segment("  " + left + " " * gap, base),
                Segment(state, base + MARKS[mark]),
            ]
        ).adjust_cell_length(self.size.width, base)


class KeyLine(Widget):
    """The keys that work here, from the bindings themselves, so that it cannot lie."""

    words = ""

    def render_line(self, y: int) -> Strip:
        if self.screen.is_current:  # below a dialog it stays as it was: a dialog says its own keys
            self.words = "  ".join(f"{key} {words}" for key, words in keys_of(self.screen))
        return Strip([Segment(clip(self.words, self.size.width), self.visual_style.rich_style)])

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())


def keys_of(screen: Screen[Any]) -> tuple[tuple[str, str], ...]:
    """(key, what it does) for the keys that work on a screen now and are worth showing."""
    found: dict[str, tuple[str, str]] = {}
    declared = [b.action for b in (*screen.BINDINGS, *screen.app.BINDINGS) if isinstance(b, Binding)]
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and active.enabled:
            found.setdefault(binding.action, (binding.key_display or binding.key, binding.description))
    order = sorted(found, key=lambda action: declared.index(action) if action in declared else -1)
    return tuple(found[action] for action in order)


class Place(Screen[None], inherit_bindings=False):
    """A screen within the frame.

    Subclasses say in their docstring what the person standing there decides, set `NAME`, yield their widgets in
    `body` and refresh them in `update`, which runs when the place opens and whenever facts, draft or agent changed.
    """

    NAME: ClassVar[str] = ""
    OPEN: ClassVar[bool] = False
    """Only for looking: it needs no login."""
    IS_PLACE: ClassVar[bool] = True
    """Digits lead from here to other places; not from an editor, where they are typed."""
    HELP_TEXT: ClassVar[str] = ""
    """What Help says of this place."""
    AUTO_FOCUS = "#body Page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab,ctrl+t", "app.focus_previous", show=False),
        Binding("left", "places", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(name=self.NAME)
        self.session = session
        self.seen = False
        """Drawn since it is in front; whoever changes something then has it drawn anew."""
        self.title_line = TitleLine(session)
        self.places = Places(self.NAME)
        self.places.can_focus = self.IS_PLACE
        self.page = Page()

    def compose(self) -> ComposeResult:
        yield self.title_line
        yield self.places
        yield KeyLine()
        with Vertical(id="body"):
            yield from self.body()

    def body(self) -> Iterable[Widget]:
        """The widgets of this place: one page of rows, where the subclass does not have others."""
        yield self.page

    def explain(self) -> Sequence[Row]:
        """What F1 says here, for a screen that is no place of its own."""
        return list(wrapped(self.HELP_TEXT, self.text_width))

    def update(self) -> None:
        """Draw what the session knows now."""

    def put(self, change: Callable[..., None], *parts: object, **named: object) -> bool:
        """Change the draft of the session. Where somebody else edits, they are named and nothing has changed."""
        try:
            change(*parts, **named)
        except Refused as refused:
            self.app.post_message(Held(refused.issues[0].text))
            return False
        return True

    def on_mount(self) -> None:
        self.refresh_all()

    def on_screen_suspend(self) -> None:
        self.seen = False

    def on_screen_resume(self) -> None:
        if not self.seen:  # a mode that is opened for the first time is resumed twice
            self.refresh_all()

    def refresh_all(self) -> None:
        """Draw frame and body anew. Before the widgets are there it does nothing: mounting calls it."""
        if not self.is_mounted:
            return
        self.seen = self.is_current
        self.places.show(marks(self.session))
        self.title_line.refresh()
        self.update()

    def on_resize(self) -> None:
        self.refresh_all()

    def action_places(self) -> None:
        self.places.display = True
        self.places.focus()

    @property
    def text_width(self) -> int:
        """Columns for text in the body of a page."""
        width = self.app.size.width
        return max(20, (width if width < NARROW else width - COLUMN) - Page.GUTTER)


def title(session: Session) -> tuple[str, str, str, tuple[str, str]]:
    """Host name, main address, mode and state of the title line."""
    link = session.facts.speaking
    return (
        session.facts.hostname or "(no name)",
        main_address(link) if link else "no address",
        session.mode,
        state(session),
    )


def state(session: Session) -> tuple[str, str]:
    """The state of the host in one mark and one word."""
    if session.waiting:
        return "!", "not kept yet"
    if session.holder is not None:
        return "!", session.holder.words
    if session.changes:
        return "!", "not applied"
    if session.facts.speaking is None:
        return "x", "no address"
    if not session.facts.speaking.default_gateways:
        return "!", "no way out"
    if (mark := cluster_mark(session)) in ("x", "!"):
        return mark, "cluster"
    return "ok", ""


def cluster_mark(session: Session) -> str:
    """How the cluster of this host is; "" where there is none or nobody knows."""
    return session.cluster.standing.mark if session.cluster is not None and session.cluster.standing.exists else ""


CHECKED = {"ok": "ok", "warning": "!", "failed": "x"}
"""Mark of the place of Checks by the verdict of the last run; none where nothing could be tried."""


def marks(session: Session) -> dict[str, str]:
    """The mark of each place."""
    mark, _ = network_state(session)
    checks = CHECKED.get(session.last_run.verdict, "") if session.last_run else ""
    return {
        "home": mark, "network": mark, "review": str(session.changes or ""), "checks": checks,
        "trust": trust_state(session)[0], "registration": registered(session), "cluster": cluster_mark(session),
    }  # fmt: skip


_REGISTERED = {
    "paired": "ok",
    "in use": "ok",
    "local": "ok",
    "failed": "x",
    "waiting": "..",
    "trying": "..",
    "held": "!",
}


def registered(session: Session) -> str:
    """The mark of the registration, as the agent told it last."""
    mark = _REGISTERED.get(getattr(session.timeline, "state", ""), "")
    return "!" if mark == "ok" and getattr(session.timeline, "trouble", None) is not None else mark


def trust_state(session: Session) -> tuple[str, str]:
    """Whether a certificate of this host has ended or ends soon: a mark and a sentence with its code, or nothing."""
    issue = session.ending
    return ("", "") if issue is None else (SEVERITY_MARKS[issue.severity], f"{issue.code} {issue.text}")


def network_state(session: Session) -> tuple[str, str]:
    """Whether this host can be reached, as a mark and a sentence."""
    link = session.facts.speaking
    if link is None:
        return "x", "no interface has an address"
    address = main_address(link)
    if not link.default_gateways:
        return "!", f"{link.name} {address}, but no gateway"
    return "ok", f"{link.name} {address}"
