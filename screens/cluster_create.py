"""The way to a cluster in seven steps: one question a page, Back at any time, nothing typed is ever lost.

The person standing here makes a cluster once a year. Each step asks for what belongs together; the draft is on disk
two seconds after it was typed, so a lost line or a power cut leads back to the very page. Nothing is written on any
host before the last step.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from screens.explain import code_rows
from tui.models.change import Issue
from tui.models.cluster_create import ADDRESS_FORM, NAME_FORM, STEPS, TITLES, ClusterDraft
from tui.models.form import Form
from tui.session import Session
from tui.widgets.actions import Action
from tui.widgets.form import FormView
from tui.widgets.page import BLANK, Page, Row, clip, heading, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.services.cluster.definition import Definition
    from tui.services.cluster.hosts import Candidate

log = logging.getLogger(__name__)
KEEP_SECONDS = 2.0
SCREENS = {
    "name": ("cluster_create", "NameStep"),
    "definition": ("cluster_definition", "DefinitionStep"),
    "variables": ("cluster_variables", "VariablesStep"),
    "address": ("cluster_address", "AddressStep"),
    "nodes": ("cluster_hosts", "HostsStep"),
    "preflight": ("cluster_preflight", "PreflightStep"),
    "review": ("cluster_review", "ReviewStep"),
}


@dataclass(slots=True)
class Way:
    """What the steps share: the draft, and what was asked of the agent on the way."""

    draft: ClusterDraft
    definitions: tuple[Definition, ...] | None = None
    hosts: tuple[Candidate, ...] | None = None
    values: tuple[dict[str, str], ...] = ()
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def definition(self) -> Definition | None:
        """The chosen one, if this host still has it."""
        chosen = (
            d for d in self.definitions or () if d.archive == self.draft.archive and d.source == self.draft.source
        )
        return next(chosen, None)


def open_draft(app: App[Any], session: Session) -> None:
    """Go on where somebody stopped, or begin."""
    from tui.services.cluster import draft

    way = Way(draft.load(session.host) or ClusterDraft())
    app.push_screen(made(way.draft.step if way.draft.step in SCREENS else "name", session, way))


def made(step: str, session: Session, way: Way) -> CreateStep:
    module, name = SCREENS[step]
    screen: CreateStep = getattr(importlib.import_module(f"screens.{module}"), name)(session, way)
    return screen


class CreateStep(Place):
    """One step. The subclass says what it asks; here is the way on and back, and the draft on disk."""

    NAME = "cluster"
    CSS_PATH = "../styles/cluster_create.tcss"
    IS_PLACE = False
    STEP: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+x,f2", "onward", "next", priority=True, key_display="^X"),
        Binding("ctrl+o,f3", "back", "back", priority=True, key_display="^O"),
        Binding("escape,ctrl+g", "leave_page", "leave", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "why", key_display="^Y"),
    ]

    def __init__(self, session: Session, way: Way) -> None:
        super().__init__(session)
        self.way = way
        self.head = Page(focusable=False, id="head")
        self.message = Page(focusable=False, id="message")

    @property
    def draft(self) -> ClusterDraft:
        return self.way.draft

    def on_mount(self) -> None:
        self.change(step=self.STEP)
        super().on_mount()
        self.set_interval(KEEP_SECONDS, self.keep)

    def on_unmount(self) -> None:
        self.keep()

    def show_head(self, words: str = "") -> None:
        number = STEPS.index(self.STEP) + 1
        title = f"{TITLES[self.STEP]}, step {number} of {len(STEPS)}"
        name = f"Cluster {self.draft.title}: " if self.draft.title else "New cluster: "
        self.head.show([heading(clip(name + title, self.text_width)), text(clip(words, self.text_width))])

    def explain(self) -> list[Row]:
        return [*super().explain(), BLANK, *wrapped("Esc leaves; the draft stays.", self.text_width)]

    def say(self, words: str) -> None:
        self.message.show(list(wrapped(words, self.text_width)) if words else [])

    # --- the draft -------------------------------------------------------------------------------------------------

    def change(self, **parts: Any) -> None:
        """Put parts into the draft, and the draft on disk if that changed it."""
        after = self.draft.model_copy(update=parts)
        if after != self.draft:
            from tui.services.cluster import draft

            self.way.draft = after
            try:
                draft.store(self.session.host, after)
            except OSError:
                log.exception("the draft of the cluster")
                self.say("The draft cannot be kept on the disk; it lasts as long as this console.")

    def keep(self) -> None:
        """What stands on this page goes into the draft."""

    # --- on and back -----------------------------------------------------------------------------------------------

    def ready(self) -> bool:
        """Whether this step is done; says at its place what is missing."""
        return True

    def action_onward(self) -> None:
        self.keep()
        if self.ready():
            self.go(1)

    def go(self, by: int) -> None:
        step = STEPS[STEPS.index(self.STEP) + by]
        self.app.switch_screen(made(step, self.session, self.way))

    def action_back(self) -> None:
        self.keep()
        if STEPS[0] == self.STEP:
            self.dismiss()
        else:
            self.go(-1)

    def action_leave_page(self) -> None:
        self.keep()
        self.dismiss()

    def on_action_pressed(self, event: Action.Pressed) -> None:
        actions = {"onward": self.action_onward, "back": self.action_back, "leave": self.action_leave_page}
        actions.get(str(event.action.id), self.action_onward)()


class ListStep(CreateStep):
    """A step that is a list of what the agent tells: below where one is, the list; `busy` while it is asked."""

    AUTO_FOCUS = "#list"

    def __init__(self, session: Session, way: Way) -> None:
        super().__init__(session, way)
        self.list = Page(id="list")
        self.refused: tuple[Issue, ...] = ()
        self.busy = False

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.list


class FormStep(CreateStep):
    """A step with a form. What is typed is in the draft under the form's own part."""

    AUTO_FOCUS = "FormView > *"
    FORM: ClassVar[Form]
    PART: ClassVar[str] = ""
    START: ClassVar[Mapping[str, str]] = {}
    WORDS: ClassVar[str] = ""

    def __init__(self, session: Session, way: Way) -> None:
        super().__init__(session, way)
        self.form = FormView(self.FORM, {**self.START, **getattr(way.draft, self.PART)})

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.form
        yield self.message
        with Horizontal(id="actions"):
            yield Action("Next", id="onward")
            yield from self.more_actions()
            yield Action("Back", id="back")

    def more_actions(self) -> Iterable[Widget]:
        return ()

    def update(self) -> None:
        self.show_head(self.WORDS)
        self._say()

    def _say(self) -> None:
        issue, current = self.form.issue, self.form.current
        self.say(f"{issue.text} {issue.remedy}" if issue else current.help if current else "")

    def on_form_view_moved(self) -> None:
        self._say()

    def keep(self) -> None:
        self.change(**{self.PART: dict(self.form.texts)})

    def ready(self) -> bool:
        return self.form.values() is not None

    def explain(self) -> list[Row]:
        """The field at the mark, and the page of what is wrong with it."""
        current, issue = self.form.current, self.form.issue
        rows: list[Row] = []
        if current is not None:
            rows += [heading(current.label), *wrapped(current.help, self.text_width), BLANK]
        if issue is not None:
            rows += [*code_rows(issue.code), BLANK]
        return [*rows, *super().explain()]


class NameStep(FormStep):
    STEP = "name"
    FORM = NAME_FORM
    PART = "name"
    WORDS = "How shall it be called?"
    HELP_TEXT = "The name is part of every node's life and cannot be changed later. Tags help you to sort clusters."


__all__ = ["ADDRESS_FORM", "CreateStep", "FormStep", "NameStep", "Way", "made", "open_draft"]
