"""Three hosts linked by the short code, content brought to one of them, one cluster over all: through the API alone.

Part of `make cluster-full`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.cluster import rig
from tests.cluster.asking import CLUSTER, CURRENT, STICK, Agent, stick_for, wanted
from tests.cluster.reach import PAYLOAD

FOLDER = rig.payload()
STATUS = "/v1/edge-mgmt/edgehosts/current/link/status"
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make cluster-full"),
    pytest.mark.timeout(2400),
]


@pytest.fixture(scope="module")
def agents() -> Iterator[list[Agent]]:
    """An agent on each of three plain hosts."""
    if why := rig.missing():
        pytest.skip(why)
    assert FOLDER is not None
    with stick_for(FOLDER) as stick, rig.Rig({FOLDER: PAYLOAD, stick: STICK}) as lab:
        yield [Agent(lab.node(number)) for number in (1, 2, 3)]


def test_three_control_planes_over_links(agents: list[Agent]) -> None:
    first, *others = agents
    began = time.monotonic()
    for other in others:
        window = first.ask("POST", "/v1/onsite/link/window")[1]
        assert window["address"] == first.node.address
        status, said = other.ask("POST", "/v1/onsite/link/code", {"address": window["address"], "code": window["code"]})
        assert status == 200, said
        other.until(lambda other=other: other.get(STATUS)["status"] == "Completed", 60)
    first.ask("DELETE", "/v1/onsite/link/window")
    first.until(lambda: [p["health"]["status"] for p in first.get(STATUS)["peers"]] == ["Healthy"] * 2, 60)
    print(f"three hosts linked by code: {time.monotonic() - began:.0f} s")

    began = time.monotonic()
    first.bring("engine.tar.zst", "shop.tgz")
    print(f"content imported on the leader: {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    first.until(lambda: [p["contentSyncStatus"] for p in first.get(STATUS)["peers"]] == ["Synced"] * 2, 300)
    digests = [{i["digest"] for i in each.get("/v1/onsite/content")["items"]} for each in agents]
    assert len(digests[0]) == 2
    assert digests[0] == digests[1] == digests[2]
    print(f"content on the followers: {time.monotonic() - began:.0f} s")

    began = time.monotonic()
    asked = wanted(agents)
    status, preflight = first.ask("POST", "/v1/onsite/cluster/preflight", asked)
    assert status == 200, preflight
    assert [f for host in preflight["hosts"] for f in host["findings"] if f["severity"] == "error"] == []
    status, said = first.ask("POST", CLUSTER, asked)
    assert status == 202, said
    first.until(lambda: first.get(f"{CLUSTER}/details")["status"]["clusterState"] != "Provisioning", 1500)
    found = first.get(f"{CLUSTER}/details")
    assert found["status"]["clusterState"] == "Running", (found["status"].get("clusterStateReason"), first.log())
    nodes = first.get(f"{CURRENT}/nodes")["nodes"]
    assert [n["nodeStatus"]["status"] for n in nodes] == ["True"] * 3
    print(f"three control planes, proven from every node: {time.monotonic() - began:.0f} s")

    began = time.monotonic()
    assert first.ask("DELETE", CLUSTER)[0] == 202
    first.until(lambda: first.ask("GET", CLUSTER)[0] == 404, 600)
    first.until(lambda: first.get("/v1/onsite/jobs")["items"][0]["state"] == "done", 60)
    for agent in agents:
        assert not agent.node.run("test -e /etc/kubernetes/admin.conf").ok
        assert agent.node.must("ctr -n k8s.io containers ls -q").split() == []
    print(f"deleted, nothing left on any host: {time.monotonic() - began:.0f} s")
