"""`onsite history` and `onsite export`: what was kept, and what the host has."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import UTC, datetime

from tui.models.facts import Link
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
    """The HostConfig of the links that Onsite can write, of name, time and proxy: what each has now, as a wish."""
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig
    from tui.services import document, identity, registration
    from tui.services import facts as reading
    from tui.services.proxy import kept
    from tui.services.timekeeping import plan as timekeeping

    argparse.ArgumentParser("onsite export", description="What this host has, as a file for apply.").parse_args(
        arguments
    )
    facts = reading.read(host)
    wanted = [x for x in facts.links if x.identity and x.owner.writable and _set(x)]
    config = HostConfig(
        links=tuple(LinkConfig.from_link(_as_set(link), facts.links).pruned() for link in wanted),
        identity=identity.current(facts),
        clock=timekeeping.current(facts),
        proxy=kept.kept(facts),
        registration=registration.kept(facts),
        management=facts.management or None,
    )
    print("# What this host has. Edit it, then: onsite plan FILE, onsite apply FILE")
    print(document.text(config), end="")
    return 0


def _set(link: Link) -> bool:
    """Somebody has configured the link, or it has an address that matters to others."""
    return link.made or bool(link.method4) or any(not a.link_local for a in link.addresses)


def _as_set(link: Link) -> Link:
    """The link with methods, also where nobody configured it, and without what DHCP gives anew anyway."""
    lasting = {a.family for a in link.addresses if a.origin in ("other", "console") and not a.link_local}
    leased = any(a.family == 4 and a.origin == "dhcp" for a in link.addresses)
    method4 = link.method4 or ("static" if 4 in lasting else "dhcp" if leased else "off")
    method6 = link.method6 or ("static" if 6 in lasting else "auto")
    link = replace(link, method4=method4, method6=method6)
    if method4 == "dhcp" and link.lease and link.nameservers == link.lease.nameservers:
        link = replace(link, nameservers=(), lease=replace(link.lease, nameservers=()))
    if method4 == "dhcp" and link.lease and link.search_domains == link.lease.search_domains:
        link = replace(link, search_domains=(), lease=replace(link.lease, search_domains=()))
    return link
