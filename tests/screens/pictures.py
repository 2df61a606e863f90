"""The pictures of the documentation, from the program itself: `python -m tests.screens.pictures docs/pictures`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.screens.grid import until
from tests.screens.machine import machine, session_on
from tests.screens.paths import SCREENS, walk
from tui.app import OnsiteApp

SHOWN = {
    "home": "home", "network": "network", "editor": "link-static", "link-wrong": "link-wrong", "review": "review",
    "keep": "keep",
}  # fmt: skip
"""File of a picture, and the screen of `tests.screens.paths` that is on it."""


async def draw(name: str, screen: str, folder: Path) -> None:
    """One screen as SVG."""
    with tempfile.TemporaryDirectory() as root:
        app = OnsiteApp(session_on(machine(), Path(root)))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.session.agent.known)
            await walk(pilot, SCREENS[screen])
            (folder / f"{name}.svg").write_text(app.export_screenshot(title="Onsite"), encoding="utf-8")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, screen in SHOWN.items():
        asyncio.run(draw(name, screen, folder))


if __name__ == "__main__":
    main()
