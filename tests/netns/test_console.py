"""The console as a stranger uses it: the real program in tmux at 80x24, on a practice host, by keystrokes only."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.practice import CODE, PracticeHost, practice_host

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Screen:
    """One terminal of 80x24 with the console in it. Keys go in one at a time, as a person's do."""

    def __init__(self, practice: PracticeHost, term: str = "xterm-256color") -> None:
        self.practice, self.name = practice, f"onsite-{practice.pid}-{time.monotonic_ns()}"
        program = [sys.executable, "-m", "tui", "--root", str(practice.root), "--practice", practice.kind]
        command = ["env", f"TERM={term}", f"PYTHONPATH={CODE}", *practice.inside(program)]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "--", *command)

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        return subprocess.run(
            ["tmux", "-L", self.name, *arguments], check=check, capture_output=True, text=True, timeout=30, cwd=CODE
        ).stdout

    def text(self) -> str:
        return self._tmux("capture-pane", "-p", check=False)

    def until(self, words: str, seconds: float = 30) -> str:
        end = time.monotonic() + seconds
        while words not in (text := self.text()):
            assert time.monotonic() < end, f"no {words!r} on\n{text}\n{self.practice.log()[-2000:]}"
            time.sleep(0.05)
        return text

    def press(self, *keys: str, then: str) -> str:
        """Press keys, wait for words on the screen."""
        self._tmux("send-keys", *keys)
        return self.until(then)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)
        self.until(text)

    def hang_up(self) -> None:
        """The line goes dead: the console gets SIGHUP."""
        pid = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        subprocess.run(["kill", f"-{signal.SIGHUP.value}", str(pid)], check=True)
        self.leave()

    def leave(self, *keys: str) -> None:
        """Press keys, wait for the program to end."""
        if keys:
            self._tmux("send-keys", *keys)
        end = time.monotonic() + 20
        while self._tmux("list-panes", check=False):
            assert time.monotonic() < end, self.text()
            time.sleep(0.05)

    def close(self) -> None:
        self._tmux("kill-server", check=False)


@pytest.fixture
def practice() -> Iterator[PracticeHost]:
    with practice_host() as host:
        yield host


def _static(screen: Screen, last: int) -> None:
    """From Home to the Keep page: a static address of each family on the first link."""
    screen.until("Steps")
    screen.press("2", then="lan0:")
    screen.press("Enter", then="[ Done ]")
    screen.press("Right", then="(*) Static")
    screen.press("Tab", then="> Address")
    screen.type(f"192.0.2.{last}/24")
    screen.press("Tab", then="> Gateway")
    screen.type("192.0.2.1")
    screen.press("Tab", then="> IPv6")
    screen.press("Right", then="such as 2001:db8:0:1::10/64")
    screen.press("Tab", then="> Address")
    screen.type(f"2001:db8:0:1::{last}/64")
    screen.press("Tab", then="> Gateway")
    screen.type("2001:db8:0:1::1")
    screen.press("Tab", then="> Name servers")
    screen.type("192.0.2.1")
    screen.press("C-x", then="nothing is written yet")
    screen.press("a", then="Keep this change?")


def _addresses(practice: PracticeHost) -> tuple[set[str], set[str]]:
    kernel = practice.kernel()
    return kernel.addresses("lan0"), kernel.gateways("lan0")


def test_a_static_address_from_the_key_press_to_the_kernel_and_back(practice: PracticeHost) -> None:
    wanted = ({"192.0.2.10/24", "2001:db8:0:1::10/64"}, {"192.0.2.1", "2001:db8:0:1::1"})
    screen = Screen(practice)
    try:
        _static(screen, 10)
        assert _addresses(practice) == wanted
        screen.press("k", then="Kept. It will be there after a restart.")
    finally:
        screen.close()
    practice.reboot()
    assert _addresses(practice) == wanted
    screen = Screen(practice)
    try:
        home = screen.until("2001:db8:0:1::10/64  console")
        assert "192.0.2.10/24        console" in home
        screen.press("q", then="Quit the console?")
        screen.press("Right", then=">[ Quit ]")
        screen.leave("Enter")
    finally:
        screen.close()


def test_keys_that_come_all_at_once_do_what_they_would_do_one_by_one(practice: PracticeHost) -> None:
    screen = Screen(practice)
    try:
        screen.until("Steps")
        form = ["Right", "Tab", "192.0.2.40/24", "Tab", "192.0.2.1", "Tab", "Tab", "192.0.2.1, 192.0.2.77", "C-x"]
        screen.press("2", then="lan0:")
        screen.press("Enter", then="[ Done ]")
        review = screen.press(*form, then="nothing is written yet")
        assert "lan0 IPv4 address: none -> 192.0.2.40/24" in review
        assert "lan0 Name servers: none -> 192.0.2.1, 192.0.2.77" in review
    finally:
        screen.close()


def test_not_kept_is_taken_back_and_screen_and_log_say_that_it_was_verified(practice: PracticeHost) -> None:
    screen = Screen(practice)
    try:
        before = _addresses(practice)
        _static(screen, 20)
        screen.press("r", then="Taken back")
        assert "(verified)" in screen.text().replace("\n", " ").replace("  ", " ")
        assert _addresses(practice) == before
        screen.press("Enter", then="nothing is written yet")  # what was typed is still there, to be mended
        screen.press("l", then="verified")
    finally:
        screen.close()


def test_a_lost_line_ends_only_the_console_and_a_new_one_opens_at_the_countdown(practice: PracticeHost) -> None:
    screen = Screen(practice)
    _static(screen, 30)
    journal = practice.root / "var/lib/onsite/pending.json"
    screen.hang_up()
    screen.close()
    assert json.loads(journal.read_text())["phase"] == "waiting"
    assert "192.0.2.30/24" in _addresses(practice)[0]
    new = Screen(practice, term="vt100")
    try:
        shown = new.until("Time left:")
        left = int(shown.partition("Time left:")[2].split()[0])
        now = float(practice.python("import time; print(time.clock_gettime(time.CLOCK_BOOTTIME))").stdout)
        deadline = float(json.loads(journal.read_text())["deadline"])
        assert abs(deadline - now - left) <= 5
        new.press("k", then="Kept.")
    finally:
        new.close()
    assert "192.0.2.30/24" in _addresses(practice)[0]
