"""Three control planes and a worker, with everything that goes wrong at a site; `make cluster-full`, some 20 minutes.

Writes its part of docs/measured/cluster.md.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent.engines.engine import Event, Spec
from agent.engines.forming import Forming
from tests.cluster import bare, rig
from tests.cluster.reach import PAYLOAD, RigHost, spec
from tests.cluster.report import Rows
from tui.models.change import Refused

FOLDER = rig.payload()
VIP = "10.66.0.100"
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make cluster-full"),
    pytest.mark.timeout(3600),
]


class Report(Rows):
    """Rows of the table, and every event as it comes."""

    def __init__(self) -> None:
        super().__init__(
            "By the steps of the driver",
            "`tests/cluster/test_three.py`: everything through the driver's per-host steps.",
        )
        self.began = time.monotonic()
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        now = time.monotonic() - self.began
        print(f"{now:7.1f} s {event.node} {event.step} {event.mark} {event.code} {event.text}", flush=True)

    def codes(self) -> list[str]:
        return [e.code for e in self.events if e.code]


@pytest.fixture
def lab() -> Iterator[rig.Rig]:
    if why := rig.missing():
        pytest.skip(why)
    with rig.Rig({FOLDER or Path(): PAYLOAD}) as made:
        yield made


REPORT = Report()


def hosts_of(nodes: list[rig.Node]) -> dict[str, RigHost]:
    return {node.name: RigHost(node) for node in nodes}


async def timed(work: Any) -> tuple[Any, float]:
    began = time.monotonic()
    return await work, time.monotonic() - began


async def status(node: rig.Node) -> dict[str, Any]:
    return dict(await RigHost(node).call("status", {"engine": "kubeadm"}, REPORT))


def serial(node: rig.Node) -> str:
    """Of the certificate that the API really shows."""
    ask = "openssl s_client -connect 127.0.0.1:6443 </dev/null 2>/dev/null | openssl x509 -noout -serial"
    return node.must(ask).strip()


def without(cluster: Spec, name: str) -> Spec:
    return cluster.model_copy(update={"nodes": tuple(n for n in cluster.nodes if n.name != name)})


async def test_the_life_of_a_cluster(lab: rig.Rig) -> None:
    nodes = [lab.node(n) for n in (1, 2, 3)]
    n1, n2, n3 = nodes
    cluster = spec(nodes, 3, VIP)
    hosts = hosts_of(nodes)
    forming = Forming(cluster, hosts, REPORT)
    found = await forming.preflight()
    assert [i for issues in found.values() for i in issues if i.severity == "error"] == []
    REPORT.row("preflight of three hosts", f"{sum(map(len, found.values()))} findings, no error")

    # The power of n2 is cut while it joins: it is announced to etcd, and the cluster of one waits for two.
    cut = threading.Event()

    def watch(event: Event) -> None:
        REPORT(event)
        if event.node == "n2" and event.step == "join" and event.mark == "begun" and not cut.is_set():
            cut.set()
            threading.Thread(target=power, daemon=True).start()

    def power() -> None:
        with suppress(AssertionError):
            rig.wait_for(lambda: n2.run("test -e /etc/kubernetes/manifests/etcd.yaml").ok, 60)
        n2.cut()
        time.sleep(20)  # as long as somebody needs who put the plug back
        n2.boot()

    forming.tell = watch
    _, seconds = await timed(forming.create())
    assert cut.is_set()
    assert "K210" in REPORT.codes()
    REPORT.row(
        "three control planes, the power of one cut while it joined", "completed; K210 named, member removed", seconds
    )
    forming.tell = REPORT
    state = await status(n1)
    assert state["word"] == "ready", state["reasons"]
    assert sorted(m["name"] for m in state["members"] if m["healthy"]) == ["n1", "n2", "n3"]
    answers, seconds = await timed(forming.prove())
    seen = set().union(*answers.values())
    print(answers)
    REPORT.row("probe: a new service asked from every node", f"{len(answers)} nodes, {len(seen)} pods answer", seconds)

    # a worker more
    n4 = lab.node(4)
    hosts["n4"] = RigHost(n4)
    worker = spec([*nodes, n4], 3, VIP)
    forming = Forming(worker, hosts, REPORT)
    _, seconds = await timed(forming.add(worker.node("n4")))
    REPORT.row("a worker added, up to the probe on four nodes", "4 of 4 nodes", seconds)

    # certificates
    before = [serial(n) for n in nodes]
    _, seconds = await timed(forming.renew())
    after = [serial(n) for n in nodes]
    assert all(x != y for x, y in zip(before, after, strict=True))
    REPORT.row("certificates renewed on three control planes", "the API shows new serial numbers on all", seconds)

    # 3d.1: a node that is Ready and starts no pod
    n4.must("cp /usr/lib/sandbox-quirks/runc /root/runc && printf '#!/bin/sh\\necho broken by a test >&2; exit 1\\n'"
            " > /usr/lib/sandbox-quirks/runc")  # fmt: skip
    ready = n1.must("kubectl --kubeconfig=/etc/kubernetes/admin.conf get node n4 --no-headers")
    assert " Ready " in ready
    with pytest.raises(Refused) as refused:
        await forming.prove()
    issue = refused.value.issues[0]
    assert issue.code == "K207"
    assert "n4" in issue.text
    REPORT.row("a node that says Ready and starts no pod", f"{issue.code}: {issue.text[:120]}")
    assert await forming.drop(worker.node("n4")) == []
    with pytest.raises(Refused) as refused:
        await forming._on(worker.node("n4"), "prepare")
    assert refused.value.issues[0].code == "K204"
    REPORT.row("the same host asked to join again", f"K204: {refused.value.issues[0].text[:120]}")

    # status without the API
    n2.cut()
    n3.cut()
    state = {"word": ""}
    for _ in range(60):
        state = await status(n1)
        if state["word"] == "down":
            break
        await asyncio.sleep(1)
    codes = sorted({r["code"] for r in state["reasons"]})
    assert {"K302", "K304"} <= set(codes), state["reasons"]
    REPORT.row("two of three control planes without power: status of the third", f"{state['word']}: {', '.join(codes)}")
    n2.boot()
    n3.boot()
    began = time.monotonic()
    while (await status(n1))["word"] != "ready":
        assert time.monotonic() - began < 300
        await asyncio.sleep(2)
    REPORT.row("power back: ready again by itself", "ready", time.monotonic() - began)

    # the end, and again
    forming = Forming(cluster, hosts, REPORT)
    left, seconds = await timed(forming.delete())
    assert left == {"n1": [], "n2": [], "n3": []}
    REPORT.row("deleted", "nothing left on 3 of 3 hosts", seconds)
    _, seconds = await timed(forming.create())
    REPORT.row("created again on the same hosts, three control planes and the probe", "ready", seconds)


def test_bare_kubeadm(lab: rig.Rig) -> None:
    nodes = [lab.node(n) for n in (1, 2, 3)]
    took = bare.run(nodes, spec(nodes, 2))
    for what, seconds in took.items():
        REPORT.row(f"bare kubeadm: {what}", "", seconds)
    REPORT.row("bare kubeadm: two control planes and a worker, no probe", "", sum(took.values()))


async def test_a_second_member_that_never_comes(lab: rig.Rig) -> None:
    """3d.2: from one control plane to two, and the new one starts no pods once it was announced."""
    nodes = [lab.node(1), lab.node(2)]
    n1, n2 = nodes
    hosts = hosts_of(nodes)
    alone = without(spec(nodes, 2), "n2")
    await Forming(alone, hosts, REPORT).create()

    broken = threading.Event()

    def faults(step: str) -> None:
        if step == "join" and not broken.is_set():
            broken.set()
            n2.must("cp /usr/lib/sandbox-quirks/runc /root/runc")
            n2.must("printf '#!/bin/sh\\nexit 1\\n' > /usr/lib/sandbox-quirks/runc")
        if step == "reset" and broken.is_set():
            n2.must("cp /root/runc /usr/lib/sandbox-quirks/runc")

    hosts["n2"].before = faults
    forming = Forming(spec(nodes, 2), hosts, REPORT)
    found = await forming.preflight((forming.spec.node("n2"),))
    assert "K122" in {i.code for issues in found.values() for i in issues}
    _, seconds = await timed(forming.add(forming.spec.node("n2")))
    assert "K210" in REPORT.codes()
    state = await status(n1)
    assert sorted(m["name"] for m in state["members"]) == ["n1", "n2"]
    REPORT.row(
        "1 to 2, the new member never starts", "K210: taken out, the first goes on alone; second try joins", seconds
    )


async def test_a_backup_back_to_it_and_the_steps_of_an_upgrade(lab: rig.Rig) -> None:
    node = lab.node(1)
    alone = spec([node], 1)
    forming = Forming(alone, hosts_of([node]), REPORT)
    _, seconds = await timed(forming.create())
    REPORT.row("single node created, up to the probe", "ready", seconds)
    kubectl = "kubectl --kubeconfig=/etc/kubernetes/admin.conf"
    node.must(f"{kubectl} create configmap kept --from-literal=a=b")
    host = RigHost(node)
    back, seconds = await timed(host.call("backup", {"engine": "kubeadm", "path": "/root/backup.db"}, REPORT))
    REPORT.row("backup of etcd", f"{node.must('stat -c %s /root/backup.db').strip()} B", seconds)
    node.must(f"{kubectl} delete configmap kept && {kubectl} create configmap since")
    _, seconds = await timed(host.call("restore", {"engine": "kubeadm", **back}, REPORT))
    node.must(f"until {kubectl} get configmap kept; do sleep 1; done", 60)
    assert not node.run(f"{kubectl} get configmap since").ok
    REPORT.row("restored", "what was deleted since is back, what was made since is gone", seconds)
    _, seconds = await timed(forming.prove())
    REPORT.row("probe after it", "a new pod and a new service work", seconds)
    _, seconds = await timed(forming.upgrade())  # there is no payload of a newer version to be had
    REPORT.row("every step of an upgrade, to the version that is there", "snapshot, kubeadm, kubelet, probe", seconds)
    assert await forming.delete(purge=True) == {"n1": []}


def test_the_table_is_written() -> None:
    """Only where all of the above ran: a part must not take the place of the whole."""
    assert len(REPORT.rows) > 18
    REPORT.write()
