"""Which terminal it is, and what is prepared for Textual before its import."""

import os
import pty
import subprocess
import sys
import termios

import pytest

from tui.terminal import profile
from tui.terminal.line import CC, IFLAG, LFLAG, OFLAG, cooked
from tui.terminal.profile import PROFILES, choose, prepare_environment, speed, unfit


@pytest.fixture
def line():
    """A pty's slave."""
    master, slave = pty.openpty()
    yield slave
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("term", "name"),
    [("xterm-256color", "xterm"), ("xterm", "xterm"), ("screen.linux", "xterm"), ("tmux-256color", "xterm"),
     ("vt220", "vt220"), ("vt420", "vt220"), ("vt100", "vt100"), ("vt102", "vt100"), ("linux", "linux"),
     ("ansi", "ascii"), ("", "xterm")],
)  # fmt: skip
def test_behind_a_pty_the_terminal_is_what_TERM_says(line, term, name):
    assert profile.kind(line) == "pty"
    assert choose(line, {"TERM": term}).name == name


def test_a_forced_profile_wins(line):
    assert choose(line, {"TERM": "xterm"}, "ascii") is PROFILES["ascii"]
    with pytest.raises(ValueError, match="xterm, linux, vt220, vt100, ascii"):
        choose(line, {}, "vt52")


def test_colours_are_what_the_terminal_says(line):
    assert choose(line, {"TERM": "xterm"}).colours == 16
    assert choose(line, {"TERM": "xterm-256color"}).colours == 256
    assert choose(line, {"TERM": "xterm-256color", "COLORTERM": "truecolor"}).colours == 2**24
    assert choose(line, {"TERM": "vt220", "COLORTERM": "truecolor"}).colours == 0


def test_a_multiplexer_is_not_trusted_to_erase_in_colour(line):
    assert "BCE" in choose(line, {"TERM": "xterm"}).words
    assert "BCE" not in choose(line, {"TERM": "screen"}).words


def test_the_speed_of_a_pty_is_unknown_unless_somebody_set_it(line):
    assert speed(line) == 0
    modes = termios.tcgetattr(line)
    modes[4] = modes[5] = termios.B9600
    termios.tcsetattr(line, termios.TCSANOW, modes)
    assert speed(line) == 9600


def test_what_misleads_textual_is_removed():
    environ = {"NO_COLOR": "1", "COLORTERM": "truecolor", "COLUMNS": "132", "LINES": "43", "KEPT": "yes"}
    prepare_environment(PROFILES["vt220"], environ)
    assert environ["KEPT"] == "yes"
    assert not {"NO_COLOR", "COLORTERM", "COLUMNS", "LINES"} & set(environ)
    assert environ["TEXTUAL_ANIMATIONS"] == "none"
    assert environ["ESCDELAY"] == "300"


def test_where_nothing_can_be_painted_one_sentence_says_what_can_be_done(line):
    for sentence in (unfit({"TERM": "dumb"}, (line, line)), unfit({"TERM": "xterm"}, (line, 9999))):
        assert sentence is not None
        assert "onsite status" in sentence
        assert sentence.count("\n") == 0
    assert unfit({"TERM": "xterm"}, (line, line)) is None
    assert unfit({"TERM": "dumb"}, (line, line), "ascii") is None
    assert unfit({"TERM": "dumb"}, (line, 9999), "ascii") is not None


def test_a_line_that_was_left_raw_is_taken_for_cooked(line):
    whole = termios.tcgetattr(line)
    assert cooked(whole) == whole
    raw = termios.tcgetattr(line)
    raw[LFLAG] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    raw[IFLAG] = raw[OFLAG] = 0
    raw[CC][termios.VINTR] = b"\0"
    sane = cooked(raw)
    assert sane[LFLAG] & termios.ICANON
    assert sane[LFLAG] & termios.ISIG
    assert sane[OFLAG] & termios.ONLCR
    assert sane[IFLAG] & termios.ICRNL
    assert sane[CC][termios.VINTR] == b"\x03"
    assert sane[4:6] == raw[4:6]


def test_choosing_a_profile_imports_neither_textual_nor_anything_heavy():
    code = "import sys, tui.terminal.profile; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not [name for name in ("textual", "rich", "asyncio", "pydantic", "dataclasses") if f"'{name}'" in loaded]
