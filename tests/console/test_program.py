"""The console itself on a real pty, as an operator starts it: a recorded host, every profile."""

import os
import random
import signal
import subprocess
import sys
import tempfile

import pytest

from bench.scenes import MACHINE, PLACES, ROOT, SPARED
from bench.terminal import Program
from tests.console.allowed import unknown
from tests.console.test_line import assert_restored
from tui.terminal.profile import PROFILES

COMMAND = [sys.executable, "-m", "tui", "demo", "--machine", str(MACHINE)]


def environ(term):
    return {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "TERM": term, "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1", "COLORTERM": "truecolor", "COLUMNS": "132", "LINES": "50"}  # fmt: skip


def start(profile, **more):
    program = Program([*COMMAND, "--terminal", profile], profile, environ=environ("vt100"), **more)
    program.expect("q quit", 30)
    program.settle(1.0, 1)
    return program


@pytest.mark.parametrize("profile", PROFILES)
def test_every_place_and_the_editor_in_words_that_the_terminal_knows(profile):
    with start(profile) as program:
        lines = program.model.text()
        assert "press-line-4" in lines[0]
        assert "198.51.100.20" in lines[0]
        assert all(any(f"{key} {place}" in line for line in lines[1:-1]) for key, place in PLACES.items())
        for key, place in PLACES.items():
            program.press(key)
            assert any(line.startswith(f"*{key} {place}") for line in program.model.text())
        program.press("2", "enter", quiet=0.6)
        lines = program.model.text()
        fields = [line for line in lines if "[" in line and line.endswith("]") and "Done" not in line]
        assert len(fields) >= 6
        program.press("tab", "x", quiet=0.5)
        assert sum(line[14:15] == ">" for line in program.model.text()) == 1
        program.press("escape", quiet=0.8)
        assert "Leave without these changes?" in "\n".join(program.model.text())
        program.press("escape", quiet=0.8)
        assert "x" in program.model.text()[4]
        program.signal(signal.SIGTERM)
        assert program.reap() == 128 + signal.SIGTERM
        assert unknown(profile, bytes(program.data)) == ""
        assert_restored(program)


@pytest.mark.parametrize("profile", ["vt100", "linux"])
def test_noise_into_an_editor_changes_nothing(profile):
    allowed = [b for b in range(256) if not 0x20 <= b < 0x7F and b not in SPARED]
    with start(profile) as program:
        program.press("2", "enter", "tab", quiet=0.6)
        shown = program.model.text()
        program.send(bytes(random.Random(5).choices(allowed, k=200_000)))
        program.settle(0.5, 1)
        program.press("^L")
        assert program.model.text() == shown


def test_a_paste_with_enter_in_it_does_not_finish_the_form():
    with start("vt100") as program:
        program.press("2", "enter", "tab", "^U", quiet=0.6)
        program.send(b"192.0.2.77/24\r192.0.2.1\r" * 500)
        program.settle(0.5, 2)
        text = "\n".join(program.model.text())
        assert ".0.2.77/24" in text
        assert "Gateway        [198.51.100.1 " in text
        assert "not applied" not in text


@pytest.mark.parametrize(("columns", "rows"), [(80, 25), (132, 43), (60, 20), (40, 12), (20, 6), (1, 1)])
def test_sizes(columns, rows):
    with Program([*COMMAND, "--terminal", "vt220"], "vt220", environ=environ("vt220"), size=(columns, rows)) as program:
        program.settle(1.5, 30)
        assert program.status is None
        if columns > 1:
            assert "press-line-4" in program.model.text()[0]
        assert unknown("vt220", bytes(program.data)) == ""


def test_a_terminal_that_cannot_place_text_gets_one_sentence():
    with Program(COMMAND, "ascii", environ=environ("dumb")) as program:
        assert program.reap(20) == 6
        said = program.data.decode()
        assert said.count("\n") == 1
        assert "onsite status" in said
        assert "\x1b" not in said


def test_no_terminal_at_all_gets_one_sentence():
    ended = subprocess.run(COMMAND, env=environ("xterm"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           check=False, timeout=60)  # fmt: skip
    assert ended.returncode == 6
    assert (ended.stdout + ended.stderr).count("\n") == 1
    assert "onsite status" in ended.stderr


def test_what_nobody_foresaw_is_a_code_and_a_path_on_a_line_that_works():
    script = (
        "import sys, tui.app\n"
        "def fail(self):\n    secret = 'hunter2'\n    raise RuntimeError('on purpose')\n"
        "tui.app.OnsiteApp.action_repaint = fail\n"
        "from tui.cli import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", script, *COMMAND[3:], "--terminal", "linux"]
    with Program(command, "linux", environ=environ("linux")) as program:
        program.expect("q quit", 30)
        program.send(b"\x0c")
        assert program.reap(10) == 1
        assert_restored(program)
        said = program.data.decode().rpartition("\x1b[?25h")[2]
        assert "X101" in said
        assert ".log" in said
        assert "Traceback" not in program.data.decode()
        assert "hunter2" not in program.data.decode()
