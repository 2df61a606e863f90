"""Inside a practice host: let Keep and the dead-man meet at the deadline, N times; print what came of it as JSON.

The dead-man is the real one (`deadman.watch`), forked here instead of started anew, so that both have their code
loaded and meet within milliseconds. argv: ROOT MAC N
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui.models.change import Refused
from tui.models.host import HostConfig
from tui.services import facts
from tui.services.change import deadman, history, journal, planner, transaction
from tui.services.change.lock import locked
from tui.services.host import Host
from tui.services.network import backends
from tui.services.network.kernel import NetlinkKernel


def _config(mac: str, last: int) -> HostConfig:
    ipv4 = {"method": "static", "addresses": [f"192.0.2.{last}/24"], "gateway": "192.0.2.1"}
    return HostConfig.model_validate({"links": [{"mac": mac, "ipv4": ipv4, "ipv6": {"method": "off"}}]})


async def _shortened(host: Host, change: journal.Pending) -> journal.Pending:
    async with locked(host):
        change = replace(change, deadline=host.clock.boottime() + 0.06)
        journal.store(host, change)
        return change


def _race(host: Host, all_backends: dict[str, Any], mac: str, last: int, jitter: float) -> tuple[str, str]:
    """One race: (what Keep said, what the history says)."""
    plan = planner.plan(_config(mac, last), facts.read(host), all_backends)
    change = asyncio.run(transaction.apply(host, plan, all_backends, who="race", line="pty"))
    change = asyncio.run(_shortened(host, change))
    watcher = os.fork()
    if watcher == 0:
        os._exit(deadman.watch(host, all_backends, change.change_id))
    os.waitpid(watcher, 0)  # it runs on by itself, as always
    time.sleep(max(0.0, change.deadline - host.clock.boottime() + jitter))
    try:
        said = asyncio.run(transaction.keep(host, all_backends, change.change_id)).result
    except Refused as refused:
        said = refused.issues[0].code
    while journal.pending(host):
        time.sleep(0.002)
    ended = [r.result for r in history.records(host) if r.change.change_id == change.change_id]
    return said, " and ".join(ended)


def main() -> None:
    root, mac, number = sys.argv[1:]
    host, all_backends, seeded = Host(Path(root), NetlinkKernel(), "user"), backends(), random.Random(5)
    deadman.arm = lambda *_: None  # forked in each race
    tally: Counter[str] = Counter()
    addresses: tuple[str, ...] = ()
    for n in range(int(number)):
        last = 20 + n % 200
        said, ended = _race(host, all_backends, mac, last, seeded.uniform(-0.03, 0.002))
        if ended == "kept":
            addresses = (f"192.0.2.{last}/24",)
        link = next(x for x in host.kernel.links() if x.identity == mac)
        agrees = link.state.addresses == addresses and (said == "kept") == (ended == "kept")
        tally[f"{ended}{'' if agrees else ' BUT ' + said + ' ' + str(link.state.addresses)}"] += 1
        for old in sorted(host.path(journal.HISTORY).glob("*.json"))[:-2]:
            old.unlink()  # a history of a thousand is not what is looked at here
    print(json.dumps(tally))


if __name__ == "__main__":
    main()
