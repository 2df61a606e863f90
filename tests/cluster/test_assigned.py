"""A cluster that the management plane wants: from the practice hub, by the registration, to the real engine.

The hub runs on the node itself. Part of `make cluster-full`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.practice.hub import TOKEN
from tests.cluster import rig
from tests.cluster.asking import CLUSTER, STICK, Agent, stick_for, wanted
from tests.cluster.reach import PAYLOAD
from tui.services import registration

FOLDER = rig.payload()
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make cluster-full"),
    pytest.mark.timeout(1800),
]
UID, STEPS = "edge-shop-0001", "/v1/onsite/registration"
HUB = """
import socket, subprocess, sys
from pathlib import Path
from agent.practice import hub_certs
folder = Path("/root/hub")
folder.mkdir()
pem = hub_certs.make(folder)
with open("/etc/ssl/certs/ca-certificates.crt", "a") as bundle:
    bundle.write(pem)
listening = [socket.create_server(("127.0.0.1", port)) for port in (8443, 8080, 8128)]
numbers = [s.fileno() for s in listening]
command = [sys.executable, "-m", "agent.practice.hub_server", str(folder), *map(str, numbers)]
with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=numbers) as serving:
    serving.wait()
"""


@pytest.fixture(scope="module")
def node() -> Iterator[rig.Node]:
    if why := rig.missing():
        pytest.skip(why)
    with stick_for(FOLDER or Path()) as stick, rig.Rig({FOLDER or Path(): PAYLOAD, stick: STICK}) as lab:
        yield lab.node(1)


def put(node: rig.Node, path: str, text: str) -> None:
    node.must(f"mkdir -p $(dirname {path}) && cat > {path}", 30, text)


def test_an_assignment_becomes_a_cluster_and_is_not_made_again(node: rig.Node) -> None:
    put(node, "/root/hub.py", HUB)
    node.must("systemd-run --quiet --unit=hub python3 /root/hub.py")
    rig.wait_for(lambda: node.run("test -e /root/hub/authority.crt && ss -ltn | grep -q :8443").ok, 30, str)
    agent = Agent(node)
    agent.bring("engine.tar.zst", "shop.tgz")
    wish = {"endpoint": "localhost:8443", "token": TOKEN, "host_id_from": "typed", "host_id": UID}
    put(node, registration.KEPT, json.dumps(wish))
    agent.until(lambda: agent.get(STEPS)["state"] == "paired", 60)

    asked = wanted([agent])
    asked["spec"]["cloudConfig"]["spec"]["machinePoolConfig"][0]["hosts"][0]["hostUid"] = UID
    put(node, "/root/hub/assignment.json", json.dumps(asked))
    put(node, "/root/hub/orders.json", json.dumps({"faults": [], "orders": ["assign"]}))
    began = time.monotonic()
    assert agent.ask("POST", f"{STEPS}/try")[0] == 202
    agent.until(lambda: agent.ask("GET", CLUSTER)[0] == 200, 60)
    agent.until(lambda: agent.get(f"{CLUSTER}/details")["status"]["clusterState"] != "Provisioning", 900)
    status = agent.get(f"{CLUSTER}/details")["status"]
    assert (status["clusterState"], status["health"]["status"]) == ("Running", "Healthy"), agent.log()
    assert agent.get(STEPS)["state"] == "in use"
    print(f"from the assignment to a cluster that is proven: {time.monotonic() - began:.0f} s")

    assert agent.ask("DELETE", CLUSTER)[0] == 202
    agent.until(lambda: agent.get("/v1/onsite/jobs")["items"][0]["state"] == "done", 300)
    heard = "grep -c /config /root/hub/requests.jsonl"
    before = int(node.must(heard))
    assert agent.ask("POST", f"{STEPS}/try")[0] == 202
    agent.until(lambda: int(node.must(heard)) > before, 60)
    assert agent.ask("GET", CLUSTER)[0] == 404, "somebody deleted it here"
