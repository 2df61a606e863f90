"""The agent as a process: what it answers on its Unix socket, checked against the contract."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from agent.app import build
from agent.practice import sandbox
from tests.contract import answer_schema, contract, violations
from tui.models.facts import Link
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

CODE = Path(__file__).resolve().parents[2]
CURRENT = "/v1/edge-mgmt/edgehosts/current"


@dataclass
class Agent:
    root: Path
    process: subprocess.Popen[str]

    @property
    def socket(self) -> Path:
        return self.root / "run/onsite/agent.sock"

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket)), trust_env=False) as client:
            return client.request(method, f"http://agent{path}", timeout=30)


def started(root: Path) -> Agent:
    """An agent that answers, or one that has ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "--root", str(root)], cwd=CODE, text=True, stderr=subprocess.PIPE
    )
    agent = Agent(root, process)
    while process.poll() is None:
        with socket.socket(socket.AF_UNIX) as knock:
            try:
                knock.connect(str(agent.socket))
            except OSError:
                continue
            break
    return agent


def ended(agent: Agent, number: signal.Signals = signal.SIGTERM) -> str:
    """Its log, after `number` ended it."""
    agent.process.send_signal(number)
    return agent.process.communicate(timeout=20)[1]


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    with TemporaryDirectory(prefix="onsite-agent-") as folder:  # tmp_path may be too long for a socket
        sandbox.fresh(Path(folder), Path(folder) / "hub")
        running = started(Path(folder))
        yield running
        ended(running)


@pytest.mark.parametrize("path", ["/v1/ping", "/v1/edge-mgmt/settings", CURRENT])
def test_an_answer_has_the_shape_of_the_contract(agent: Agent, path: str) -> None:
    answer = agent.get(path)
    assert answer.status_code == 200
    assert violations(answer.json(), answer_schema("GET", path, 200)) == []


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"status": {"isClusterPhase": "no"}}, "$.status.isClusterPhase"),
        ({"spec": {"nodeRole": "master"}}, "$.spec.nodeRole"),
        ({"spec": {"networkInfo": [{"mac": "00:00:5e:00:53:10"}]}}, "$.spec.networkInfo[0]"),
        ({"spec": {"hardwareSpec": {"cpu": {"cores": 2**31}}}}, "$.spec.hardwareSpec.cpu.cores"),
    ],
)
def test_the_check_sees_what_the_contract_does_not_allow(wrong: dict[str, Any], where: str) -> None:
    assert [v.partition(": ")[0] for v in violations(wrong, answer_schema("GET", CURRENT, 200))] == [where]


def test_it_tells_of_the_host_below_its_root(agent: Agent) -> None:
    (agent.root / "etc/hostname").write_text("kiosk-17\n")
    answer = agent.get(CURRENT).json()
    assert answer["metadata"]["name"] == answer["status"]["hostName"] == "kiosk-17"
    assert answer["metadata"]["id"] == (agent.root / "etc/machine-id").read_text().strip()
    assert answer["spec"]["hardwareSpec"]["os"]["family"] == "onsite-practice"
    assert answer["spec"]["hardwareSpec"]["cpu"]["cores"] == os.cpu_count()


def test_every_link_of_the_kernel_is_there_but_loopback(agent: Agent) -> None:
    shown = {nic["nicName"]: nic["macAddr"] for nic in agent.get(CURRENT).json()["spec"]["networkInfo"]}
    kernel = json.loads(subprocess.check_output(["ip", "-json", "link"]))
    assert shown == {x["ifname"]: x.get("permaddr", x["address"]) for x in kernel if x["link_type"] != "loopback"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/v1/nothing", 404, "NotFound"), ("DELETE", "/v1/ping", 405, "MethodNotAllowed")],
)
def test_an_error_is_a_v1error(agent: Agent, method: str, path: str, status: int, code: str) -> None:
    answer = agent.get(path, method)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert path in answer.json()["message"]
    assert violations(answer.json(), contract()["definitions"]["v1Error"]) == []


def test_what_cannot_be_read_is_left_out_of_the_answer() -> None:
    with TemporaryDirectory(prefix="onsite-agent-") as folder:
        root = Path(folder)
        (root / "etc/machine-id").mkdir(parents=True)
        (root / "etc/os-release").write_bytes(b"\xff\xfe not UTF-8")
        agent = started(root)
        answer = agent.get(CURRENT)
        log = ended(agent)
    assert answer.status_code == 200, log
    assert violations(answer.json(), answer_schema("GET", CURRENT, 200)) == []


class BrokenKernel(NetlinkKernel):
    def links(self) -> tuple[Link, ...]:
        raise RuntimeError("what nobody foresaw")


async def test_a_failure_tells_where_the_log_has_its_cause(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    transport = httpx.ASGITransport(build(Host(tmp_path, BrokenKernel(), "user")), client=("uid:0", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        answer = await client.get(CURRENT)
    assert answer.status_code == 500
    assert violations(answer.json(), contract()["definitions"]["v1Error"]) == []
    assert "foresaw" not in answer.text
    assert answer.json()["ref"] in caplog.text
    assert "what nobody foresaw" in caplog.text


async def test_whoever_the_kernel_does_not_name_is_refused(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(build(Host(tmp_path, NetlinkKernel(), "user")), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        assert (await client.get("/v1/edge-mgmt/settings")).status_code == 401


def test_the_socket_is_for_its_owner_alone(agent: Agent) -> None:
    assert stat.S_IMODE(agent.socket.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for a moment")
def test_another_user_is_refused_even_where_the_socket_lets_him_in(agent: Agent) -> None:
    agent.root.chmod(0o755)
    agent.socket.chmod(0o666)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # no exec: this Python may lie where another user cannot read it
        try:
            os.setgid(65534)
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as knock:
                knock.connect(str(agent.socket))
                knock.sendall(b"GET /v1/ping HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n")
                while data := knock.recv(4096):
                    os.write(writing, data)
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as said:
        head, _, body = said.read().partition(b"\r\n\r\n")
    os.waitpid(child, 0)
    agent.socket.chmod(0o600)
    assert head.startswith(b"HTTP/1.1 403 ")
    assert violations(json.loads(body), answer_schema("GET", "/v1/ping", 403)) == []
    assert agent.get("/v1/ping").json() == {"msg": "pong"}


def test_a_second_agent_does_not_take_the_socket_away(agent: Agent) -> None:
    second = started(agent.root)
    _, said = second.process.communicate(timeout=20)
    assert second.process.returncode == 1
    assert "Address already in use" in said
    assert agent.get("/v1/ping").status_code == 200


@pytest.mark.parametrize(
    ("number", "code", "left"), [(signal.SIGTERM, 0, False), (signal.SIGINT, 0, False), (signal.SIGKILL, -9, True)]
)
def test_it_starts_again_whatever_ended_it(number: signal.Signals, code: int, left: bool) -> None:
    with TemporaryDirectory(prefix="onsite-agent-") as folder:
        first = started(Path(folder))
        assert first.get("/v1/ping").status_code == 200
        log = ended(first, number)
        assert (first.process.returncode, first.socket.exists(), log) == (code, left, "")
        second = started(Path(folder))
        assert second.get("/v1/ping").json() == {"msg": "pong"}
        ended(second)
