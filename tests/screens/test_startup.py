"""What Home may cost: no library that it does not need, and few widgets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.screens.conftest import Opened

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("pydantic", "pyroute2", "httpx", "yaml", "qrcode", "cryptography", "textual.widgets._data_table")
PROGRAM = """
import asyncio, sys, pathlib, tempfile
from tests.screens.machine import machine, session_on
from tui.app import OnsiteApp

async def main():
    app = OnsiteApp(session_on(machine(), pathlib.Path(tempfile.mkdtemp())))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        print(*sorted(name for name in sys.argv[1:] if name in sys.modules))

asyncio.run(main())
"""


def test_home_imports_nothing_heavy() -> None:
    command = [sys.executable, "-c", PROGRAM, *HEAVY]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


async def test_home_has_few_widgets(opened: Opened) -> None:
    async with opened() as pilot:
        assert len(list(pilot.app.screen.walk_children())) <= 6
