"""`onsite status [--json]`: who this host is and how it is connected, for a person or a script.

It may cost no more than eight bare Python starts: no asyncio, no pydantic, no YAML.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from tui.commands.options import Usage
from tui.models.facts import Facts, Link
from tui.services import facts as reading
from tui.services.host import Host

PENDING = "/var/lib/onsite/pending.json"
_GIVEN = {"mode": "management", "name": "host name", "time": "time servers", "nameserver": "name server"}
_ORIGINS = {
    "dhcp": "DHCP",
    "ra": "router",
    "console": "console",
    "factory": "factory",
    "site": "site",
    "program": "program",
}


def main(host: Host, arguments: list[str]) -> int:
    if arguments not in ([], ["--json"]):
        raise Usage("status takes --json or nothing.")
    facts = reading.read(host, files=False)
    pending = _pending(host)
    if arguments:
        import json

        print(json.dumps(summary(facts, pending), indent=1))
    else:
        print("\n".join(lines(facts, pending)))
    return 0


def summary(facts: Facts, pending: dict[str, Any] | None) -> dict[str, Any]:
    """The stable document of `status --json`; keys are only ever added."""
    return {
        "version": 1,
        "hostname": facts.hostname,
        "os": facts.os_name,
        "machine": {name: getattr(facts.machine, name) for name in ("vendor", "product", "serial")},
        "managers": facts.managers,
        "cluster": facts.cluster_uses_address,
        "pending": pending,
        "links": [
            {
                "name": link.name,
                "mac": link.identity,
                "kind": link.kind,
                "state": state(link),
                "operstate": link.operstate,
                "carrier": link.carrier,
                "up": link.admin_up,
                "mtu": link.mtu,
                "speed_mbps": link.speed_mbps,
                "owner": link.owner.backend,
                "writable": link.owner.writable,
                "addresses": [{"address": a.address, "origin": a.origin} for a in link.addresses],
                "gateways": link.default_gateways,
                "nameservers": link.nameservers,
            }
            for link in facts.links
        ],
    }


def lines(facts: Facts, pending: dict[str, Any] | None) -> Iterator[str]:
    """The same for a person."""
    yield "  ".join(word for word in (facts.hostname or "no name", facts.os_name) if word)
    machine = facts.machine
    box = " ".join(word for word in (machine.vendor, machine.product) if word)
    if box or machine.serial:
        yield ", ".join(word for word in (box, machine.serial and f"serial number {machine.serial}") if word)
    for link in facts.links:
        yield f"{link.name:<10} {state(link)}"
        for address in link.addresses:
            origin = _ORIGINS.get(address.origin)
            if address.origin != "kernel":
                yield f"{'':<10}   {address.address}" + (f" ({origin})" if origin else "")
        for label, values in (("gateway", link.default_gateways), ("name servers", link.nameservers)):
            if values:
                yield f"{'':<10}   {label} {', '.join(values)}"
        if not link.owner.writable:
            yield f"{'':<10}   {link.owner.reason}"
    if not facts.links:
        yield "No network interface was found."
    yield from _given(facts)
    if pending:
        yield f"A change by {pending['who']} on {pending['line']} waits: {pending['left']} s left."
        yield "  -> onsite keep, or onsite revert"


def _given(facts: Facts) -> Iterator[str]:
    """What installer and site have given, each key with the one that counts and where it stands."""
    last = {g.key: g for g in facts.given if g.key not in ("file", "unreadable")}
    for key, g in sorted(last.items()):
        over = next((x for x in facts.given if x.key == key and x.value != g.value), None)
        instead = f", instead of {over.value} in {over.path}" if over else ""
        yield f"{_GIVEN.get(key, key):<14} {g.value} ({_ORIGINS[g.origin]}, {g.path}{instead})"
    for path in dict.fromkeys(g.path for g in facts.given if g.key == "unreadable"):
        yield f"{path} cannot be read as user data."


def state(link: Link) -> str:
    """Admin state, carrier and operstate in one word or two."""
    if not link.admin_up:
        return "switched off"
    if not link.carrier:
        return "no carrier"
    return "up" if link.operstate in ("up", "unknown") else link.operstate


def _pending(host: Host) -> dict[str, Any] | None:
    """The change that waits; the journal's reader is loaded only if there is a journal."""
    if not os.path.lexists(host.path(PENDING)):
        return None
    from tui.services.change import journal

    try:
        change = journal.pending(host)
    except (OSError, ValueError) as error:
        return {"id": "", "who": "?", "line": "?", "phase": "unreadable", "left": 0, "error": str(error)}
    if change is None:
        return None
    left = round(change.left(host.clock))
    return {"id": change.change_id, "who": change.who, "line": change.line, "phase": change.phase, "left": left}
