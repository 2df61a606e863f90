"""The least that a change of the screen can cost: a reference for the encoder, which never imports it.

Rows are taken from the top, cells from the left; within that order every choice is tried: to write a cell that is
right already or to jump over it, to erase to the end of the line or some cells, each pen that a blank may have, which
character set to leave on. Before that the screen may be cleared or a block of rows scrolled. So the figure is exact
for one order of cells, and a little too high where another order would be cheaper.

Costs are counted here from the manuals (ECMA-48, VT100, VT220, console_codes(4)) and share no code with the program.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from bench.model import Look

Row = Sequence[Look]
Pen = tuple[str, str, bool, bool, bool]

PLAIN: Pen = ("default", "default", False, False, False)
EMPTY: Look = (" ", *PLAIN)
GRAPHICS = frozenset("◆▒°±┘┐┌└┼─├┤┴┬│≤≥π≠£·")
SAME_IN_GRAPHICS = frozenset(map(chr, range(0x20, 0x5F))) - frozenset("+,-.0")
NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
KEPT = 16
"""States kept at each cell: the cheapest ones. More changes nothing on real screens."""


class Words(NamedTuple):
    """What a terminal has beyond the VT100."""

    ech: bool = False
    off: bool = False
    absolute: bool = False
    bce: bool = False
    hides: bool = False
    graphics: bool = True


TERMINALS = {
    "vt100": Words(),
    "vt220": Words(ech=True, off=True, hides=True),
    "linux": Words(ech=True, off=True, absolute=True, bce=True, hides=True),
    "xterm": Words(ech=True, off=True, absolute=True, bce=True, hides=True, graphics=False),
    "ascii": Words(graphics=False),
}


class State(NamedTuple):
    """Where the cursor is (column None where it is not known), its pen, and whether shift-out is on."""

    x: int | None
    y: int
    pen: Pen = PLAIN
    shifted: bool = False


def blank_pen(pen: Pen) -> Pen:
    fg, bg, _, underline, reverse = pen
    return (fg if underline or reverse else "default", bg, False, underline, reverse)


def code(colour: str, base: int) -> str:
    if colour == "default":
        return str(base + 9)
    bright = colour.startswith("bright")
    name = colour.removeprefix("bright")
    if name in NAMES:
        return str(base + 60 * bright + NAMES.index(name))
    return f"{base + 8};5;{256 - 1}" if colour else ""


@lru_cache(None)
def attributes(old: Pen, new: Pen, off: bool) -> int:
    """Bytes of the shortest SGR between two pens."""
    if old == new:
        return 0
    flags = [n for n, on in zip("147", new[2:], strict=True) if on]
    anew = [c for c, base in ((new[0], 30), (new[1], 40)) if c != "default" for c in [code(c, base)]]
    best = 3 + sum(1 + len(part) for part in [*flags, *anew])
    lost = [n for n, was, on in zip("147", old[2:], new[2:], strict=True) if was and not on]
    if not lost or off:
        gained = [n for n, was, on in zip("147", old[2:], new[2:], strict=True) if on and not was]
        parts = ["2" + n for n in lost] + gained
        parts += [code(new[n], base) for n, base in ((0, 30), (1, 40)) if old[n] != new[n]]
        best = min(best, 2 + sum(1 + len(part) for part in parts))
    return best


@lru_cache(None)
def move(words: Words, x0: int | None, y0: int, x: int, y: int) -> int:
    """Bytes of the shortest way between two places, not writing anything."""
    if (x0, y0) == (x, y):
        return 0
    best = 3 + (len(str(y + 1)) if y else 0) + (1 + len(str(x + 1)) if x else 0)
    if x0 is None:
        return best

    def count(n: int) -> int:
        return 3 + (len(str(n)) if n > 1 else 0)

    down = y - y0
    vertical = 0
    if down > 0:
        vertical = min(down, count(down))
    elif down < 0:
        vertical = min(-2 * down, count(-down))
    if down and words.absolute:
        vertical = min(vertical, 3 + len(str(y + 1)))
    across = 0
    if x > x0:
        across = count(x - x0)
    elif x < x0:
        across = min(x0 - x, count(x0 - x))
    if x != x0:
        across = min(across, 1 + (count(x) if x else 0))
        if words.absolute:
            across = min(across, 3 + len(str(x + 1)))
    return min(best, vertical + across)


class Ideal:
    """Counts for one terminal."""

    def __init__(self, terminal: str) -> None:
        self.words = TERMINALS[terminal]

    def bytes(self, before: Sequence[Row], after: Sequence[Row], cursor: tuple[int, int],
              target: tuple[int, int] | None, pen: Pen = PLAIN, shifted: bool = False) -> int:  # fmt: skip
        """The least bytes from one screen to another.

        Args:
            before: All cells.
            after: All cells.
            cursor: Where it is.
            target: Where it has to be in the end; None where that does not matter.
            pen: What is selected.
            shifted: Whether shift-out is on.
        """
        start = State(*cursor, pen, shifted)
        best = self._painted(before, after, {start: 0}, target)
        changed = sum(b != a for b, a in zip(before, after, strict=True))
        if changed >= 3:
            empty = [[EMPTY] * len(row) for row in before]
            cleared = attributes(pen, PLAIN, self.words.off) + 4
            best = min(best, self._painted(empty, after, {State(*cursor, PLAIN, shifted): cleared}, target))
            for top, bottom, by in self._blocks(before, after):
                moved, cost, state = self._scrolled(before, top, bottom, by, start)
                best = min(best, self._painted(moved, after, {state: cost}, target))
        return best

    def _painted(self, before: Sequence[Row], after: Sequence[Row], states: dict[State, int],
                 target: tuple[int, int] | None) -> int:  # fmt: skip
        for y, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                states = self._row(old, new, y, states)
        if target is None:
            return min(states.values())
        return min(cost + self._reach(state, target, after[target[1]]) for state, cost in states.items())

    def _reach(self, state: State, target: tuple[int, int], row: Row) -> int:
        x, y = target
        cost = move(self.words, state.x, state.y, x, y)
        if state.y == y and state.x is not None and state.x < x < state.x + cost:
            between = row[state.x : x]
            if all(self._same(state, cell) for cell in between):
                cost = min(cost, sum(self._width(cell[0]) for cell in between))
        return cost

    def _same(self, state: State, cell: Look) -> bool:
        fits = blank_pen(state.pen) == cell[1:] if cell[0] == " " else state.pen == cell[1:]
        return fits and self._shift(cell[0], state.shifted) == state.shifted

    def _shift(self, character: str, now: bool) -> bool:
        if not self.words.graphics or character in SAME_IN_GRAPHICS:
            return now
        return character in GRAPHICS

    def _width(self, character: str) -> int:
        return 1 if self.words.graphics and character in GRAPHICS else len(character.encode())

    def _row(self, old: Row, new: Row, y: int, states: dict[State, int]) -> dict[State, int]:
        width = len(new)
        pens = {cell[1:] for cell in new if cell[0] != " "}
        tail = width
        while tail and new[tail - 1] == new[-1]:
            tail -= 1
        if not self._erasable(new[-1]):
            tail = width
        ends: dict[State, int] = {}
        later: list[dict[State, int]] = [{} for _ in range(width + 1)]
        later[0] = dict(states)
        for x in range(width):
            cell, changed = new[x], old[x] != new[x]
            wrong_after = any(old[n] != new[n] for n in range(x, width))
            for state, cost in sorted(later[x].items(), key=lambda item: item[1])[:KEPT]:
                if not wrong_after:
                    _relax(ends, state, cost)
                    continue
                if not changed:
                    _relax(later[x + 1], state, cost)
                here = state.x == x and state.y == y
                if not changed and not here:
                    continue
                there = cost + move(self.words, state.x, state.y, x, y)
                if x >= tail:
                    for pen in self._erasers(cell, state.pen):
                        erased = there + attributes(state.pen, pen, self.words.off) + 3
                        _relax(ends, State(x, y, pen, state.shifted), erased)
                if changed and self.words.ech and self._erasable(cell):
                    run = x
                    while run < width and new[run] == cell:
                        run += 1
                    while old[run - 1] == new[run - 1]:
                        run -= 1
                    for pen in self._erasers(cell, state.pen):
                        erased = there + attributes(state.pen, pen, self.words.off) + 3 + len(str(run - x))
                        _relax(later[run], State(x, y, pen, state.shifted), erased)
                for pen in self._pens(cell, state.pen, pens):
                    shifted = self._shift(cell[0], state.shifted)
                    written = there + attributes(state.pen, pen, self.words.off)
                    written += (shifted != state.shifted) + self._width(cell[0])
                    _relax(later[x + 1], State(x + 1 if x + 1 < width else None, y, pen, shifted), written)
        for state, cost in later[width].items():
            _relax(ends, state, cost)
        return dict(sorted(ends.items(), key=lambda item: item[1])[:KEPT])

    def _erasable(self, cell: Look) -> bool:
        character, _, bg, _, underline, reverse = cell
        return character == " " and not underline and not reverse and (bg == "default" or self.words.bce)

    def _erasers(self, cell: Look, now: Pen) -> Iterable[Pen]:
        fits = now[1] == cell[2] and not now[3] and not now[4]
        return [now] if fits else [cell[1:]]

    def _pens(self, cell: Look, now: Pen, pens: set[Pen]) -> Iterable[Pen]:
        if cell[0] != " ":
            return [cell[1:]]
        if blank_pen(now) == cell[1:]:
            return [now]
        return [cell[1:], *(pen for pen in pens if blank_pen(pen) == cell[1:])]

    def _blocks(self, before: Sequence[Row], after: Sequence[Row]) -> list[tuple[int, int, int]]:
        """For each distance the stretch of rows that brings most cells into place; the best six."""
        height, found = len(after), []
        for by in [n for k in range(1, height // 2 + 1) for n in (k, -k)]:
            rows = [y for y in range(height) if 0 <= y + by < height]
            moved = {y: _gain(before[y], before[y + by], after[y]) for y in rows}
            emptied = [_gain(before[y], [EMPTY] * len(before[y]), after[y]) for y in range(height)]
            stretches = []
            for first in rows:
                for last in range(first, rows[-1] + 1):
                    left = emptied[last + 1 : last + 1 + by] if by > 0 else emptied[first + by : first]
                    gain = sum(moved[y] for y in range(first, last + 1)) + sum(left)
                    stretches.append((gain, first - last, first, last))
            gain, _, first, last = max(stretches)
            if gain > 5:
                found.append((gain, (first, last + by, by) if by > 0 else (first + by, last, by)))
        return [block for _, block in sorted(found, reverse=True)[:6]]

    def _scrolled(self, before: Sequence[Row], top: int, bottom: int, by: int,
                  start: State) -> tuple[list[Row], int, State]:  # fmt: skip
        last, edge = len(before) - 1, bottom if by > 0 else top
        cost = attributes(start.pen, PLAIN, self.words.off) + abs(by) * (1 if by > 0 else 2)
        state = State(0, 0, PLAIN, start.shifted)
        if (top, bottom) == (0, last):  # the whole screen needs no margins
            x = start.x or 0
            cost += move(self.words, start.x, start.y, x, edge)
            state = State(x, edge, PLAIN, start.shifted)
        else:
            first = str(top + 1) if top else ""
            second = f";{bottom + 1}" if bottom < last else ""
            cost += 3 + len(first + second) + 3 + move(self.words, 0, 0, 0, edge)
        empty: list[Row] = [[EMPTY] * len(before[0]) for _ in range(abs(by))]
        block = list(before[top : bottom + 1])
        block = block[by:] + empty if by > 0 else empty + block[:by]
        return [*before[:top], *block, *before[bottom + 1 :]], cost, state


def _gain(now: Row, then: Row, wanted: Row) -> int:
    return sum((b == c) - (a == c) for a, b, c in zip(now, then, wanted, strict=True))


def _relax(states: dict[State, int], state: State, cost: int) -> None:
    if cost < states.get(state, 1 << 30):
        states[state] = cost
