"""The line between us and a terminal: its modes, its pace, and giving it back as it was."""

import errno
import fcntl
import os
import select
import struct
import termios
import time
from collections.abc import Callable

from tui.terminal.profile import speed

Modes = list[int | list[bytes | int]]

IFLAG, OFLAG, CFLAG, LFLAG, ISPEED, OSPEED, CC = range(7)
BACKLOG = 64
"""Bytes that may wait in the line's own buffer before more are sent: the newest state is never far behind."""

STUCK = 2.0
"""Seconds after which a line that takes no byte (XOFF, a pulled cable) is not waited for when we leave."""


class HungUpError(Exception):
    """The line is gone: a modem hung up, a window was closed, a USB adapter was pulled."""


class Line:
    """A terminal line, opened by somebody else.

    Args:
        stdin: Read from.
        stdout: Written to.
    """

    def __init__(self, stdin: int, stdout: int) -> None:
        self.stdin, self.stdout = stdin, stdout
        self.speed = speed(stdout)
        self._before: Modes | None = None
        self._free_at = 0.0

    def raw(self, flow: bool) -> None:
        """Characters one by one, not echoed, nothing translated; remembers the modes to give back.

        A line that a killed program left raw is taken for cooked, so that what is given back works (see `cooked`).

        Args:
            flow: Obey XOFF, as real terminals need it. Any key ends it then, so that one from noise stops nothing.
        """
        try:
            now = termios.tcgetattr(self.stdin)
        except termios.error:
            return
        self._before = self._before or cooked(now)
        modes = [*now[:CC], list(now[CC])]
        modes[IFLAG] &= ~(
            termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP | termios.BRKINT | termios.PARMRK
        )
        modes[IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.IXANY)
        modes[IFLAG] |= termios.IGNPAR | (termios.IXON | termios.IXANY if flow else 0)
        modes[OFLAG] &= ~termios.OPOST
        modes[LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        modes[CC][termios.VMIN], modes[CC][termios.VTIME] = 1, 0
        set_modes(self.stdin, modes)

    def restore(self) -> None:
        """Give the modes back. Does nothing the second time."""
        if self._before is not None:
            set_modes(self.stdin, self._before)
            self._before = None

    def read(self, count: int = 4096) -> bytes:
        """What is there to be read.

        Raises:
            HungUpError: If the line is gone.
        """
        try:
            data = os.read(self.stdin, count)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return b""
            raise HungUpError from error
        if not data:
            raise HungUpError
        return data

    def wait(self, seconds: float) -> float:
        """How long to wait, at most `seconds`, before the line has room for more; 0 when it has.

        At a known speed the time that sent bytes need is counted, because many drivers hide a FIFO of their own.
        """
        late = self._free_at - time.monotonic() - (BACKLOG * 10 / self.speed if self.speed else 0)
        if late > 0:
            return min(late, seconds)
        if self.waiting() > BACKLOG:
            return min(BACKLOG * 10 / (self.speed or 115200), seconds)
        return 0.0

    def waiting(self) -> int:
        """Bytes in the kernel's output buffer."""
        try:
            return int(struct.unpack("i", fcntl.ioctl(self.stdout, termios.TIOCOUTQ, bytes(4)))[0])
        except OSError:
            return 0

    def write(self, data: bytes, wanted: Callable[[], bool]) -> bool:
        """Send bytes, in pieces, each when the line is ready.

        Args:
            data: What to send.
            wanted: Asked again and again while the line takes nothing; False gives up.

        Returns:
            Whether all was sent.

        Raises:
            HungUpError: If the line is gone.
        """
        view = memoryview(data)
        try:
            while view:
                if not select.select([], [self.stdout], [], 0.25)[1]:
                    if not wanted():
                        return False
                    continue
                sent = os.write(self.stdout, view[:256])
                view = view[sent:]
                if self.speed:
                    self._free_at = max(self._free_at, time.monotonic()) + sent * 10 / self.speed
        except (OSError, ValueError) as error:
            raise HungUpError from error
        return True

    def last_words(self, data: bytes) -> None:
        """Send bytes before leaving. A line that takes none (XOFF, a pulled cable) is not waited for."""
        until = time.monotonic() + STUCK
        try:
            if not self.write(data, lambda: time.monotonic() < until):
                termios.tcflush(self.stdout, termios.TCOFLUSH)
        except (HungUpError, termios.error):
            return


def set_modes(fd: int, modes: Modes) -> None:
    """Set a line's modes at once; a line that is gone needs none."""
    try:
        termios.tcsetattr(fd, termios.TCSANOW, modes)
    except termios.error:
        return


def cooked(modes: Modes) -> Modes:
    """Modes that a shell can live with: the same, or, where a killed program left them raw, sane ones.

    A shell or getty always hands over a line with ICANON or ECHO; without both it was somebody like us who was killed.
    Speed and framing stay.
    """
    lflag = modes[LFLAG]
    if isinstance(lflag, int) and lflag & (termios.ICANON | termios.ECHO):
        return modes
    sane: Modes = [*modes[:CC], list(modes[CC])]  # type: ignore[arg-type]  # the last one is the list of characters
    sane[IFLAG] = termios.ICRNL | termios.IXON | termios.BRKINT | getattr(termios, "IUTF8", 0)
    sane[OFLAG] = termios.OPOST | termios.ONLCR
    sane[LFLAG] = (
        termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ISIG | termios.IEXTEN
        | termios.ECHOCTL | termios.ECHOKE
    )  # fmt: skip
    characters = sane[CC]
    if isinstance(characters, list):
        for index, value in ((termios.VINTR, b"\x03"), (termios.VQUIT, b"\x1c"), (termios.VERASE, b"\x7f"),
                             (termios.VKILL, b"\x15"), (termios.VEOF, b"\x04"), (termios.VSUSP, b"\x1a")):  # fmt: skip
            characters[index] = value
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    return sane
