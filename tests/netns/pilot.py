"""Inside a practice host: the app under Pilot, from Home to the Keep page by keys, then `decision`. argv: ROOT KIND KEY

Prints the last screen. Runs as a process of its own, because namespaces are entered before anything else starts.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.screens.grid import grid, seen, until
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.session import Session

FORM = (
    "right", "tab", *"192.0.2.10/24", "tab", *"192.0.2.1", "tab",
    "right", "tab", *"2001:db8:0:1::10/64", "tab", *"2001:db8:0:1::1", "tab", *"192.0.2.1", "ctrl+x",
)  # fmt: skip


async def main() -> None:
    from tui.app import OnsiteApp

    root, kind, key = sys.argv[1:]
    session = Session(Host(Path(root), NetlinkKernel(), "user" if kind == "user" else "network"), "alice", "tty1")
    session.read()
    app = OnsiteApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, "Steps")
        if session.draft is None:
            await pilot.press("2")
            await seen(pilot, "lan0:")
            await pilot.press("enter")
            await seen(pilot, "[ Done ]")
            await pilot.press(*FORM)
        else:  # what was taken back before is the draft again, also for a new console
            await pilot.press("v")
        await seen(pilot, "nothing is written yet")
        await pilot.press("a")
        await until(pilot, lambda: app.screen.is_modal or app.screen.name == "keep", "Apply's answer")
        if app.screen.is_modal:
            await pilot.press("y")
        await seen(pilot, "Keep this change?")
        await pilot.press(key)
        await seen(pilot, "Kept." if key == "k" else "Taken back")
        print(grid(app))


if __name__ == "__main__":
    asyncio.run(main())
