"""`onsite demo --machine FILE --clock T --play KEYS [--record KEYS]`: keystrokes replayed to the same screens.

The console runs whole, with a driver that has a grid of cells for a terminal. Nothing sleeps a fixed time: a screen is
compared until it is the expected one or has had time enough.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.commands import keys
from tui.commands.options import Options, host_of
from tui.services import draft
from tui.services.host import Host
from tui.terminal import profile

if TYPE_CHECKING:
    from tui.commands.keys import Replay, Step
    from tui.terminal.grid import Grid

PATIENCE = 10.0
"""Seconds until a screen that is not the expected one is a difference."""
QUIET = 0.4
"""Seconds without a change after which a screen is recorded."""


def main(host: Host, options: Options) -> int:
    """Exit code 0 for the same screens, 1 at the first that differs, 2 for a file that is no replay."""
    _same_everywhere()
    try:
        replay = keys.load(Path(options.play)) if options.play else _live(host, options)
    except (OSError, ValueError) as error:
        print(f"onsite: {options.play}: {error}", file=sys.stderr)
        return 2
    if options.record:
        replay.machine = Path(options.machine).name or replay.machine
        replay.clock = options.clock or replay.clock
        if not options.play:  # the live console has changed the host: start anew from the recording
            host = host_of(options)
            draft.store(host, None)
        asyncio.run(record(host, replay))
        Path(options.record).write_text(keys.text(replay), encoding="utf-8")
        print(f"{len(replay.steps)} screens recorded in {options.record}")
        return 0
    difference = asyncio.run(play(host, replay))
    if difference:
        print("\n".join(difference))
        return 1
    print(f"{len(replay.steps)} screens, all as recorded")
    return 0


async def play(host: Host, replay: Replay) -> list[str]:
    """Press the keys. Returns how the first screen differs that is not as recorded; nothing where all are."""
    found: list[str] = []

    async def press(pilot: Any, grid: Grid) -> None:
        for number, step in enumerate(replay.steps):
            await pilot.press(*step.presses)
            end = time.monotonic() + PATIENCE
            while rows(grid) != step.rows and time.monotonic() < end:
                await pilot.pause(0.02)
            if rows(grid) != step.rows:
                found.extend(_difference(number, step, rows(grid)))
                return

    await _run(host, replay.size, press)
    return found


async def record(host: Host, replay: Replay) -> None:
    """Press the keys and put the screens into `replay`; it ends before the keys that leave the console."""

    async def press(pilot: Any, grid: Grid) -> None:
        for number, step in enumerate(replay.steps):
            await pilot.press(*step.presses)
            if pilot.app.return_code is not None:
                del replay.steps[number:]
                return
            step.rows = await _settled(pilot, grid)

    await _run(host, replay.size, press)


async def _settled(pilot: Any, grid: Grid) -> list[str]:
    before, since = rows(grid), time.monotonic()
    end = since + PATIENCE
    while time.monotonic() - since < QUIET and time.monotonic() < end:
        await pilot.pause(0.02)
        now = rows(grid)
        if now != before:
            before, since = now, time.monotonic()
    return before


def rows(grid: Grid) -> list[str]:
    """The screen as text, without the blanks at the ends of rows."""
    return ["".join(row).rstrip() for row in grid.characters]


def _difference(number: int, step: Step, now: list[str]) -> Iterator[str]:
    yield f"screen {number + 1}, after `{step}`, is not as recorded:"
    lines = difflib.unified_diff(step.rows, now, "recorded", "now", lineterm="", n=2)
    yield from (line for line in lines if line.strip() not in ("--- recorded", "+++ now"))


async def _run(host: Host, size: tuple[int, int], press: Any) -> None:
    from textual import events
    from textual.driver import Driver
    from textual.geometry import Size

    from tui.app import OnsiteApp
    from tui.session import Session
    from tui.terminal.grid import Grid

    grid = Grid(*size)

    class GridDriver(Driver):
        """A terminal that is nothing but its cells."""

        def write(self, data: str) -> None:
            grid.feed(data)

        def start_application_mode(self) -> None:
            self.process_message(events.Resize(Size(*size), Size(*size)))

        def disable_input(self) -> None:
            """No key comes from here; the pilot presses them."""

        def stop_application_mode(self) -> None:
            """There is no line to give back."""

    session = Session(host, "qa", "replay")
    session.read()
    app = OnsiteApp(session, driver_class=GridDriver)

    async def pilot(pilot: Any) -> None:
        try:
            await press(pilot, grid)
        finally:
            app.exit()

    await app.run_async(size=size, auto_pilot=pilot)


def _live(host: Host, options: Options) -> Replay:
    """The console on this terminal; what was pressed until it was left."""
    from textual import events

    from tui.app import OnsiteApp
    from tui.session import Session
    from tui.terminal.driver import OnsiteDriver

    why = profile.unfit(os.environ, (0, 1), options.terminal or None)
    if why:
        raise ValueError(why)
    pressed: list[tuple[str, str | None]] = []

    class Listening(OnsiteDriver.on(profile.choose(1, os.environ, options.terminal or None))):  # type: ignore[misc]  # a class made for this line
        def process_message(self, message: Any) -> None:
            if isinstance(message, events.Key):
                typed = message.character if self._find_caret() is not None else None
                pressed.append((message.key, typed))
            super().process_message(message)

    session = Session(host, "qa", "replay")
    session.read()
    OnsiteApp(session, driver_class=Listening).run()
    return keys.Replay(steps=keys.of_presses(pressed))


def _same_everywhere() -> None:
    """Nothing of the surroundings may show: terminal, colours, time zone."""
    profile.prepare_environment(profile.PROFILES["xterm"])
    os.environ["TZ"] = "UTC"
    time.tzset()
