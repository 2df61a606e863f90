"""A cluster made and deleted through the agent's API alone, the agent killed in the middle; real bundle, real engine.

Part of `make cluster-full`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import rig
from tests.cluster.asking import CLUSTER, CURRENT, STICK, Agent, stick_for, wanted
from tests.cluster.reach import PAYLOAD

FOLDER = rig.payload()
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make cluster-full"),
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def stick() -> Iterator[Path]:
    with stick_for(FOLDER or Path()) as folder:
        yield folder


@pytest.fixture(scope="module")
def node(stick: Path) -> Iterator[rig.Node]:
    if why := rig.missing():
        pytest.skip(why)
    with rig.Rig({FOLDER or Path(): PAYLOAD, stick: STICK}) as lab:
        yield lab.node(1)


def test_through_the_api_alone(node: rig.Node) -> None:
    agent = Agent(node)
    began = time.monotonic()
    agent.bring("engine.tar.zst", "shop.tgz")
    print(f"content imported: {time.monotonic() - began:.0f} s")
    asked = wanted([agent])
    status, preflight = agent.ask("POST", "/v1/onsite/cluster/preflight", asked)
    assert status == 200, preflight
    findings = preflight["hosts"][0]["findings"]
    assert [f for f in findings if f["severity"] == "error"] == []
    assert any(f["path"] == "/etc/containerd/config.toml" for f in preflight["hosts"][0]["files"])
    assert not node.run("test -e /usr/local/bin/kubeadm").ok, "a preflight writes nothing"

    began = time.monotonic()
    status, said = agent.ask("POST", CLUSTER, asked)
    assert status == 202, said
    assert agent.ask("POST", CLUSTER, asked)[0] == 409
    # the agent is killed in the middle of kubeadm init, and goes on by itself
    agent.until(lambda: node.run("test -e /etc/kubernetes/pki/ca.crt").ok, 300)
    agent.kill()
    agent.until(lambda: agent.get(f"{CLUSTER}/details")["status"]["clusterState"] != "Provisioning", 600)
    found = agent.get(f"{CLUSTER}/details")
    assert found["status"]["clusterState"] == "Running", (found["status"].get("clusterStateReason"), agent.log())
    assert found["status"]["health"]["status"] == "Healthy"
    assert "client-certificate-data" in found["status"]["kubeconfig"]
    print(f"created, with the agent killed in between: {time.monotonic() - began:.0f} s")
    lifecycle = agent.get("/v1/edge-mgmt/events/lifecycle")
    order = next(o for o in lifecycle["expectedOrder"] if o["category"] == "Cluster is created")
    assert [c["type"] for c in order["conditionsOrder"]] == [
        "Preflight",
        "HostsPrepared",
        "ControlPlaneReady",
        "ClusterProven",
    ]
    done = {e["type"] for e in lifecycle["clusterEvents"] if e["reason"] == "Completed"}
    assert {c["type"] for c in order["conditionsOrder"]} <= done
    assert [n["nodeStatus"]["status"] for n in agent.get(f"{CURRENT}/nodes")["nodes"]] == ["True"]
    assert agent.get(f"{CLUSTER}/certificates")["needsRenewal"] is False
    packs = agent.get(f"{CLUSTER}/applications")["clusterProfileTemplates"][0]["packs"]
    assert [p["name"] for p in packs] == ["kubeadm", "engine", "greeting"]
    assert agent.get(f"{CLUSTER}/events")["items"]
    assert agent.get(f"{CURRENT}/machinepools")["items"][0]["name"] == "control-plane"
    assert "cluster: begin" in node.must("cat /root/.ssh/authorized_keys")

    began = time.monotonic()
    assert agent.ask("DELETE", CLUSTER)[0] == 202
    agent.until(lambda: agent.ask("GET", CLUSTER)[0] == 404, 300)
    print(f"deleted: {time.monotonic() - began:.0f} s")
    agent.until(lambda: agent.get("/v1/onsite/jobs")["items"][0]["state"] == "done", 60)
    assert not node.run("test -e /etc/kubernetes/admin.conf").ok
    assert node.must("ctr -n k8s.io containers ls -q").split() == []
