"""The terminal that judges: pyte, with what pyte lacks of the terminals we speak to."""

import codecs
import re
from typing import ClassVar

import pyte
from pyte.screens import Margins

# What pyte does not parse, or parses wrongly: private modes it lacks, OSC with its string, ESC ] P of the Linux console
UNPARSED = re.compile(
    "\x1b\\]P[0-9A-Fa-f]{7}|\x1b\\]R"
    "|\x1b\\[[<=>][0-?]*[ -/]*[@-~]"
    "|\x1b\\][^\x07\x18\x1a\x1b]*(?:[\x07\x18\x1a]|\x1b\\\\)"
    "|\x1b\\[[0-?]*[ -/]+[@-~]"
    "|\x1b[PX^_][^\x1b]*\x1b\\\\"
    "|\x1b\\[[0-?]*[tu]"
    "|\x1b%[G@]"
)
OPEN = re.compile("\x1b(?:\\[[0-?]*[ -/]*|\\](?:P[0-9A-Fa-f]{0,6})?|\\][^\x07\x18\x1a\x1bP]*|[PX^_][^\x1b]*|[()%]?)$")

Look = tuple[str, str, str, bool, bool, bool]
"""Character, foreground, background, bold, underline, reverse."""


class _Screen(pyte.Screen):
    last = " "

    def draw(self, data: str) -> None:
        if data:
            self.last = data[-1]
        super().draw(data)

    def repeat(self, count: int | None = None, **_: object) -> None:
        super().draw(self.last * (count or 1))

    def scroll_up(self, count: int | None = None, **_: object) -> None:
        self._scroll(count or 1, 1)

    def scroll_down(self, count: int | None = None, **_: object) -> None:
        self._scroll(count or 1, -1)

    def _scroll(self, count: int, direction: int) -> None:
        top, bottom = self.margins or Margins(0, self.lines - 1)
        x, y = self.cursor.x, self.cursor.y
        for _ in range(count):
            self.cursor.y = bottom if direction > 0 else top
            self.index() if direction > 0 else self.reverse_index()
        self.cursor.x, self.cursor.y = x, y

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        if how <= 2:  # pyte breaks at others; a terminal does nothing
            self._plain(lambda: super(_Screen, self).erase_in_line(how, private))

    def erase_in_display(self, how: int = 0, *rest: object, **more: object) -> None:
        if how <= 3:
            self._plain(lambda: super(_Screen, self).erase_in_display(how, *rest, **more))

    def erase_characters(self, count: int | None = None) -> None:
        self._plain(lambda: super(_Screen, self).erase_characters(count))

    def _plain(self, erase: object) -> None:
        """Erase as terminals do: with the background, without attributes (pyte keeps reverse and underline)."""
        attributes = self.cursor.attrs
        self.cursor.attrs = self.default_char._replace(bg=attributes.bg)
        erase()  # type: ignore[operator]
        self.cursor.attrs = attributes

    def report_device_attributes(self, *_: object, **__: object) -> None:
        """The runner answers, or does not."""

    def report_device_status(self, *_: object, **__: object) -> None:
        """The runner answers, or does not."""


class _Stream(pyte.Stream):
    csi: ClassVar[dict[str, str]] = dict(pyte.Stream.csi, b="repeat", S="scroll_up", T="scroll_down")
    events = frozenset(pyte.Stream.events | {"repeat", "scroll_up", "scroll_down"})


class Model:
    """Bytes in, screen out."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.screen = _Screen(columns, rows)
        self.stream = _Stream(self.screen)
        self.stream.use_utf8 = False  # else pyte ignores shift-out and ESC ( 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pending = ""

    def feed(self, data: bytes) -> None:
        text = self._pending + self._decode(data)
        self._pending = ""
        cut = OPEN.search(text)
        if cut and cut.end() == len(text) and len(text) - cut.start() < 4096:
            self._pending, text = text[cut.start() :], text[: cut.start()]
        self.stream.feed(UNPARSED.sub("", text))

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)

    @property
    def cursor(self) -> tuple[int, int]:
        return min(self.screen.cursor.x, self.screen.columns - 1), self.screen.cursor.y

    @property
    def cursor_hidden(self) -> bool:
        return bool(self.screen.cursor.hidden)

    def text(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def looks(self) -> list[list[Look]]:
        """All cells. What cannot be seen on a blank is left out."""
        rows = []
        for y in range(self.screen.lines):
            line = self.screen.buffer[y]
            row = []
            for x in range(self.screen.columns):
                c = line[x]
                if c.data == " ":
                    fg = c.fg if c.reverse or c.underscore else "default"
                    row.append((" ", fg, c.bg, False, c.underscore, c.reverse))
                else:
                    row.append((c.data, c.fg, c.bg, c.bold, c.underscore, c.reverse))
            rows.append(row)
        return rows
