"""Which rows of a screen could be scrolled into place."""

from collections.abc import Sequence

from tui.terminal.pencil import BLANK, Row

WORTH = 12
"""Cells that a scroll must bring into place to be tried."""


def blocks(shown: Sequence[Row], target: Sequence[Row]) -> list[tuple[int, int, int]]:
    """Blocks of rows that the target has, more or less, elsewhere: (top, bottom, rows up), the best three first.

    A list beside a column that stays is worth scrolling, too, though the column must be mended afterwards.
    """
    height = len(target)
    empty: Row = [BLANK] * len(target[0])
    vacated = [_gain(shown[y], empty, target[y]) for y in range(height)]
    found = []
    for by in range(-height // 2, height // 2 + 1):
        best, gain, first = (0, 0, 0), 0, 0
        for y in range(max(0, -by), min(height, height - by)) if by else ():
            before = sum(vacated[y + by : y]) if by < 0 else 0
            if gain <= before:
                gain, first = before, y
            gain += _gain(shown[y], shown[y + by], target[y])
            total = gain + (sum(vacated[y + 1 : y + 1 + by]) if by > 0 else 0)
            if total > best[0]:
                best = (total, first, y)
        gain, first, last = best
        if gain >= WORTH:
            found.append((gain, (first, last + by, by) if by > 0 else (first + by, last, by)))
    found.sort(reverse=True)
    return [block for _, block in found[:3]]


def _gain(here: Row, there: Row, wanted: Row) -> int:
    """Cells that are right after moving a row there minus those that were right before."""
    if here is wanted or here == wanted:
        return -sum(a is not b and a != b for a, b in zip(there, wanted, strict=True))
    if there == wanted:
        return sum(a is not b and a != b for a, b in zip(here, wanted, strict=True))
    return sum((b == c) - (a == c) for a, b, c in zip(here, there, wanted, strict=True) if a is not b)
