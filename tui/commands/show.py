"""`onsite history` and `onsite export`: what was kept, and what the host has."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from tui.services.host import Host


def history(host: Host, arguments: list[str]) -> int:
    """Every ended change, oldest first."""
    from tui.services.change import history as past

    parser = argparse.ArgumentParser("onsite history", description="Changes kept and taken back, oldest first.")
    parser.add_argument("--json", action="store_true", help="as JSON")
    given = parser.parse_args(arguments)
    records = past.records(host)
    if given.json:
        keys = ("subject", "label", "before", "after")
        data = [
            {
                "number": r.number,
                "change": r.change.change_id,
                "result": r.result,
                "finished": r.finished,
                "who": r.change.who,
                "line": r.change.line,
                "plan": r.change.plan_hash,
                "reverts": r.change.reverts,
                "differences": [{key: getattr(d, key) for key in keys} for d in r.change.differences],
            }
            for r in records
        ]
        print(json.dumps(data, indent=1))
        return 0
    for r in records:
        time = datetime.fromtimestamp(r.finished, UTC).strftime("%Y-%m-%d %H:%M UTC")
        print(f"{r.number:4}  {time}  {r.result:<10}  {r.change.who} on {r.change.line}  ({r.change.change_id})")
        for d in r.change.differences:
            print(f"      {d.subject} {d.label}: {d.before} -> {d.after}")
    if not records:
        print("No change has been made on this host yet.")
    return 0


def export(host: Host, arguments: list[str]) -> int:
    """The HostConfig of the links that Onsite can write: `onsite apply` of it changes nothing here."""
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig
    from tui.services import document
    from tui.services import facts as reading

    argparse.ArgumentParser("onsite export", description="What this host has, as a file for apply.").parse_args(
        arguments
    )
    wanted = [x for x in reading.read(host).links if x.identity and x.owner.writable and (x.method4 or x.addresses)]
    config = HostConfig(links=tuple(LinkConfig.from_link(link).pruned() for link in wanted))
    print("# What this host has. Edit it, then: onsite plan FILE, onsite apply FILE")
    print(document.text(config), end="")
    return 0
