"""Hosts linked by the short code become one cluster, through the API of one of them alone, with what goes wrong at a
site: power that fails, a runtime that starts no pod, an etcd that is announced and never comes.

Part of `make cluster-full`, some 25 minutes; the tests go on where the one before ended. Writes its part of
docs/measured/cluster.md.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster import bare, rig
from tests.cluster.asking import CLUSTER, CURRENT, STICK, Agent, stick_for, wanted
from tests.cluster.reach import PAYLOAD, spec
from tests.cluster.report import Rows

FOLDER = rig.payload()
STATUS = "/v1/edge-mgmt/edgehosts/current/link/status"
VIP = "10.66.0.100"
KEYS = ["ssh-ed25519 AAAA first", "ssh-ed25519 BBBB second"]
KUBECTL = "kubectl --kubeconfig=/etc/kubernetes/admin.conf"
RUNC = "/usr/lib/sandbox-quirks/runc"
REPORT = Rows(
    "Linked hosts, through the API of one of them",
    "`tests/cluster/test_linked.py`: hosts linked by the short code, content and steps over the links, nothing asked\n"
    "but the API of the leader. Bare kubeadm's own commands on fresh nodes in the same run.",
)
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make cluster-full"),
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def agents() -> Iterator[list[Agent]]:
    """An agent on each of four plain hosts."""
    if why := rig.missing():
        pytest.skip(why)
    assert FOLDER is not None
    with stick_for(FOLDER) as stick, rig.Rig({FOLDER: PAYLOAD, stick: STICK}) as lab:
        yield [Agent(lab.node(number)) for number in (1, 2, 3, 4)]


def test_linked_and_the_content_everywhere(agents: list[Agent]) -> None:
    first, *others = agents
    began = time.monotonic()
    for other in others:
        window = first.ask("POST", "/v1/onsite/link/window")[1]
        assert window["address"] == first.node.address
        status, said = other.ask("POST", "/v1/onsite/link/code", {"address": window["address"], "code": window["code"]})
        assert status == 200, said
        other.until(lambda other=other: other.get(STATUS)["status"] == "Completed", 60)
    first.ask("DELETE", "/v1/onsite/link/window")
    first.until(lambda: [p["health"]["status"] for p in first.get(STATUS)["peers"]] == ["Healthy"] * 3, 60)
    REPORT.row("four hosts linked by code", "Healthy", time.monotonic() - began)

    began = time.monotonic()
    first.bring("engine.tar.zst", "shop.tgz")
    REPORT.row("bundle (139 MB) and definition imported on the leader", "", time.monotonic() - began)
    began = time.monotonic()
    first.until(lambda: [p["contentSyncStatus"] for p in first.get(STATUS)["peers"]] == ["Synced"] * 3, 300)
    digests = [{i["digest"] for i in each.get("/v1/onsite/content")["items"]} for each in agents]
    assert len(digests[0]) == 2
    assert all(found == digests[0] for found in digests)
    REPORT.row("the same content on the three followers", "the same digests", time.monotonic() - began)


def test_three_control_planes_and_the_power_of_one_fails(agents: list[Agent]) -> None:
    second = agents[1]
    began = asked_for(agents[:3])
    # n2 was announced to etcd: the cluster of one waits for two.
    agents[0].until(lambda: second.node.run("test -e /etc/kubernetes/manifests/etcd.yaml").ok, 600)
    second.node.cut()
    time.sleep(20)  # as long as somebody needs who puts the plug back
    second.node.boot()
    second.answers()
    running(agents[:3], began, "three control planes, the power of one cut while it joined")
    assert "K210" in said(agents[0])


def test_a_worker_is_added(agents: list[Agent]) -> None:
    first, worker = agents[0], agents[3]
    began = time.monotonic()
    assert first.ask("POST", f"{CURRENT}/machinepools", pool(worker))[0] == 201
    done(first, 600)
    assert ready(first) == ["n1", "n2", "n3", "n4"]
    REPORT.row("a worker added, up to the probe on four nodes", "4 of 4 nodes", time.monotonic() - began)


def test_certificates_are_renewed(agents: list[Agent]) -> None:
    first = agents[0]
    ask = "openssl s_client -connect 127.0.0.1:6443 </dev/null 2>/dev/null | openssl x509 -noout -serial"
    before = [a.node.must(ask) for a in agents[:3]]
    began = time.monotonic()
    assert first.ask("POST", f"{CLUSTER}/renew-certificates")[0] == 201
    done(first, 900)
    after = [a.node.must(ask) for a in agents[:3]]
    assert all(x != y for x, y in zip(before, after, strict=True))
    assert first.get(f"{CLUSTER}/certificates")["needsRenewal"] is False
    REPORT.row("certificates renewed on three control planes", "new serial numbers on all", time.monotonic() - began)


def test_settings_profiles_and_pools_change(agents: list[Agent]) -> None:
    first = agents[0]
    began = time.monotonic()
    servers = ["10.66.0.1"]
    assert first.ask("PUT", f"{CLUSTER}/settings", {"ntpServers": servers, "sshKeys": KEYS})[0] == 202
    done(first, 300)
    for agent in agents:
        assert KEYS[1] in agent.node.must("cat /root/.ssh/authorized_keys")
        assert servers[0] in agent.node.must("cat /etc/chrony/sources.d/*")
    REPORT.row("settings: time server and SSH keys", "on 4 of 4 hosts", time.monotonic() - began)

    began = time.monotonic()
    first.bring("shop-1.1.tgz")
    archive = next(i for i in first.get("/v1/onsite/content")["items"] if i["version"] == "1.1.0")["digest"]
    assert first.ask("PUT", f"{CLUSTER}/profiles", {"spec": {"archiveUploadPath": f"/content/{archive}"}})[0] == 202
    done(first, 300)
    first.node.must(f"{KUBECTL} get configmap notice")
    packs = first.get(f"{CLUSTER}/applications")["clusterProfileTemplates"][0]["packs"]
    assert packs[-1]["name"] == "notice"
    REPORT.row("profiles: another definition with one pack more", "the pack is there", time.monotonic() - began)

    began = time.monotonic()
    change = [{"op": "add", "path": "/additionalLabels", "value": {"site": "north"}}]
    asked = {"machinePoolConfigPatches": change}
    assert first.ask("PATCH", f"{CURRENT}/machinepools/work", asked)[0] == 200
    done(first, 300)
    assert first.get(f"{CURRENT}/machinepools")["items"][1]["additionalLabels"] == {"site": "north"}
    assert first.node.must(f"{KUBECTL} get nodes -l site=north -o name").split() == ["node/n4"]
    REPORT.row("a pool patched: a label for its nodes", "the node has it", time.monotonic() - began)


def test_a_node_that_is_ready_and_starts_no_pod(agents: list[Agent]) -> None:
    """engines.md 3d.1"""
    first, worker = agents[0], agents[3]
    breaks(worker)
    assert "n4" in ready(first)
    assert first.ask("PUT", f"{CLUSTER}/settings", {"ntpServers": [], "sshKeys": KEYS[:1]})[0] == 202
    found = first.worked(400)
    assert (found["state"], found["code"]) == ("failed", "K207"), found
    assert "n4" in found["message"]
    assert "n4" in first.get(f"{CLUSTER}/details")["status"]["clusterStateReason"]
    REPORT.row("a node that says Ready and starts no pod", f"{found['code']}: {found['message'][:120]}")
    began = time.monotonic()
    assert first.ask("DELETE", f"{CURRENT}/machinepools/work/nodes/n4")[0] == 202
    done(first, 400)
    assert ready(first) == ["n1", "n2", "n3"]
    REPORT.row("that node taken out", "3 of 3 nodes, proven", time.monotonic() - began)
    assert first.ask("POST", f"{CURRENT}/machinepools", pool(worker))[0] == 201
    found = first.worked(400)
    assert (found["state"], found["code"]) == ("failed", "K204"), found
    REPORT.row("the same host added again", f"{found['code']}: {found['message'][:120]}")
    mends(worker)
    began = time.monotonic()
    assert first.ask("POST", f"/v1/onsite/jobs/{found['id']}/retry")[0] == 202
    done(first, 600)
    assert ready(first) == ["n1", "n2", "n3", "n4"]
    REPORT.row("mended, and the same work tried again", "4 of 4 nodes", time.monotonic() - began)


def test_deleted_with_nothing_left(agents: list[Agent]) -> None:
    gone(agents)


def test_created_again_and_a_second_member_never_comes(agents: list[Agent]) -> None:
    """engines.md 3d.2: n2 is announced to etcd, which then needs two, and starts no pod until somebody mends it."""
    first, second = agents[:2]
    began = asked_for(agents[:3])
    # No pod starts on a joining host before its certificates are there.
    first.until(lambda: second.node.run("test -e /etc/kubernetes/pki/ca.crt").ok, 600)
    breaks(second)
    first.until(lambda: "did not join (etcd was announced" in said(first), 600)
    text = next(t for t in said(first).splitlines() if "did not join (etcd was announced" in t)
    assert text.startswith("K210")
    REPORT.row("a second member that is announced and never comes", text[:160], time.monotonic() - began)
    mends(second)
    running(agents[:3], began, "created again, with that: taken out, the first goes on alone, the second try joins")


def test_deleted_again(agents: list[Agent]) -> None:
    gone(agents[:3])


def test_bare_kubeadm_beside() -> None:
    assert FOLDER is not None
    with rig.Rig({FOLDER: PAYLOAD}) as lab:
        nodes = [lab.node(number) for number in (1, 2, 3, 4)]
        took = bare.run(nodes, spec(nodes, 3))
    for what, seconds in took.items():
        REPORT.row(f"bare kubeadm: {what}", "", seconds)
    REPORT.row("bare kubeadm: three control planes and a worker, no probe", "", sum(took.values()))


def test_the_table_is_written() -> None:
    """Only where all of the above ran: a part must not take the place of the whole."""
    if len(REPORT.rows) < 23:
        pytest.skip("only a part was run")
    REPORT.write()


# --- what these have in common ---------------------------------------------------------------------------------------


def asked_for(agents: list[Agent]) -> float:
    """Ask for a cluster of these hosts; when it was."""
    asked = wanted(agents)
    asked["spec"]["cloudConfig"]["spec"]["clusterConfig"]["controlPlaneEndpoint"]["host"] = VIP
    first = agents[0]
    status, preflight = first.ask("POST", "/v1/onsite/cluster/preflight", asked)
    assert status == 200, preflight
    assert [f for host in preflight["hosts"] for f in host["findings"] if f["severity"] == "error"] == []
    began = time.monotonic()
    status, answer = first.ask("POST", CLUSTER, asked)
    assert status == 202, answer
    return began


def running(agents: list[Agent], began: float, what: str) -> None:
    first = agents[0]
    done(first, 1500)
    found = first.get(f"{CLUSTER}/details")["status"]
    assert (found["clusterState"], found["health"]["status"]) == ("Running", "Healthy"), found
    assert ready(first) == [f"n{a.node.number}" for a in agents]
    REPORT.row(what, f"Running, proven from {len(agents)} of {len(agents)} nodes", time.monotonic() - began)


def done(agent: Agent, seconds: float) -> None:
    found = agent.worked(seconds)
    assert found["state"] == "done", (found, said(agent), agent.log())


def ready(agent: Agent) -> list[str]:
    nodes: list[dict[str, Any]] = agent.get(f"{CURRENT}/nodes")["nodes"]
    return [n["nodeName"] for n in nodes if n["nodeStatus"]["status"] == "True"]


def said(agent: Agent) -> str:
    """What the lifecycle tells of the cluster, a line for each event."""
    events: list[dict[str, Any]] = agent.get("/v1/edge-mgmt/events/lifecycle")["clusterEvents"]
    return "\n".join(e.get("message", "") for e in events)


def pool(agent: Agent) -> dict[str, Any]:
    host = {"hostUid": agent.own, "hostName": f"n{agent.node.number}", "hostAddress": agent.node.address}
    return {"name": "work", "hosts": [host]}


def breaks(agent: Agent) -> None:
    """From now on no pod starts there; what runs goes on."""
    agent.node.must(f"cp {RUNC} /root/runc && printf '#!/bin/sh\\necho broken by a test >&2; exit 1\\n' > {RUNC}")


def mends(agent: Agent) -> None:
    agent.node.must(f"cp /root/runc {RUNC}")


def gone(agents: list[Agent]) -> None:
    first = agents[0]
    began = time.monotonic()
    assert first.ask("DELETE", CLUSTER)[0] == 202
    gone_is: Callable[[], bool] = lambda: first.ask("GET", CLUSTER)[0] == 404  # noqa: E731
    first.until(gone_is, 600)
    done(first, 60)
    for agent in agents:
        assert not agent.node.run("test -e /etc/kubernetes/admin.conf").ok
        assert agent.node.must("ctr -n k8s.io containers ls -q").split() == []
    REPORT.row("deleted", f"nothing left on {len(agents)} of {len(agents)} hosts", time.monotonic() - began)
