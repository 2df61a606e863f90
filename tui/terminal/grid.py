"""The cells that Textual painted.

Textual writes frames as text with two control functions, CUP and SGR (and a few that no terminal of ours needs). The
grid executes those two and nothing else, so whatever else a release of Textual may send ends here.
"""

import re
from typing import NamedTuple

from tui.terminal.glyphs import width

DEFAULT = -1
RGB = 1 << 24
"""Set in a colour that is red, green and blue in its low 24 bits; else a colour is an index or DEFAULT."""

BOLD, DIM, ITALIC, UNDERLINE, BLINK, REVERSE, STRIKE = (1 << n for n in range(7))

TOKEN = re.compile(
    r"\x1b\[(?P<sgr>[0-9;]*)m"
    r"|\x1b\[(?P<row>[0-9]+);(?P<column>[0-9]+)H"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<bell>\x07)"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x1f\x7f-\x9f]"
)


class Style(NamedTuple):
    """How a cell was painted: colours as above, and flags."""

    fg: int = DEFAULT
    bg: int = DEFAULT
    flags: int = 0


PLAIN = Style()

_ON = {1: BOLD, 2: DIM, 3: ITALIC, 4: UNDERLINE, 5: BLINK, 7: REVERSE, 9: STRIKE}
_OFF = {22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 25: BLINK, 27: REVERSE, 29: STRIKE}


def select(style: Style, parameters: str) -> Style:
    """A style after one SGR (ECMA-48 8.3.117, with the 256 and 24-bit colours of xterm)."""
    fg, bg, flags = style
    numbers = iter([int(part or 0) for part in parameters.split(";")])
    for n in numbers:
        if n == 0:
            fg, bg, flags = PLAIN
        elif n in _ON:
            flags |= _ON[n]
        elif n in _OFF:
            flags &= ~_OFF[n]
        elif 30 <= n <= 37:
            fg = n - 30
        elif 40 <= n <= 47:
            bg = n - 40
        elif 90 <= n <= 97:
            fg = n - 82
        elif 100 <= n <= 107:
            bg = n - 92
        elif n == 39:
            fg = DEFAULT
        elif n == 49:
            bg = DEFAULT
        elif n in (38, 48):
            deep = next(numbers, 0) == 2
            if deep:
                red, green, blue = (next(numbers, 0) & 255 for _ in range(3))
                colour = RGB | red << 16 | green << 8 | blue
            else:
                colour = next(numbers, 0) & 255
            fg, bg = (colour, bg) if n == 38 else (fg, colour)
    return Style(fg, bg, flags)


class Grid:
    """Rows of characters and styles, with the rows that changed since they were last taken.

    A character two columns wide is followed by an empty string. Not thread-safe: its owner holds a lock.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.characters: list[list[str]] = []
        self.styles: list[list[Style]] = []
        self.changed: set[int] = set()
        self.bells = 0
        self._x = self._y = 0
        self._style = PLAIN
        self._known: dict[tuple[Style, str], Style] = {}
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Take a new size; what was painted is forgotten, since Textual paints all of it again."""
        self.columns, self.rows = columns, rows
        self.characters = [[" "] * columns for _ in range(rows)]
        self.styles = [[PLAIN] * columns for _ in range(rows)]
        self.changed = set(range(rows))

    def feed(self, data: str) -> None:
        """Execute what Textual wrote."""
        for token in TOKEN.finditer(data):
            last = token.lastgroup
            if last == "text":
                self._put(token["text"])
            elif last == "sgr":
                key = (self._style, token["sgr"])
                style = self._known.get(key)
                if style is None:
                    style = self._known[key] = select(*key)
                self._style = style
            elif last == "column":
                self._y, self._x = int(token["row"]) - 1, int(token["column"]) - 1
            elif last == "bell":
                self.bells += 1

    def _put(self, text: str) -> None:
        x, y = self._x, self._y
        if not text.isascii():
            self._put_wide(text)
            return
        self._x = x + len(text)
        if 0 <= y < self.rows and x < self.columns:
            text = text[: self.columns - x]
            end = x + len(text)
            self._mend(y, x, end)
            self.characters[y][x:end] = text
            self.styles[y][x:end] = [self._style] * len(text)
            self.changed.add(y)

    def _put_wide(self, text: str) -> None:
        for character in text:
            columns = width(character)
            if not columns:
                continue
            x, y = self._x, self._y
            self._x = x + columns
            if 0 <= y < self.rows and x + columns <= self.columns:
                self._mend(y, x, x + columns)
                self.characters[y][x : x + columns] = [character, ""][:columns]
                self.styles[y][x : x + columns] = [self._style] * columns
                self.changed.add(y)

    def _mend(self, y: int, start: int, end: int) -> None:
        """Blank the halves of wide characters that a text is about to cut."""
        row = self.characters[y]
        if row[start] == "":
            row[start - 1] = " "
        if end < self.columns and row[end] == "":
            row[end] = " "
