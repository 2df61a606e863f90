"""Key by key: bytes on the line, the least they could have been, and processor time."""

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from bench.ideal import Ideal, Pen
from bench.terminal import Program, key

QUIET = 0.25
"""Seconds of silence after which a key is taken for answered."""


@dataclass
class Step:
    """What one key cost."""

    bytes: int
    ideal: int
    cpu: float
    data: bytes = b""


@dataclass
class Measured:
    """A running program and what its keys cost, by label."""

    program: Program
    terminal: str
    steps: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))

    def start(self, silence: float = 2.0) -> None:
        """The first paint: everything from start until it is silent."""
        before = self.program.model.looks()
        self.program.settle(silence, 30)
        after = self.program.model.looks()
        least = Ideal(self.terminal).bytes(before, after, (0, 0), None)
        data = bytes(self.program.data)
        self.steps["start"].append(Step(len(data), least, cpu(self.program.pid), data))

    def press(self, label: str, *names: str, quiet: float = QUIET) -> None:
        """Press keys one by one and book them under a label."""
        for name in names:
            self.send(label, key(name, self.terminal), quiet)

    def send(self, label: str, data: bytes, quiet: float = QUIET) -> None:
        """Send bytes as one key."""
        model = self.program.model
        before, cursor, pen, shifted = model.looks(), model.cursor, self.pen(), model.screen.charset == 1
        hidden, mark, spent = model.cursor_hidden, len(self.program.data), cpu(self.program.pid)
        self.program.send(data)
        self.program.settle(quiet, 1.5)
        after = model.looks()
        target = None if model.cursor_hidden else model.cursor
        if before == after and cursor == model.cursor:
            least = 0
        else:
            least = Ideal(self.terminal).bytes(before, after, cursor, target, pen, shifted)
        least += 6 * (hidden != model.cursor_hidden)
        sent = bytes(self.program.data[mark:])
        self.steps[label].append(Step(len(sent), least, cpu(self.program.pid) - spent, sent))

    def pen(self) -> Pen:
        """What the terminal draws with."""
        now = self.program.model.screen.cursor.attrs
        return (now.fg, now.bg, now.bold, now.underscore, now.reverse)

    def bytes(self, label: str) -> list[int]:
        """Of each key with this label; empty where none was pressed."""
        return [step.bytes for step in self.steps[label]]

    def mean(self, label: str) -> float:
        """Mean bytes of a key."""
        return statistics.fmean(self.bytes(label)) if self.steps[label] else float("nan")

    def median(self, label: str) -> float:
        """Median bytes of a key."""
        return statistics.median(self.bytes(label)) if self.steps[label] else float("nan")

    def percentile(self, label: str, share: float) -> float:
        """Bytes that this share of the keys stays within."""
        found = sorted(self.bytes(label))
        return found[min(len(found) - 1, int(share * len(found)))] if found else float("nan")

    def over_ideal(self) -> float:
        """All bytes over the least, of all keys that changed the screen."""
        steps = [step for found in self.steps.values() for step in found if step.ideal]
        return sum(step.bytes for step in steps) / sum(step.ideal for step in steps)


def cpu(pid: int) -> float:
    """Seconds that the threads of a process have run (proc(5), schedstat: in nanoseconds)."""
    total = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(path.read_text("ascii").split()[0])
        except OSError:
            continue
    return total / 1e9
