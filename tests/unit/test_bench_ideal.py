"""A dozen small screens whose least bytes were counted by hand: the reference that the encoder is measured against."""

import pytest

from bench.ideal import EMPTY, Ideal

BOLD = ("default", "default", True, False, False)
REVERSE = ("default", "default", False, False, True)
RED = ("red", "default", False, False, False)
ON_BLUE = ("white", "blue", False, False, False)


def screen(*lines, width=20, height=8):
    """Cells from lines; a line is a text or a list of (text, pen)."""
    rows = []
    for line in lines:
        row = []
        for text, pen in [(line, EMPTY[1:])] if isinstance(line, str) else line:
            row += [(c, *pen) if c != " " or pen[1] != "default" or pen[4] else EMPTY for c in text]
        rows.append(row + [EMPTY] * (width - len(row)))
    return rows + [[EMPTY] * width for _ in range(height - len(rows))]


NAME = screen("Name: ab", "Host:")
LIST = [letter * 15 for letter in "abcdefgh"]

HAND_COUNTED = [
    # nothing
    ("same", "vt100", NAME, NAME, (8, 0), (8, 0), 0),
    # `c` at the cursor
    ("type", "vt100", NAME, screen("Name: abc", "Host:"), (8, 0), (9, 0), 1),
    # BS, blank, BS
    ("rub out", "vt100", NAME, screen("Name: a", "Host:"), (8, 0), (7, 0), 3),
    # from (8,0) to (6,1): LF BS BS
    ("next field", "vt100", NAME, NAME, (8, 0), (6, 1), 3),
    # CR `>`, LF BS blank, to be left anywhere: 2 + 3
    ("mark", "vt100", screen(" one", ">two"), screen(">one", " two"), (4, 0), None, 5),
    # ESC[H (3), ESC[1m (4), Warn (4), ESC[m (3), ` now` (4)
    ("bold word", "vt100", screen(), screen([("Warn", BOLD), (" now", EMPTY[1:])]), (5, 5), None, 18),
    # ESC[H ESC[K: 6; five blanks would be 3 + 5
    ("erase", "vt100", screen("hello"), screen(), (5, 5), None, 6),
    # on a VT220 eleven blanks before an x that stays: ESC[H ESC[11X = 3 + 5; then nothing
    ("erase some", "vt220", screen("hello world" + " " * 8 + "x"), screen(" " * 19 + "x"), (5, 5), None, 8),
    # SO l q q k, CR LF x, two blanks jumped over or written, x: ESC[H 3, SO 1, lqqk 4, CR LF 2, x2blank x 4 = 14
    ("frame", "vt100", screen(), screen("┌──┐", "│  │"), (5, 5), None, 14),
    # ESC[8H 4, LF scrolls the whole screen 1, fifteen letters
    ("scroll all", "vt100", screen(*LIST), screen(*LIST[1:], "x" * 15), (0, 0), None, 20),
    # the last row stays: ESC[;7r 5, ESC[7H 4, LF 1, ESC[r 3, ESC[7H 4, fifteen letters
    ("scroll", "vt100", screen(*LIST), screen(*LIST[1:7], "x" * 15, LIST[7]), (0, 0), None, 32),
    # linux: ESC[H 3, ESC[31m 5, no 2, ESC[37;44m 8, blue 4
    ("colours", "linux", screen(), screen([("no", RED), ("blue", ON_BLUE)]), (5, 5), None, 22),
]


@pytest.mark.parametrize(
    ("terminal", "before", "after", "cursor", "target", "least"),
    [row[1:] for row in HAND_COUNTED],
    ids=[row[0] for row in HAND_COUNTED],
)
def test_hand_counted_screens(terminal, before, after, cursor, target, least):
    assert Ideal(terminal).bytes(before, after, cursor, target) == least
