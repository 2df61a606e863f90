"""What nobody foresaw: a sentence with a code and a log, never a traceback on the screen."""

from __future__ import annotations

import logging
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen
from tui.app import LOG_PATH
from tui.session import Session

ROOT = Path(__file__).resolve().parents[2]


async def test_failed_work_is_said_with_a_code_and_the_console_goes_on(
    opened: Opened, session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret inside")

    monkeypatch.setattr(type(session), "keep", fail)
    monkeypatch.setattr(type(session), "extend", fail)
    async with opened(("2", "enter", "s", "ctrl+x")) as pilot:
        await seen(pilot, "nothing is written yet")
        await pilot.press("a")
        await seen(pilot, "Keep this change?")
        with caplog.at_level(logging.ERROR):
            await pilot.press("m")
            await seen(pilot, "X101")
        assert "a secret inside" not in grid(pilot.app)
        assert "a secret inside" in caplog.text
        await pilot.press("escape")
        await seen(pilot, "Keep this change?")


def test_a_fatal_error_leaves_one_sentence_on_the_line(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.environ["TERM"] = "vt220"
        os.execv(sys.executable, [sys.executable, "-m", "tests.flow.broken", str(tmp_path)])  # noqa: S606
    output, end, pressed = b"", time.monotonic() + 30, False
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                output += os.read(terminal, 65536)
            except OSError:
                break
        if b"Steps" in output and not pressed:
            pressed = True
            os.write(terminal, b"\x0c")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    last = output.decode(errors="replace").rpartition("?1049l")[2]
    assert os.waitstatus_to_exitcode(status) == 1
    assert "X101" in last
    assert "Traceback" not in output.decode(errors="replace")
    assert "a secret inside" not in output.decode(errors="replace")
    assert "a secret inside" in (tmp_path / LOG_PATH.lstrip("/")).read_text()


def test_the_code_is_the_one_of_the_command_line() -> None:
    """Both say X101, so that a page of the docs answers both."""
    program = "from tui.app import UNFORESEEN; from tui.commands import fault; print(UNFORESEEN[:4]); print(fault.LOG)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    code, path = done.stdout.split()
    assert code == "X101"
    assert path == LOG_PATH
