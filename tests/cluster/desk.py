"""Somebody who sits at the console of a node: presses keys, reads the screen, and nothing else.

The program is the real one, on a pty of the node, beside the agent that its unit would start. What is pressed is
counted; the time is told apart: pressing keys with what the console answers to each, and waiting for the agent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.terminal import Program, key
from tests.cluster import rig
from tui.widgets.digits import HEIGHT, large

TERMINAL = "vt220"
SIZE = (80, 24)
PATIENCE = 20.0
"""Seconds until what is typed stands there."""


class _Recorded(Program):
    """A program whose line is kept with the moment of each piece."""

    def __init__(self, command: list[str]) -> None:
        self.pieces: list[tuple[float, bytes]] = []
        super().__init__(command, TERMINAL, size=SIZE)

    def read(self, seconds: float) -> bytes:
        data = super().read(seconds)
        if data:
            self.pieces.append((time.perf_counter() - self.began, data))
        return data


class Desk:
    """One console on one node. Use as a context manager.

    Attributes:
        keys: pressed so far.
        hands: seconds spent pressing, up to a quiet screen.
        waited: seconds spent reading, until what was waited for stood there.
    """

    def __init__(self, node: rig.Node) -> None:
        self.node = node
        self.keys = 0
        self.hands = self.waited = 0.0
        self.program: _Recorded

    def __enter__(self) -> Desk:
        words = ["systemd-run", "--quiet", "--pty", "--wait", "--collect", "--unit=desk", "--working-directory=/root"]
        words += [f"--setenv=TERM={TERMINAL}", "--setenv=PYTHONDONTWRITEBYTECODE=1", "--setenv=HOME=/root"]
        words += [f"--setenv=PATH={rig.PATH}", "--setenv=LANG=C.UTF-8", "python3", "-m", "tui"]
        self.program = _Recorded([*self.node.enter(), f"TERM={TERMINAL}", *words])
        self.program.expect("q quit", 90)
        self.program.settle(0.5, 2)
        return self

    def again(self) -> None:
        """At the console anew, after the power of the node was cut or where nobody knows what is on its screen."""
        self.program.close()
        self.node.run("systemctl stop desk")  # killing who holds its line does not end it, and it keeps the lease
        self.__enter__()

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.program.send(b"q")
            self.program.settle(0.5, 1)
            self.program.send(b"y")
            self.program.reap(3)
        self.program.close()

    # -- hands
    def press(self, *names: str) -> None:
        """Keys by their names, each one after the screen has answered the last."""
        began = time.monotonic()
        for name in names:
            self.program.send(key(name, TERMINAL))
            self.program.settle(0.7 if name == "escape" else 0.15, 1.0)  # Esc and a key at once are another key
            self.keys += 1
        self.hands += time.monotonic() - began

    def type(self, text: str, secret: bool = False) -> None:
        """A text, as fast as the line takes it; then it has to stand there: an Enter in a burst is part of a paste.

        A secret stands there as a star for each sign, one that has never been on the screen.
        """
        began = time.monotonic()
        for letter in text:
            self.program.send(letter.encode())
            self.program.read(0.02)
            self.keys += 1
        self.program.expect("*" * len(text) if secret else text, PATIENCE)
        assert not secret or text.encode() not in self.program.data, "a secret was shown"
        self.program.settle(0.3, 1.0)
        self.hands += time.monotonic() - began

    def to(self, words: str, limit: int = 60) -> None:
        """Down, and up again from the end, until the mark `>` stands at a line with these words."""
        way, before = "down", [""]
        for _ in range(limit):
            if any(words in line for line in self.marked()):
                return
            if self.marked() == before:
                way = "up"
            before = self.marked()
            self.press(way)
        raise AssertionError(f"{self.node.name}: no {words!r} to go to:\n{self}")

    # -- eyes
    def marked(self) -> list[str]:
        """The lines at which the mark stands, from the mark on."""
        return [line[14:] for line in self.lines[1:-1] if ">" in line[13:17]]

    @property
    def lines(self) -> list[str]:
        return self.program.model.text()

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def shows(self, words: str, seconds: float = 15) -> None:
        """Wait for these words, on one line of the screen."""
        self.until(lambda: words in str(self), seconds, words)

    def shows_no(self, words: str, seconds: float = 15) -> None:
        self.until(lambda: words not in str(self), seconds, f"not {words}")

    def until(self, what: Callable[[], bool], seconds: float, name: str) -> None:
        began = time.monotonic()
        while not what():
            assert time.monotonic() - began < seconds, f"{self.node.name}: no {name!r} within {seconds} s:\n{self}"
            self.program.read(0.2)
        self.program.settle(0.15, 0.2)
        self.waited += time.monotonic() - began

    def code(self) -> str:
        """The eight digits that a leader shows, read off its screen: five rows of `#` for each."""
        lines = self.lines
        first = next(n for n, line in enumerate(lines) if "###" in line)
        left = min(line.index("#") for line in lines[first : first + HEIGHT])
        left -= (left - next(line.index("Address") for line in lines if "Address" in line)) % 5
        found = ""
        for place in range(9):
            column = left + 5 * place - 2 * (place > 4)
            shape = [line.ljust(SIZE[0])[column : column + 3] for line in lines[first : first + HEIGHT]]
            found += next((d for d in "0123456789" if [r.ljust(3) for r in large(d)] == shape), "")
        assert len(found) == 8, str(self)
        return found

    # -- the record
    def cast(self, path: Path, title: str, pause: float = 2.0) -> None:
        """Write an asciinema cast (version 2); no pause is longer than some seconds there."""
        head = {"version": 2, "width": SIZE[0], "height": SIZE[1], "title": title, "env": {"TERM": TERMINAL}}
        head["idle_time_limit"] = pause
        lines = [json.dumps(head)]
        lines += [json.dumps([round(at, 3), "o", data.decode("latin-1")]) for at, data in self.program.pieces]
        path.write_text("\n".join(lines) + "\n")
