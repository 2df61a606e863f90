"""What is done around the reload of a manager: ports that a bond lets go, and their MTU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tui.models.facts import ABSENT, Facts, Layer, Link, LinkState
from tui.services.change import layering
from tui.services.change.journal import LinkChange
from tui.services.host import Host
from tui.services.network.recorded import RecordedKernel

ONE, TWO = "52:54:00:00:00:01", "52:54:00:00:00:02"
BOND = Link(4, "bond0", ONE, kind="bond", layer=Layer("bond", mode="balance-alb", monitor=100), mtu=9000, admin_up=True)
PORTS = tuple(
    Link(n + 2, f"lan{n}", mac, kind="veth", master="bond0", mtu=9000, admin_up=True)
    for n, mac in enumerate((ONE, TWO))
)
FREE = LinkState(True, 1500)


def host(tmp_path: Path, *ports: Link) -> Host:
    return Host(tmp_path, RecordedKernel(Facts(links=(*ports, BOND))), "recorded")


def changes(ports: tuple[Link, ...], **then: LinkState) -> tuple[list[LinkChange], dict[str, LinkState]]:
    states = {x.identity: then.get(x.name, FREE) for x in ports} | {"bond0": then.get("bond0", ABSENT)}
    every = [LinkChange(x.identity, x.name, "networkd", "", x.state, states[x.identity]) for x in (*ports, BOND)]
    return every, states


def found(host: Host) -> dict[str, Link]:
    return {link.name: link for link in host.kernel.links()}


async def test_a_port_without_a_permanent_mac_leaves_its_bond_before_a_manager_looks_for_it(tmp_path: Path) -> None:
    ports = (PORTS[0], replace(PORTS[1], permanent_mac=TWO))
    here = host(tmp_path, *ports)
    await layering.cleared(here, *changes(ports), {})
    assert {name: x.master for name, x in found(here).items()} == {"lan0": "", "lan1": "bond0", "bond0": ""}


async def test_a_port_that_stays_is_left_alone(tmp_path: Path) -> None:
    here = host(tmp_path, *PORTS)
    stays = {x.name: replace(FREE, master="bond0") for x in PORTS}
    await layering.cleared(here, *changes(PORTS, bond0=BOND.state, **stays), {})
    assert [found(here)[x.name].master for x in PORTS] == ["bond0", "bond0"]


@pytest.mark.parametrize("mtu", [1500, 9000])
async def test_a_port_that_was_let_go_has_the_mtu_that_it_shall_have(tmp_path: Path, mtu: int) -> None:
    here = host(tmp_path, *(replace(x, master="") for x in PORTS))
    then = replace(FREE, mtu=mtu)
    await layering.finished(here, *changes(PORTS, lan0=then, lan1=then))
    assert [found(here)[x.name].mtu for x in PORTS] == [mtu, mtu]
    assert "bond0" not in found(here)
