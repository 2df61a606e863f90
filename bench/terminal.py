"""A program on a pty, with a terminal model at the other end."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from bench.model import Model

COMMON = {"tab": b"\t", "enter": b"\r", "escape": b"\x1b", "space": b" ", "backspace": b"\x7f"}
ARROWS = {"up": b"\x1b[A", "down": b"\x1b[B", "right": b"\x1b[C", "left": b"\x1b[D"}
PF = {"f1": b"\x1bOP", "f2": b"\x1bOQ", "f3": b"\x1bOR", "f4": b"\x1bOS"}
PAGES = {"pageup": b"\x1b[5~", "pagedown": b"\x1b[6~", "insert": b"\x1b[2~", "delete": b"\x1b[3~"}
HIGH = {f"f{n}": b"\x1b[%d~" % code for n, code in enumerate((17, 18, 19, 20, 21, 23, 24), 6)}

KEYS: dict[str, dict[str, bytes]] = {
    "xterm": {**COMMON, **ARROWS, **PAGES, **PF, **HIGH, "f5": b"\x1b[15~", "home": b"\x1b[H", "end": b"\x1b[F",
              "shift+tab": b"\x1b[Z"},
    "linux": {**COMMON, **ARROWS, **PAGES, **HIGH, "home": b"\x1b[1~", "end": b"\x1b[4~", "shift+tab": b"\x1b\t",
              **{f"f{n}": b"\x1b[[" + letter for n, letter in enumerate((b"A", b"B", b"C", b"D", b"E"), 1)}},
    "vt220": {**COMMON, **ARROWS, **PAGES, **PF, **HIGH, "home": b"\x1b[1~", "end": b"\x1b[4~"},
    "vt100": {**COMMON, **PF, **{name: data.replace(b"[", b"O") for name, data in ARROWS.items()}},
}  # fmt: skip
KEYS["ascii"] = KEYS["vt100"]
"""What each terminal sends; a key that is not here it does not have."""


def key(name: str, terminal: str) -> bytes:
    """The bytes of a key: a name of the table, one character, or ^X for a control letter."""
    if len(name) == 2 and name[0] == "^":
        return bytes([ord(name[1].upper()) & 0x1F])
    return KEYS[terminal].get(name) or name.encode()


class Program:
    """A program with a terminal of its own.

    Args:
        command: Looked up in PATH.
        terminal: Which keys there are.
        size: Columns and rows; (0, 0) as a serial line reports.
        environ: Its whole environment.
        speed: Bits a second that the line carries; 0 for no limit. The program sees it as the line's speed.
        answers: Whether a cursor position query is answered (with the size of the model).
    """

    def __init__(self, command: Sequence[str], terminal: str, *, size: tuple[int, int] = (80, 24),
                 environ: Mapping[str, str] | None = None, speed: int = 0, answers: bool = False) -> None:  # fmt: skip
        self.terminal = terminal
        self.model = Model(*(size if all(size) else (80, 24)))
        self.data = bytearray()
        self.speed, self.answers = speed, answers
        self.began = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", size[1], size[0], 0, 0))
            if speed:
                modes = termios.tcgetattr(0)
                modes[4] = modes[5] = getattr(termios, f"B{speed}")
                termios.tcsetattr(0, termios.TCSANOW, modes)
            os.execvpe(command[0], list(command), dict(environ or os.environ))  # noqa: S606 - a terminal, no shell
        self.status: int | None = None

    def read(self, seconds: float) -> bytes:
        """What comes within some seconds; returns at the first bytes. Empty when nothing came or it has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.fd, max(1, self.speed // 10 // 100) if self.speed else 65536)
        except OSError:
            self.reap()
            return b""
        if self.speed:
            time.sleep(len(data) * 10 / self.speed)
        before = self.data[-32:]
        self.data += data
        self.model.feed(data)
        if self.answers and b"\x1b[6n" in before[-3:] + data:
            self.send(b"\x1b[%d;%dR" % (self.model.screen.lines, self.model.screen.columns))
        return data

    def settle(self, quiet: float = 0.3, patience: float = 10.0) -> tuple[int, float, float]:
        """Read until nothing comes for `quiet` seconds, waiting `patience` for the first byte.

        Returns:
            How many bytes, and when the first and the last of them came (seconds after the call; 0 for none).
        """
        began = time.perf_counter()
        count, first, last = 0, 0.0, 0.0
        while data := self.read(quiet if count else patience):
            last = time.perf_counter() - began
            first = first or last
            count += len(data)
        return count, first, last

    def expect(self, text: str, seconds: float = 20.0) -> None:
        """Read until the screen shows a text.

        Raises:
            AssertionError: If it does not in time; with the screen.
        """
        until = time.perf_counter() + seconds
        while text not in "\n".join(self.model.text()):
            if time.perf_counter() > until or (self.status is not None and not self.read(0)):
                raise AssertionError(f"no {text!r} on the screen:\n" + "\n".join(self.model.text()))
            self.read(0.2)

    def send(self, data: bytes) -> None:
        """Type bytes, reading what comes meanwhile so that neither side blocks."""
        view = memoryview(data)
        while view:
            readable, writable, _ = select.select([self.fd], [self.fd], [], 10)
            if readable and not self.read(0) and self.status is not None:
                return
            if writable:
                view = view[os.write(self.fd, view[:1024]) :]

    def press(self, *names: str, quiet: float = 0.3) -> None:
        """Press keys, one at a time, waiting after each until the screen is quiet."""
        for name in names:
            self.send(key(name, self.terminal))
            self.settle(quiet, 1.0)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the kernel sends SIGWINCH."""
        self.model.resize(columns, rows)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def modes(self) -> list[int | list[bytes | int]]:
        """The line's modes, as termios has them."""
        return termios.tcgetattr(self.fd)

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def reap(self, seconds: float = 5.0) -> int | None:
        """Wait for its end.

        Returns:
            The exit status, negative for a signal; None if it still runs.
        """
        until = time.perf_counter() + seconds
        while self.status is None and time.perf_counter() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            else:
                with suppress(OSError):
                    if select.select([self.fd], [], [], 0.05)[0]:
                        data = os.read(self.fd, 65536)
                        self.data += data
                        self.model.feed(data)
        return self.status

    def close(self) -> None:
        """End it, whatever it does."""
        if self.status is None:
            self.signal(signal.SIGKILL)
            self.reap()
        with suppress(OSError):
            os.close(self.fd)

    def cpu(self) -> float:
        """Seconds of processor time it has used, with the children it has waited for."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
