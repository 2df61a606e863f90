"""The way to a cluster: every step at 80x24, a draft that survives, what is sent, and agents that say no."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.recorded_agent import RecordedAgent, scene
from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen, until
from tests.screens.paths import Step, walk
from tests.unit.test_cluster_create import KEY
from tui.models.cluster_create import ClusterDraft
from tui.services.cluster import draft
from tui.session import Session

SECRET = "s3cr3tword"
NAME: tuple[Step, ...] = ((("9",), "Create a cluster"), (("enter",), "Name, step 1 of 7"))
DEFINITION: tuple[Step, ...] = (*NAME, ((*"shop-12", "down", *"site:berlin", "ctrl+x"), "from the installer"))
VARIABLES: tuple[Step, ...] = (*DEFINITION, (("enter",), "4 of 5 complete"))
ADDRESS: tuple[Step, ...] = (*VARIABLES, (("down", "down", *SECRET, "ctrl+x"), "Where is it reached?"))
NODES: tuple[Step, ...] = (*ADDRESS, (("down", *"192.0.2.100", "ctrl+x"), "Which host does what?"), ((), "edge-4"))
THREE: tuple[Step, ...] = (
    *NODES,
    (("down", "space"), "K421"),
    (("down", "space", "down", "space", "space"), "workers            1 host"),
)
PREFLIGHT: tuple[Step, ...] = (*THREE, (("ctrl+x",), "does not offer"))
REVIEW: tuple[Step, ...] = (*PREFLIGHT, (("ctrl+x",), "Nothing is written yet"), ((), "How long it takes"))

STEPS: dict[str, tuple[Step, ...]] = {
    "name": NAME,
    "name-wrong": (*NAME, ((*"Shop 12", "ctrl+x"), "K401")),
    "definition": DEFINITION,
    "variables": VARIABLES,
    "variables-wrong": (*VARIABLES, (("ctrl+u", *"mars", "down", "down", *SECRET, "ctrl+x"), "B142")),
    "address": ADDRESS,
    "address-outside": (*ADDRESS, (("down", *"198.18.0.9", "ctrl+x"), "K411")),
    "address-untried": (*ADDRESS, (("down", *"192.0.2.100", "down"), "could not be tried")),
    "address-overlay": (*ADDRESS, (("right",), "Range")),
    "keys": (*ADDRESS, (("down", "down", "down", "tab", "enter"), "Add")),
    "nodes": NODES,
    "nodes-even": (*NODES, (("down", "space"), "K421")),
    "nodes-three": THREE,
    "nodes-pool": (*THREE, (("end", "enter"), "Taints")),
    "preflight-not-offered": PREFLIGHT,
    "review": REVIEW,
    "review-create": (*REVIEW, (("c",), "Create shop-12?")),
}


@pytest.mark.parametrize("name", STEPS)
async def test_step(name: str, agent: RecordedAgent, opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened() as pilot:
        await walk(pilot, STEPS[name])
        assert SECRET not in grid(pilot.app)
        assert grid(pilot.app) == snapshot


async def test_what_is_sent_and_then_watched(agent: RecordedAgent, opened: Opened, session: Session) -> None:
    async with opened() as pilot:
        await walk(pilot, STEPS["review-create"])
        agent.answers |= {k: v for k, v in scene("creating").items() if k.startswith("GET")}
        await walk(pilot, ((("y",), "of 2 are there"),))
    (sent,) = agent.bodies("POST /v1/edge-mgmt/cluster")
    cloud = sent["spec"]["cloudConfig"]["spec"]
    pools = {p["name"]: [h["hostUid"] for h in p["hosts"]] for p in cloud["machinePoolConfig"]}
    assert pools == {"control-plane": ["edge-host-1", "edge-host-2", "edge-host-3"], "workers": ["edge-host-4"]}
    assert cloud["clusterConfig"]["controlPlaneEndpoint"]["host"] == "192.0.2.100"
    assert {v["name"]: v["value"] for v in sent["spec"]["profileVariables"]} == {
        "region": "eu-1", "replicas": "2", "adminPassword": SECRET, "debug": "false",
    }  # fmt: skip
    assert draft.load(session.host) is None, "the draft has become a cluster"


async def test_the_draft_survives_the_console(agent: RecordedAgent, opened: Opened, session: Session) -> None:
    async with opened() as pilot:
        await walk(pilot, (*VARIABLES, (("ctrl+u", *"us-7"), "us-7")))
        await until(pilot, lambda: "us-7" in str(draft.load(session.host)), "the draft on disk")
    again = Session(session.host)
    again.read()
    async with opened(of=again) as pilot:
        await walk(pilot, ((("9",), 'Go on with "shop-12": step 3 of 7, Settings'), (("enter",), "us-7")))


async def test_what_the_agent_says_of_a_value_stands_at_its_field(agent: RecordedAgent, opened: Opened) -> None:
    verdict = {
        "name": "region",
        "profileUid": "till-uid",
        "isValid": False,
        "validationFailureReason": "no such region",
    }
    agent.answers["POST /v1/edge-mgmt/cluster/profiles/variables/validate"] = (200, {"variables": [verdict]})
    async with opened() as pilot:
        await walk(pilot, (*VARIABLES, (("down", "down", *SECRET, "ctrl+x"), "K432")))
        assert "no such region" in grid(pilot.app)


FINDINGS = {
    "hosts": [
        {"hostUid": "edge-host-1", "hostName": "edge-7c21", "findings": [],
         "files": [{"path": "/etc/kubernetes/onsite.yaml", "mode": 384}], "commands": ["kubeadm init"]},
        {"hostUid": "edge-host-2", "hostName": "edge-2", "findings": [
            {"code": "K604", "severity": "error", "text": "The disk is full.", "remedy": "Delete content."},
            {"code": "K618", "severity": "warning", "text": "Port 6443 is in use.", "remedy": "Restart it."}]},
    ]
}  # fmt: skip


async def test_preflight_shows_everything_at_once(
    agent: RecordedAgent, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    agent.answers["POST /v1/onsite/cluster/preflight"] = (200, FINDINGS)
    async with opened() as pilot:
        await walk(pilot, (*THREE, (("ctrl+x",), "K618")))
        assert grid(pilot.app) == snapshot
        await walk(pilot, ((("ctrl+x",), "/etc/kubernetes/onsite.yaml"),))


async def test_the_pool_that_space_made_goes_with_its_last_host(
    agent: RecordedAgent, opened: Opened, session: Session
) -> None:
    def pools() -> list[str]:
        found = draft.load(session.host)
        return [p.name for p in found.pools] if found else []

    async with opened() as pilot:
        await walk(pilot, (*NODES, (("down", "space", "space"), "1 host   worker")))
        await until(pilot, lambda: pools() == ["control-plane", "workers"], "the pool")
        await walk(pilot, ((("space",), "- "),))
        await until(pilot, lambda: pools() == ["control-plane"], "no pool without a host")


async def test_the_agent_refuses(agent: RecordedAgent, opened: Opened, session: Session) -> None:
    agent.answers["POST /v1/edge-mgmt/cluster"] = (500, {"code": "X", "message": "no room for it", "ref": "r-1"})
    async with opened() as pilot:
        await walk(pilot, (*STEPS["review-create"], (("y",), "no room for it")))
        assert "shop-12" in grid(pilot.app)
    assert draft.load(session.host) is not None


async def test_keys_are_pasted_and_dropped(agent: RecordedAgent, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ops.pub").write_text(KEY + "\n")
    async with opened() as pilot:
        await walk(pilot, STEPS["keys"])
        await walk(pilot, ((("end", "enter"), "Which file or folder?"), ((*"/keys", "enter"), "1 key added")))
        assert "..PnGZ7Rd+ ops@site" in grid(pilot.app)
        await walk(pilot, ((("home", "d"), "none yet"), (("escape",), "Where is it reached? No SSH")))


def test_a_draft_is_plain_json(session: Session) -> None:
    draft.store(session.host, ClusterDraft(name={"name": "x"}))
    assert json.loads(session.host.path(draft.PATH).read_text())["name"] == {"name": "x"}


async def test_it_is_joined_at_the_place_of_hosts(agent: RecordedAgent, opened: Opened) -> None:
    async with opened() as pilot:
        await walk(pilot, ((("9",), "Create a cluster"),))
        await pilot.press("down", "enter")
        await seen(pilot, "*8 Hosts")
