"""A real process on a real pty, for every profile: what is on the line, and what is left of it afterwards."""

import os
import signal
import sys
import termios
import time
from pathlib import Path

import pytest

from bench.terminal import Program
from tests.console.allowed import unknown
from tui.terminal.profile import PROFILES

HERE = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.console.sample"]


def environ(**more):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "TERM": "xterm", "PYTHONPATH": str(HERE), **more}


def start(profile, **more):
    return Program([*COMMAND, profile], profile, environ=environ(), **more)


@pytest.fixture(params=PROFILES)
def sample(request):
    with start(request.param) as program:
        program.before = program.modes()
        program.expect("^X leave")
        program.settle(0.5, 1)
        yield program


def assert_restored(program):
    """Modes, colours, character set, cursor and wrapping as a shell expects them."""
    modes = program.modes()
    assert modes[3] & termios.ICANON
    assert modes[3] & termios.ECHO
    assert modes[3] & termios.ISIG
    assert modes[1] & termios.OPOST
    assert modes[0] & termios.ICRNL
    screen = program.model.screen
    assert not screen.cursor.hidden
    assert screen.cursor.attrs == screen.default_char
    assert screen.margins is None
    assert 7 << 5 in screen.mode or 7 in screen.mode
    assert screen.charset == 0
    if program.terminal == "linux":
        assert program.data.rindex(b"\x1b]R") > program.data.rindex(b"\x1b]P")
    if program.terminal == "xterm":
        assert program.data.rindex(b"\x1b[?2004l") > program.data.rindex(b"\x1b[?2004h")
        assert program.data.rindex(b"\x1b[?1049l") > program.data.rindex(b"\x1b[?1049h")


FRAME = {
    "xterm": "┌" + "─" * 78 + "┐",
    "linux": "┌" + "─" * 78 + "┐",
    "vt220": "┌" + "─" * 78 + "┐",
    "vt100": "┌" + "─" * 78 + "┐",
    "ascii": "+" + "-" * 78 + "+",
}
TITLE = {
    "xterm": "Onsite  edge-01  ok → ready ✓ 日本",
    "linux": "Onsite  edge-01  ok → ready v ? ?",
    "vt220": "Onsite  edge-01  ok > ready v ? ?",
    "vt100": "Onsite  edge-01  ok > ready v ? ?",
    "ascii": "Onsite  edge-01  ok > ready v ? ?",
}


def test_the_first_screen(sample):
    lines = sample.model.text()
    assert lines[0].replace("  ", " ") == TITLE[sample.terminal].replace("  ", " ")
    assert lines[1] == FRAME[sample.terminal]
    assert sample.model.cursor == (17, 2)
    assert not sample.model.cursor_hidden


def test_nothing_on_the_line_that_the_terminal_does_not_know(sample):
    sample.press("a", "b", "tab", "f2", "escape", "f3", *["down"] * 25, "up", "escape", "^L")
    sample.send(b"\x18")
    assert sample.reap() == 0
    assert unknown(sample.terminal, bytes(sample.data)) == ""


def test_what_a_new_terminal_would_show_after_repaint_is_what_is_shown(sample):
    sample.press("a", "tab", "b", "f2", "escape", "f3", "down", "down")
    shown = sample.model.looks()
    start_of_repaint = len(sample.data)
    sample.press("^L")
    assert len(sample.data) > start_of_repaint + 300
    assert sample.model.looks() == shown


def test_the_cursor_hides_where_nothing_is_typed(sample):
    sample.press("f3")
    hides = sample.terminal not in ("vt100", "ascii")  # these cannot
    assert sample.model.cursor_hidden is hides
    sample.press("escape")
    assert not sample.model.cursor_hidden
    assert sample.model.cursor == (17, 2)


def test_a_key_goes_on_to_the_next_profile():
    with start("vt220") as program:
        program.expect("^X leave")
        for corner in ("┌", "+", "┌", "┌"):  # vt100, ascii, xterm, vt220
            program.send(b"\x1b9")
            program.settle(0.5, 2)
            assert program.model.text()[1][0] == corner
        program.send(b"\x18")
        assert program.reap() == 0
        assert_restored(program)


def test_leaving_restores_the_line(sample):
    sample.send(b"\x18")
    assert sample.reap() == 0
    assert_restored(sample)
    assert sample.modes() == sample.before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_line(sample, number):
    sample.signal(number)
    assert sample.reap() == 128 + number
    assert_restored(sample)


def test_a_crash_restores_the_line(sample):
    sample.send({"linux": b"\x1b[[D"}.get(sample.terminal, b"\x1bOS"))
    assert sample.reap() == 1
    assert_restored(sample)


def test_a_killed_program_leaves_nothing_that_the_next_one_does_not_repair():
    """The second program runs on the line that the first left raw; what it gives back must work."""
    script = (
        "import os,signal,subprocess,sys,time\n"
        "first = subprocess.Popen(sys.argv[1:])\n"
        "time.sleep(2.5)\n"
        "first.kill(); first.wait()\n"
        "os.write(1, b'KILLED')\n"
        "sys.exit(subprocess.run(sys.argv[1:]).returncode)\n"
    )
    with Program([sys.executable, "-c", script, *COMMAND, "vt220"], "vt220", environ=environ()) as program:
        program.expect("^X leave")
        program.expect("KILLED")
        assert not program.modes()[3] & termios.ECHO
        program.settle(1.5, 10)
        assert "Address" in "\n".join(program.model.text())
        program.send(b"\x18")
        assert program.reap() == 0
        assert_restored(program)


def test_a_line_that_hangs_up_ends_only_this_console():
    program = start("vt220")
    program.expect("^X leave")
    os.close(program.fd)
    until = time.monotonic() + 10
    ended = (0, 0)
    while not ended[0] and time.monotonic() < until:
        ended = os.waitpid(program.pid, os.WNOHANG)
        time.sleep(0.05)
    assert os.waitstatus_to_exitcode(ended[1]) == 129


# Size


def test_a_line_without_a_size_asks_the_terminal():
    with start("vt220", size=(0, 0), answers=True) as program:
        program.model.resize(100, 30)
        program.expect("^X leave")
        assert program.model.text()[1] == "┌" + "─" * 98 + "┐"


def test_a_terminal_that_does_not_answer_is_80_by_24():
    with start("vt100", size=(0, 0)) as program:
        program.expect("^X leave")
        assert program.model.text()[1] == FRAME["vt100"]
        assert unknown("vt100", bytes(program.data)) == ""


def test_what_is_typed_while_the_terminal_is_asked_is_not_lost():
    with start("vt100", size=(0, 0)) as program:
        until = time.monotonic() + 10
        while b"\x1b[6n" not in program.data and time.monotonic() < until:
            program.read(0.1)
        program.send(b"x")
        program.expect("Address         x")


@pytest.mark.parametrize(("columns", "rows"), [(132, 43), (40, 12), (20, 5), (2, 2)])
def test_a_resize_is_followed(columns, rows):
    with start("xterm") as program:
        program.expect("^X leave")
        program.resize(columns, rows)
        program.settle(0.5, 5)
        assert program.status is None
        if columns >= 20:
            assert program.model.text()[0].startswith("Onsite  edge-01")
        program.resize(80, 24)
        program.settle(0.5, 5)
        assert program.model.text()[1] == FRAME["xterm"]


# What a line carries


@pytest.mark.parametrize("profile", PROFILES)
def test_a_megabyte_of_noise_types_and_confirms_nothing(profile):
    import random

    allowed = bytes(b for b in range(256) if not 0x20 <= b < 0x7F and b not in b"\r\n\x03\x04\x11\x1a\x1c")
    noise = bytes(random.Random(7).choices(allowed, k=1_000_000))
    with start(profile) as program:
        program.expect("^X leave")
        program.press("a", "b")
        shown = program.model.text()
        program.send(noise)
        program.settle(0.5, 1)
        program.press("^L")
        assert program.model.text() == shown
        program.press("c")
        program.expect("Address         abc")


def test_a_megabyte_of_any_bytes_is_survived():
    import random

    with start("vt220") as program:
        program.expect("^X leave")
        program.send(random.Random(8).randbytes(1_000_000))
        program.settle(0.5, 2)
        assert program.status in (None, 0)


def test_a_long_paste_with_enter_in_the_middle_does_not_submit():
    text = "\r".join(f"-----BEGIN {n}-----" for n in range(700)).encode()
    assert len(text) > 12_000
    with start("vt100", speed=115200) as program:
        program.expect("^X leave")
        program.send(text)
        program.settle(0.5, 2)
        program.press("^L")
        assert program.model.text()[2] == f"│{'Address':16}{'-----BEGIN 0-----':62}│"
        assert "submitted" not in program.model.text()[0]
        assert program.model.text()[3] == "│Gateway" + " " * 71 + "│"


def test_a_slow_line_gets_the_newest_state_and_no_history():
    with start("vt100", speed=9600) as program:
        program.expect("^X leave", 30)
        program.settle(0.5, 2)
        before = len(program.data)
        for letter in b"abcdefghijklmnopqrst":
            program.send(bytes([letter]))
            time.sleep(0.005)
        program.settle(0.5, 2)
        program.expect("abcdefghijklmnopqrst")
        assert len(program.data) - before < 200


def test_a_line_that_takes_nothing_does_not_hold_the_program():
    with start("vt100") as program:
        program.expect("^X leave")
        program.settle(0.5, 1)
        program.send(b"\x13")  # XOFF
        program.settle(0.3, 0.3)
        before = len(program.data)
        program.signal(signal.SIGTERM)
        began = time.monotonic()
        assert program.reap(10) == 128 + signal.SIGTERM
        assert time.monotonic() - began < 6
        assert len(program.data) == before
        assert program.modes()[3] & termios.ECHO


def test_after_xoff_any_key_lets_the_output_go_on():
    with start("vt220") as program:
        program.expect("^X leave")
        program.send(b"\x13")
        program.settle(0.3, 0.3)
        program.send(b"a")
        program.expect("Address         a")
