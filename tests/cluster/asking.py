"""What tests of clusters ask an agent on a node: its API over its socket, and the stick that IT has made for it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import rig
from tests.cluster.reach import SANDBOX
from tests.contract import answer_schema, violations

CLUSTER, CURRENT = "/v1/edge-mgmt/cluster", "/v1/edge-mgmt/clusters/current"
STICK = "/media/stick"
NOTICE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notice", "namespace": "default"}}
"""What the second definition on the stick brings more than the first."""
_UNIT = """\
[Service]
Environment=PYTHONDONTWRITEBYTECODE=1
ExecStart=/usr/bin/python3 -m agent
[Install]
WantedBy=multi-user.target
"""


@contextmanager
def stick_for(payload: Path) -> Iterator[Path]:
    """A folder with a bundle of the payload and a definition, as IT would make them."""
    with tempfile.TemporaryDirectory(prefix="onsite-stick-") as name:
        folder = Path(name)
        _onsite("bundle", "build", str(payload), "--output", str(folder / "engine.tar.zst"))
        made = folder / "definition"
        _onsite("definition", "new", str(made))
        document = yaml.safe_load((made / "definition.yaml").read_text())
        document["profiles"][0]["packs"].insert(
            0, {"name": "engine", "version": "1.0.0", "values": "packs/engine.yaml"}
        )
        (made / "definition.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        (made / "packs/engine.yaml").write_text(yaml.safe_dump(SANDBOX))
        _onsite("definition", "build", str(made), "--output", str(folder / "shop.tgz"))
        document["version"] = "1.1.0"
        more = {"name": "notice", "version": "1.0.0", "manifests": ["packs/notice.yaml"]}
        document["profiles"][0]["packs"].append(more)
        (made / "definition.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        (made / "packs/notice.yaml").write_text(yaml.safe_dump(NOTICE))
        _onsite("definition", "build", str(made), "--output", str(folder / "shop-1.1.tgz"))
        shutil.rmtree(made)
        yield folder


def _onsite(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "tui", *words], cwd=rig.CODE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


class Agent:
    def __init__(self, node: rig.Node) -> None:
        self.node = node
        self.start()

    def start(self) -> None:
        """As a unit that is there after a power cut too."""
        self.node.must("cat > /etc/systemd/system/onsite-agent.service", stdin=_UNIT)
        self.node.must("systemctl daemon-reload && systemctl --quiet enable --now onsite-agent")
        self.answers()

    def answers(self) -> None:
        """Wait until it does."""
        ping = (
            "curl -sf -m 5 --unix-socket /run/onsite/agent.sock http://agent/v1/ping"  # a killed one leaves its socket
        )
        rig.wait_for(lambda: self.node.run(ping).ok, 60, self.log)

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
        if path.startswith("/v1/edge-mgmt") and int(status) < 300:  # a refusal may have a status that is not declared
            with suppress(KeyError):  # paths with names in them are looked at by tests/host/test_contract.py
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

    def worked(self, seconds: float) -> dict[str, Any]:
        """The last work on the cluster, once it has ended."""

        def ended() -> dict[str, Any] | None:
            last = next(j for j in self.get("/v1/onsite/jobs")["items"] if j["about"] == "cluster")
            return None if last["state"] in ("running", "undoing") else dict(last)

        return dict(self.until(ended, seconds))

    def bring(self, *names: str) -> None:
        """Import these from the stick."""
        for name in names:
            status, started = self.ask("POST", "/v1/onsite/content/import", {"path": f"{STICK}/{name}"})
            assert status == 202, started
            self.job_done(started["job"], 300)

    @property
    def own(self) -> str:
        return str(self.get("/v1/edge-mgmt/edgehosts/current")["metadata"]["id"])

    @property
    def archive(self) -> str:
        """Where the definition is that was imported."""
        found = (self.get(f"/v1/edge-mgmt/clusters/archive/{k}/details") for k in ("embedded", "overridden", "update"))
        return next(str(each["archiveUploadPath"]) for each in found if each["archiveUploadPath"])


def wanted(agents: Sequence[Agent]) -> dict[str, Any]:
    """A cluster of these hosts, all of them control planes, by the definition that the first of them has."""
    first = agents[0]
    pool = {
        "name": "control-plane", "isControlPlane": True, "useControlPlaneAsWorker": True,
        "hosts": [{"hostUid": a.own, "hostName": f"n{a.node.number}", "hostAddress": a.node.address} for a in agents],
    }  # fmt: skip
    cluster = {
        "controlPlaneEndpoint": {"type": "VIP", "host": first.node.address}, "sshKeys": ["ssh-ed25519 AAAA test"],
    }  # fmt: skip
    return {
        "metadata": {"name": "shop"},
        "spec": {
            "archiveUploadPath": first.archive,
            "profileVariables": [{"name": "site", "profileUid": "base-1", "value": "0042"}],
            "cloudConfig": {"spec": {"clusterConfig": cluster, "machinePoolConfig": [pool]}},
        },
    }
