"""VLAN, bond and bridge in the Network place: made, edited, removed, and the picture of what sits on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen
from tests.screens.machine import LAN0, OWNED, SILENT, UNPLUGGED, machine, session_on
from tests.screens.paths import Step, walk
from tests.screens.test_reach import focusable, round_trip
from tui.models.facts import Address, Facts, Layer, Link, Route
from tui.session import Session
from tui.widgets.form import FormView

LAN2 = replace(SILENT, index=6, name="lan2", mac="00:00:5e:00:53:05", permanent_mac="00:00:5e:00:53:05")
PORTS = tuple(
    replace(
        x, master="bond0", addresses=(), routes=(), nameservers=(), search_domains=(), lease=None, method4="off",
        method6="off", origin="console",
    )
    for x in (LAN0, SILENT)
)  # fmt: skip
BOND = Link(
    10, "bond0", LAN0.mac, kind="bond", admin_up=True, operstate="up", carrier=True, method4="off", method6="off",
    origin="console", layer=Layer("bond", mode="802.3ad", lacp_rate="fast", hash="layer3+4", monitor=100),
    partner="00:00:5e:00:53:fe",
)  # fmt: skip
VLAN = Link(
    11, "bond0.20", LAN0.mac, kind="vlan", admin_up=True, operstate="up", carrier=True, method4="static",
    method6="auto", origin="console", layer=Layer("vlan", parent="bond0", vlan=20),
    addresses=(Address("192.0.2.10/24", "console"),), nameservers=("192.0.2.53",),
    routes=(Route("default", "192.0.2.1"), Route("198.51.100.0/24", "192.0.2.254", 50)),
)  # fmt: skip
BRIDGE = Link(
    12, "br0", LAN2.mac, kind="bridge", admin_up=True, operstate="up", carrier=True, method4="dhcp",
    origin="console", layer=Layer("bridge", stp=True), addresses=(Address("203.0.113.5/24", "dhcp", 0, 3000),),
)  # fmt: skip


def fresh() -> Facts:
    """Three ports that can be used, one with a lease, and one that somebody else has."""
    return machine(LAN0, SILENT, LAN2, OWNED)


def stacked() -> Facts:
    """lan0, lan1 -> bond0 -> bond0.20, and lan2 -> br0."""
    return machine(*PORTS, replace(LAN2, master="br0", method4="off", method6="off"), UNPLUGGED, BOND, VLAN, BRIDGE)


HOSTS: dict[str, Callable[[], Facts]] = {"fresh": fresh, "stacked": stacked}
PLACE: tuple[Step, ...] = ((("2",), "Interface"),)
ADD: tuple[Step, ...] = (*PLACE, (("a",), "[ Done ]"))
TWO: tuple[Step, ...] = (*ADD, (("tab", "right", "space"), "lan0, lan1 -> bond0"))
TAGGED: tuple[Step, ...] = (*TWO, (("tab", "tab", "2", "0"), "bond0.20"))
STATIC: tuple[Step, ...] = (*TAGGED, (("tab", "s", "tab"), "192.0.2.10/24"))
DRAFT: tuple[Step, ...] = (*STATIC, (("ctrl+x",), "nothing is written yet"))
BOND0: tuple[Step, ...] = (*PLACE, (("down", "down"), "bond0"))
STATES: dict[str, tuple[str, tuple[Step, ...]]] = {
    "add": ("fresh", ADD),
    "bond-two": ("fresh", TWO),
    "bond-lacp": ("fresh", (*TWO, (("tab", "l"), "LACP rate"))),
    "bond-vlan-static": ("fresh", STATIC),
    "bond-none": ("fresh", (*ADD, (("tab", "space", "ctrl+x"), "N247"))),
    "bond-further": ("fresh", (*ADD, (("shift+tab", "shift+tab", "shift+tab", "up", "up"), "Link check"))),
    "vlan": ("fresh", (*ADD, (("v", "tab", "tab", "4", "0"), "lan0 -> lan0.40"))),
    "vlan-wrong": ("fresh", (*ADD, (("v", "tab", "tab", *"4095", "tab", "up"), "N174"))),
    "bridge": ("fresh", (*ADD, (("b", "tab"), "lan0 -> br0"))),
    "place": ("stacked", PLACE),
    "edit-bond": ("stacked", (*BOND0, (("enter",), "[ Remove ]"))),
    "edit-vlan": ("stacked", (*BOND0, (("down", "enter"), "[ Remove ]"))),
    "remove-bond": ("stacked", (*BOND0, (("enter",), "[ Remove ]"), (("up", "enter"), "Remove bond0?"))),
    "removed": (
        "stacked",
        (*BOND0, (("enter",), "[ Remove ]"), (("up", "enter", "y"), "nothing is written"), (("2",), "to be removed")),
    ),
    "left-as-it-is": (
        "stacked",
        (
            *BOND0, (("enter",), "[ Remove ]"), (("up", "enter", "y"), "nothing is written"), (("2",), "to be removed"),
            (("enter",), "Leave bond0 as it is?"),
        ),
    ),
    "review": ("fresh", DRAFT),
    "draft": ("fresh", (*DRAFT, (("2",), "bond0.20"))),
    "draft-details": ("fresh", (*DRAFT, (("2",), "bond0.20"), (("down", "down", "down", "space"), "bond0.20: vlan"))),
}  # fmt: skip


@pytest.fixture
def hosts(tmp_path: Path) -> Callable[[str], Session]:
    return lambda name: session_on(HOSTS[name](), tmp_path)


@pytest.mark.parametrize("state", STATES)
async def test_grid(state: str, hosts: Callable[[str], Session], opened: Opened, snapshot: SnapshotAssertion) -> None:
    host, steps = STATES[state]
    async with opened(of=hosts(host)) as pilot:
        await walk(pilot, steps)
        assert grid(pilot.app) == snapshot


SMALL = [(80, 24), (40, 12), (24, 8)]
REACHED: dict[str, tuple[str, tuple[str, ...]]] = {
    "add": ("fresh", ("2", "a")),
    "bond-lacp-static": ("fresh", ("2", "a", "tab", "tab", "l", "tab", "tab", "tab", "tab", "s")),
    "vlan": ("fresh", ("2", "a", "v")),
    "edit": ("stacked", ("2", "down", "down", "enter")),
    "remove": ("stacked", ("2", "down", "down", "enter", "up", "enter")),
    "place": ("stacked", ("2",)),
}


@pytest.mark.parametrize("size", SMALL, ids=[f"{w}x{h}" for w, h in SMALL])
@pytest.mark.parametrize("state", REACHED)
async def test_everything_is_reached(
    state: str, size: tuple[int, int], hosts: Callable[[str], Session], opened: Opened
) -> None:
    host, keys = REACHED[state]
    async with opened(keys, size, of=hosts(host)) as pilot:
        wanted = focusable(pilot.app)
        assert set(await round_trip(pilot, "tab")) == wanted
        assert set(await round_trip(pilot, "ctrl+t")) == wanted


def texts(pilot: Pilot[Any]) -> dict[str, str]:
    return dict(pilot.app.screen.query_one(FormView).texts)


async def test_the_first_port_gives_what_it_has_until_something_else_is_typed(
    hosts: Callable[[str], Session], opened: Opened
) -> None:
    async with opened(("2", "down", "a"), of=hosts("fresh")) as pilot:
        assert (texts(pilot)["bond.ports"], texts(pilot)["ipv4.addresses"]) == (SILENT.identity, "")
        await pilot.press("tab", "space", "left", "space")
        assert texts(pilot)["bond.ports"] == LAN0.identity
        await pilot.pause()
        assert texts(pilot)["ipv4.addresses"] == "192.0.2.10/24"
        assert texts(pilot)["nameservers"] == "", "a lease gives them again"
        await pilot.press("tab", "tab", "tab", "s", "tab", "tab", "ctrl+u", *"192.0.2.254")
        assert texts(pilot)["nameservers"] == "192.0.2.53", "static takes over what the lease gave"
        await pilot.press("up", "up", "up", "up", "up", "space")
        await pilot.pause()
        assert texts(pilot)["ipv4.gateway"] == "192.0.2.254"
        assert texts(pilot)["ipv4.method"] == "static"


async def test_what_is_chosen_and_typed_is_in_the_draft(hosts: Callable[[str], Session], opened: Opened) -> None:
    session = hosts("fresh")
    keys = ("2", "a", "tab", "right", "space", "tab", "l", "tab", "f", "tab", "c", "tab", *"20", "tab", "s", "ctrl+x")
    async with opened(keys, of=session) as pilot:
        await seen(pilot, "nothing is written yet")
    assert session.draft is not None
    bond, vlan = session.draft.link("bond0"), session.draft.link("bond0.20")
    assert bond is not None
    assert bond.bond is not None
    assert vlan is not None
    assert vlan.vlan is not None
    assert bond.bond.ports == (LAN0.identity, SILENT.identity)
    assert (bond.bond.mode, bond.bond.lacp_rate, bond.bond.hash) == ("802.3ad", "fast", "layer3+4")
    assert (bond.ipv4.method, bond.ipv6.method, bond.nameservers) == ("off", "off", ())
    assert (vlan.vlan.parent, vlan.vlan.id) == ("bond0", 20)
    assert [str(a) for a in vlan.ipv4.addresses] == ["192.0.2.10/24"]
    assert (str(vlan.ipv4.gateway), [str(s) for s in vlan.nameservers]) == ("192.0.2.1", ["192.0.2.53"])
    assert not session.plan().errors


async def test_routes_size_and_management_of_a_vlan(hosts: Callable[[str], Session], opened: Opened) -> None:
    session = hosts("fresh")
    async with opened(("2", "a", "v", "tab", "tab", *"40"), of=session) as pilot:
        await to(pilot, "mtu", *"1400")
        await to(pilot, "routes", *"198.51.100.0/24 via 203.0.113.1 metric 50")
        await to(pilot, "ipv4-method", "s")
        await to(pilot, "ipv4-addresses", *"203.0.113.9/24")
        await to(pilot, "management", "y", "ctrl+x")
        await seen(pilot, "nothing is written yet")
    assert session.draft is not None
    vlan = session.draft.link("lan0.40")
    assert vlan is not None
    assert (vlan.mtu, [str(r) for r in vlan.routes or ()]) == (1400, ["198.51.100.0/24 via 203.0.113.1 metric 50"])
    assert session.draft.management == "lan0.40"


async def to(pilot: Pilot[Any], name: str, *keys: str) -> None:
    """Go to a field by Tab, as people do, and press keys there."""
    for _ in range(40):
        if pilot.app.focused is not None and pilot.app.focused.id == name:
            await pilot.press(*keys)
            return
        await pilot.press("tab")
    raise AssertionError(f"no way to {name}:\n{grid(pilot.app)}")


async def test_an_edit_keeps_what_was_not_touched(hosts: Callable[[str], Session], opened: Opened) -> None:
    session = hosts("stacked")
    async with opened(("2", "down", "down", "enter", "tab", "b", "ctrl+x"), of=session) as pilot:
        await seen(pilot, "nothing is written yet")
    assert session.draft is not None
    wish = session.draft.link("bond0")
    assert wish is not None
    assert wish.bond is not None
    assert wish.bond.mode == "active-backup"
    assert (wish.bond.lacp_rate, wish.bond.hash) == ("fast", "layer3+4")
    assert wish.bond.ports == (LAN0.identity, SILENT.identity)


async def test_removed_says_what_goes_with_it_and_is_put_back(hosts: Callable[[str], Session], opened: Opened) -> None:
    session = hosts("stacked")
    async with opened(("2", "down", "down", "enter", "up", "enter"), of=session) as pilot:
        await seen(pilot, "bond0.20 goes with it, and so does")
        await pilot.press("y")
        await seen(pilot, "nothing is written yet")
        assert session.draft is not None
        assert set(session.draft.removed) == {"bond0", "bond0.20"}
        await pilot.press("2", "enter", "y")
        await seen(pilot, "Interface")
        assert session.draft is None


async def test_what_was_in_the_draft_only_is_gone_without_a_trace(
    hosts: Callable[[str], Session], opened: Opened
) -> None:
    session = hosts("fresh")
    async with opened(of=session) as pilot:
        await walk(pilot, (*DRAFT, (("2",), "bond0.20"), (("down", "down", "enter"), "[ Remove ]")))
        await walk(pilot, ((("up", "enter"), "It was in the"), (("y",), "Interface")))
        assert session.draft is None


async def test_who_comes_in_by_the_address_is_warned(tmp_path: Path, opened: Opened) -> None:
    session = session_on(replace(fresh(), session_address="192.0.2.10"), tmp_path)
    session.facts = replace(session.facts, session_address="192.0.2.10")
    async with opened(of=session) as pilot:
        await walk(pilot, DRAFT)
        assert "Your session comes in by 192.0.2.10, which moves to bond0.20" in session.plan().cuts_session


async def test_who_comes_in_by_a_link_that_is_removed_is_warned(tmp_path: Path, opened: Opened) -> None:
    session = session_on(stacked(), tmp_path)
    session.facts = replace(session.facts, session_address="192.0.2.10")
    async with opened(("2", "down", "down", "enter", "up", "enter", "y"), of=session) as pilot:
        await seen(pilot, "nothing is written yet")
        assert "Your session comes in by 192.0.2.10, which goes away" in session.plan().cuts_session
        assert "bond0.20: the address 192.0.2.10/24 goes away." in session.plan().lost


async def test_esc_asks_only_when_something_was_chosen(opened: Opened, tmp_path: Path) -> None:
    async with opened(("2", "a", "escape"), of=session_on(fresh(), tmp_path)) as pilot:
        await seen(pilot, "Interface")
        assert "Leave without these changes?" not in grid(pilot.app)
        await pilot.press("a", "tab", "right", "space", "escape")
        await seen(pilot, "Leave without these changes?")
