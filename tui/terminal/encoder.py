"""From cells to the fewest bytes that make a terminal show them.

The encoder remembers what the terminal shows. A frame is the difference to that, in the words of the profile: the
cheapest way to the next cell, attributes as changes rather than from scratch, erasing to the end of a line, scrolling
a block of whole rows where that is cheaper, line drawing by shift-out. It never waits and never writes.
"""

from collections.abc import Sequence

from tui.terminal import palette
from tui.terminal.colours import PLAIN, mapper
from tui.terminal.glyphs import DEC, translator
from tui.terminal.grid import REVERSE, Style
from tui.terminal.pencil import ASCII, BLANK, EITHER, GRAPHICS, Cell, Pencil, Row, seen_on_blank
from tui.terminal.profile import Profile
from tui.terminal.scroll import blocks

# What looks the same after SO. A VT100 keeps everything below `_`; the Linux console has arrows and a block instead of
# + , - . 0 (drivers/tty/vt/consolemap.c), and serial programs run on Linux consoles too.
SAME_AFTER_SO = frozenset(map(chr, range(0x20, 0x5F))) - frozenset("+,-.0")

TRIAL_ROWS = 4
"""From how many changed rows on a scroll or a clear is tried at all."""

CHUNK = 1 << 20
"""Bytes of a frame where nothing else is asked for: all of it."""


class Encoder:
    """The terminal as we left it, and how to get it from there to the next frame.

    Args:
        profile: Its words.
        columns: Its width.
        rows: Its height.
        glyphs: What its font has, where that is known better than the profile does.
        exact: Whether the terminal is known to have just so many rows; else margins name the last row, too.
    """

    def __init__(
        self, profile: Profile, columns: int, rows: int, glyphs: frozenset[str] | None = None, *, exact: bool = True
    ) -> None:
        self.profile = profile
        self.columns, self.rows, self.exact = columns, rows, exact
        self.shown: list[Row] = []
        self._translate = translator(profile.glyphs if glyphs is None else glyphs)
        self._pen_of = mapper(profile)
        self._cells: dict[tuple[str, Style, bool], Cell] = {}
        self._caret_shown: bool | None = None
        self._at = Pencil(profile)
        self.forget()

    def forget(self) -> None:
        """Take nothing on the screen for known: the next frame must follow `start`."""
        self.shown = [[BLANK] * self.columns for _ in range(self.rows)]
        self._at = Pencil(self.profile)
        self._caret_shown = None

    def start(self) -> bytes:
        """Bring the terminal, whatever state it is in, to a blank screen that we know."""
        words = self.profile.words
        out = b""
        if "UTF8" in words:
            out += b"\x1b%G"
        if "ALTERNATE" in words:
            out += b"\x1b[?1049h"
        if "PASTE" in words:
            out += b"\x1b[?2004h"
        if "PALETTE" in words:
            out += palette.SET
        out += b"\x1b(B\x0f"
        if self.profile.graphics:
            out += b"\x1b)0"
        out += b"\x1b[r\x1b[m\x1b[?7l\x1b[2J"
        if "DECTCEM" in words:
            out += b"\x1b[?25l"
        self.forget()
        self._caret_shown = False
        return out

    def stop(self) -> bytes:
        """Give the terminal back: modes, colours and cursor as a shell expects them, on a cleared screen."""
        words = self.profile.words
        out = b"\x1b[r\x1b[m\x0f"
        if self.profile.graphics:
            out += b"\x1b)B"
        if "PALETTE" in words:
            out += palette.RESET
        out += b"\x1b[H\x1b[2J\x1b[?7h"
        if "PASTE" in words:
            out += b"\x1b[?2004l"
        if "ALTERNATE" in words:
            out += b"\x1b[?1049l"
        if "DECTCEM" in words:
            out += b"\x1b[?25h"
        return out

    def look(self, characters: Sequence[str], styles: Sequence[Style], caret: int | None = None) -> Row:
        """A painted row as this terminal shows it.

        Args:
            characters: One a cell, an empty string for the second half of a wide one.
            styles: One a cell.
            caret: The column where the terminal's own cursor stands in for a painted one.
        """
        cells = self._cells
        row = []
        for column, (character, style) in enumerate(zip(characters, styles, strict=True)):
            key = (character, style, column == caret)
            cell = cells.get(key)
            if cell is None:
                cell = cells[key] = self._cell(*key)
            row.append(cell)
        return row

    def _cell(self, character: str, style: Style, caret: bool) -> Cell:
        if caret and style.flags & REVERSE:
            style = style._replace(flags=style.flags & ~REVERSE)
        pen = self._pen_of(style)
        if not character:
            return Cell(b"" if self.profile.glyphs is None else b" ", pen, EITHER)
        shown = self._translate(character)
        if shown == " ":
            return Cell(b" ", seen_on_blank(pen), EITHER)
        if self.profile.graphics and shown in DEC:
            return Cell(DEC[shown].encode(), pen, GRAPHICS)
        if not self.profile.graphics or shown in SAME_AFTER_SO:
            return Cell(shown.encode(), pen, EITHER)
        return Cell(shown.encode(), pen, ASCII)

    def frame(self, target: Sequence[Row], caret: tuple[int, int] | None, limit: int = CHUNK) -> bytes:
        """The bytes that bring the terminal nearer to a target.

        Args:
            target: All rows, from `look`.
            caret: Where the cursor shows, or None to hide it.
            limit: Stop at the end of the row in which so many bytes are reached. What is left comes with the next
                call, which may have a newer target by then.

        Returns:
            Nothing when the terminal shows the target already.
        """
        changed = [y for y in range(self.rows) if target[y] != self.shown[y]]
        out = bytearray()
        if len(changed) >= TRIAL_ROWS:
            out += self._shortcut(target, changed)
            changed = [y for y in range(self.rows) if target[y] != self.shown[y]]
        for y in changed:
            self._at.row(out, y, self.shown[y], target[y])
            self.shown[y] = target[y]
            if len(out) >= limit and y != changed[-1]:
                return bytes(out)
        if caret is not None:
            self._at.go(out, *caret, self.shown[caret[1]])
        if "DECTCEM" in self.profile.words and self._caret_shown is not (caret is not None):
            self._caret_shown = caret is not None
            out += b"\x1b[?25h" if self._caret_shown else b"\x1b[?25l"
        return bytes(out)

    def _shortcut(self, target: Sequence[Row], changed: list[int]) -> bytes:
        """Scroll a block of rows, or clear the screen, where that saves bytes; `shown` is what that leaves."""
        best, best_shown, best_at = b"", self.shown, self._at
        least = self._cost(self._at, self.shown, target, CHUNK)
        tries = [self._clear()] if 2 * len(changed) > self.rows else []
        tries += [self._scroll(*block) for block in blocks(self.shown, target)]
        for out, shown, at in tries:
            cost = len(out) + self._cost(at, shown, target, least - len(out))
            if cost < least:
                least, best, best_shown, best_at = cost, out, shown, at
        self.shown, self._at = best_shown, best_at
        return best

    def _cost(self, at: Pencil, shown: list[Row], target: Sequence[Row], most: int) -> int:
        """Bytes from here to the target; not counted further than `most`."""
        out, at = bytearray(), at.copy()
        for y in range(self.rows):
            if target[y] != shown[y]:
                at.row(out, y, shown[y], target[y])
                if len(out) > most:
                    break
        return len(out)

    def _clear(self) -> tuple[bytes, list[Row], Pencil]:
        out, at = bytearray(), self._at.copy()
        at.draw_with(out, PLAIN)
        return bytes(out + b"\x1b[2J"), [[BLANK] * self.columns for _ in range(self.rows)], at

    def _scroll(self, top: int, bottom: int, by: int) -> tuple[bytes, list[Row], Pencil]:
        out, at = bytearray(), self._at.copy()
        at.draw_with(out, PLAIN)
        edge = bottom if by > 0 else top
        whole = self.exact and (top, bottom) == (0, self.rows - 1)
        if not whole:
            first = b"%d" % (top + 1) if top else b""
            last = b";%d" % (bottom + 1) if bottom + 1 < self.rows or not self.exact else b""
            out += b"\x1b[%s%sr" % (first, last)
            at.x = at.y = 0
        at.go(out, at.x or 0, edge, [])
        out += (b"\n" if by > 0 else b"\x1bM") * abs(by)
        if not whole:
            out += b"\x1b[r"
            at.x = None  # home on a terminal, but not on every emulator
        fresh = [[BLANK] * self.columns for _ in range(abs(by))]
        block = self.shown[top : bottom + 1]
        block = block[by:] + fresh if by > 0 else fresh + block[:by]
        return bytes(out), self.shown[:top] + block + self.shown[bottom + 1 :], at
