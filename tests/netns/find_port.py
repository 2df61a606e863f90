"""The console on a host with two cables to a switch, in namespaces of their own: argv: ROOT. Prints one JSON object.

The switch is what it is in a rack: a real lldpd at one port; frames of LACP at the other, written by the standard, for
neither this kernel nor user space here has a bond. A cable is pulled by taking the switch's end down.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.screens.grid import gone, grid, seen, until
from tui import namespaces
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.session import Session

PULLS = 10
STORM = "while :; do for n in 1 2 3 4 5 6 7 8; do echo route replace 198.51.100.$n dev lan0; done | ip -batch -; done"
"""Some thousand routes a second, as a host of many pods has them; there is no quiet moment in it."""
SWITCH_MAC = "00:00:5e:00:53:f0"
LLDPD = """\
configure system hostname switch-a.example
configure ports sw0 lldp portidsubtype local Gi1/0/14 description till-room
configure ports sw0 lldp custom-tlv oui 00,80,c2 subtype 1 oui-info 00,14
configure lldp tx-interval 1
"""
AWAY = "import sys; from tui import namespaces as n; n.unshare(n.NET); print(flush=True); sys.stdin.read()"
LACP = """
import sys, time
from agent.practice import frames, wire
port = wire.open_wire("sw1")
while True:
    wire.send(port, frames.lacp(frames.mac(sys.argv[1]), 7, 2))
    time.sleep(0.5)
"""


@contextlib.contextmanager
def far(folder: Path) -> Iterator[list[str]]:
    """The switch's own namespace: what to write before a command that runs there."""
    inside = subprocess.Popen(
        [sys.executable, "-c", AWAY],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert inside.stdout is not None
    inside.stdout.readline()
    try:
        yield [sys.executable, "-m", "tui.namespaces", str(inside.pid)]
    finally:
        inside.kill()
        inside.wait()


@contextlib.contextmanager
def running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def ip(*words: str) -> None:
    run("ip", *words)


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


async def main(root: Path) -> None:
    from tui.app import OnsiteApp

    namespaces.unshare(namespaces.NET)
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, far(Path(folder)) as there:
        pid = there[-1]
        for n in range(3):
            ip("link", "add", f"lan{n}", "address", f"00:00:5e:00:53:1{n}", "type", "veth", "peer", "name", f"sw{n}")
            ip("link", "set", f"sw{n}", "netns", pid)
            ip("link", "set", f"lan{n}", "down" if n == 2 else "up")
            run(*there, "ip", "link", "set", f"sw{n}", "up")
        session = Session(Host(root, NetlinkKernel(), "network"), "alice", "tty1")
        session.read()
        app = OnsiteApp(session)
        before = descriptors()
        async with app.run_test(size=(80, 24)) as pilot:
            await seen(pilot, "Steps")
            await pilot.press("2")
            await seen(pilot, "Interface")
            await pilot.press("f")
            await seen(pilot, "At the other end")
            if shutil.which("lldpd"):
                Path(folder).chmod(0o755)  # lldpd is a user of its own
                (Path(folder) / "conf").write_text(LLDPD)
                options = ["-d", "-u", f"{folder}/socket", "-I", "sw0", "-O", f"{folder}/conf"]
                with running(*there, "lldpd", *options):
                    result["lldp"] = await neighbour(pilot)
            with running(*there, sys.executable, "-c", LACP, SWITCH_MAC):
                await seen(pilot, "N311")
                result["lacp"] = grid(app)
            result["seconds"] = [await pulled(pilot, there, n) for n in range(PULLS)]
            with running("sh", "-c", STORM):
                result["storm"] = [await pulled(pilot, there, n) for n in range(3)]
            result["blink"] = await lamp(pilot)
            result["off"], result["on"], result["left"] = await switched(pilot, there, session)
        result["open"] = sorted(descriptors() - before)
    print(json.dumps(result))


async def neighbour(pilot: Pilot[Any]) -> str:
    """The page of lan0 once the switch has announced itself with all that it was told to say."""
    await seen(pilot, "switch-a Gi1/0/14, VLAN 20")
    await pilot.press("home", "enter")
    await seen(pilot, "Announced by LLDP")
    shown = grid(pilot.app)
    await pilot.press("escape")
    await seen(pilot, "At the other end")
    return shown


async def pulled(pilot: Pilot[Any], there: list[str], number: int) -> tuple[float, float]:
    """Seconds until a cable that is pulled, and then plugged in, stands on the screen; the commands count too."""
    found = []
    for state, words in (("down", "lan1 unplugged just now"), ("up", "lan1 plugged in just now")):
        begun = time.monotonic()
        moving = await asyncio.create_subprocess_exec(*there, "ip", "link", "set", "sw1", state)
        await until(pilot, lambda words=words: words in grid(pilot.app), words)
        found.append(round(time.monotonic() - begun, 3))
        await moving.wait()
    return found[0], found[1]


async def lamp(pilot: Pilot[Any]) -> str:
    await pilot.press("l")
    await gone(pilot, "L stops it")
    return grid(pilot.app)


async def switched(pilot: Pilot[Any], there: list[str], session: Session) -> tuple[str, str, list[bool]]:
    """What the page says of lan2, which is off; a cable pulled there once it is on; and whether all are on after."""
    accepts = Path("/proc/sys/net/ipv6/conf/lan2/accept_ra")
    off, former = grid(pilot.app), accepts.read_text()
    await pilot.press("o")
    await seen(pilot, "Switched on while this page is open: lan2.")
    await until(pilot, lambda: "lan2      10000 Mb/s" in grid(pilot.app), "its carrier")
    assert "lan2 plugged in" not in grid(pilot.app), "nobody did"
    assert accepts.read_text().strip() == "0"
    moving = await asyncio.create_subprocess_exec(*there, "ip", "link", "set", "sw2", "down")
    await moving.wait()
    await seen(pilot, "lan2 unplugged just now")
    on = grid(pilot.app)
    await pilot.press("escape")
    await until(pilot, lambda: not next(x for x in session.host.kernel.links() if x.name == "lan2").admin_up)
    await until(pilot, lambda: accepts.read_text() == former)
    return off, on, [x.admin_up for x in session.host.kernel.links() if x.name.startswith("lan")]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
