"""One step of a driver on the node where this runs: JSON in, a JSON line for each event, the result as the last line.

The rig's stand-in for the channel between linked hosts: `python3 -m tests.cluster.on_node STEP PAYLOAD < arguments`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from agent.engines import steps
from agent.engines.engine import Event
from agent.engines.machine import Machine
from agent.engines.payload import Payload
from tui.models.change import Refused
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel


def say(kind: str, data: object) -> None:
    print(json.dumps([kind, data]), flush=True)


def tell(event: Event) -> None:
    say("event", event.model_dump(mode="json"))


def main() -> None:
    name, folder = sys.argv[1:]
    machine = Machine(Host(Path("/"), NetlinkKernel()))
    arguments = json.load(sys.stdin)
    try:
        done = asyncio.run(
            steps.run(name, arguments, machine, lambda _engine, _version: Payload.read(Path(folder)), tell)
        )
    except Refused as refused:
        say("refused", [steps.issue_data(issue) for issue in refused.issues])
    else:
        say("done", done)


if __name__ == "__main__":
    main()
