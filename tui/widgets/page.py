"""A page of lines with a cursor: one widget that draws any number of lines, so that a thousand cost what ten cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.look import MARKS, PLAIN, STRONG

Part = str | tuple[str, Style]


class Row(NamedTuple):
    """One line: its parts from left to right, and what it stands for where the cursor can stop on it."""

    parts: tuple[Part, ...] = ()
    key: str = ""


BLANK = Row()


def text(line: str, style: Style = PLAIN) -> Row:
    return Row(((line, style),))


def heading(line: str) -> Row:
    return Row(((line, STRONG),))


def marked(mark: str, words: str, key: str = "") -> Row:
    """A line with a state mark in front: `ok lan0 has an address`."""
    return Row(((f"{mark:<3}", MARKS[mark]), words), key)


def wrapped(words: str, width: int, mark: str = "", indent: int = 0) -> Iterable[Row]:
    """A sentence over as many lines as it needs; the mark stands before the first only.

    A hyphen ends no line: names such as kube-proxy are there to be copied.
    """
    from textwrap import wrap

    lead = 3 if mark else indent
    for number, line in enumerate(wrap(words, max(10, width - lead), break_on_hyphens=False) or [""]):
        yield marked(mark, line) if mark and number == 0 else text(" " * lead + line)


def clip(words: str, width: int) -> str:
    """At most `width` columns, with `..` at the end where something is left out."""
    return words if len(words) <= width else words[: max(0, width - 2)] + ".."


class Page(Widget, can_focus=True):
    """Rows from the top, a `>` in column 1 at the row under the cursor, and a word when there is more below.

    Keys move the cursor between rows with a key; on a page without such rows they scroll.
    """

    GUTTER: ClassVar[int] = 2
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+p", "move(-1)", "up", show=False),
        Binding("down,ctrl+n", "move(1)", "down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "page down", show=False),
        Binding("home", "edge(-1)", "first", show=False),
        Binding("end", "edge(1)", "last", show=False),
    ]

    def __init__(self, rows: Sequence[Row] = (), *, id: str | None = None, focusable: bool = True) -> None:
        super().__init__(id=id)
        self.can_focus = focusable
        self.rows: Sequence[Row] = rows
        self.cursor = -1
        self.top = 0
        self.followed = False
        """The cursor has been in sight. A page whose first stop is far below opens at its top all the same."""

    @property
    def key(self) -> str:
        """What the row under the cursor stands for; "" where there is none."""
        return self.rows[self.cursor].key if 0 <= self.cursor < len(self.rows) else ""

    @property
    def room(self) -> int:
        """Lines for rows; the last line says that there is more when not all fit."""
        height = self.size.height
        return height - 1 if len(self.rows) > height > 1 else height

    def show(self, rows: Sequence[Row], cursor: str | None = None) -> None:
        """Draw these rows from now on; the cursor stays at its key, or near where it was if that is gone.

        Args:
            cursor: the key to put the cursor at.
        """
        wanted = self.key if cursor is None else cursor
        self.followed = self.followed or cursor is not None
        self.rows = rows
        if not (0 <= self.cursor < len(rows) and rows[self.cursor].key == wanted and wanted):
            found = next((i for i, row in enumerate(rows) if row.key and row.key == wanted), None)
            self.cursor = self._stop(max(0, self.cursor), 1) if found is None else found
        self._follow()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        room = self.room
        index = self.top + y
        if y >= room:
            return Strip([Segment(self._hint(), base)])
        if index >= len(self.rows):
            return Strip.blank(self.size.width, base)
        row = self.rows[index]
        at_cursor = index == self.cursor and self.has_focus
        segments = [Segment((">" if at_cursor else " ").ljust(self.GUTTER), base)]
        for part in row.parts:
            words, style = (part, PLAIN) if isinstance(part, str) else part
            segments.append(Segment(words, base + style))
        return Strip(segments)

    def _hint(self) -> str:
        after = len(self.rows) - self.top - self.room
        return f"  ({len(self.rows)} lines, more below)" if after > 0 else f"  ({len(self.rows)} lines, more above)"

    def _stop(self, start: int, step: int) -> int:
        """The next row with a key from `start` on in that direction, else in the other; -1 if there is none."""
        size = len(self.rows)
        start = max(0, min(start, size - 1))
        ahead, behind = range(start, size), range(start, -1, -1)
        order = (ahead, behind) if step > 0 else (behind, ahead)
        return next((i for way in order for i in way if i < size and self.rows[i].key), -1)

    @property
    def _stride(self) -> int:
        """Rows that a step beyond the edge scrolls by.

        A terminal scrolls whole rows only. Where something stands beside the page each scroll paints all of it again,
        a quarter of a second at 9600 baud, so there it goes on by three quarters of the page and then rests.
        """
        return max(1, self.room * 3 // 4) if self.size.width < self.screen.size.width else 1

    def _follow(self, further: int = 0) -> None:
        """Scroll so that the cursor shows, with the rows above the first stop when it is near the top.

        Args:
            further: rows to scroll beyond what the cursor needs, down or up, if it has to scroll at all.
        """
        room, size = max(1, self.room), len(self.rows)
        self.followed = self.followed or self.top <= self.cursor < self.top + room
        if self.cursor >= 0 and self.followed:
            top = max(min(self.top, self.cursor), self.cursor - room + 1)
            self.top = top if top == self.top else top + further
            if self.cursor < room and self._stop(0, 1) == self.cursor:
                self.top = 0
        self.top = max(0, min(self.top, size - room))

    def _place(self, cursor: int, further: int = 0) -> None:
        before, top = self.cursor, self.top
        self.cursor, self.followed = cursor, True
        self._follow(further)
        if self.top != top:
            self.refresh()
        elif before != cursor:
            self.refresh(*(Region(0, i - self.top, self.GUTTER, 1) for i in (before, cursor)))

    def _scroll(self, lines: int) -> None:
        top = max(0, min(self.top + lines, len(self.rows) - max(1, self.room)))
        if top != self.top:
            self.top = top
            self.refresh()

    def action_move(self, step: int) -> None:
        """To the next stop if it is in sight or the row after, else scroll: nothing in between is skipped."""
        bottom = self.top + self.room - 1
        if step > 0:
            stops = range(max(self.cursor + 1, self.top), min(bottom + 2, len(self.rows)))
        else:
            stops = range(min(self.cursor - 1, bottom), max(self.top - 2, -1), -1)
        there = next((i for i in stops if self.rows[i].key), None)
        if there is None:
            self._scroll(step if self.cursor < 0 else step * self._stride)
        else:
            self._place(there, step * (self._stride - 1))

    def action_page(self, step: int) -> None:
        jump = max(1, self.room - 1) * step
        self._jump(self._stop(max(0, min(self.cursor + jump, len(self.rows) - 1)), step), jump)

    def action_edge(self, step: int) -> None:
        self._jump(self._stop(0 if step < 0 else len(self.rows) - 1, -step), step * len(self.rows))

    def _jump(self, cursor: int, lines: int) -> None:
        """To that stop; where the cursor is there already, or there are no stops, scroll."""
        if cursor == self.cursor:
            self._scroll(lines)
        else:
            self._place(cursor)

    def on_focus(self) -> None:
        self._repaint_mark()

    def on_blur(self) -> None:
        self._repaint_mark()

    def on_resize(self) -> None:
        self._follow()

    def _repaint_mark(self) -> None:
        if self.cursor >= 0:
            self.refresh(Region(0, self.cursor - self.top, self.GUTTER, 1))
