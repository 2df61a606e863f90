"""A cluster made and deleted through the agent's API alone, the agent killed in the middle; real bundle, real engine.

Part of `make cluster-full`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import rig
from tests.cluster.reach import PAYLOAD, SANDBOX
from tests.contract import answer_schema, violations

FOLDER = rig.payload()
CLUSTER, CURRENT = "/v1/edge-mgmt/cluster", "/v1/edge-mgmt/clusters/current"
STICK = "/media/stick"
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make cluster-full"),
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def stick() -> Iterator[Path]:
    """A folder with a bundle of the payload and a definition, as IT would make them."""
    with tempfile.TemporaryDirectory(prefix="onsite-stick-") as name:
        folder = Path(name)
        _onsite("bundle", "build", str(FOLDER), "--output", str(folder / "engine.tar.zst"))
        made = folder / "definition"
        _onsite("definition", "new", str(made))
        document = yaml.safe_load((made / "definition.yaml").read_text())
        document["profiles"][0]["packs"].insert(
            0, {"name": "engine", "version": "1.0.0", "values": "packs/engine.yaml"}
        )
        (made / "definition.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        (made / "packs/engine.yaml").write_text(yaml.safe_dump(SANDBOX))
        _onsite("definition", "build", str(made), "--output", str(folder / "shop.tgz"))
        shutil.rmtree(made)
        yield folder


@pytest.fixture(scope="module")
def node(stick: Path) -> Iterator[rig.Node]:
    if why := rig.missing():
        pytest.skip(why)
    with rig.Rig({FOLDER or Path(): PAYLOAD, stick: STICK}) as lab:
        yield lab.node(1)


def _onsite(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "tui", *words], cwd=rig.CODE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


class Agent:
    def __init__(self, node: rig.Node) -> None:
        self.node = node
        self.start()

    def start(self) -> None:
        self.node.must("systemd-run --quiet --unit=onsite-agent --setenv=PYTHONDONTWRITEBYTECODE=1 python3 -m agent")
        rig.wait_for(lambda: self.node.run("test -S /run/onsite/agent.sock").ok, 60, lambda: self.log())

    def kill(self) -> None:
        """As a power cut would end it; nothing is told."""
        self.node.must("systemctl kill --signal=SIGKILL onsite-agent && sleep 1; systemctl reset-failed; true")
        self.start()

    def log(self) -> str:
        return self.node.run("journalctl -q -o cat -u onsite-agent | tail -n 40").output

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        data = "" if body is None else json.dumps(body)
        words = (
            f"curl -sS -m 60 --unix-socket /run/onsite/agent.sock -X {method} -w '\\n%{{http_code}}' http://agent{path}"
        )
        if body is not None:
            words += " -H 'Content-Type: application/json' --data-binary @-"
        answer, _, status = self.node.must(words, 90, data).rpartition("\n")
        found = json.loads(answer) if answer else None
        if path.startswith("/v1/edge-mgmt") and "{" not in path:
            assert violations(found, answer_schema(method, path, int(status))) == [], path
        return int(status), found

    def get(self, path: str) -> Any:
        status, found = self.ask("GET", path)
        assert status == 200, (path, status, found)
        return found

    def until(self, what: Callable[[], Any], seconds: float) -> Any:
        return rig.wait_for(what, seconds, lambda: f"{self.get('/v1/onsite/jobs')['items'][:1]}\n{self.log()}")

    def job_done(self, job: str, seconds: float) -> None:
        def ended() -> bool:
            state = self.get(f"/v1/onsite/jobs/{job}")
            assert state["state"] not in ("failed", "cancelled"), state
            return bool(state["state"] == "done")

        self.until(ended, seconds)


def test_through_the_api_alone(node: rig.Node) -> None:
    agent = Agent(node)
    began = time.monotonic()
    for name in ("engine.tar.zst", "shop.tgz"):
        status, started = agent.ask("POST", "/v1/onsite/content/import", {"path": f"{STICK}/{name}"})
        assert status == 202, started
        agent.job_done(started["job"], 300)
    print(f"content imported: {time.monotonic() - began:.0f} s")
    archive = next(
        found["archiveUploadPath"]
        for kind in ("embedded", "overridden", "update")
        if (found := agent.get(f"/v1/edge-mgmt/clusters/archive/{kind}/details"))["archiveUploadPath"]
    )
    own = agent.get("/v1/edge-mgmt/edgehosts/current")["metadata"]["id"]
    pool = {
        "name": "control-plane", "isControlPlane": True, "useControlPlaneAsWorker": True,
        "hosts": [{"hostUid": own, "hostName": "n1", "hostAddress": node.address}],
    }  # fmt: skip
    endpoint = {"type": "VIP", "host": node.address}
    wanted = {
        "metadata": {"name": "shop"},
        "spec": {
            "archiveUploadPath": archive,
            "profileVariables": [{"name": "site", "profileUid": "base-1", "value": "0042"}],
            "cloudConfig": {
                "spec": {
                    "clusterConfig": {"controlPlaneEndpoint": endpoint, "sshKeys": ["ssh-ed25519 AAAA test"]},
                    "machinePoolConfig": [pool],
                }
            },
        },
    }
    status, preflight = agent.ask("POST", "/v1/onsite/cluster/preflight", wanted)
    assert status == 200, preflight
    findings = preflight["hosts"][0]["findings"]
    assert [f for f in findings if f["severity"] == "error"] == []
    assert any(f["path"] == "/etc/containerd/config.toml" for f in preflight["hosts"][0]["files"])
    assert not node.run("test -e /usr/local/bin/kubeadm").ok, "a preflight writes nothing"

    began = time.monotonic()
    status, said = agent.ask("POST", CLUSTER, wanted)
    assert status == 202, said
    assert agent.ask("POST", CLUSTER, wanted)[0] == 409
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
