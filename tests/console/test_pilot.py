"""The driver in this process, on a real pty, steered by Textual's own pilot."""

import asyncio
import fcntl
import os
import pty
import select
import struct
import termios
import threading
import time

import pytest

from bench.model import Model
from tests.console.allowed import unknown
from tests.console.sample import Sample
from tui.terminal.driver import OnsiteDriver
from tui.terminal.profile import PROFILES


class Terminal:
    """The other end of a pty."""

    def __init__(self, columns=80, rows=24):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.model = Model(columns, rows)
        self.data = bytearray()
        self.lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._ended.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                data = os.read(self.master, 65536)
                with self.lock:
                    self.data += data
                    self.model.feed(data)

    async def shows(self, pilot, words, seconds=10.0):
        until = time.monotonic() + seconds
        while words not in "\n".join(self.model.text()):
            assert time.monotonic() < until, "\n".join(self.model.text())
            await pilot.pause(0.02)

    async def ends_with(self, data, seconds=5.0):
        until = time.monotonic() + seconds
        while not self.data.endswith(data):
            assert time.monotonic() < until, bytes(self.data[-40:])
            await asyncio.sleep(0.02)

    def close(self):
        self._ended.set()
        self._thread.join()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal():
    found = Terminal()
    yield found
    found.close()


async def play(terminal, profile, steps):
    """Run the sample with the driver on a terminal; what fails in `steps` fails the test."""
    app = Sample(OnsiteDriver.on(PROFILES[profile], terminal.slave, terminal.slave))
    failed = []

    async def pilot_steps(pilot):
        try:
            await terminal.shows(pilot, "^X leave")
            await steps(pilot)
        except BaseException as error:  # noqa: BLE001 - the pilot runs in a task of its own
            failed.append(error)
        app.exit()

    await app.run_async(headless=False, auto_pilot=pilot_steps)
    if failed:
        raise failed[0]


@pytest.mark.parametrize("profile", PROFILES)
async def test_keys_of_the_pilot_reach_the_line(terminal, profile):
    async def steps(pilot):
        await pilot.press("a", "b", "tab", "c")
        await terminal.shows(pilot, "Gateway         c")
        await terminal.shows(pilot, "Address         ab")
        await pilot.press("f2")
        await terminal.shows(pilot, "Leave without applying?")

    await play(terminal, profile, steps)
    assert unknown(profile, bytes(terminal.data)) == ""
    assert termios.tcgetattr(terminal.slave) == terminal.before


async def test_another_profile_is_a_repaint(terminal):
    async def steps(pilot):
        frame = pilot.app._driver
        for name, corner in (
            ("ascii", "+---"),
            ("xterm", "┌───"),
            ("vt100", "┌───"),
            ("linux", "┌───"),
            ("ascii", "+-"),
        ):
            before = len(terminal.data)
            frame.switch(name)
            until = time.monotonic() + 5
            while not terminal.model.text()[1].startswith(corner) or len(terminal.data) < before + 300:
                assert time.monotonic() < until, terminal.model.text()[1]
                await pilot.pause(0.02)
            assert pilot.app._driver.profile.name == name

    await play(terminal, "vt220", steps)


async def test_a_crash_restores_the_line(terminal):
    app = Sample(OnsiteDriver.on(PROFILES["linux"], terminal.slave, terminal.slave))
    from tui.terminal import errors

    errors.keep_off_screen(app)

    async def crash(pilot):
        await terminal.shows(pilot, "^X leave")
        await pilot.press("f4")

    await app.run_async(headless=False, auto_pilot=crash)
    assert app.return_code == 1
    assert str(errors.unhandled(app)) == "crashed on purpose"
    assert termios.tcgetattr(terminal.slave) == terminal.before
    await terminal.ends_with(b"\x1b[?25h")
    assert terminal.model.text() == [""] * 24
    assert not terminal.model.cursor_hidden


async def test_the_line_can_be_lent_to_another_program(terminal):
    async def steps(pilot):
        with pilot.app.suspend():
            assert termios.tcgetattr(terminal.slave) == terminal.before
            os.write(terminal.slave, b"another program")
        await terminal.shows(pilot, "^X leave")
        assert "another program" not in "\n".join(terminal.model.text())

    await play(terminal, "vt220", steps)


async def test_idle_sends_nothing_and_wakes_nobody(terminal):
    async def steps(pilot):
        await pilot.pause(0.5)
        before = len(terminal.data)
        spent = time.thread_time()
        await pilot.pause(2.0)
        assert len(terminal.data) == before
        assert time.thread_time() - spent < 0.1

    await play(terminal, "vt100", steps)
