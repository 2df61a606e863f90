"""A bond with a VLAN and a static address, from a fresh host to Keep, by keystrokes that are counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.screens.conftest import Opened
from tests.screens.grid import seen, until
from tests.screens.machine import LAN0, SILENT, machine, session_on
from tests.screens.test_layers import LAN2, fresh
from tui.models.facts import Facts, Link
from tui.session import Session

MOST = 45
"""Keys, from Home to kept; a typed character is one."""
STEPS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("2", "a"), "[ Done ]"),
    (("tab", "right", "space"), "-> bond0"),
    (("tab", "tab", *"20"), "-> bond0 -> bond0.20"),
    (("tab", "s"), "Gateway"),
)
LEASED = (*STEPS, (("ctrl+x",), "nothing is written yet"))
"""The address that the port has from DHCP is carried over."""
OTHER = (*STEPS, (("tab", "ctrl+u", *"192.0.2.77/24", "ctrl+x"), "nothing is written yet"))
"""Another address in the same network: the gateway stays."""
EMPTY = (*STEPS, (("tab", *"192.0.2.7/24", "tab", *"192.0.2.1", "ctrl+x"), "nothing is written yet"))
"""Nothing is there to be carried over."""
CASES: dict[str, tuple[Facts, tuple[tuple[tuple[str, ...], str], ...], str]] = {
    "leased": (fresh(), LEASED, "192.0.2.10/24"),
    "other": (fresh(), OTHER, "192.0.2.77/24"),
    "empty": (machine(SILENT, LAN2), EMPTY, "192.0.2.7/24"),
}


def link(session: Session, name: str) -> Link | None:
    """A link of the recorded kernel."""
    return next((x for x in session.host.kernel.links() if x.name == name), None)


async def applied_and(pilot: Any, last: str) -> int:
    """Apply, answer to warnings if there are any, and decide. Returns how many keys that took."""
    await pilot.press("a")
    await until(pilot, lambda: pilot.app.screen.is_modal or pilot.app.screen.name == "keep", "Apply's answer")
    asked = bool(pilot.app.screen.is_modal)
    if asked:
        await pilot.press("y")
    await seen(pilot, "Keep this change?")
    await pilot.press(last)
    return 2 + asked


@pytest.mark.parametrize("name", CASES)
async def test_a_bond_with_a_vlan_and_an_address_in_few_keys(name: str, opened: Opened, tmp_path: Path) -> None:
    facts, steps, address = CASES[name]
    session = session_on(facts, tmp_path)
    pressed = 0
    async with opened(of=session) as pilot:
        for keys, words in steps:
            await pilot.press(*keys)
            await seen(pilot, words)
            pressed += len(keys)
        pressed += await applied_and(pilot, "k")
        await seen(pilot, "Kept. It will be there after a restart.")
        print(f"{name}: {pressed} keys")
        assert pressed <= MOST
        await pilot.press("enter", "2")
        await seen(pilot, "+-bond0.20")
        await pilot.press("home", "down", "down", "down", "enter")
        await seen(pilot, "[ Remove ]")
        await pilot.press("ctrl+x")
        await seen(pilot, "+-bond0.20")
        assert session.draft is None, "what is there already is no draft"
    bond, vlan = link(session, "bond0"), link(session, "bond0.20")
    assert bond is not None
    assert bond.layer is not None
    assert vlan is not None
    assert vlan.layer is not None
    assert (bond.layer.mode, vlan.layer.parent, vlan.layer.vlan) == ("active-backup", "bond0", 20)
    assert [a.address for a in vlan.addresses if not a.link_local] == [address]
    assert vlan.default_gateways == ("192.0.2.1",)
    ports = [x for x in session.host.kernel.links() if x.master == "bond0"]
    assert len(ports) == 2
    assert not any(not a.link_local for port in ports for a in port.addresses)


async def test_not_kept_the_former_devices_are_back(opened: Opened, tmp_path: Path) -> None:
    session = session_on(fresh(), tmp_path)
    async with opened(of=session) as pilot:
        for keys, words in LEASED:
            await pilot.press(*keys)
            await seen(pilot, words)
        await applied_and(pilot, "r")
        await seen(pilot, "(verified)")
    assert link(session, "bond0") is None
    assert link(session, "bond0.20") is None
    port = link(session, LAN0.name)
    assert port is not None
    assert "192.0.2.10/24" in {a.address for a in port.addresses}
    assert not port.master
