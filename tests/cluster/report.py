"""Rows of a measured table, and their section of docs/measured/cluster.md."""

from __future__ import annotations

import os
import re
import subprocess

from tests.cluster import rig

TABLE = rig.CODE / "docs/measured/cluster.md"


class Rows:
    def __init__(self, heading: str, about: str) -> None:
        self.heading, self.about = heading, about
        self.rows: list[tuple[str, str, str]] = []

    def row(self, what: str, shown: str, seconds: float | None = None) -> None:
        self.rows.append((what, shown, "" if seconds is None else f"{seconds:.0f}"))
        print(f"        == {what}: {shown} {self.rows[-1][2]}", flush=True)

    def write(self) -> None:
        """In place of the section of that heading, or after all others."""
        commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=rig.CODE, text=True).strip()
        load = os.getloadavg()[2]
        lines = [
            f"## {self.heading}",
            "",
            self.about,
            "",
            f"Commit {commit}, {os.cpu_count()} processors, load {load:.1f} (other work beside).",
            "",
            "| what | shown | seconds |",
            "| --- | --- | --- |",
            *(f"| {what} | {shown} | {seconds} |" for what, shown, seconds in self.rows),
        ]
        parts = re.split(r"(?m)^(?=## )", TABLE.read_text())
        kept = [part for part in parts if not part.startswith(f"## {self.heading}\n")]
        TABLE.write_text("".join(kept).rstrip() + "\n\n" + "\n".join(lines) + "\n")
