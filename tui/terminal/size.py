"""How large the terminal is.

The kernel knows for a virtual terminal and for SSH. A serial line reports 0x0, so the terminal itself is asked: the
cursor goes as far to the corner as it can, and its position is the size. Every terminal since the VT100 answers that.
"""

import fcntl
import re
import select
import struct
import termios
import time

from tui.terminal.line import Line

DEFAULT = (80, 24)
LARGEST = 1000

QUERY = b"\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8"
ANSWER = re.compile(rb"\x1b\[(\d{1,4});(\d{1,4})R")


def told(fd: int) -> tuple[int, int] | None:
    """Columns and rows by TIOCGWINSZ, or None where the kernel does not know."""
    try:
        rows, columns = struct.unpack("4H", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))[:2]
    except OSError:
        return None
    return (columns, rows) if columns and rows else None


def tell(fd: int, columns: int, rows: int) -> None:
    """Let the kernel know, so that whatever else runs on this line agrees."""
    try:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
    except OSError:
        return


def patience(speed: int) -> float:
    """Seconds to wait for an answer: 0.3 and the time of forty bytes on the line."""
    return 0.3 + (40 * 10 / speed if speed else 0)


def probe(line: Line) -> tuple[tuple[int, int] | None, bytes]:
    """Ask the terminal. The line must be raw.

    Returns:
        Columns and rows, or None if nothing answered in time; and what was read that is no answer (typed ahead).
    """
    until = time.monotonic() + patience(line.speed)
    line.write(QUERY, lambda: time.monotonic() < until)
    read = b""
    while (left := until - time.monotonic()) > 0:
        if not select.select([line.stdin], [], [], left)[0]:
            break
        read += line.read()
        if answer := ANSWER.search(read):
            return usable(int(answer[2]), int(answer[1])), read[: answer.start()] + read[answer.end() :]
    return None, read


def usable(columns: int, rows: int) -> tuple[int, int] | None:
    """A size that can be meant."""
    return (columns, rows) if 1 < columns <= LARGEST and 1 < rows <= LARGEST else None
