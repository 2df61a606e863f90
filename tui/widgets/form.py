"""One widget that draws any form of `tui.models.form`, so that a new noun needs data and no drawing.

Typed text stays as it was typed; the parsed value is made by `tui.models.values.parse` when the field is left and
when the form is done. What is wrong stands on the line under its field, which is there for it, so nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from tui.models.change import Issue
from tui.models.form import Field, Form
from tui.models.values import Wrong, parse
from tui.widgets.look import ERROR, SEVERITY_MARKS
from tui.widgets.page import clip

LABEL = 18
"""Columns before a field: mark, label, bracket."""
SCROLL = 12
"""Columns that a text longer than its field is scrolled by."""
LINES = 2
"""Lines of a field: itself, and what is wrong with it or an example."""


STEPS = (
    Binding("tab,down,ctrl+n", "next(1)", "next", key_display="Tab"),
    Binding("shift+tab,ctrl+t,up,ctrl+p", "next(-1)", show=False),
)


class TextField(Input):
    """One line of text without a frame of its own; the terminal's cursor is the cursor."""

    DEFAULT_CSS = """
    TextField { layer: fields; height: 1; margin: 0 1 1 18; width: 1fr; }
    TextField, TextField:focus, TextField:ansi {
        border: none; padding: 0; background: ansi_default; color: ansi_default; background-tint: transparent;
    }
    TextField > .input--cursor, TextField:ansi > .input--cursor {
        background: ansi_default; color: ansi_default; text-style: none;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *STEPS,
        Binding("ctrl+r", "restore", "undo field", show=False),
    ]

    def __init__(self, field: Field, value: str) -> None:
        super().__init__(value, select_on_focus=False, compact=True, password=field.secret, id=ident(field))
        self.cursor_blink = False
        self.field = field
        self.before = value

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where the next character appears; Input itself is one column too far at the end of the text."""
        offset = super().cursor_screen_offset
        return offset - (1, 0) if self.cursor_at_end else offset

    @property
    def content_width(self) -> int:
        """As wide as the text, with room to scroll on."""
        return super().content_width + SCROLL

    def validate_scroll_x(self, value: float) -> float:
        """A text longer than its field scrolls some columns at once: each scroll paints the whole field."""
        steps = ceil(value / SCROLL) if value > self.scroll_x else value // SCROLL
        return super().validate_scroll_x(steps * SCROLL)

    @property
    def _value(self) -> Text:
        """A secret is a star for each sign, which every line can show."""
        if self.password:
            return Text("*" * len(self.value), no_wrap=True, overflow="ignore", end="")
        return super()._value

    def action_copy(self) -> None:
        """A secret does not go to the terminal's clipboard, for it would go over the line."""
        if not self.password:
            super().action_copy()

    def action_cut(self) -> None:
        if not self.password:
            super().action_cut()

    @property
    def text(self) -> str:
        return self.value

    def put(self, value: str) -> None:
        if self.value != value:
            self.value = value
            self.cursor_position = len(value)

    def on_paste(self, event: events.Paste) -> None:
        """Keep all lines of a paste, with blanks between them; Input keeps the first only."""
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(" ".join(event.text.splitlines()))

    def action_next(self, step: int) -> None:
        step_from(self, step)

    def action_restore(self) -> None:
        """Put back what was here when the form opened."""
        self.put(self.before)


class ChoiceField(Widget, can_focus=True):
    """`(*) DHCP  ( ) Static`: all choices in sight; arrows, Space or the first letter pick one."""

    DEFAULT_CSS = "ChoiceField { layer: fields; height: 1; margin: 0 1 1 17; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        *STEPS,
        Binding("left", "step(-1)", show=False),
        Binding("right", "step(1)", show=False),
        Binding("space", "step(1)", show=False),
        Binding("ctrl+r", "restore", "undo field", show=False),
    ]

    def __init__(self, field: Field, value: str) -> None:
        super().__init__(id=ident(field))
        self.field = field
        self.before = self.text = value

    def render_line(self, y: int) -> Strip:
        choices = self.field.choices
        words = "  ".join(f"({'*' if value == self.text else ' '}) {word}" for value, word in choices)
        if len(words) > self.size.width:
            number = next((n for n, (value, _) in enumerate(choices) if value == self.text), 0)
            words = f"(*) {choices[number][1]} ({number + 1} of {len(choices)})"
        return Strip([Segment(words, self.visual_style.rich_style)])

    def put(self, value: str) -> None:
        if self.text != value:
            self.text = value
            self.refresh()
            self.post_message(FormView.Chose(self.field))

    def action_next(self, step: int) -> None:
        step_from(self, step)

    def action_step(self, step: int) -> None:
        values = [value for value, _ in self.field.choices]
        at = values.index(self.text) if self.text in values else -step
        self.put(values[(at + step) % len(values)])

    def action_restore(self) -> None:
        self.put(self.before)

    def on_key(self, event: Any) -> None:
        letter = (event.character or "").lower()
        values = [value for value, word in self.field.choices if letter and word.lower().startswith(letter)]
        if values:  # where several begin with it, one after the other
            event.stop()
            self.put(values[(values.index(self.text) + 1) % len(values)] if self.text in values else values[0])
        elif event.key == "enter":
            event.stop()
            step_from(self, 1)


class SeveralField(ChoiceField):
    """`>[x] lan0  [ ] lan1`: any number of the choices; arrows go along them, Space takes one in or out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "take", key_display="Space"),
        Binding("enter", "next(1)", show=False),
    ]

    def __init__(self, field: Field, value: str) -> None:
        super().__init__(field, value)
        taken = self.taken
        self.at = next((n for n, (value, _) in enumerate(field.choices) if value in taken), 0)

    @property
    def taken(self) -> list[str]:
        return [value for value, _ in self.field.choices if value in self.text.split(", ")]

    @property
    def here(self) -> str:
        """The value of the choice at the mark."""
        return self.field.choices[self.at][0]

    def render_line(self, y: int) -> Strip:
        taken = self.taken
        boxes = [f"[{'x' if value in taken else ' '}] {word}" for value, word in self.field.choices]
        marks = [">" if number == self.at and self.has_focus else " " for number in range(len(boxes))]
        words = " ".join(mark + box for mark, box in zip(marks, boxes, strict=True))
        if len(words) > self.size.width:
            words = f"{marks[self.at]}{boxes[self.at]} ({self.at + 1} of {len(boxes)}, {len(taken)} taken)"
        return Strip([Segment(clip(words, self.size.width), self.visual_style.rich_style)])

    def action_step(self, step: int) -> None:
        self.at = (self.at + step) % len(self.field.choices)
        self.refresh()
        self.post_message(FormView.Moved())

    def action_turn(self) -> None:
        taken, here = self.taken, self.here
        kept = [v for v, _ in self.field.choices if (v in taken) != (v == here)]
        self.put(", ".join(kept))

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_key(self, event: Any) -> None:
        """No letters here: names of ports begin alike."""
        event.prevent_default()


def _widget(field: Field) -> type[TextField] | type[ChoiceField]:
    return SeveralField if field.kind == "several" else ChoiceField if field.choices else TextField


class FormFrame(Widget):
    """Labels, brackets, marks, examples and issues of all fields: one widget under the fields."""

    DEFAULT_CSS = "FormFrame { layer: frame; width: 1fr; }"

    def __init__(self, view: FormView) -> None:
        super().__init__()
        self.view = view

    def render_line(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        shown = self.view.shown
        number, line = divmod(y, LINES)
        if number >= len(shown):
            return Strip.blank(self.size.width, base)
        field = shown[number]
        issue = self.view.issues.get(field.path)
        if line == 1:
            if issue is not None:
                words = clip(f"{issue.code} {issue.text}", self.size.width - 4)
                return Strip([Segment(f"  {SEVERITY_MARKS[issue.severity]} ", base + ERROR), Segment(words, base)])
            example = f"such as {field.example}" if field.example else ""
            return Strip([Segment(clip(" " * LABEL + example, self.size.width), base)])
        mark = ">" if self.view.at == field.path else " "
        label = Segment(f"{mark} {field.label:<{LABEL - 3}}", base)
        if field.choices:
            return Strip([label])
        return Strip([label, Segment("[" + " " * (self.size.width - LABEL - 1) + "]", base)])

    def mark(self, path: str) -> None:
        """Paint the mark of one field anew."""
        for number, field in enumerate(self.view.shown):
            if field.path == path:
                self.refresh(Region(0, number * LINES, 1, 1))

    def under(self, path: str) -> None:
        """Paint the line under one field anew."""
        for number, field in enumerate(self.view.shown):
            if field.path == path:
                self.refresh(Region(0, number * LINES + 1, self.size.width, 1))


class FormView(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The fields of a form, with what is wrong under each.

    Args:
        form: what to draw.
        texts: the text of each field by path, as `values.show` writes values.
    """

    DEFAULT_CSS = "FormView { layers: frame fields; height: 1fr; scrollbar-size: 0 0; }"

    class Chose(Message):
        """A choice was made."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

    class Moved(Message):
        """The focus is in another field, or what is wrong with a field changed."""

    def __init__(self, form: Form, texts: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.form = form
        self.issues: dict[str, Issue] = {}
        self.at = ""
        self.fields: dict[str, TextField | ChoiceField] = {
            field.path: _widget(field)(field, texts.get(field.path, "")) for field in form.fields
        }
        self.frame = FormFrame(self)
        self.shown = form.shown(self.texts)

    def compose(self) -> ComposeResult:
        yield self.frame
        yield from self.fields.values()

    def on_mount(self) -> None:
        self._arrange()

    @property
    def texts(self) -> dict[str, str]:
        """What is typed in each field, shown or not."""
        return {path: field.text for path, field in self.fields.items()}

    @property
    def dirty(self) -> bool:
        return any(field.text != field.before for field in self.fields.values())

    @property
    def issue(self) -> Issue | None:
        """What is wrong with the field that has the focus."""
        return self.issues.get(self.at)

    @property
    def current(self) -> Field | None:
        return next((field for field in self.form.fields if field.path == self.at), None)

    def beside(self, widget: Widget, step: int) -> TextField | ChoiceField | None:
        """The shown field before or after a field; None beyond the edges."""
        shown = [self.fields[field.path] for field in self.shown]
        there = shown.index(widget) + step if widget in shown else -1
        return shown[there] if 0 <= there < len(shown) else None

    def put(self, path: str, text: str) -> None:
        """Set the text of a field."""
        self.fields[path].put(text)

    def values(self) -> dict[str, Any] | None:
        """The value of each shown field by path; None when one is wrong, which is then focused."""
        values = {}
        for field in self.shown:
            try:
                values[field.path] = self._value(field)
            except Wrong as wrong:
                self._note(field, wrong.issue)
            else:
                self._note(field, None)
        wrong_field = next((f for f in self.shown if f.path in self.issues), None)
        if wrong_field is not None:
            self.fields[wrong_field.path].focus()
            return None
        return values

    def blame(self, issues: Mapping[str, Issue]) -> None:
        """Show issues that concern several fields at the field of each, and go to the first."""
        for path, issue in issues.items():
            self._note(self.fields[path].field, issue)
        first = next((f.path for f in self.shown if f.path in issues), None)
        if first is not None:
            self.fields[first].focus()

    def note(self, path: str, issue: Issue | None) -> None:
        """Show an issue at a field that somebody else found out, until the field is left the next time."""
        self._note(self.fields[path].field, issue)

    def show_issue(self) -> None:
        """Scroll so that what is wrong with the focused field is in sight."""
        number = next((n for n, field in enumerate(self.shown) if field.path == self.at), None)
        if number is not None and self.issue is not None:
            self.scroll_to_region(Region(0, number * LINES, self.size.width, LINES), animate=False)

    def _value(self, field: Field) -> Any:
        text = self.fields[field.path].text
        if field.choices and field.kind != "several":
            return text
        if field.needed and not text.strip():
            raise Wrong("N117", f"{field.label} is empty.", f"Type it, such as {field.example}.")
        return parse(field.kind, text)

    def _check(self, field: Field) -> None:
        """Say what is wrong with a field that is left; an empty one is not blamed before the form is done."""
        try:
            if self.fields[field.path].text.strip():
                self._value(field)
        except Wrong as wrong:
            self._note(field, wrong.issue)
        else:
            self._note(field, None)

    def _note(self, field: Field, issue: Issue | None) -> None:
        if self.issues.get(field.path) == issue:
            return
        if issue is None:
            del self.issues[field.path]
        else:
            self.issues[field.path] = issue
        self.frame.under(field.path)
        self.post_message(self.Moved())

    def _arrange(self) -> None:
        """Show the fields that apply."""
        self.shown = self.form.shown(self.texts)
        for field in self.form.fields:
            self.fields[field.path].display = field in self.shown
            if field not in self.shown:
                self.issues.pop(field.path, None)
        self.frame.styles.height = len(self.shown) * LINES
        self.frame.refresh()

    def on_form_view_chose(self) -> None:
        self._arrange()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        step_from(event.input, 1)

    def on_descendant_focus(self) -> None:
        self._moved()

    def on_descendant_blur(self) -> None:
        self._moved()

    def _moved(self) -> None:
        """The mark follows the focus; the field that was left is checked."""
        now = next((path for path, field in self.fields.items() if field.has_focus), "")
        left = self.at
        if now == left:
            return
        self.at = now
        self.frame.mark(left)
        self.frame.mark(now)
        if left in self.fields:
            self._check(self.fields[left].field)
        self.post_message(self.Moved())


def step_from(widget: Widget, step: int) -> None:
    """Focus the next or previous field of the form, beyond its edges the next or previous widget.

    Textual's own order is by place on the screen, and a field that a choice has just shown has no place yet.
    """
    view = next((node for node in widget.ancestors if isinstance(node, FormView)), None)
    there = view.beside(widget, step) if view is not None else None
    if there is not None:
        there.focus()
    elif step > 0:
        widget.screen.focus_next()
    else:
        widget.screen.focus_previous()


def ident(field: Field) -> str:
    return field.path.replace(".", "-").replace("_", "-")


def texts_of(form: Form, config: object) -> dict[str, str]:
    """The text of every field of a form, from a model with attributes along the fields' paths."""
    from tui.models.values import show

    return {field.path: show(field.kind, _dig(config, field.path)) for field in form.fields}


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """{"ipv4.gateway": x} as {"ipv4": {"gateway": x}}, the shape of the model."""
    data: dict[str, Any] = {}
    for path, value in values.items():
        *folders, leaf = path.split(".")
        part = data
        for folder in folders:
            part = part.setdefault(folder, {})
        part[leaf] = value
    return data


def _dig(config: object, path: str) -> Any:
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


def under(prefix: str, issues: Iterator[Issue]) -> dict[str, Issue]:
    """The issues at fields below a path such as "links.00:00:5e:00:53:01", by the path within the form."""
    start = prefix + "."
    found: dict[str, Issue] = {}
    for issue in issues:
        if issue.field.startswith(start):
            found.setdefault(issue.field.removeprefix(start), issue)
    return found
