"""What a test run did, group by group. A green run says what it ran.

A group is a folder below tests/. README.md there has two tables that are read here: the groups (and whether CI must
run them) and what CI may skip. Standard library only: dev.py adds the runs up, pytest's plugin counts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

NOTHING_COLLECTED = 5  # pytest's exit status


@dataclass
class Group:
    """What happened to the tests of one group."""

    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Of each skipped test, its id and the reason that it gave."""

    def add(self, other: Group) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.seconds += other.seconds
        self.skipped += other.skipped


@dataclass
class Run:
    """One run of pytest: its exit status and its groups."""

    status: int = 0
    groups: dict[str, Group] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """The two tables of tests/README.md."""

    required: dict[str, bool]
    """Every group in the order of the table, and whether a run with CI=true must run all of it."""
    may_skip: list[tuple[str, str]]
    """Beginning of a test id, and words that the reason it gives contains."""

    def allows(self, test: str, reason: str) -> bool:
        return any(test.startswith(start) and words in reason for start, words in self.may_skip)


def group_of(test: str) -> str:
    """The group of a test id: `tests/unit/test_mask.py::test_short` is of `unit`."""
    parts = test.split("/")
    return parts[1] if len(parts) > 2 else "(no group)"


def read_rules(readme: Path) -> Rules:
    """The tables below the headings "Groups" and "What CI may skip"."""
    text = readme.read_text(encoding="utf-8")
    groups = {row[0]: row[2] == "yes" for row in table(text, "Groups")}
    return Rules(groups, [(row[0], row[1]) for row in table(text, "What CI may skip")])


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table after a heading, cells without back-quotes."""
    section = re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line.strip().strip("|").split("|") for line in section.splitlines() if line.lstrip().startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


def write_run(path: Path, run: Run) -> None:
    path.write_text(json.dumps(asdict(run)), encoding="utf-8")


def read_run(path: Path, status: int) -> Run:
    """A run that pytest's plugin wrote down. One that died before it could is a failed one."""
    if not path.exists():
        return Run(status=status or 1)
    groups = json.loads(path.read_text(encoding="utf-8"))["groups"]
    return Run(
        status,
        {
            name: Group(**{**values, "skipped": [(test, why) for test, why in values["skipped"]]})
            for name, values in groups.items()
        },
    )


def add_up(runs: list[Run]) -> dict[str, Group]:
    total: dict[str, Group] = {}
    for run in runs:
        for name, group in run.groups.items():
            total.setdefault(name, Group()).add(group)
    return total


def reasons(group: Group) -> list[str]:
    """The reasons of the skips, each with how many gave it."""
    return [f"{count} x {reason}" for reason, count in Counter(why for _, why in group.skipped).most_common()]


def render(total: dict[str, Group], rules: Rules) -> list[str]:
    """The table of groups, and a last line alone with the sums."""
    names = [*rules.required, *sorted(total.keys() - rules.required.keys())]
    lines = [f"{'group':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}  why"]
    for name in names:
        group = total.get(name, Group())
        nothing = not (group.passed or group.failed or group.skipped)
        why = ["nothing ran"] if nothing else reasons(group)
        counts = f"{group.passed:>8}{group.failed:>8}{len(group.skipped):>9}{group.seconds:>9.1f}"
        lines.append(f"{name:<12}{counts}  {why[0] if why else ''}".rstrip())
        lines += [f"{'':<48}{reason}" for reason in why[1:]]
    return lines


def sums(total: dict[str, Group]) -> str:
    """The closing line."""
    passed, failed = sum(group.passed for group in total.values()), sum(group.failed for group in total.values())
    return f"{passed} passed, {failed} failed, {sum(len(group.skipped) for group in total.values())} skipped"


def refusals(total: dict[str, Group], rules: Rules) -> list[str]:
    """Why CI does not accept a run, apart from failures: required groups that ran nothing, skips nobody agreed to."""
    found = []
    for name, required in rules.required.items():
        group = total.get(name, Group())
        if required and not group.passed and not group.failed:
            found.append(f"the group {name} ran nothing")
        if required:
            unlisted = [(test, why) for test, why in group.skipped if not rules.allows(test, why)]
            found += [f"{test} was skipped, which tests/README.md does not allow: {why}" for test, why in unlisted]
    found += [f"the group {name} is not in tests/README.md" for name in sorted(total.keys() - rules.required.keys())]
    return found


def conclude(runs: list[Run], readme: Path, strict: bool) -> int:
    """Print the report of all runs and give the exit status of the whole; `strict` is CI=true."""
    total, rules = add_up(runs), read_rules(readme)
    broken = [run.status for run in runs if run.status not in (0, 1, NOTHING_COLLECTED)]
    complaints = refusals(total, rules)
    print()
    print("\n".join(render(total, rules)))
    if broken:
        print(f"pytest itself ended with status {', '.join(map(str, broken))}")
    for complaint in complaints:
        print(f"{'refused' if strict else 'CI would refuse this'}: {complaint}")
    print(sums(total), flush=True)
    failed = any(run.status not in (0, NOTHING_COLLECTED) for run in runs)
    failed = failed or all(run.status == NOTHING_COLLECTED for run in runs)
    return int(failed or (strict and bool(complaints)))
