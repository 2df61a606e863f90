"""The kernel's own terminal: what it makes of our output, glyph by glyph, where this machine has one to spare."""

import os
import sys
import termios

import pytest

from tests.console.console_tty import Console, free_number
from tests.console.test_line import HERE, TITLE
from tui.terminal import glyphs, profile, size

CYAN = 3  # in the order of the VGA, which is not that of SGR


@pytest.fixture
def sample():
    number = free_number()
    if number is None:
        pytest.skip("no unused virtual terminal with /dev/vcsa here, or no right to use it")
    environ = {"PATH": os.environ["PATH"], "TERM": "linux", "PYTHONPATH": str(HERE)}
    command = [sys.executable, "-m", "tests.console.sample", "linux"]
    console = Console(number, command, environ)
    yield console
    console.close()


def test_it_is_known_by_the_kernel_and_not_by_TERM(sample):
    assert profile.kind(sample.fd) == "vt"
    assert profile.choose(sample.fd, {"TERM": "xterm-256color"}).name == "linux"
    assert profile.speed(sample.fd) == 0
    rows, _ = sample.glyphs()
    assert size.told(sample.fd) == (len(rows[0]), len(rows))


def test_no_character_is_the_one_for_what_the_font_lacks(sample):
    sample.expect("^X leave")
    lacking = {place for place, characters in sample.font().items() if "\ufffd" in characters and "?" not in characters}
    rows, _ = sample.glyphs()
    assert not lacking & {place for row in rows for place, _ in row}
    assert "\ufffd" not in "".join(sample.text())


def test_the_font_is_read_from_the_kernel(sample):
    known = {character for characters in sample.font().values() for character in characters if character > "\x9f"}
    assert glyphs.font(sample.fd) == frozenset(known - {"\ufffd"})


def test_screen_colours_keys_and_cursor(sample):
    sample.expect("^X leave")
    lines = sample.text()
    assert lines[0].split() == TITLE["linux"].split()
    assert lines[1].startswith("┌───")
    rows, cursor = sample.glyphs()
    assert rows[1][0][1] & 0x0F == CYAN
    assert cursor == (17, 2)
    sample.type(b"x")
    sample.expect("Address         x")
    sample.type(b"\x1b[[B")  # F2
    sample.expect("Leave without applying?")


def test_leaving_gives_the_console_back(sample):
    sample.expect("^X leave")
    sample.type(b"\x18")
    assert sample.wait() == 0
    assert "".join(sample.text()) == ""
    modes = termios.tcgetattr(sample.fd)
    assert modes[3] & termios.ECHO
    assert modes[3] & termios.ICANON
