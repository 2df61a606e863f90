"""The encoder: whatever was shown, the terminal shows the next frame after it, in words and glyphs that it has."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.model import Model
from tui.terminal.encoder import Encoder
from tui.terminal.grid import BOLD, REVERSE, UNDERLINE, Grid, Style
from tui.terminal.profile import PROFILES

COLUMNS, ROWS = 20, 8

# Written from the manuals, not taken from the profiles: what may be on the line at all
VT100 = (
    r"\x1b\[[0-9]*[ABCD]|\x1b\[[0-9]*(?:;[0-9]*)?[Hr]|\x1b\[[02]?J|\x1b\[0?K|\x1bM|\x1b\[\?7[hl]|\x1b\([B]|\x1b\)[0B]"
    r"|\x1b\[(?:[0147]?(?:;[147])*)m|[\x08\n\r\x0e\x0f]|[ -~]"
)
VT220 = VT100 + r"|\x1b\[[0-9]+X|\x1b\[\?25[hl]|\x1b\[(?:[0147]|2[247])?(?:;(?:[147]|2[247]))*m"
COLOURS = r"(?:[0147]|2[247]|[349][0-7]|39|49)"
LINUX = VT220 + rf"|\x1b\[{COLOURS}?(?:;{COLOURS})*m|\x1b\[[0-9]+[Gd]|\x1b\]P[0-9A-F]{{7}}|\x1b\]R|\x1b%G|[ -퟿]"
DEEP = r"(?:[0147]|2[247]|[349][0-7]|10[0-7]|39|49|[34]8;5;[0-9]{1,3}|[34]8;2;[0-9]{1,3};[0-9]{1,3};[0-9]{1,3})"
XTERM = VT220 + rf"|\x1b\[{DEEP}?(?:;{DEEP})*m|\x1b\[[0-9]+[Gd]|\x1b\[\?1049[hl]|\x1b\[\?2004[hl]|[ -￿]"
ALLOWED = {"vt100": VT100, "ascii": VT100, "vt220": VT220, "linux": LINUX, "xterm": XTERM}

styles = st.builds(
    Style,
    st.sampled_from([-1, 0, 1, 4, 7, 9, 15]),
    st.sampled_from([-1, -1, -1, 0, 4, 7, 12]),
    st.sampled_from([0, 0, 0, BOLD, UNDERLINE, REVERSE, BOLD | REVERSE]),
)
texts = st.text(st.sampled_from("  abcXY019+-.,qx─│┌┘■→é"), min_size=1, max_size=COLUMNS)


@st.composite
def paintings(draw):
    """A few things that are painted, and whether everything is moved up or down first."""
    runs = draw(
        st.lists(
            st.tuples(st.integers(0, COLUMNS - 1), st.integers(0, ROWS - 1), styles, texts), min_size=1, max_size=9
        )
    )
    shift = draw(st.sampled_from([0, 0, 0, 1, -1, 3]))
    caret = draw(st.none() | st.tuples(st.integers(0, COLUMNS - 1), st.integers(0, ROWS - 1)))
    return runs, shift, caret


def paint(grid, runs, shift):
    if shift:
        order = [(y + shift) % ROWS for y in range(ROWS)]
        grid.characters = [grid.characters[y] for y in order]
        grid.styles = [grid.styles[y] for y in order]
    for x, y, style, text in runs:
        text = text[: COLUMNS - x]
        grid.characters[y][x : x + len(text)] = list(text)
        grid.styles[y][x : x + len(text)] = [style] * len(text)


def rows_of(encoder, grid, caret=None):
    return [
        encoder.look(grid.characters[y], grid.styles[y], caret[0] if caret and caret[1] == y else None)
        for y in range(grid.rows)
    ]


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=30)
@given(frames=st.lists(paintings(), min_size=1, max_size=4))
def test_differences_lead_to_the_same_screen_as_painting_anew(name, frames):
    profile = PROFILES[name]
    encoder, grid, model = Encoder(profile, COLUMNS, ROWS), Grid(COLUMNS, ROWS), Model(COLUMNS, ROWS)
    sent = encoder.start()
    model.feed(sent)
    for runs, shift, caret in frames:
        paint(grid, runs, shift)
        target = rows_of(encoder, grid, caret)
        data = encoder.frame(target, caret)
        model.feed(data)
        anew, judge = Encoder(profile, COLUMNS, ROWS), Model(COLUMNS, ROWS)
        judge.feed(anew.start())
        for y, row in enumerate(target):  # a row at a time, absolutely placed: no shortcut is taken
            judge.feed(b"\x1b[%dH" % (y + 1) + plain_row(anew, row))
        assert model.looks() == judge.looks()
        if caret is not None:
            assert model.cursor == caret
            assert not model.cursor_hidden
        sent += data
    text = sent.decode()
    assert re.fullmatch(f"(?:{ALLOWED[name]})*", text), re.sub(ALLOWED[name], "", text)


def plain_row(encoder, row):
    """Every cell with all its attributes, nothing clever."""
    out = b""
    for cell in row:
        codes = ["0"]
        codes += [code for code, on in zip("147", cell.pen[2:], strict=True) if on]
        for colour, base in ((cell.pen.fg, 30), (cell.pen.bg, 40)):
            if colour >= 0:
                codes.append(str(base + colour if colour < 8 else base + 52 + colour))
        shift = b"\x0e" if cell.charset == 2 else b"\x0f"
        out += b"\x1b[" + ";".join(codes).encode() + b"m" + shift + cell.bytes
    return out + b"\x1b[0m\x0f"


@pytest.fixture(params=PROFILES)
def screen(request):
    """An encoder whose terminal shows three lines of text, and the grid behind it."""
    encoder, grid = Encoder(PROFILES[request.param], 80, 24), Grid(80, 24)
    encoder.start()
    grid.feed("\x1b[1;1HAddress\x1b[2;1HGateway\x1b[3;1HName")
    encoder.frame(rows_of(encoder, grid), (10, 0))
    return encoder, grid


def test_a_typed_character_is_one_byte(screen):
    encoder, grid = screen
    grid.feed("\x1b[1;11H1")
    assert encoder.frame(rows_of(encoder, grid), (11, 0)) == b"1"


def test_nothing_new_is_nothing_sent(screen):
    encoder, grid = screen
    assert encoder.frame(rows_of(encoder, grid), (10, 0)) == b""


def test_the_caret_goes_down_by_a_line_feed(screen):
    encoder, grid = screen
    assert encoder.frame(rows_of(encoder, grid), (10, 1)) == b"\n"


def test_a_long_list_scrolls_instead_of_being_written(screen):
    encoder, grid = screen
    for y in range(24):
        grid.feed(f"\x1b[{y + 1};1Hhost-{y:02} is registered and content is complete")
    encoder.frame(rows_of(encoder, grid), None)
    for y in range(24):
        grid.feed(f"\x1b[{y + 1};1Hhost-{y + 1:02} is registered and content is complete")
    assert len(encoder.frame(rows_of(encoder, grid), None)) < 80


def test_a_frame_can_be_taken_in_pieces(screen):
    encoder, grid = screen
    for y in range(24):
        grid.feed(f"\x1b[{y + 1};1H{'abcdefgh' * 9}")
    pieces = []
    while piece := encoder.frame(rows_of(encoder, grid), None, limit=100):
        pieces.append(piece)
    assert len(pieces) > 10
    assert max(map(len, pieces)) < 200


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("vt100", "─═│┃╭", "──││┌"),
        ("vt100", "✓ ● → é", "v * > e"),
        ("vt220", "日a", "? a"),
        ("ascii", "┌─┐│█", "+-+|#"),
        ("linux", "╭═╮▔▎✓", "┌═┐-|v"),
        ("xterm", "╭▔✓", "╭▔✓"),
    ],
)
def test_glyphs_that_a_terminal_lacks_get_a_look_alike(name, text, shown):
    encoder, grid, model = Encoder(PROFILES[name], 20, 1), Grid(20, 1), Model(20, 1)
    model.feed(encoder.start())
    grid.feed(f"\x1b[1;1H{text}")
    model.feed(encoder.frame(rows_of(encoder, grid), None))
    assert model.text() == [shown]


def test_a_font_that_is_known_decides():
    encoder, grid, model = Encoder(PROFILES["linux"], 20, 1, frozenset("─✓")), Grid(20, 1), Model(20, 1)
    model.feed(encoder.start())
    grid.feed("\x1b[1;1H✓═■")
    model.feed(encoder.frame(rows_of(encoder, grid), None))
    assert model.text() == ["✓─#"]


def test_a_background_is_reverse_video_where_there_are_no_colours():
    encoder, grid = Encoder(PROFILES["vt220"], 20, 1), Grid(20, 1)
    encoder.start()
    grid.feed("\x1b[1;1H\x1b[30;46mhere\x1b[0m")
    assert encoder.frame(rows_of(encoder, grid), None) == b"\x1b[H\x1b[7mhere"


def test_bright_backgrounds_become_dark_ones_on_the_linux_console_and_stay_readable():
    encoder, grid = Encoder(PROFILES["linux"], 20, 1), Grid(20, 1)
    encoder.start()
    grid.feed("\x1b[1;1H\x1b[34;104mhere\x1b[0m")
    sent = encoder.frame(rows_of(encoder, grid), None).decode()
    assert re.fullmatch(r"\x1b\[H\x1b\[3[07];44mhere", sent)
