"""Find the port at 80x24 and 80x25, with few ports and many; cables that move while one looks; nothing unreachable."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from agent.practice import frames
from tests.screens.conftest import Opened
from tests.screens.grid import SIZES, grid, seen, until
from tests.screens.machine import LAN0, SILENT, UNPLUGGED, machine, session_on
from tests.screens.paths import Step, walk
from tests.screens.test_reach import SIZES as EVERY_SIZE
from tests.screens.test_reach import focusable, round_trip
from tui.models.facts import Facts, Link
from tui.models.port import Neighbour
from tui.services import recording
from tui.services.clock import FixedClock
from tui.services.network.recorded import RecordedKernel
from tui.services.port import remembered
from tui.session import Session

SWITCH = Neighbour(
    "LLDP", "00:00:5e:00:53:f0", "Gi1/0/14", 1e9, "till room", "switch-a.site.example", 20,
    ((20, "tills"), (30, "cameras")), ("192.0.2.2", "2001:db8:0:1::2"),
)  # fmt: skip
LONG = replace(SWITCH, port="ethernet1/1/47:3", system="aggregation-switch-of-hall-b", vlan=4094)
PHONE = Neighbour("CDP", "SEP0012345678", "Port 1", 1e9, system="SEP0012345678")
FIND: tuple[Step, ...] = ((("2",), "Interface"), (("f",), "At the other end"))
PATHS: dict[str, tuple[Step, ...]] = {
    "port": FIND,
    "port-details": (*FIND, (("enter",), "Announced by LLDP")),
    "port-nobody": (*FIND, (("down", "down", "enter"), "no carrier")),
    "port-lamp": (*FIND, (("l",), "N313")),
    "port-help": (*FIND, (("ctrl+y",), "Pull a cable")),
    "network-leads-to": ((("2",), "Leads to"),),
}


def ports(count: int) -> list[Link]:
    return [
        replace(UNPLUGGED, index=10 + n, name=f"enp{n}s0f1", mac=(mac := f"00:00:5e:00:54:{n:02x}"), permanent_mac=mac)
        for n in range(count)
    ]


def session_with(facts: Facts, root: Path, heard: dict[str, list[Neighbour]]) -> Session:
    session = session_on(facts, root)
    path = session.host.path(remembered.PATH)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({mac: [asdict(x) for x in found] for mac, found in heard.items()}))
    return session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    heard = {LAN0.identity: [SWITCH, PHONE], SILENT.identity: [LONG]}
    return session_with(machine(), tmp_path, heard)


@pytest.mark.parametrize("size", SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
@pytest.mark.parametrize("name", PATHS)
async def test_grid(name: str, size: tuple[int, int], opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened((), size) as pilot:
        await walk(pilot, PATHS[name])
        assert grid(pilot.app) == snapshot


async def test_a_wide_screen_has_the_other_end_in_the_list(opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened((), (132, 43)) as pilot:
        await walk(pilot, PATHS["network-leads-to"])
        assert grid(pilot.app) == snapshot


def kernel(session: Session) -> RecordedKernel:
    found = session.host.kernel
    assert isinstance(found, RecordedKernel)
    return found


async def move(pilot: Pilot[Any], session: Session, name: str, carrier: bool, words: str, after: float = 0.0) -> None:
    clock = session.host.clock
    assert isinstance(clock, FixedClock)
    clock.move(after)
    await kernel(session).set_carrier(name, carrier)
    await seen(pilot, words)


async def test_cables_that_move_in_their_order(session: Session, opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened() as pilot:
        await walk(pilot, FIND)
        await move(pilot, session, "lan0", False, "lan0 unplugged just now")
        shown = grid(pilot.app)
        assert "switch-a" not in shown, "whoever was there is not there any more"
        await move(pilot, session, "wan0", True, "wan0 plugged in just now", after=5.0)
        assert grid(pilot.app) == snapshot(name="within seconds")
        await move(pilot, session, "lan0", True, "lan0 plugged in just now", after=30.0)
        shown = grid(pilot.app)
        assert shown.count("just now") == 2, "in the first line and at the port"
        assert shown.index("lan0 plugged in") < shown.index("wan0 plugged in") < shown.index("lan0 unplugged")
        assert shown == snapshot(name="after half a minute")


async def test_a_port_that_appears_and_goes(session: Session, opened: Opened) -> None:
    async with opened() as pilot:
        await walk(pilot, FIND)
        usb = replace(UNPLUGGED, index=40, name="usb0", mac="00:00:5e:00:53:40", permanent_mac="00:00:5e:00:53:40")
        await kernel(session).put(usb)
        await seen(pilot, "usb0 appeared just now")


async def test_pods_that_come_and_go_are_no_cables(session: Session, opened: Opened) -> None:
    async with opened() as pilot:
        await walk(pilot, FIND)
        await kernel(session).put(Link(50, "veth7f", "00:00:5e:00:53:50", kind="veth"))
        await move(pilot, session, "lan0", False, "lan0 unplugged just now")
        assert "veth7f" not in grid(pilot.app)


async def test_two_switches_in_lacp(session: Session, opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened() as pilot:
        await walk(pilot, FIND)
        known = session.ports
        assert known is not None
        for link, port in ((LAN0, 1), (SILENT, 2)):
            known.hear(link.index, frames.lacp(frames.mac("00:00:5e:00:53:f0"), 7, port))
        await seen(pilot, "N311")
        assert grid(pilot.app) == snapshot
        await pilot.press("down", "down", "down", "down")
        await walk(pilot, ((("enter",), "The switch wants a bond"), (("escape",), "At the other end")))
        await walk(pilot, ((("home", "enter"), "number 7, its port 1"),))


async def test_a_bond_of_this_host_is_no_switch(session: Session, opened: Opened) -> None:
    """Two ports of it on one hub hear each other."""
    async with opened() as pilot:
        await walk(pilot, FIND)
        known = session.ports
        assert known is not None
        known.hear(LAN0.index, frames.lacp(frames.mac(SILENT.mac), 7, 1))
        assert known.hints() == {}
        known.hear(LAN0.index, frames.lacp(frames.mac("00:00:5e:00:53:f0"), 7, 1))
        assert [x.code for x in known.hints().values()] == ["N311"]


async def test_more_ports_than_lines(tmp_path: Path, opened: Opened, snapshot: SnapshotAssertion) -> None:
    many = session_with(machine(LAN0, *ports(30)), tmp_path, {LAN0.identity: [SWITCH]})
    async with opened((), of=many) as pilot:
        await walk(pilot, FIND)
        await move(pilot, many, "enp29s0f1", True, "enp29s0f1 plugged in just now")
        assert grid(pilot.app) == snapshot(name="what moved is out of sight, and named at the top")
        await pilot.press("end")
        await until(pilot, lambda: grid(pilot.app).count("just now") == 2, "the port itself")


async def test_blinking_ends_with_the_page(opened: Opened) -> None:
    async with opened() as pilot:
        await walk(pilot, PATHS["port-lamp"])
        await walk(pilot, ((("escape",), "Space details"),))
        await until(pilot, lambda: all(worker.group != "lamp" for worker in pilot.app.workers))


@pytest.mark.parametrize("size", EVERY_SIZE, ids=[f"{w}x{h}" for w, h in EVERY_SIZE])
async def test_every_focusable_widget_is_reached(size: tuple[int, int], opened: Opened) -> None:
    async with opened((), size) as pilot:
        await walk(pilot, FIND, look=False)
        wanted = focusable(pilot.app)
        assert wanted
        assert set(await round_trip(pilot, "tab")) == wanted


def test_a_recording_has_neighbours(tmp_path: Path) -> None:
    """Those of the demo: `onsite demo --machine assets/machines/factory.json`, 2, F."""
    facts = recording.load(Path(__file__).parents[2] / "assets/machines/factory.json")
    host = recording.host(facts, tmp_path, FixedClock())
    found = remembered.load(host, host.kernel.links())
    assert [x.name for heard in found.values() for x in heard] == ["sw-hall-a.plant.example", "sw-core-1.plant.example"]
