"""Steps of a change as a program in the container, where the command line allows less: `python -m tests.host.steps`.

apply FILE SECONDS: as `onsite apply`, with a window of a few seconds only. more SECONDS: as "more time" on the screen.
Prints the id of the change.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import yaml

from tui.models.host import HostConfig
from tui.services import facts
from tui.services.change import journal, planner, transaction
from tui.services.host import Host
from tui.services.network import backends
from tui.services.network.kernel import NetlinkKernel


def main(step: str, *words: str) -> None:
    host = Host(Path("/"), NetlinkKernel())
    if step == "apply":
        config = HostConfig.model_validate(yaml.safe_load(Path(words[0]).read_text()))
        plan = planner.plan(config, facts.read(host), backends())
        applying = transaction.apply(host, plan, backends(), who="test", line="none", keep_within=float(words[1]))
        change = asyncio.run(applying)
    else:
        waiting = journal.pending(host)
        assert waiting is not None
        change = asyncio.run(transaction.extend(host, waiting.change_id, float(words[0])))
    print(change.change_id)


if __name__ == "__main__":
    main(*sys.argv[1:])
