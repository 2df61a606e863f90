"""One cursor, and the cheapest bytes that draw a row with it."""

from typing import NamedTuple

from tui.terminal.colours import PLAIN, Pen
from tui.terminal.profile import Profile
from tui.terminal.words import sgr, way

SI, SO = b"\x0f", b"\x0e"
EITHER, ASCII, GRAPHICS = range(3)
"""Which character set a byte needs: one that looks the same in both costs no shift."""


class Cell(NamedTuple):
    """What a terminal is told for one cell. The second half of a wide character has no bytes."""

    bytes: bytes
    pen: Pen
    charset: int


BLANK = Cell(b" ", PLAIN, EITHER)
Row = list[Cell]


def seen_on_blank(pen: Pen) -> Pen:
    """A pen without what cannot be seen on a blank."""
    return pen._replace(bold=False) if pen.reverse or pen.underline else pen._replace(fg=PLAIN.fg, bold=False)


class Pencil:
    """Where the terminal's cursor is, and what it draws with.

    `x` is None after the last column: terminals differ on where the cursor is then, so only an absolute move may
    follow.
    """

    __slots__ = ("pen", "profile", "shifted", "x", "y")

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.x: int | None = None
        self.y = 0
        self.pen = PLAIN
        self.shifted = False

    def copy(self) -> "Pencil":
        """Another one in the same state, to try something with."""
        other = Pencil(self.profile)
        other.x, other.y, other.pen, other.shifted = self.x, self.y, self.pen, self.shifted
        return other

    def row(self, out: bytearray, y: int, shown: Row, target: Row) -> None:
        """Append what turns one row into another."""
        width = len(target)
        tail, erasing = self._tail(shown, target)
        end = tail if erasing else width
        x = 0
        while x < end:
            if target[x] == shown[x] or not target[x].bytes:
                x += 1
                continue
            blanks = self._blanks(shown, target, x, end)
            if blanks:
                self.go(out, x, y, target)
                self.draw_with(out, target[x].pen)
                out += b"\x1b[%dX" % blanks
                x += blanks
                continue
            self.go(out, x, y, target)
            self._put(out, target, x)
            x += 1
        if erasing:
            self.go(out, tail, y, target)
            self.draw_with(out, self._eraser(target[tail].pen))
            out += b"\x1b[K"

    def _tail(self, shown: Row, target: Row) -> tuple[int, bool]:
        """Where the blanks at the end of a row begin, and whether erasing them is cheaper than writing them."""
        last = target[-1]
        width = tail = len(target)
        if not self._erasable(last):
            return width, False
        while tail and target[tail - 1] == last:
            tail -= 1
        wrong = [x for x in range(tail, width) if shown[x] != target[x]]
        if not wrong:
            return width, False
        if len(wrong) > 3 or (wrong[-1] == width - 1 and len(wrong) > 2):
            return wrong[0], True
        return width, False

    def _blanks(self, shown: Row, target: Row, x: int, end: int) -> int:
        """How many cells ECH should blank here, if it knows ECH and that is cheaper than blanks."""
        cell = target[x]
        if "ECH" not in self.profile.words or not self._erasable(cell):
            return 0
        last = x
        for there in range(x, end):
            if target[there] != cell:
                break
            if shown[there] != cell:
                last = there
        count = last + 1 - x
        # After ECH the cursor is still in front of the blanks, and what follows is moved to
        further = any(target[there] != shown[there] for there in range(last + 1, end))
        return count if count > (9 if further else 4) else 0

    def _erasable(self, cell: Cell) -> bool:
        pen = cell.pen
        plain = not (pen.underline or pen.reverse)
        return cell.bytes == b" " and plain and (pen.bg == PLAIN.bg or "BCE" in self.profile.words)

    def _eraser(self, pen: Pen) -> Pen:
        """The pen to erase with: as it is, if it would leave such blanks."""
        now = self.pen
        if now.bg == pen.bg and not now.underline and not now.reverse:
            return now
        return pen

    def _put(self, out: bytearray, target: Row, x: int) -> None:
        cell = target[x]
        if not cell.bytes:
            return
        self.draw_with(out, self._pen_for(target, x))
        if cell.charset != EITHER and self.shifted is not (cell.charset == GRAPHICS):
            self.shifted = not self.shifted
            out += SO if self.shifted else SI
        out += cell.bytes
        wide = x + 1 < len(target) and not target[x + 1].bytes
        after = x + 1 + wide
        self.x = after if after < len(target) else None

    def _pen_for(self, target: Row, x: int) -> Pen:
        """The pen for a cell; for a blank, on which a foreground does not show, the one that saves a change."""
        want = target[x].pen
        if target[x].bytes != b" " or seen_on_blank(self.pen) == want:
            return want if target[x].bytes != b" " else self.pen
        for later in target[x + 1 :]:
            if later.bytes != b" ":
                return later.pen if seen_on_blank(later.pen) == want else want
        return want

    def draw_with(self, out: bytearray, pen: Pen) -> None:
        """Append the change of attributes."""
        if pen != self.pen:
            out += sgr(self.profile.words, self.pen, pen)
            self.pen = pen

    def go(self, out: bytearray, x: int, y: int, row: Row) -> None:
        """Append the cheapest way to a cell, perhaps over the cells of its row that are in between."""
        if self.x == x and self.y == y:
            return
        move = way(self.profile.words, self.x, self.y, x, y)
        if self.x is not None and self.y == y and self.x < x <= self.x + len(move):
            between = self._again(row, self.x, x)
            if between is not None and len(between) <= len(move):
                move = between
        out += move
        self.x, self.y = x, y

    def _again(self, row: Row, start: int, end: int) -> bytes | None:
        """The cells from start to end as bytes, if no attribute or character set changes on the way."""
        out = b""
        for cell in row[start:end]:
            blank = cell.bytes == b" " and seen_on_blank(self.pen) == cell.pen
            if not cell.bytes or not (cell.pen == self.pen or blank):
                return None
            if cell.charset != EITHER and self.shifted is not (cell.charset == GRAPHICS):
                return None
            out += cell.bytes
        return out
