"""The thread that reads: bytes off the line, through the decoder, to whoever takes events. Else it sleeps."""

import logging
import os
import select
import threading
import time
from collections.abc import Callable

from tui.terminal.input import Decoder, Event
from tui.terminal.line import HungUpError, Line

log = logging.getLogger(__name__)


class Reader(threading.Thread):
    """Reads a line until it is stopped.

    Args:
        line: Where from.
        decoder: What the bytes mean.
        typed: Bytes that were read before.
        deliver: Called for each event, from this thread.
        hung_up: Called once, from this thread, when the line is gone.
    """

    def __init__(
        self,
        line: Line,
        decoder: Decoder,
        typed: bytes,
        deliver: Callable[[Event], None],
        hung_up: Callable[[], None],
    ) -> None:
        super().__init__(name="onsite-reader", daemon=True)
        self._line, self._decoder, self._typed = line, decoder, typed
        self._deliver, self._hung_up = deliver, hung_up
        self._woken, self._wake = os.pipe()

    def stop(self) -> None:
        """End the thread."""
        os.write(self._wake, b"\0")
        if self.is_alive() and threading.current_thread() is not self:
            self.join(1.0)
        os.close(self._wake)
        os.close(self._woken)

    def run(self) -> None:
        """Read until stopped."""
        try:
            if self._typed:
                self._all(self._decoder.feed(self._typed, time.monotonic()))
            while self._once():
                pass
        except (HungUpError, OSError, ValueError):
            self._hung_up()
        except Exception:
            log.exception("reading keys failed")
            self._hung_up()

    def _once(self) -> bool:
        """Wait for bytes, or for the time at which silence means something; False when stopped."""
        due = self._decoder.due()
        rest = None if due is None else max(0.0, due - time.monotonic())
        ready = select.select([self._line.stdin, self._woken], [], [], rest)[0]
        if self._woken in ready:
            return False
        now = time.monotonic()
        self._all(self._decoder.feed(self._line.read(), now) if ready else self._decoder.tick(now))
        return True

    def _all(self, events: list[Event]) -> None:
        for event in events:
            self._deliver(event)
