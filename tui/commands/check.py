"""`onsite check [--json]`: the ladder of checks, each rung as it is climbed."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui import settings
from tui.services import registration
from tui.services.checks import run as checking
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.check import Rung
    from tui.models.host import HostConfig

MARKS = {"ok": "ok", "warning": "!", "failed": "x", "not tried": "-"}


def main(host: Host, arguments: list[str]) -> int:
    """Exit code 0 where nothing failed, 1 where a rung failed, 2 for settings or a file that make no sense."""
    parser = argparse.ArgumentParser("onsite check", description="What works on the way out, from the cable up.")
    parser.add_argument("--json", action="store_true", help="the whole result, as JSON")
    parser.add_argument("--link", default="", metavar="NAME", help="leave by this interface")
    parser.add_argument("--draft", default="", metavar="FILE", help="test what FILE would make of this host")
    parser.add_argument("--last", action="store_true", help="show the last result; nothing is tried")
    given = parser.parse_args(arguments)
    try:
        goal = checking.wanted(settings.load(host.root), registration.of(host))
        draft = _draft(given.draft)
    except (ValueError, OSError) as error:
        print(f"onsite: {error}", file=sys.stderr)
        return 2
    return _last(host, given.json) if given.last else asyncio.run(_climb(host, goal, draft, given))


def _draft(path: str) -> HostConfig | None:
    if not path:
        return None
    from tui.models.change import Refused
    from tui.services import document

    try:
        return document.read(Path(path))
    except Refused as refused:
        raise ValueError(refused.issues[0].text) from refused


async def _climb(host: Host, goal: object, draft: HostConfig | None, given: argparse.Namespace) -> int:
    from tui.models.check import Wanted
    from tui.services import facts as reading

    assert isinstance(goal, Wanted)  # noqa: S101 - for the type checker
    facts = reading.read(host, files=False)

    def told(number: int, rung: Rung) -> None:
        if not given.json and rung.verdict != "running":
            print("\n".join(lines(rung)), flush=True)

    done = await checking.run(host, facts, goal, draft, link=given.link, told=told)
    if given.json:
        print(json.dumps(done.to_dict(), indent=1))
    else:
        print(f"\n{done.line}")
    return int(done.verdict == "failed")


def _last(host: Host, as_json: bool) -> int:
    done = checking.last(host)
    if done is None:
        print("Nothing has been checked on this host yet.", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(done.to_dict(), indent=1))
        return int(done.verdict == "failed")
    for rung in done.rungs:
        print("\n".join(lines(rung)))
    print(f"\n{done.line} ({checking.aged(done, host)})")
    return int(done.verdict == "failed")


def lines(rung: Rung) -> list[str]:
    """One rung for a person: mark, title, time, raw reason; then what is wrong and what to do."""
    took = "" if rung.verdict == "not tried" else f"{rung.seconds:6.2f} s"
    shown = [f"{MARKS.get(rung.verdict, ''):<3}{rung.title:<28}{took:>8}  {rung.reason}".rstrip()]
    if rung.issue is not None:
        shown += [f"   {rung.issue.code} {rung.issue.text}", f"   -> {rung.issue.remedy}"]
    return shown
