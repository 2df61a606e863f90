"""The editor of an interface whose address a cluster uses: the address is locked and says why, the rest is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.screens.conftest import Opened
from tests.screens.grid import grid
from tests.screens.machine import machine, session_on
from tests.screens.paths import Step, walk
from tui.models.facts import Route
from tui.widgets.form import FormView

EDITOR: tuple[Step, ...] = ((("2",), "Interface"), (("enter",), "[ Done ]"))


async def test_addresses_of_a_node_are_not_asked_for_and_stay(opened: Opened, tmp_path: Path) -> None:
    facts = replace(machine(), cluster_uses_address=True)
    link = facts.links[0]
    way_out = Route("default", "192.0.2.1", protocol=16)
    facts = replace(facts, links=(replace(link, routes=(*link.routes, way_out)), *facts.links[1:]))
    session = session_on(facts, tmp_path)
    before = session.wish(session.facts.links[0])
    async with opened((), of=session) as pilot:
        await walk(pilot, EDITOR[:1])
        assert "A Kubernetes cluster runs on this box" in grid(pilot.app)
        await walk(pilot, EDITOR[1:])
        assert "locked by Kubernetes" in grid(pilot.app)
        assert {p.partition(".")[0] for p in pilot.app.screen.query_one(FormView).texts} == {
            "nameservers", "search_domains", "mtu", "routes",
        }  # fmt: skip
        await walk(pilot, (((*"192.0.2.53", "ctrl+x"), "Review"),))
        wish = session.wish(session.facts.links[0])
        assert (wish.ipv4, wish.ipv6) == (before.ipv4, before.ipv6)
        assert [str(s) for s in wish.nameservers] == ["192.0.2.53"]


async def test_other_interfaces_of_a_node_are_free(opened: Opened, tmp_path: Path) -> None:
    session = session_on(machine(), tmp_path)
    async with opened((), of=session) as pilot:
        await walk(pilot, EDITOR)
        assert "locked" not in grid(pilot.app)
        assert "ipv4.method" in pilot.app.screen.query_one(FormView).texts
