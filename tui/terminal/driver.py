"""The Textual driver for any terminal: `App(driver_class=OnsiteDriver.on(profile))`.

It stands where Textual's own Linux driver stands. What Textual writes ends in a grid of cells; a painter sends the
differences in the profile's words; a reader turns bytes into Textual's events. Of Textual it uses the public driver
interface, and `Driver._app` and `Driver._size`, which its own drivers use too (see tests/console/test_textual.py).
"""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from types import FrameType
from typing import Any, ClassVar

from textual import events
from textual.driver import Driver
from textual.geometry import Size

from tui.terminal import glyphs, size
from tui.terminal.encoder import Encoder
from tui.terminal.grid import Grid
from tui.terminal.input import Decoder, Event, Key, Paste, Position
from tui.terminal.line import HungUpError, Line
from tui.terminal.painter import Painter
from tui.terminal.profile import PROFILES, Profile, choose
from tui.terminal.reader import Reader

log = logging.getLogger(__name__)

Handler = Callable[[int, FrameType | None], Any] | int | None

SWITCH_KEY = "f9"
"""Goes on to the next profile. It is taken here and not by the app: it must work on a screen that nobody can read."""

LEAVE = 3.0
"""Seconds that the program has to leave by itself after SIGTERM or SIGHUP before the line is restored over its head."""


EFFECT = 0.5
"""Seconds that a key is waited for before the next one is given; what takes longer runs in a worker."""


class OnsiteDriver(Driver):
    """Powers one terminal line."""

    stdin: ClassVar[int] = 0
    stdout: ClassVar[int] = 1
    forced: ClassVar[Profile | None] = None

    @classmethod
    def on(cls, profile: Profile | None = None, stdin: int = 0, stdout: int = 1) -> "type[OnsiteDriver]":
        """A driver class for a line, for `App(driver_class=...)`.

        Args:
            profile: The terminal; None to find out.
            stdin: Where keys are read from.
            stdout: Where the screen is painted.
        """
        return type("OnsiteDriver", (cls,), {"forced": profile, "stdin": stdin, "stdout": stdout})

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=False, size=size)
        self.profile = self._found = self.forced or choose(self.stdout, os.environ)
        self._asked_for = size
        self._line = Line(self.stdin, self.stdout)
        self._painter: Painter | None = None
        self._reader: Reader | None = None
        self._effect: Future[None] | None = None
        self._decoder = Decoder(self.profile, self._line.speed)
        self._handlers: dict[int, Handler] = {}
        self._probed = False
        self._exact = True

    @property
    def can_suspend(self) -> bool:
        """Whether `App.suspend` may lend the line to another program."""
        return True

    def start_application_mode(self) -> None:
        """Take the line: raw, its size known, its screen blank."""
        self._line.raw(flow=not self.profile.utf8)
        typed = self._find_size()
        columns, rows = self._size or size.DEFAULT
        grid = Grid(columns, rows)
        encoder = self._new_encoder(columns, rows)
        self._painter = Painter(grid, self._line, encoder, self._loop.call_soon_threadsafe, self._hung_up)
        self._painter.use(encoder, encoder.start())
        self._painter.start()
        self._take_signals()
        self._decoder = Decoder(self.profile, self._line.speed)
        self._reader = Reader(self._line, self._decoder, typed, self._deliver, self._hung_up)
        self._reader.start()
        self.process_message(events.Resize(Size(columns, rows), Size(columns, rows)))

    def write(self, data: str) -> None:
        """Take what Textual paints. Nothing of it goes to the line as it is."""
        if self._painter is not None:
            self._painter.write(data, self._find_caret())

    def disable_input(self) -> None:
        """Read no more keys."""
        reader, self._reader = self._reader, None
        if reader is not None:
            if self._effect is not None:
                self._effect.cancel()  # else the reader waits for us, and we for the reader
            reader.stop()

    def stop_application_mode(self) -> None:
        """Give the line back."""
        self.disable_input()
        self._give_signals_back()
        self._restore()

    def close(self) -> None:
        """Nothing is left to do: the line belongs to whoever opened it."""

    def repaint(self) -> None:
        """Paint everything anew: after noise, a kernel message, or a terminal that was switched off (Ctrl-L)."""
        if self._painter is None:
            return
        grid = self._painter.grid
        encoder = self._new_encoder(grid.columns, grid.rows)
        first = encoder.start()
        if self._probed:
            self._decoder.asked = True
            first = size.QUERY + first
        self._painter.use(encoder, first)

    def switch(self, profile: Profile | str) -> None:
        """Speak to the terminal in another profile's words from now on."""
        if isinstance(profile, str):
            profile = PROFILES[profile]
        if self._painter is not None:
            stop = Encoder(self.profile, 1, 1).stop() if {"ALTERNATE", "PALETTE"} & self.profile.words else b""
            self.profile = profile
            self._decoder.profile = profile
            self._line.raw(flow=not profile.utf8)
            grid = self._painter.grid
            encoder = self._new_encoder(grid.columns, grid.rows)
            self._painter.use(encoder, stop + encoder.start())
        self.profile = profile

    def _switch_on(self) -> None:
        """The next profile; that of the Linux console only where it was found, since others misread its palette."""
        names = [name for name in PROFILES if name != "linux" or self._found.name == "linux"]
        self.switch(names[(names.index(self.profile.name) + 1) % len(names)])

    def _new_encoder(self, columns: int, rows: int) -> Encoder:
        font = glyphs.font(self.stdout) if self.profile.name == "linux" else None
        return Encoder(self.profile, columns, rows, font, exact=self._exact)

    def _find_caret(self) -> tuple[int, int] | None:
        """Where the cursor shows: in the focused widget if it is a text field."""
        try:
            offset = getattr(self._app.focused, "cursor_screen_offset", None)
        except Exception:  # noqa: BLE001 - no screen yet, or none any more
            return None
        if offset is None or self._painter is None:
            return None
        x, y = offset
        grid = self._painter.grid
        return (min(x, grid.columns - 1), y) if x >= 0 and 0 <= y < grid.rows else None

    # Size

    def _find_size(self) -> bytes:
        """Set `_size`; returns what was typed while the terminal was asked."""
        typed = b""
        if self._asked_for is None:
            found = size.told(self.stdout)
            if found is None:
                self._probed = True
                try:
                    found, typed = size.probe(self._line)
                except HungUpError:
                    found = None
                self._exact = found is not None
                found = found or size.DEFAULT
                size.tell(self.stdout, *found)
            self._size = found
        return typed

    def _resize(self, columns: int, rows: int) -> None:
        if self._painter is None or (columns, rows) == self._size:
            return
        self._size = (columns, rows)
        encoder = self._new_encoder(columns, rows)
        self._painter.use(encoder, encoder.start())
        self.process_message(events.Resize(Size(columns, rows), Size(columns, rows)))

    def _winch(self, *_: object) -> None:
        found = size.told(self.stdout)
        if found is not None:
            self._loop.call_soon_threadsafe(self._resize, *found)

    def _continue(self, *_: object) -> None:
        """Whoever had the line while we were stopped may have done anything to it."""
        self._line.raw(flow=not self.profile.utf8)
        self._loop.call_soon_threadsafe(self.repaint)

    # Keys

    def _deliver(self, event: Event) -> None:
        if isinstance(event, Key) and event.name == SWITCH_KEY:
            self._loop.call_soon_threadsafe(self._switch_on)
        elif isinstance(event, Key):
            self.process_message(events.Key(event.name, event.character))
            self._wait_for_effect()
        elif isinstance(event, Paste):
            self.process_message(events.Paste(event.text))
            self._wait_for_effect()
        elif isinstance(event, Position) and size.usable(event.columns, event.rows):
            self._exact = True
            size.tell(self.stdout, event.columns, event.rows)
            self._loop.call_soon_threadsafe(self._resize, event.columns, event.rows)

    def _wait_for_effect(self) -> None:
        """Give the next key only when this one has done its work.

        Textual hands a key to whoever has the focus when the app sees it. Of a Tab and a letter that come together (a
        held-up line, a script) the letter would go to the field that Tab was about to leave.
        """
        self._effect = asyncio.run_coroutine_threadsafe(self._through_the_queues(), self._loop)
        try:
            self._effect.result(EFFECT)
        except (TimeoutError, CancelledError, RuntimeError):
            self._effect.cancel()

    async def _through_the_queues(self) -> None:
        """A message behind the key in every queue that it and its consequences pass, up to a screen that it opened."""
        app = self._app
        await _passed(app.call_later)
        for widget in (app.focused or app.screen).ancestors_with_self:
            await _passed(widget.call_later)
        await _passed(app.screen.call_after_refresh)

    # Leaving

    def _take_signals(self) -> None:
        if threading.current_thread() is threading.main_thread():
            wanted: dict[int, Handler] = {
                signal.SIGWINCH: self._winch,
                signal.SIGCONT: self._continue,
                signal.SIGINT: self._leave,
                signal.SIGTERM: self._leave,
                signal.SIGHUP: self._leave,
            }
            for number, handler in wanted.items():
                self._handlers[number] = signal.signal(number, handler)

    def _give_signals_back(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def _hung_up(self) -> None:
        """The line is gone: this console ends, and nothing else does."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            self._loop.call_soon_threadsafe(self._exit, 128 + signal.SIGHUP)

    def _leave(self, number: int, _frame: object) -> None:
        self._loop.call_soon_threadsafe(self._exit, 128 + number)
        guard = threading.Timer(LEAVE, self._force, (128 + number,))
        guard.daemon = True
        guard.start()

    def _exit(self, code: int) -> None:
        self._app.exit(return_code=code)

    def _force(self, code: int) -> None:
        self._restore()
        os._exit(code)

    def _restore(self) -> None:
        painter, self._painter = self._painter, None
        if painter is not None:
            painter.stop()
            self._line.last_words(Encoder(self.profile, 1, 1).stop())
        self._line.restore()


async def _passed(call: Callable[..., bool]) -> None:
    """Wait for a callback to come through a queue; one that is closing takes none."""
    passed = asyncio.Event()
    if call(passed.set):
        await passed.wait()
