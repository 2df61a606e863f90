"""The whole contract asked of the agent on a host in a container, until every operation that can be good has been.

First every operation of both contracts by what schemathesis makes of its schema (long, so only in `make api-full`),
then each operation of the public one for what it is there for, over HTTPS as a user of the host: content is uploaded, a
cluster wanted and changed, hosts linked; restart, factory reset and shutdown come last and happen. A second agent in
the same container is the host to link with. No engine is there, so work on a cluster is taken and fails with its reason
or is cancelled; what such work does is shown by tests/cluster.
"""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.adoption import BASE as PAIR
from tests import archives
from tests.api import explored
from tests.host import box as boxes
from tests.host.box import Box, wait_for
from tui.services.login import service

FULL = bool(os.environ.get("ONSITE_FULL"))
EXAMPLES = 30
SEED = 5080
MEASURED = explored.CODE / "docs/measured/agent-api.md"
ENDS = ("v1EdgeHostActionReboot", "v1EdgeHostActionReset", "v1EdgeHostActionShutdown")
CONTRACT = {o.definition.raw["operationId"]: o for o in explored.all_of_the_contract()}
OURS = explored.operations(explored.OURS)
ROWS: dict[str, explored.Row] = {}
FIRST, SECOND = "correct horse battery 1", "staple wagon river 2"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyz0123456789ABCDEF alice@laptop"
OTHER = "/srv/other"
"""The folder that stands for / of the second agent."""
# What speaks TLS is the client outside; only the bytes are carried into the container's network.
RELAY = """
import asyncio, sys
async def copy(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def carry(reader, writer):
    try:
        ours = await asyncio.open_connection("127.0.0.1", 5080)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, ours[1]), copy(ours[0], writer), return_exceptions=True)
async def main():
    async with await asyncio.start_unix_server(carry, sys.argv[1]) as server:
        await server.serve_forever()
asyncio.run(main())
"""


@dataclass
class Asked:
    """A host in a container and its agent: on its socket, as root, and over HTTPS, as whoever logged in."""

    box: Box
    token: str = ""
    relay: subprocess.Popen[bytes] | None = None
    clients: list[httpx.Client] = field(default_factory=list)
    ways: list[Path] = field(default_factory=list)
    """Sockets that lead to its HTTPS, to its socket, and to that of the second agent."""

    def client(self, way: Path, **more: Any) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(way), limits=httpx.Limits(max_keepalive_connections=0), **more)
        self.clients.append(made := httpx.Client(transport=transport, trust_env=False, timeout=explored.SECONDS))
        return made

    def connect(self) -> None:
        """After each boot."""
        self.close()
        inside = Path(f"/proc/{self.box.leader}/root")
        wait_for("HTTPS", self.listens)
        relay = self.box.folder / "relay"
        enter = ["nsenter", "-t", str(self.box.leader), "--net", sys.executable, "-c", RELAY, str(relay)]
        self.relay = subprocess.Popen(enter, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.ways = ways = [relay, *(inside / folder / "run/onsite/agent.sock" for folder in ("", OTHER.lstrip("/")))]
        wait_for("the agents", lambda: all(map(answers, ways)))
        verified = ssl.create_default_context(cafile=str(self.box.root / "etc/onsite/server.crt"))
        self.https, self.root, self.other = self.client(ways[0], verify=verified), *map(self.client, ways[1:])

    def close(self) -> None:
        for each in self.clients:
            each.close()
        self.clients = []
        if self.relay is not None:
            self.relay.kill()
            self.relay.wait()
            (self.box.folder / "relay").unlink(missing_ok=True)

    def good(self, name: str, **parts: Any) -> Any:
        """Ask this operation over HTTPS; it has to be good, as the contract has it. Gives what it said."""
        operation = CONTRACT[name]
        headers = {"Authorization": self.token} if self.token else {}
        if name.endswith("Upload"):
            parts["media_type"] = "multipart/form-data"
        row = row_of(operation)
        before = len(row.faults)
        case = operation.Case(headers=headers, **parts)
        answer = explored.asked(operation, case, self.https, row, "https://127.0.0.1:5080")
        assert answer is not None, row.faults
        assert answer.status_code < 300, (name, answer.status_code, answer.text)
        assert row.faults[before:] == []
        return answer.json() if answer.headers.get("content-type") == "application/json" and answer.content else None

    def idle(self, patience: float = 30) -> None:
        """Until no work is under way; what takes longer is cancelled."""
        began = time.monotonic()
        while running := [j for j in self.jobs() if j["state"] in ("running", "undoing")]:
            if time.monotonic() - began > patience:
                for job in running:
                    self.root.post(f"http://agent/v1/onsite/jobs/{job['id']}/cancel")
            assert time.monotonic() - began < 60, running
            time.sleep(0.1)

    def jobs(self) -> list[dict[str, Any]]:
        """Once the agent is there: a new proxy restarts it."""
        found: list[httpx.Response] = []

        def told() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                if not answers(self.ways[1]):
                    return False
                found.append(self.root.get("http://agent/v1/onsite/jobs"))
            return bool(found) and self.listens()

        wait_for("the agent", told)
        return list(found[-1].json()["items"])

    def listens(self) -> bool:
        return ":5080" in self.box.run("ss", "-ltnH", check=False).stdout


def answers(way: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as knock:
        return knock.connect_ex(str(way)) == 0


def row_of(operation: Any) -> explored.Row:
    name = operation.definition.raw["operationId"]
    return ROWS.setdefault(name, explored.Row(name, operation.method.upper(), operation.path))


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    """A host with HTTPS switched on, alice, who administers it, and a second agent."""
    if why := boxes.missing():
        pytest.skip(why)
    with Box() as box:
        box.write("/etc/onsite/onsite.toml", "[agent]\nhttps = true\ndelay_after = 100\nlock_after = 100\n")
        box.write("/etc/pam.d/onsite", service.text(box.root))
        box.run("ip", "link", "set", "lan0", "up")
        box.run("ip", "address", "add", "192.0.2.10/24", "dev", "lan0")
        box.run("useradd", "-m", "-G", "sudo", "alice")
        box.run("chpasswd", input=f"alice:{FIRST}\n")
        box.write("/var/log/files/report", "a report")
        box.write(f"{OTHER}/etc/machine-id", "b" * 32 + "\n")
        box.write(f"{OTHER}/etc/hostname", "other\n")
        box.write(f"{OTHER}/etc/onsite/onsite.toml", "[agent]\npeer_port = 5082\n")
        unit = (boxes.CODE / "assets/units/onsite-agent.service").read_text()
        box.write("/etc/systemd/system/onsite-agent.service", unit)
        command = "ExecStart=onsite agent"
        box.write("/etc/systemd/system/other.service", unit.replace(command, f"{command} --root {OTHER}"))
        box.run("systemctl", "daemon-reload")
        box.run("systemctl", "--quiet", "enable", "--now", "onsite-agent", "other")
        host = Asked(box)
        host.connect()
        yield host
        host.close()


@pytest.mark.skipif(not FULL, reason="long: make api-full; the same requests go to an agent in namespaces in tests/api")
@pytest.mark.timeout(1800)
def test_everything_that_fits_and_everything_that_does_not(asked: Asked) -> None:
    for operation in (*CONTRACT.values(), *OURS):
        name = operation.definition.raw["operationId"]
        if name in ENDS:
            continue
        row = explored.explore(operation, asked.root, EXAMPLES, SEED)
        ROWS[name] = row
        print(name, dict(row.statuses), f"{row.slowest:.1f} s", flush=True)
        assert row.faults == [], name
        asked.idle()
    for unit in ("onsite-agent", "other"):
        said = asked.box.run("journalctl", "-q", "-o", "cat", "-u", unit).stdout
        assert "internal error" not in said, said[-3000:]
    # What was wished at random is over: the host as it was, for what follows.
    asked.box.run("systemctl", "stop", "onsite-agent", "other")
    asked.box.run("rm", "-rf", "/var/lib/onsite/agent", "/etc/onsite/userdata.json", "/var/lib/onsite/links")
    asked.box.run("systemctl", "start", "onsite-agent", "other")
    asked.connect()


@pytest.mark.timeout(300)
def test_each_operation_does_what_it_is_for(asked: Asked) -> None:
    users(asked)
    host(asked)
    content(asked)
    linked_and_clustered(asked)
    good = asked.good
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    asked.box.write("/etc/onsite/content.pub", pem.decode())
    assert base64.b64decode(good("V1GetContentSigningPublicKey")["key"]) == pem
    ends(asked, "v1EdgeHostActionReboot", restarts=True)
    ends(asked, "v1EdgeHostActionReset", restarts=True)
    assert not (asked.box.root / "var/lib/onsite/content").exists()
    good("V1UserLogout")
    asked.token = ""
    login(asked, SECOND)
    ends(asked, "v1EdgeHostActionShutdown", restarts=False)


def login(asked: Asked, password: str) -> None:
    asked.token = ""
    asked.token = asked.good("V1UserLogin", body={"username": "alice", "password": password})["Token"]["Authorization"]


def users(asked: Asked) -> None:
    good = asked.good
    good("V1Ping")
    login(asked, FIRST)
    assert good("V1CurrentUser")["userName"] == "alice"
    good("v1PatchCurrentUser", body={"sshKeys": [KEY]})
    assert good("V1CurrentUser")["sshKeys"] == [KEY]
    asked.token = good("V1UserTokenRenewal")["Authorization"]
    good("V1UserPasswordReset", body={"oldPassword": FIRST, "newPassword": SECOND})
    login(asked, SECOND)


def host(asked: Asked) -> None:
    good = asked.good
    good("v1Settings")
    assert {n["nicName"] for n in good("v1EdgeHostInfo")["spec"]["networkInfo"]} >= {"lan0"}
    good("V1EdgeHostConfigurationsUpdate", body={"httpProxy": "http://proxy.site.example:3128"})
    asked.idle()
    assert good("v1EdgeHostConfigurationStatus") == {"state": "Configured", "errorMessage": ""}
    assert good("V1EdgeHostConfigurationsGet")["httpProxy"].startswith("http://proxy.site.example:3128")
    good("V1EdgeHostConfigurationsUpdate", body={})
    asked.idle()
    for name in ("v1PostEdgeHostUserdata", "v1PutEdgeHostUserdata"):
        good(name, body={"tags": {"site": {"number": name}}})
        asked.idle()
        assert good("v1GetEdgeHostUserdata").get("tags") == {"site": {"number": name}}, asked.jobs()[0]
    assert good("v1PingHost", query={"endpoint": "127.0.0.1"})["pingHostStatus"]
    assert good("v1TraceRouteHost", query={"endpoint": "127.0.0.1"})["traceRouteStatus"]
    good("V1EdgeHostErrorLogs", query={"logCount": 10})
    good("v1EdgeHostGenerateLogs")
    wait_for("the logs", lambda: good("v1EdgeHostGenerateLogsStatus")["status"] == "Completed", 60)
    good("v1EdgeHostDownloadLogs")
    assert [f["fileName"] for f in good("v1EdgeHostListCustomFiles")["files"]] == ["report"]
    good("v1EdgeHostCustomFileDownload", path_parameters={"filePath": "report"})
    assert good("v1Audits", query={"limit": 5})["items"]
    good("v1AuditFilter")
    good("v1AuditDownload")
    assert good("v1GetLifecycleEvents")["edgeHostEvents"]


def content(asked: Asked) -> None:
    good = asked.good
    parts = {**archives.PARTS, "definition.tgz": archives.definition(version="2.0.0")}
    head = archives.manifest(parts)
    next(m for m in head["members"] if m["path"] == "definition.tgz")["kind"] = "definition"
    good("V1ContentUpload", body={"uploadFile": archives.packed(archives.plain(parts, head))})
    good("V1ClusterConfigUpload", body={"uploadFile": archives.definition()})
    assert good("v1UploadedContentDetails")["sizeInBytes"] > 0
    good("V1HarborHealth")
    good("v1HarborContentsSyncStatusDetails")
    assert good("v1HarborContentsDetails")["status"]
    good("V1ClusterConfigArchiveEmbedded")
    assert good("v1ClusterConfigArchiveUpdate")["archiveUploadPath"]
    archive = good("v1ClusterConfigArchiveOverriden")["archiveUploadPath"]
    values = [{"name": "site", "profileUid": "base-1", "value": "0042"}]
    checked = good("v1ValidateClusterProfileVariables", body={"archiveUploadPath": archive, "variables": values})
    assert [v["isValid"] for v in checked["variables"]] == [True]


def linked_and_clustered(asked: Asked) -> None:
    """The host follows the other and leads it, then wants a cluster with it."""
    good = asked.good
    told = asked.other.post("http://agent/v1/edge-mgmt/edgehosts/current/link/generate-token").json()
    assert "token" in told, told
    good("v1EdgeHostLink", body=told)
    wait_for("the link", lambda: good("v1EdgeHostLinkStatus")["status"] == "Completed")
    good("v1EdgeHostUnlink", query={"peerId": good("v1EdgeHostLinkStatus")["peers"][0]["id"]})
    asked.other.delete("http://agent/v1/onsite/link/window")
    told = good("v1EdgeHostLinkGenerateToken")
    assert asked.other.post("http://agent/v1/edge-mgmt/edgehosts/current/link", json=told).status_code == 200
    wait_for("the follower", lambda: [p["role"] for p in good("v1EdgeHostLinkStatus")["peers"]] == ["follower"])
    other = good("v1EdgeHostLinkStatus")["peers"][0]["id"]

    info = good("v1EdgeHostInfo")
    address = next(n["ip"] for n in info["spec"]["networkInfo"] if n.get("ip")).partition("/")[0]
    archive = good("v1ClusterConfigArchiveOverriden")["archiveUploadPath"]
    pools = [
        {"name": "planes", "isControlPlane": True,
         "hosts": [{"hostUid": info["metadata"]["id"], "hostName": "box", "hostAddress": address}]},
        {"name": "work", "hosts": [{"hostUid": other, "hostName": "other", "hostAddress": "192.0.2.77"}]},
    ]  # fmt: skip
    wanted = {
        "metadata": {"name": "shop"},
        "spec": {
            "archiveUploadPath": archive,
            "profileVariables": [{"name": "site", "profileUid": "base-1", "value": "0042"}],
            "cloudConfig": {"spec": {"clusterConfig": {}, "machinePoolConfig": pools}},
        },
    }
    good("v1CreateCluster", body=wanted)
    asked.idle()
    for name in ("v1ClusterConfig", "v1ClusterGet", "v1ClusterApplications", "v1CertificateDetails"):
        good(name)
    good("v1GetClusterEvents")
    assert [n["nodeName"] for n in good("v1ClusterNodes")["nodes"]] == ["box", "other"]
    assert [p["name"] for p in good("v1MachinePoolDetail")["items"]] == ["planes", "work"]
    patch = [{"op": "add", "path": "/metadata/labels", "value": {"shop": "42"}}]
    for name, parts in (
        ("v1RenewCerts", {}),
        ("v1EdgeNativeClusterSettings", {"body": {"ntpServers": ["192.0.2.123"], "sshKeys": [KEY]}}),
        ("v1UpdateClusterProfiles", {"body": {"spec": {"archiveUploadPath": archive}}}),
        ("v1PatchCluster", {"body": wanted}),
        ("v1UpdateClusterConfig", {"path_parameters": {"clusterName": "shop"}, "body": wanted}),
        ("v1PatchClusterConfig", {"path_parameters": {"clusterName": "shop"}, "body": {"clusterConfigPatches": patch}}),
        ("v1ClusterMachinePoolCreate", {"body": {"name": "more", "hosts": []}}),
        ("v1ClusterMachinePoolUpdate", {"path_parameters": {"poolName": "more"}, "body": {"size": 0, "hosts": []}}),
        ("v1ClusterMachinePoolPatch", {
            "path_parameters": {"poolName": "more"},
            "body": {"machinePoolConfigPatches": [{"op": "add", "path": "/additionalLabels", "value": {"a": "b"}}]},
        }),
        ("v1ClusterMachinePoolDelete", {"path_parameters": {"poolName": "more"}}),
        ("v1ClusterMachinePoolNodeDelete", {"path_parameters": {"poolName": "work", "nodeName": "other"}}),
    ):  # fmt: skip
        good(name, **parts)
        asked.idle(patience=1)  # without an engine it would wait for one
    assert good("v1ClusterConfig")["metadata"]["labels"] == {"shop": "42"}
    good("v1DeleteCluster")
    asked.idle()
    assert asked.root.get("http://agent/v1/edge-mgmt/cluster").status_code == 404
    good("v1DeleteClusterUpdateArchive")


def ends(asked: Asked, name: str, restarts: bool) -> None:
    """Ask for it, and see the container end; a restart comes back, by the rig, for nspawn cannot here."""
    asked.good(name)
    nspawn = asked.box.nspawn
    assert nspawn is not None
    wait_for("the container gone", lambda: nspawn.poll() is not None, 60)
    assert (nspawn.returncode != 0) == restarts
    if restarts:
        asked.box.power_cut()
        asked.box.boot()
        asked.connect()


def test_every_operation_had_a_good_answer() -> None:
    """Only where all of the above ran."""
    rows = [ROWS[name] for name in CONTRACT if name in ROWS]
    excluded = [n for n, o in CONTRACT.items() if o.path.startswith(PAIR)]
    good = [r.name for r in rows if any(s < 300 for s in r.statuses)]
    requests = sum(r.asked for r in ROWS.values())
    print(
        f"\n{len(rows)} of 70 operations asked, {len(excluded)} of them excluded by name, {len(good)} with a good"
        f" answer; {requests} requests; slowest {max((r.slowest for r in rows), default=0):.2f} s"
    )
    if not rows:
        pytest.skip("no container here")
    assert len(excluded) == 4
    assert set(CONTRACT) - set(good) == set(excluded)
    if FULL:
        _write(requests, len(good))


def _write(requests: int, good: int) -> None:
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=explored.CODE, text=True).strip()
    lines = [
        "# The agent's API, measured",
        "",
        f"Written by `make api-full`, on commit {commit}, seed {SEED}: the agent as a service of a host with systemd",
        "in a container.",
        "",
        f"{requests} requests, half of them with what the schema does not allow: no undeclared 5xx, no violation of a",
        f"schema, no answer that took longer than {explored.SECONDS:.0f} s. {good} of 70 operations gave a good answer",
        "at least once; the other four, of `/cluster/pair`, are excluded by name and answered with 501. Restart,",
        "factory reset and shutdown were asked last and happened.",
        "",
        *explored.table(list(ROWS.values())),
        "",
    ]
    MEASURED.write_text("\n".join(lines))
