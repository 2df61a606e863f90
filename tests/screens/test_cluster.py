"""The place of the cluster and the pages behind it, in every state that an agent can tell of, at 80x24."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from screens.cluster_watch import WatchScreen
from tests.contract import answer_schema, violations
from tests.recorded_agent import RecordedAgent, scene
from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen
from tests.screens.paths import Step, walk
from tui.widgets.messages import AgentAnswered

SECRETS = ("S3CR3T-KUBE", "S3CR3T-VAR")
SCENES = ("base", "healthy", "update", "creating", "stuck", "unhealthy", "deleting")
PLACE: dict[str, Step] = {
    "base": (("9",), "This host is in no cluster"),
    "healthy": (("9",), "3, all there"),
    "creating": (("9",), "step 4 of 7"),
    "stuck": (("9",), "K606"),
    "unhealthy": (("9",), "1 with trouble"),
    "deleting": (("9",), "being deleted"),
    "ending": (("9",), "K305"),
}


def test_recorded_answers_are_what_the_contract_says() -> None:
    wrong = {}
    for name in SCENES:
        for key, said in scene(name).items():
            method, path = key.split(" ")
            status, body = said if isinstance(said, tuple) else (200, said)
            if body is not None:
                path = path.replace("/cluster/shop-12", "/cluster/{clusterName}")
                if found := violations(body, answer_schema(method, path, status)):
                    wrong[f"{name} {key}"] = found
    assert wrong == {}


@pytest.mark.parametrize("name", PLACE)
async def test_place(name: str, agent: RecordedAgent, opened: Opened, snapshot: SnapshotAssertion) -> None:
    agent.answers = scene(name)
    async with opened() as pilot:
        await walk(pilot, (PLACE[name],))
        assert grid(pilot.app) == snapshot


def down(times: int) -> tuple[str, ...]:
    return ("down",) * times + ("enter",)


HEALTHY = PLACE["healthy"]
UNHEALTHY = PLACE["unhealthy"]
PAGES: dict[str, tuple[str, tuple[Step, ...]]] = {
    "nodes": ("healthy", (HEALTHY, (("enter",), "edge-7c21   "))),
    "nodes-wrong": ("unhealthy", (UNHEALTHY, (down(1), "K601"))),
    "node-wrong": ("unhealthy", (UNHEALTHY, (down(1), "K601"), (("enter",), "Host id"))),
    "packs": ("healthy", (HEALTHY, (down(2), "2 of 2"))),
    "packs-wrong": ("unhealthy", (UNHEALTHY, (down(3), "1 of 2"))),
    "pack-wrong": ("unhealthy", (UNHEALTHY, (down(3), "1 of 2"), (("enter",), "not in the bundle"))),
    "events": ("healthy", (HEALTHY, (down(3), "3 events"))),
    "events-filtered": ("healthy", (HEALTHY, (down(3), "3 events"), (("f", *"warning", "enter"), "1 event with"))),
    "events-none": ("creating", (PLACE["creating"], (down(4), "No event"))),
    "certificates": ("ending", (PLACE["ending"], (down(5), "kubernetes-ca"))),
    "services": ("healthy", (HEALTHY, (down(5), "443/TCP"))),
    "watch": ("creating", (PLACE["creating"], (("enter",), "of 2 are there"))),
    "watch-stuck": ("stuck", (PLACE["stuck"], (down(1), "The other nodes join"))),
    "watch-stop": ("creating", (PLACE["creating"], (("enter",), "of 2 are there"), (("c",), "Stop and undo it?"))),
    "why": ("unhealthy", (UNHEALTHY, (("w",), "K606"))),
    "why-stuck": ("stuck", (PLACE["stuck"], (("w",), "What the agent says"))),
    "pools": ("healthy", (HEALTHY, (down(1), "tier=front"))),
    "pool-edit": ("healthy", (HEALTHY, (down(1), "tier=front"), (("enter",), "Takes them, too"))),
    "pool-drop": ("healthy", (HEALTHY, (down(1), "tier=front"), ((*["down"] * 4, "d"), "Take the pool workers out?"))),
    "kubeconfig": ("healthy", (HEALTHY, (down(6), "To a file"))),
    "kubeconfig-file": ("healthy", (HEALTHY, (down(6), "To a file"), (("enter",), "shop-12.kubeconfig"))),
    "update": ("update", (HEALTHY, (down(7), "3 to look at"))),
    "update-none": ("healthy", (HEALTHY, (down(7), "no other definition"))),
    "delete": ("healthy", (HEALTHY, (down(9), "Its name"))),
    "delete-wrong": ("healthy", (HEALTHY, (down(9), "Its name"), ((*"shop", "ctrl+x"), "K440"))),
    "settings": ("healthy", (HEALTHY, (down(8), "Time servers"))),
    "settings-changed": (
        "healthy",
        (
            HEALTHY,
            (down(8), "Time servers"),
            (("enter",), "each host keeps"),
            (("ctrl+u", *"192.0.2.5", "enter"), "(changed)"),
        ),
    ),
    "code": ("unhealthy", (UNHEALTHY, (("enter",), "What to do"))),
}


@pytest.mark.parametrize("name", PAGES)
async def test_page(name: str, agent: RecordedAgent, opened: Opened, snapshot: SnapshotAssertion) -> None:
    agent.answers = scene(PAGES[name][0])
    async with opened() as pilot:
        await walk(pilot, PAGES[name][1])
        shown = grid(pilot.app)
        assert all(secret not in shown for secret in SECRETS)
        assert shown == snapshot


async def test_stop_asks_the_agent_to_undo(agent: RecordedAgent, opened: Opened) -> None:
    agent.answers = scene("creating")
    async with opened() as pilot:
        await walk(pilot, PAGES["watch-stop"][1])
        await pilot.press("y")
        await seen(pilot, "The agent undoes it")
    assert len(agent.bodies("DELETE /v1/edge-mgmt/cluster")) == 1


async def test_what_was_confirmed_is_done_while_the_agent_still_owes_an_answer(
    agent: RecordedAgent, opened: Opened
) -> None:
    """A look that is under way kept a confirmed Stop from being sent, and nothing said so."""
    agent.answers = scene("creating")
    async with opened() as pilot:
        await walk(pilot, PAGES["watch"][1])
        agent.delay = 1.0
        await walk(pilot, ((("r", "c"), "Stop and undo it?"),))
        assert pilot.app.screen_stack[-2].looking
        await walk(pilot, ((("y",), "Asking the agent to stop"),))
        await seen(pilot, "The agent undoes it")
    assert len(agent.bodies("DELETE /v1/edge-mgmt/cluster")) == 1


async def test_certificates_are_renewed_after_a_question(agent: RecordedAgent, opened: Opened) -> None:
    agent.answers = scene("ending")
    async with opened() as pilot:
        await walk(pilot, (*PAGES["certificates"][1], (("n",), "Renew all"), (("y",), "The agent renews them")))
    assert len(agent.bodies("POST /v1/edge-mgmt/cluster/renew-certificates")) == 1


async def test_kubeconfig_is_written_for_its_owner_alone_and_never_shown(
    agent: RecordedAgent, opened: Opened, tmp_path: Path
) -> None:
    agent.answers = scene("healthy")
    target = tmp_path / "kube"
    async with opened() as pilot:
        await walk(pilot, PAGES["kubeconfig-file"][1])
        await pilot.press("ctrl+u", *"/kube", "enter")
        await seen(pilot, "readable by root alone")
        assert all(secret not in grid(pilot.app) for secret in SECRETS)
    assert "S3CR3T-KUBE" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


async def test_settings_are_sent_after_a_question(agent: RecordedAgent, opened: Opened) -> None:
    agent.answers = scene("healthy") | {"PUT /v1/edge-mgmt/cluster/settings": (202, {"message": "accepted"})}
    async with opened() as pilot:
        await walk(pilot, (*PAGES["settings-changed"][1], (("x",), "Apply the settings?"), (("y",), "on every host;")))
    sent = agent.bodies("PUT /v1/edge-mgmt/cluster/settings")
    assert [body["ntpServers"] for body in sent] == [["192.0.2.5"]]


async def test_delete_wants_the_name(agent: RecordedAgent, opened: Opened) -> None:
    agent.answers = scene("healthy")
    async with opened() as pilot:
        await walk(pilot, PAGES["delete-wrong"][1])
        assert agent.bodies("DELETE /v1/edge-mgmt/cluster") == []
        agent.answers = scene("deleting")
        await walk(pilot, (((*"-12", "ctrl+x"), "being deleted"),))
    assert len(agent.bodies("DELETE /v1/edge-mgmt/cluster")) == 1


async def test_why_it_is_not_deleted_stands_there_until_one_tries_again(agent: RecordedAgent, opened: Opened) -> None:
    """The next news from the agent, three seconds later, wiped it away: nothing happened, and nothing said why."""
    agent.answers = scene("healthy")
    refused = {"code": "Conflict", "message": "The cluster is being changed; wait for its end."}
    agent.answers["DELETE /v1/edge-mgmt/cluster"] = (409, refused)
    async with opened() as pilot:
        await walk(pilot, PAGES["delete"][1])
        await walk(pilot, (((*"shop-12", "ctrl+x"), "A109"),))
        pilot.app.post_message(AgentAnswered())
        await pilot.pause()
        assert "A109" in grid(pilot.app)
        agent.answers = scene("deleting")
        await walk(pilot, ((("ctrl+x",), "being deleted"),))
    assert len(agent.bodies("DELETE /v1/edge-mgmt/cluster")) == 2


async def test_watch_shows_nothing_of_the_job_before(agent: RecordedAgent, opened: Opened) -> None:
    agent.answers = scene("healthy")
    async with opened() as pilot:
        await walk(pilot, (HEALTHY,))
        agent.delay = 0.5
        pilot.app.push_screen(WatchScreen(pilot.app.session))
        await seen(pilot, "Asking the agent...")
        assert "The other nodes join" not in grid(pilot.app)
        await seen(pilot, "The other nodes join")


async def test_update_goes_only_when_every_change_was_looked_at(
    agent: RecordedAgent, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    agent.answers = scene("update")
    async with opened() as pilot:
        await walk(pilot, (*PAGES["update"][1], (("x",), "K442")))
        await walk(pilot, ((("t",), "2 to look at"), (("down", "space"), "1 to look at")))
        await walk(pilot, ((("down", "enter"), "Language"), (("ctrl+u", *"fr", "enter"), "All changes were looked at")))
        assert grid(pilot.app) == snapshot
        await walk(pilot, ((("x",), "Update to till 2.0?"), (("y",), "The other nodes join")))
    (sent,) = agent.bodies("PUT /v1/edge-mgmt/cluster/shop-12")
    values = {v["name"]: v["value"] for v in sent["spec"]["profileVariables"]}
    assert sent["spec"]["archiveUploadPath"] == "/opt/content/till-2.0.tgz"
    assert values == {
        "adminPassword": "S3CR3T-VAR",
        "region": "eu-2",
        "replicas": "3",
        "language": "fr",
        "debug": "false",
    }


async def test_a_node_is_added_and_one_taken_out(agent: RecordedAgent, opened: Opened) -> None:
    agent.answers = scene("healthy")
    pools = agent.answers["GET /v1/edge-mgmt/clusters/current/machinepools"]["items"]
    pools[1]["hosts"] = []
    pools[1]["size"] = 0
    agent.answers["PUT /v1/edge-mgmt/clusters/current/machinepools/workers"] = (200, {"message": "accepted"})
    key = "DELETE /v1/edge-mgmt/clusters/current/machinepools/control-plane/nodes/edge-3"
    agent.answers[key] = (202, {"message": "accepted"})
    async with opened() as pilot:
        watched = (("y",), "The other nodes join")
        await walk(pilot, (*PAGES["pools"][1], (("end", "a"), "Add edge-4?"), watched))
        await walk(pilot, ((("escape",), "Kubeconfig"), (("enter",), "tier=front")))
        await walk(pilot, ((("home", "down", "down", "down", "d"), "Take edge-3 out?"), watched))
    (sent,) = agent.bodies("PUT /v1/edge-mgmt/clusters/current/machinepools/workers")
    assert ([h["hostUid"] for h in sent["hosts"]], sent["size"], sent["taints"][0]["key"]) == (
        ["edge-host-4"],
        1,
        "only",
    )
    assert len(agent.bodies(key)) == 1
