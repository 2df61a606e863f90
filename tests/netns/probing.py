"""Runs inside a host's namespaces: `python -m tests.netns.probing RUNS`, a HostConfig as JSON on standard input.

Prints for each run the issues and the seconds it took, as one JSON line. Ten runs are made at a time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tui.models.facts import Facts
from tui.models.host import HostConfig
from tui.services.checks.probe import probe
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel


async def main(runs: int) -> None:
    config = HostConfig.model_validate(json.load(sys.stdin))
    host = Host(Path("/"), NetlinkKernel())

    async def once() -> None:
        begun = time.monotonic()
        issues = await probe(host, config, Facts(links=host.kernel.links()))
        print(json.dumps({"seconds": time.monotonic() - begun, "issues": [asdict(i) for i in issues]}))

    for done in range(0, runs, 10):
        await asyncio.gather(*(once() for _ in range(min(10, runs - done))))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
