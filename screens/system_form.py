"""The editor of Name & time: name, time servers, zone and keyboard in one form.

The person standing here has a sheet with a name and perhaps a time server. Fields that cannot be set on this host are
left out, and the place says why. Nothing is written: Done goes to Review.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.widget import Widget

from screens.editor import Editor
from tui.models.clock import ClockConfig
from tui.models.identity import IdentityConfig
from tui.models.system import TRY, form
from tui.models.values import show
from tui.services import identity
from tui.services.timekeeping import plan as timekeeping
from tui.session import Session
from tui.widgets.form import FormView, nested
from tui.widgets.messages import DraftChanged
from tui.widgets.page import Page, heading


class SystemForm(Editor):
    NAME = "system"
    CSS_PATH = "../styles/system.tcss"
    HELP_TEXT = (
        "Each field says what is wrong with it when you leave it. Up and Down (or Tab and Ctrl-T) go from field to "
        "field. Reset fills in what the host has now. Done changes nothing yet: it goes to Review."
    )

    ACTIONS = (*Editor.ACTIONS, ("Reset", "reset"))

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        facts = session.facts
        without = {
            "identity.hostname": facts.cluster_uses_address,
            "clock.servers": not timekeeping.writable(facts),
            "identity.keyboard": not facts.setters.keyboard,
            TRY: not facts.setters.keyboard,
        }
        self.fields = form({path for path, out in without.items() if out})
        self.head = Page(focusable=False, id="head")
        self.form = FormView(self.fields, self._texts(drafted=True))

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield from super().body()

    def update(self) -> None:
        facts = self.session.facts
        locked = "; the name is locked by Kubernetes" if facts.cluster_uses_address else ""
        self.head.show([heading(f"Name & time of {facts.hostname or 'this host'}{locked}")])
        self.say()

    def _has(self) -> dict[str, Any]:
        """What the host has, by path."""
        facts = self.session.facts
        name, clock = identity.current(facts), timekeeping.current(facts)
        return {
            "identity.hostname": name.hostname,
            "identity.keyboard": name.keyboard,
            "clock.servers": clock.servers or (),
            "clock.zone": clock.zone,
        }

    def _texts(self, *, drafted: bool) -> dict[str, str]:
        """Texts of the fields: what the draft wishes, or else what the host has."""
        draft = self.session.draft if drafted else None
        parts = {"identity": draft.identity if draft else None, "clock": draft.clock if draft else None}
        texts = {TRY: ""}
        for path, value in self._has().items():
            noun, _, leaf = path.partition(".")
            wished = getattr(parts[noun], leaf, None)
            kind = next((field.kind for field in self.fields.fields if field.path == path), "text")
            texts[path] = show(kind, value if wished is None else wished)
        return texts

    def say(self) -> None:
        super().say()
        self.form.call_after_refresh(self.form.show_issue)

    def action_done(self) -> None:
        values = self.form.values()
        if values is None:
            return
        has = self._has()
        wish = nested({p: v for p, v in values.items() if p != TRY and v != has[p]})
        identity = IdentityConfig.model_validate(wish["identity"]) if "identity" in wish else None
        clock = ClockConfig.model_validate(wish["clock"]) if "clock" in wish else None
        if self.put(self.session.set_parts, identity=identity, clock=clock):
            self.dismiss()
            self.app.post_message(DraftChanged())

    def dirty(self) -> bool:
        """What is tried on the keyboard line is nothing to lose."""
        return any(field.text != field.before for path, field in self.form.fields.items() if path != TRY)

    def action_reset(self) -> None:
        for path, value in self._texts(drafted=False).items():
            if path in self.form.fields:
                self.form.put(path, value)
