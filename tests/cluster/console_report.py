"""docs/measured/console-cluster.md: two tables, each written by the test that measures it, the other left as it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.cluster import rig
from tests.cluster.desk import Desk

PATH = rig.CODE / "docs/measured/console-cluster.md"
HEAD = """# A cluster made at the console

`make console-cluster`: the real console on a pty of each node of the test rig (containers with real systemd, real
kubeadm 1.20.2), driven by keystrokes and judged by what stands on its screen. Nobody asks an agent meanwhile. Who
presses is a program that waits for the screen after each key, so "at the keys" is the time of the console, not of a
person.
"""
SECTIONS = {
    "line 1": (
        "From link to delete",
        ("what", "keys n1", "n2", "n3", "n4", "s at the keys", "s of the engine", "s other waiting"),
        "The recordings are `docs/recordings/console-cluster-n*.cast` (asciinema, version 2; `asciinema play`).",
    ),
    "line 2": (
        "What goes wrong",
        ("what was done", "where", "on the screen", "s until the agent knew", "s from then to the screen"),
        "Where no time of the agent stands, a key made it look, and the second time begins with that key.",
    ),
}


class Report:
    """One section, row by row."""

    def __init__(self, section: str) -> None:
        self.section = section
        self.rows: list[tuple[str, ...]] = []
        self.note = ""

    def row(self, *cells: str) -> None:
        self.rows.append(cells)
        print("== " + " | ".join(cells), flush=True)

    def write(self) -> None:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=rig.CODE, capture_output=True, text=True)
        title, columns, words = SECTIONS[self.section]
        where = f"Commit {commit.stdout.strip()}, {os.cpu_count()} processors, load {os.getloadavg()[1]:.1f}."
        lines = [f"## {title}", "", " ".join(x for x in (where, words, self.note) if x), ""]
        lines += [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
        lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in self.rows]
        mine = "\n".join(lines) + "\n"
        old = PATH.read_text() if PATH.exists() else ""
        parts = {name: _part(old, heading) for name, (heading, _, _) in SECTIONS.items()} | {self.section: mine}
        PATH.write_text("\n".join([HEAD, *(parts[name] for name in SECTIONS if parts[name])]))


class Tally:
    """What everybody at the desks spent, part by part, as rows of a report."""

    def __init__(self, desks: Sequence[Desk], report: Report) -> None:
        self.desks, self.report = desks, report
        self.engine = 0.0
        self.began = self._now()

    @contextmanager
    def part(self, what: str, engine: bool = False) -> Iterator[None]:
        """A row for what is done meanwhile.

        Args:
            engine: what is waited for is the engine, not the console.
        """
        before = self._now()
        yield
        waited = sum(now - then for (_, _, now), (_, _, then) in zip(self._now(), before, strict=True))
        self.engine += waited if engine else 0.0
        self._row(what, before, waited if engine else 0.0)

    def in_all(self, what: str) -> None:
        self._row(what, self.began, self.engine)

    def _row(self, what: str, before: list[tuple[int, float, float]], engine: float) -> None:
        spent = [(k - b, h - c, w - d) for (k, h, w), (b, c, d) in zip(self._now(), before, strict=True)]
        keys = [str(k or "") for k, _, _ in spent]
        hands, waited = sum(h for _, h, _ in spent), sum(w for _, _, w in spent) - engine
        seconds = (f"{hands:.0f}", f"{engine:.0f}" if engine else "", f"{waited:.0f}")
        self.report.row(what, *keys, *[""] * (4 - len(keys)), *seconds)

    def _now(self) -> list[tuple[int, float, float]]:
        return [(d.keys, d.hands, d.waited) for d in self.desks]


LINE_1 = Report("line 1")
"""One host alone, then several: the tests of both put their rows here, and the second of them writes."""


def _part(text: str, heading: str) -> str:
    """The section with this heading, up to the next; "" where there is none."""
    _, found, rest = text.partition(f"## {heading}\n")
    return f"{found}{rest.partition(chr(10) + '## ')[0].rstrip()}\n" if found else ""
