"""A real, unused virtual terminal of this kernel to run a program on; the kernel tells what it shows."""

import fcntl
import os
import signal
import struct
import termios
import time
from array import array
from contextlib import suppress
from pathlib import Path

VT_OPENQRY = 0x5600  # linux/vt.h
VT_DISALLOCATE = 0x5608
GIO_UNIMAP = 0x4B66  # linux/kd.h


def free_number() -> int | None:
    """The number of a virtual terminal that nobody uses; None where there is none, or none that may be used."""
    try:
        console = os.open("/dev/tty0", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        (number,) = struct.unpack("i", fcntl.ioctl(console, VT_OPENQRY, bytes(4)))
        fd = os.open(f"/dev/tty{number}", os.O_RDWR | os.O_NOCTTY)
        os.close(fd)
        return number if Path(f"/dev/vcsa{number}").exists() else None
    except OSError:
        return None
    finally:
        os.close(console)


class Console:
    """A program on a virtual terminal; the visible one is not switched."""

    def __init__(self, number, command, environ):
        self.number = number
        self.fd = os.open(f"/dev/tty{number}", os.O_RDWR | os.O_NOCTTY)
        os.write(self.fd, b"\x1bc")
        self.before = termios.tcgetattr(self.fd)
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            fd = os.open(f"/dev/tty{number}", os.O_RDWR)
            fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
            for n in range(3):
                os.dup2(fd, n)
            os.execvpe(command[0], command, environ)  # noqa: S606 - a terminal, no shell
        self.status = None

    def type(self, data):
        """As from its keyboard (tty_ioctl(4), TIOCSTI)."""
        for byte in data:
            fcntl.ioctl(self.fd, termios.TIOCSTI, bytes([byte]))

    def glyphs(self):
        """Rows of (position in the font, attribute), and the cursor, as the kernel has them (vcs(4))."""
        raw = Path(f"/dev/vcsa{self.number}").read_bytes()
        rows, columns, x, y = raw[:4]
        cells = [(raw[4 + 2 * n], raw[5 + 2 * n]) for n in range(rows * columns)]
        return [cells[n * columns : (n + 1) * columns] for n in range(rows)], (x, y)

    def text(self):
        """Rows of the characters that its font shows."""
        shapes = {place: min(characters) for place, characters in self.font().items()}
        rows, _ = self.glyphs()
        return ["".join(shapes.get(place, "\ufffd") for place, _ in row).rstrip() for row in rows]

    def font(self):
        """Which characters each position of the font stands for."""
        pairs = array("H", bytes(4 * 4096))
        answer = fcntl.ioctl(self.fd, GIO_UNIMAP, struct.pack("@HP", 4096, pairs.buffer_info()[0]))
        found = {}
        for n in range(struct.unpack_from("@H", answer)[0]):
            found.setdefault(pairs[2 * n + 1], set()).add(chr(pairs[2 * n]))
        return found

    def expect(self, words, seconds=20.0):
        until = time.monotonic() + seconds
        while words not in "\n".join(self.text()):
            assert time.monotonic() < until, "\n".join(self.text())
            time.sleep(0.05)

    def wait(self, seconds=5.0):
        """Its exit status; None if it still runs."""
        until = time.monotonic() + seconds
        while self.status is None and time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                os.close(self.fd)  # the end of its session hung this one up
                self.fd = os.open(f"/dev/tty{self.number}", os.O_RDWR | os.O_NOCTTY)
            time.sleep(0.02)
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        os.write(self.fd, b"\x1bc")
        os.close(self.fd)
        console = os.open("/dev/tty0", os.O_RDWR | os.O_NOCTTY)
        with suppress(OSError):
            fcntl.ioctl(console, VT_DISALLOCATE, self.number)
        os.close(console)
