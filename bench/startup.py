"""What starting costs: instructions to the first usable screen and of `onsite status --json`.

    python -m bench.startup [--check] [--seconds]

Instructions are counted by callgrind, which gives the same figure on a busy machine. Where valgrind is missing (or
with --seconds) processor time is compared as ratios instead. Byte code is compiled before, as a package does it.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.terminal import Program

CODE = Path(__file__).resolve().parents[1]
FIRST_SCREEN, STATUS_RATIO, SCREEN_SECONDS_RATIO = 1300.0, 8.0, 1.6
"""Budgets: million instructions; times `pass`; times `import textual.app`."""
PLACES = ("1 Home", "2 Network", "9 Cluster", "v Review", "? Help")
_ENTRY = "import sys; from tui.cli import run; sys.exit(run(sys.argv[1:]))"
"""What the installed `onsite` script does."""


def onsite(*arguments: str) -> list[str]:
    return [sys.executable, "-c", _ENTRY, *arguments]


def environ() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(CODE), "TERM": "xterm", "PYTHONHASHSEED": "0"}


def instructions(command: list[str]) -> float:
    """Million instructions of a whole run, children left out."""
    with tempfile.NamedTemporaryFile() as out:
        ended = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", *command],
            env=environ(), cwd=CODE, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    found = re.search(r"Collected : (\d+)", ended.stderr)
    if ended.returncode or found is None:
        raise SystemExit(f"{command} failed under valgrind:\n{ended.stderr[-2000:]}")
    return int(found[1]) / 1e6


def seconds(command: list[str], runs: int = 7) -> float:
    """Median processor seconds of a whole run."""
    taken = []
    for _ in range(runs):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env=environ(), cwd=CODE, **quiet)
        _, status, used = os.wait4(process.pid, 0)  # microseconds; os.times() counts in hundredths
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command} failed: {process.returncode}")
        taken.append(used.ru_utime + used.ru_stime)
    return statistics.median(taken)


def usable(program: Program) -> bool:
    """Whether a person could begin: every place is listed and the last row says which keys work."""
    shown = program.model.text()
    return all(any(place in row for row in shown) for place in PLACES) and "quit" in shown[-1]


def first_screen_instructions(root: Path) -> float:
    """Million instructions until the first usable screen stands; what comes after is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--log-file=" + str(out) + ".log"]
        with Program([*command, *onsite("--root", str(root))], "xterm", environ=environ()) as program:
            _until_usable(program, 300)
            subprocess.run(
                ["callgrind_control", "--dump=first-screen", str(program.pid)], capture_output=True, check=True
            )
            parts = [p for p in Path(folder).glob("out.*") if p.suffix[1:].isdigit()]
            total = sum(_dumped(p) for p in parts)
    if not total:
        raise SystemExit("callgrind wrote no dump")
    return total / 1e6


def _dumped(path: Path) -> int:
    found = re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def first_screen_seconds(root: Path, runs: int = 5) -> float:
    taken = []
    for _ in range(runs):
        with Program(onsite("--root", str(root)), "xterm", environ=environ()) as program:
            _until_usable(program, 60)
            taken.append(program.cpu())
    return statistics.median(taken)


def _until_usable(program: Program, patience: int) -> None:
    for _ in range(patience * 5):
        program.read(0.2)
        if usable(program):
            return
    raise SystemExit("no usable screen came:\n" + "\n".join(program.model.text()))


def countable() -> bool:
    """Whether instructions can be counted here."""
    return all(shutil.which(name) for name in ("valgrind", "callgrind_control"))


def measure(count: bool) -> dict[str, float]:
    """Cost by what was started, in million instructions or in seconds of processor time."""
    for folder in ("tui", "screens"):
        compileall.compile_dir(str(CODE / folder), quiet=1)
    cost = instructions if count else seconds
    python = [sys.executable, "-c"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        return {
            "python -c pass": cost([*python, "pass"]),
            "onsite --version": cost(onsite("--version")),
            "onsite status --json": cost(onsite("status", "--json")),
            "python -c 'import textual.app'": cost([*python, "import textual.app"]),
            "onsite, first usable screen": (first_screen_instructions if count else first_screen_seconds)(root),
        }


def verdicts(found: Mapping[str, float], count: bool) -> dict[str, tuple[float, float]]:
    """What is promised: (value, budget)."""
    ratio = found["onsite status --json"] / found["python -c pass"]
    screen = found["onsite, first usable screen"]
    promised = {"onsite status --json / pass": (ratio, STATUS_RATIO)}
    if count:
        promised["first usable screen, M instructions"] = (screen, FIRST_SCREEN)
    else:
        textual = found["python -c 'import textual.app'"]
        promised["first usable screen / import textual.app"] = (screen / textual, SCREEN_SECONDS_RATIO)
    return promised


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bench.startup", description="What starting costs.")
    parser.add_argument("--check", action="store_true", help="exit 1 where a budget is exceeded")
    parser.add_argument("--seconds", action="store_true", help="processor time even where instructions can be counted")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    given = parser.parse_args(arguments)
    count = countable() and not given.seconds
    found = measure(count)
    promised = verdicts(found, count)
    if given.json:
        print(json.dumps({"unit": "M instructions" if count else "s", "cost": found, "promised": promised}, indent=1))
    else:
        base = found["python -c pass"]
        unit = "M instructions" if count else "CPU seconds"
        print(f"{'start-up':<44}{unit:>16}{'x pass':>10}")
        for name, value in found.items():
            print(f"{name:<44}{value:>16,.{0 if count else 3}f}{value / base:>10.1f}")
        for name, (value, budget) in promised.items():
            print(f"{name:<44}{value:>16,.1f}{'ok' if value <= budget else 'OVER':>10} (at most {budget:,.1f})")
    exceeded = any(value > budget for value, budget in promised.values())
    return 1 if given.check and exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
