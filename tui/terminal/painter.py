"""The thread that paints: it sends what changed, at the line's pace, and never anything outdated.

Textual's event loop only fills the grid; however slow the line, it never waits for it.
"""

import logging
import threading
import time
from collections.abc import Callable

from tui.terminal.encoder import CHUNK, Encoder
from tui.terminal.grid import Grid
from tui.terminal.line import HungUpError, Line
from tui.terminal.pencil import BLANK, Row

log = logging.getLogger(__name__)

QUIET = 0.01
"""Seconds without a change that end a frame: Textual paints one change in up to four steps."""

LATEST = 0.25
"""Seconds after which a frame that keeps changing is painted all the same."""

BUSY = 0.004
"""Seconds that the event loop takes to answer when it has more to do: what it does may change the frame again."""

PIECE = 96
"""Bytes sent to a slow line before the newest state is looked at again."""


class Painter(threading.Thread):
    """Paints a grid on a line until it is stopped.

    Args:
        grid: What Textual painted; guarded by `lock`.
        line: Where to.
        encoder: In whose words; may be replaced (`use`).
        soon: Runs a function in the event loop, after all that is waiting there.
        hung_up: Called once, from this thread, when the line is gone.
    """

    def __init__(
        self,
        grid: Grid,
        line: Line,
        encoder: Encoder,
        soon: Callable[[Callable[[], None]], object],
        hung_up: Callable[[], None],
    ) -> None:
        super().__init__(name="onsite-painter", daemon=True)
        self.lock = threading.Lock()
        self.grid = grid
        self._line = line
        self._encoder = encoder
        self._soon = soon
        self._hung_up = hung_up
        self._rows: list[Row] = []
        self._caret: tuple[int, int] | None = None
        self._caret_before: tuple[int, int] | None = None
        self._first = b""
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._last_change = 0.0

    def write(self, data: str, caret: tuple[int, int] | None) -> None:
        """Take what Textual wrote, and where the cursor shows after it."""
        with self.lock:
            self.grid.feed(data)
            self._caret = caret
        self.wake()

    def wake(self) -> None:
        """Something changed."""
        self._last_change = time.monotonic()
        self._changed.set()

    def use(self, encoder: Encoder, first: bytes) -> None:
        """Send some bytes, then paint everything anew with an encoder that starts after them.

        A new size is taken from the encoder.
        """
        with self.lock:
            self._encoder, self._first = encoder, first
            if (encoder.columns, encoder.rows) != (self.grid.columns, self.grid.rows):
                self.grid.resize(encoder.columns, encoder.rows)
            self.grid.changed = set(range(encoder.rows))
            self._rows = [[BLANK] * encoder.columns] * encoder.rows
        self.wake()

    def stop(self) -> None:
        """End the thread; what it has not sent is not wanted any more."""
        self._stopped.set()
        self._changed.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(1.0)

    def run(self) -> None:
        """Paint until stopped."""
        try:
            while self._wait_for_frame():
                while not self._stopped.is_set():
                    data = self.take()
                    if not data:
                        break
                    self._line.write(data, lambda: not self._stopped.is_set())
                    self._wait_for_line()
        except HungUpError:
            self._hung_up()
        except Exception:
            log.exception("painting failed")
            self._hung_up()

    def _wait_for_frame(self) -> bool:
        self._changed.wait()
        latest = time.monotonic() + LATEST
        while not self._stopped.is_set() and (now := time.monotonic()) < latest:
            rest = min(self._last_change + QUIET, latest) - now
            if rest > 0:
                self._stopped.wait(rest)
            elif not self._busy(latest - now):
                break
        self._changed.clear()
        return not self._stopped.is_set()

    def _busy(self, seconds: float) -> bool:
        """Whether the event loop has more to do than to answer."""
        asked, answered = time.monotonic(), threading.Event()
        try:
            self._soon(answered.set)
        except RuntimeError:  # it is closed
            return False
        answered.wait(seconds)
        return time.monotonic() - asked > BUSY or self._last_change > asked

    def _wait_for_line(self) -> None:
        while not self._stopped.is_set() and (rest := self._line.wait(0.5)):
            self._stopped.wait(rest)

    def take(self) -> bytes:
        """The next bytes to send; none when the terminal shows what was painted."""
        with self.lock:
            first, self._first = self._first, b""
            bells, self.grid.bells = self.grid.bells, 0
            if self._caret is not None and self._caret[1] >= self.grid.rows:
                self._caret = None
            changed = self.grid.changed
            if self._caret != self._caret_before:
                changed |= {caret[1] for caret in (self._caret, self._caret_before) if caret is not None}
                changed &= set(range(self.grid.rows))
                self._caret_before = self._caret
            for y in changed:
                column = self._caret[0] if self._caret and self._caret[1] == y else None
                self._rows[y] = self._encoder.look(self.grid.characters[y], self.grid.styles[y], column)
            changed.clear()
            rows, caret, encoder = list(self._rows), self._caret, self._encoder
        data = encoder.frame(rows, caret, PIECE if self._line.speed else CHUNK)
        return first + data + b"\x07" * bool(bells)
