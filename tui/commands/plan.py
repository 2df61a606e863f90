"""`onsite plan FILE` and `onsite apply FILE`: the headless twins of Review and Apply."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.commands import words
from tui.models.change import Issue, Plan, Refused
from tui.models.masking import masked
from tui.services import document
from tui.services import facts as reading
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.facts import Facts
    from tui.models.host import HostConfig


def main(host: Host, arguments: list[str]) -> int:
    """`plan`: exit code 0 for a plan that could be applied, 1 for one with errors or a bad file."""
    parser = argparse.ArgumentParser("onsite plan", description="What FILE would change; nothing is written.")
    parser.add_argument("file", metavar="FILE", type=Path, help="a HostConfig in YAML, as onsite export writes it")
    parser.add_argument("--json", action="store_true", help="the plan as JSON")
    given = parser.parse_args(arguments)
    try:
        _, facts, plan = _planned(host, given.file)
    except Refused as refused:
        if given.json:
            print(json.dumps({"version": 1, "empty": True, "issues": [asdict(i) for i in refused.issues]}, indent=1))
        else:
            words.complain(refused.issues)
        return words.exit_code(refused.issues)
    if given.json:
        print(json.dumps(_data(plan), indent=1))
    else:
        print("\n".join(words.planned(plan, facts)), flush=True)
        words.complain(plan.issues)
    return words.exit_code(plan.errors) if plan.errors else 0


def apply(host: Host, arguments: list[str]) -> int:
    """`apply`: exit code 0 when the change waits for its Keep, or nothing had to change."""
    from tui import settings

    parser = argparse.ArgumentParser(
        "onsite apply", description="Make the change of FILE. It is taken back unless somebody keeps it in time."
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a HostConfig in YAML, as onsite export writes it")
    parser.add_argument(
        "--keep-within", metavar="S", type=_seconds, help="seconds to say onsite keep, 5 to 600 (default: 120)"
    )
    parser.add_argument("--yes-warnings", action="store_true", help="go on although there are warnings")
    given = parser.parse_args(arguments)
    try:
        window = given.keep_within or settings.load(host.root).keep_within
        config, facts, plan = _planned(host, given.file)
        if plan.errors:
            words.complain(plan.issues)
            return words.exit_code(plan.errors)
        if plan.empty:
            words.complain(plan.issues)
            print("Nothing has to change.")
            return 0
        issues = (*plan.issues, *asyncio.run(_probed(host, config, facts)))
    except ValueError as error:
        text = f"{settings.PATH} cannot be used: {error}"
        words.complain([Issue("S101", "error", "", text, "Correct the file, or give --keep-within.")])
        return 1
    except Refused as refused:
        words.complain(refused.issues)
        return words.exit_code(refused.issues)
    words.complain(issues)
    if any(i.severity != "note" for i in issues) and not given.yes_warnings:
        print("Nothing was changed. To go on in spite of this: onsite apply --yes-warnings", flush=True)
        return 1
    print("\n".join(words.planned(plan, facts)), flush=True)
    return start(host, plan, window)


def start(host: Host, plan: Plan, window: float, reverts: str = "") -> int:
    """Apply a plan and say how to keep it."""
    from tui.services.change import transaction
    from tui.services.network import backends
    from tui.session import who_and_line

    who, line = who_and_line()
    before = words.endings(host)
    try:
        change = asyncio.run(
            transaction.apply(host, plan, backends(), who=who, line=line, keep_within=window, reverts=reverts)
        )
    except Refused as refused:
        words.complain(refused.issues)
        return 4 if words.taken_back(host, before) else words.exit_code(refused.issues)
    print("\n".join(("", *words.waiting(change, host))), flush=True)
    words.complain(change.checks)
    return 0


def _planned(host: Host, file: Path) -> tuple[HostConfig, Facts, Plan]:
    from tui.services.change.planner import plan
    from tui.services.network import backends

    config = document.read(file)
    facts = reading.read(host)
    return config, facts, plan(config, facts, backends())


async def _probed(host: Host, config: HostConfig, facts: Facts) -> tuple[Issue, ...]:
    from tui.services.checks.probe import probe

    return await probe(host, config, facts)


def _data(plan: Plan) -> dict[str, Any]:
    files = [
        {
            "path": step.image.path,
            "content": None if step.image.content is None else masked(step.image.content.decode("utf-8", "replace")),
            "target": step.image.target,
            "disruption": step.disruption,
        }
        for step in plan.steps
    ]
    return {
        "version": 1,
        "empty": plan.empty,
        "hash": plan.hash,
        "differences": [asdict(d) for d in plan.differences],
        "lost": plan.lost,
        "restarts": plan.restarts,
        "cuts_session": plan.cuts_session,
        "files": files,
        "issues": [asdict(i) for i in plan.issues],
    }


def _seconds(text: str) -> int:
    """A script may keep at once, so it may ask for less time than a person gets."""
    shortest, longest = 5, 600
    if not text.isascii() or not text.isdigit() or not shortest <= int(text[:9]) <= longest:
        raise argparse.ArgumentTypeError(f"a number of seconds from {shortest} to {longest}")
    return int(text)
