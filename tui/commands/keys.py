"""The file of a replay: keys, and the screen that each of them leads to, as text that a pull request can show.

    # a comment
    machine shop.json
    clock 2026-01-31T10:42
    size 80x24
    start
    |the first row of the screen, without the blanks at its end
    |...
    key down
    |...
    type 192.0.2.10/24
    |...

`key` takes a name of Textual (`enter`, `tab`, `ctrl+l`, `space`) or a character; `type` presses every character
(blanks at its ends do not count: editors remove them).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SIZES = {"80x24": (80, 24), "80x25": (80, 25), "132x43": (132, 43)}
_LARGEST = 16 << 20


@dataclass(slots=True)
class Step:
    """One line of keys, with the rows of the screen after it; no rows where it is still to be recorded."""

    verb: str
    value: str = ""
    rows: list[str] = field(default_factory=list)

    @property
    def presses(self) -> tuple[str, ...]:
        """The keys, by the names that a pilot knows."""
        if self.verb == "type":
            return tuple(self.value)
        return (self.value,) if self.verb == "key" else ()

    def __str__(self) -> str:
        return f"{self.verb} {self.value}".rstrip()


@dataclass(slots=True)
class Replay:
    """A whole file. `machine` and `clock` say on what it was recorded."""

    machine: str = ""
    clock: str = ""
    size: tuple[int, int] = (80, 24)
    steps: list[Step] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def load(path: Path) -> Replay:
    """Read a file of keys, with screens or without.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file; names the line.
    """
    if path.stat().st_size > _LARGEST:
        raise ValueError("too large")
    return parse(path.read_text(encoding="utf-8"))


def parse(content: str) -> Replay:
    """The replay in a text.

    Raises:
        ValueError: it is no such text; names the line.
    """
    replay = Replay()
    for number, line in enumerate(content.split("\n"), 1):
        word, _, value = line.partition(" ")
        if not line.strip():
            continue
        if line.startswith("#"):
            replay.comments.append(line)
        elif line.startswith("|") and replay.steps:
            replay.steps[-1].rows.append(line[1:].rstrip())
        elif word in ("key", "type") and value.strip():
            replay.steps.append(Step(word, value.strip()))
        elif line.strip() == "start":
            replay.steps.append(Step("start"))
        elif word == "machine":
            replay.machine = value.strip()
        elif word == "clock":
            replay.clock = value.strip()
        elif word == "size" and value.strip() in SIZES:
            replay.size = SIZES[value.strip()]
        else:
            raise ValueError(f"line {number}: {line[:40]!r} is none of start, key, type, size, machine, clock, |, #")
    if not replay.steps or replay.steps[0].verb != "start":
        replay.steps.insert(0, Step("start"))
    return replay


def text(replay: Replay) -> str:
    """The file; `load` of it gives the same replay."""
    lines = [*replay.comments]
    lines += [f"{key} {value}" for key, value in (("machine", replay.machine), ("clock", replay.clock)) if value]
    lines.append(f"size {replay.size[0]}x{replay.size[1]}")
    for step in replay.steps:
        lines += [str(step), *(f"|{row}".rstrip() for row in step.rows)]
    return "\n".join(lines) + "\n"


def of_presses(pressed: Iterable[tuple[str, str | None]]) -> list[Step]:
    """Steps of keys as they came in: (name, character), None for what was not typed into a field.

    Characters in a row become one `type`.
    """
    steps = [Step("start")]
    for name, character in pressed:
        printable = character is not None and len(character) == 1 and character.isprintable() and character != " "
        if printable and steps[-1].verb == "type":
            steps[-1].value += character or ""
        elif printable:
            steps.append(Step("type", character or ""))
        else:
            steps.append(Step("key", name))
    return steps
