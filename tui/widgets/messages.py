"""What the workers of the console have to say, in the past tense. Screens listen; nobody else changes a widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.widgets.place import Place


class FactsChanged(Message):
    """The facts of the session were read again and differ."""


class PortsChanged(Message):
    """A cable came or went, or somebody at its other end was heard."""


class DraftChanged(Message):
    """A value of the draft was set, or the draft was discarded."""


class LoggedIn(Message):
    """Somebody may change this host from here on, and wanted to go to that place, or onward from there."""

    def __init__(self, then: str, onward: Place | None = None) -> None:
        super().__init__()
        self.then, self.onward = then, onward


class Held(Message):
    """Somebody else edits this host; what was to go into the draft did not."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class TakenOver(Message):
    """Another console took the edit over from this one."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class AgentAnswered(Message):
    """The agent was asked; the session knows what it said, or that it did not answer."""


class Go(Message):
    """The operator wants to see that place."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place


class Edit(Message):
    """The operator wants to change the link of that identity."""

    def __init__(self, link: str) -> None:
        super().__init__()
        self.link = link


class Explain(Message):
    """The operator wants to read the page of a code."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code


class ChangeApplied(Message):
    """A change is in the kernel and waits for Keep."""

    def __init__(self, change_id: str) -> None:
        super().__init__()
        self.change_id = change_id


class ChangeDecided(Message):
    """A change was kept or taken back; facts have to be read again."""
