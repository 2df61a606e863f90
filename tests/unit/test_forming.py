"""Several hosts on their way to one cluster: order, hosts that go away, joins that fail, nodes that are deaf.

The hosts are scripts that record what they are asked and fail on order; the real ones are in tests/cluster.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from agent.engines.engine import Away, Event, Node, Spec, Tell
from agent.engines.forming import Forming
from agent.engines.steps import issue_data
from tui.models.change import Issue, Refused


class Script:
    """`faults` by the name of a step: each is raised once, in order."""

    def __init__(self, uid: str, calls: list[str]) -> None:
        self.uid, self.calls = uid, calls
        self.asked: list[dict[str, Any]] = []
        self.faults: dict[str, list[Exception]] = {}
        self.says: Event | None = None
        self.answers: dict[str, Callable[[], Any]] = {
            "detect": lambda: {"state": "ours", "now": time.time()},
            "preflight": list,
            "mint_join": dict,
            "probe_begin": lambda: {"namespace": "onsite-probe-1", "address": "10.96.0.9", "port": 80},
            "probe_ask": lambda: ["pod"],
            "reset": list,
        }

    async def call(self, step: str, arguments: dict[str, Any], tell: Tell) -> Any:
        assert arguments["node"] == self.uid
        self.calls.append(f"{self.uid} {step}")
        self.asked.append(arguments)
        if self.says is not None:
            tell(self.says)
        if waiting := self.faults.get(step):
            raise waiting.pop(0)
        return self.answers.get(step, lambda: None)()


def cluster(planes: int, workers: int = 0) -> Spec:
    nodes = tuple(
        Node.model_validate(
            {"uid": f"n{n}", "name": f"n{n}", "address": f"192.0.2.{n}", "number": n,
             "role": "control-plane" if n <= planes else "worker"}
        )
        for n in range(1, planes + workers + 1)
    )  # fmt: skip
    return Spec.model_validate({"name": "shop", "engine": "kubeadm", "version": "v1.20.2", "nodes": nodes})


class Scene:
    def __init__(self, planes: int, workers: int = 0) -> None:
        self.calls: list[str] = []
        self.spec = cluster(planes, workers)
        self.hosts = {n.uid: Script(n.uid, self.calls) for n in self.spec.nodes}
        self.events: list[Event] = []
        self.forming = Forming(self.spec, self.hosts, self.events.append, wait=0.2)

    @property
    def codes(self) -> list[str]:
        return [e.code for e in self.events if e.code]

    def of(self, *steps: str) -> list[str]:
        return [c for c in self.calls if c.split()[1] in steps]


def wrong(code: str = "K201") -> Refused:
    return Refused(Issue(code, "error", "", "It is broken.", "Mend it."))


async def test_control_planes_join_one_after_the_other_then_workers() -> None:
    scene = Scene(3, 1)
    await scene.forming.create()
    assert scene.of("prepare") == ["n1 prepare", "n2 prepare", "n3 prepare", "n4 prepare"]
    assert scene.of("install", "join") == ["n1 install", "n2 join", "n3 join", "n4 join"]
    assert scene.of("probe_ask") == [f"n{n} probe_ask" for n in (1, 2, 3, 4)]
    assert scene.calls[-1] == "n1 probe_end"


async def test_a_join_that_fails_is_taken_out_on_both_sides_and_tried_once_more() -> None:
    scene = Scene(2)
    scene.hosts["n2"].faults["join"] = [wrong()]
    await scene.forming.create()
    order = scene.of("join", "remove", "reset", "forget")
    assert order == ["n2 join", "n1 remove", "n2 reset", "n1 forget", "n2 join"]
    assert scene.codes == ["K210"]
    assert "Mend what is named: a second try follows." in next(e.text for e in scene.events if e.code)


async def test_a_join_that_fails_again_leaves_the_cluster_without_it() -> None:
    scene = Scene(2)
    scene.hosts["n2"].faults["join"] = [wrong(), wrong("K204")]
    with pytest.raises(Refused) as refused:
        await scene.forming.create()
    assert refused.value.issues[0].code == "K210"
    assert "It is broken." in refused.value.issues[0].text
    assert scene.of("remove", "reset")[-2:] == ["n1 remove", "n2 reset"]


async def test_a_host_that_goes_away_while_it_joins_is_taken_out_before_it_is_waited_for() -> None:
    scene = Scene(2)
    scene.hosts["n2"].faults = {"join": [Away("no power")], "reset": []}
    await scene.forming.create()
    order = scene.of("join", "remove", "reset", "prepare")
    assert order[2:] == ["n2 join", "n1 remove", "n2 reset", "n2 prepare", "n2 join"]


async def test_a_host_that_is_away_is_waited_for_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = asyncio.sleep
    monkeypatch.setattr("agent.engines.forming.asyncio.sleep", lambda _seconds: real(0))
    scene = Scene(1, 1)
    scene.hosts["n2"].faults["prepare"] = [Away("no power"), Away("no power")]
    await scene.forming.prepare()
    assert scene.of("prepare") == ["n1 prepare", "n2 prepare", "n2 prepare", "n2 prepare"]
    told = [(e.step, e.code or e.text) for e in scene.events if e.node == "n2"]
    assert told[0] == ("prepare", "K125")
    assert told[-1] == ("prepare", "n2 is back"), "what was said of it is over"
    scene.hosts["n2"].answers["prepare"] = _away
    with pytest.raises(Refused) as refused:
        await scene.forming.prepare()
    assert "n2 has been away" in refused.value.issues[0].text


def _away() -> Any:
    raise Away("no power")


async def test_a_deaf_node_gets_a_new_kube_proxy_once() -> None:
    scene = Scene(1, 1)
    heard = iter([[], ["pod"]])
    scene.hosts["n2"].answers["probe_ask"] = lambda: next(heard)
    answers = await scene.forming.prove()
    assert answers == {"n1": ["pod"], "n2": ["pod"]}
    assert scene.codes == ["K209"]
    assert "n1 probe_mend" in scene.calls


async def test_where_that_does_not_help_every_api_is_started_anew() -> None:
    scene = Scene(3, 1)
    heard = iter([[], [], ["pod"]])
    scene.hosts["n4"].answers["probe_ask"] = lambda: next(heard)
    await scene.forming.prove()
    assert scene.codes == ["K209", "K209"]
    assert scene.of("probe_anew") == ["n1 probe_anew", "n2 probe_anew", "n3 probe_anew"]


async def test_a_node_that_stays_deaf_is_named_and_the_probe_ends() -> None:
    scene = Scene(1, 1)
    scene.hosts["n2"].answers["probe_ask"] = list
    with pytest.raises(Refused) as refused:
        await scene.forming.prove()
    assert refused.value.issues[0].code == "K208"
    assert "n2" in refused.value.issues[0].text
    assert scene.calls[-1] == "n1 probe_end"


async def test_another_control_plane_answers_where_the_first_is_away() -> None:
    scene = Scene(3)
    scene.hosts["n1"].answers["detect"] = _away
    await scene.forming.prove()
    assert scene.of("probe_begin") == ["n2 probe_begin"]


async def test_preflight_finds_everything_of_all_hosts_at_once() -> None:
    scene = Scene(2, 1)
    scene.hosts["n1"].answers["detect"] = lambda: {"state": "none", "now": time.time() - 60}
    scene.hosts["n2"].answers["preflight"] = lambda: [
        issue_data(wrong("K106").issues[0]),
        issue_data(wrong("K108").issues[0]),
    ]
    scene.hosts["n3"].answers["detect"] = _away
    found = await scene.forming.preflight()
    codes = {name: sorted(i.code for i in issues) for name, issues in found.items()}
    assert codes == {"n1": ["K110", "K122"], "n2": ["K106", "K108"], "n3": ["K125"]}


async def test_the_end_is_workers_first_and_the_first_control_plane_last() -> None:
    scene = Scene(3, 1)
    scene.hosts["n3"].answers["reset"] = lambda: ["port 6443"]
    assert await scene.forming.delete() == {"n4": [], "n3": ["port 6443"], "n2": [], "n1": []}
    assert scene.of("reset") == ["n4 reset", "n3 reset", "n2 reset", "n1 reset"]


async def test_who_has_joined_before_a_kill_is_not_asked_to_join_again() -> None:
    scene = Scene(2)
    scene.hosts["n2"].answers["detect"] = lambda: {"state": "ours", "joined": "yes", "now": time.time()}
    await scene.forming.admit_once(scene.spec.nodes[1])
    assert scene.of("join", "ready") == ["n1 ready"]


async def test_labels_and_taints_of_nodes_that_stay_are_changed_and_no_others() -> None:
    scene = Scene(1, 2)
    before = scene.forming.spec
    former = {"labels": {"old": "1", "same": "1"}, "taints": ("a=1:NoSchedule", "b:NoExecute")}
    now = {"labels": {"new": "2", "same": "1"}, "taints": ("a=2:NoSchedule",)}
    nodes = before.nodes
    before = before.model_copy(update={"nodes": (*nodes[:2], nodes[2].model_copy(update=former))})
    scene.forming.spec = before.model_copy(update={"nodes": (*nodes[:2], nodes[2].model_copy(update=now))})
    await scene.forming.mark(before)
    assert scene.of("mark") == ["n1 mark"]
    asked = scene.hosts["n1"].asked[-1]
    assert asked["name"] == "n3"
    assert asked["labels"] == ["new=2", "same=1", "old-"]
    assert asked["taints"] == ["a=2:NoSchedule", "b:NoExecute-"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("This host starts no pods: trial-n2_default", "n2: This host starts no pods: trial-n2_default"),
        ("n2 has two machines' disks.", "n2 has two machines' disks."),
        ("kubeadm failed on n22.", "n2: kubeadm failed on n22."),
    ],
)
async def test_what_is_wrong_names_its_host(said: str, shown: str) -> None:
    scene = Scene(1, 1)
    scene.hosts["n2"].faults["prepare"] = [Refused(Issue("K204", "error", "", said, "Mend it."))]
    with pytest.raises(Refused) as refused:
        await scene.forming.prepare()
    assert refused.value.issues[0].text == shown


async def test_what_fails_on_a_host_is_told_with_its_name() -> None:
    scene = Scene(1, 1)
    told = Event(step="reset", mark="failed", code="K212", text="Left behind: port 10250.")
    scene.hosts["n2"].says = told
    await scene.forming.delete()
    assert [(e.node, e.text) for e in scene.events] == [("n2", "n2: Left behind: port 10250.")]


async def test_where_one_host_fails_the_others_have_ended() -> None:
    scene = Scene(1, 1)
    ended: list[str] = []

    class Slow(Script):
        async def call(self, step: str, arguments: dict[str, Any], tell: Tell) -> Any:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(step)

    scene.hosts["n1"] = Slow("n1", scene.calls)
    scene.hosts["n2"].faults["prepare"] = [wrong()]
    scene.forming.hosts = scene.hosts
    with pytest.raises(Refused):
        await scene.forming.prepare()
    assert ended == ["prepare"]
