"""A hundred linked hosts: what the agent does for its answers grows no faster than what it answers, counted exactly."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.app import build
from agent.links import identity
from agent.links.peers import Peer, Peers, store
from tests.contract import answer_schema, violations
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

STATUS = "/v1/edge-mgmt/edgehosts/current/link/status"


def described(number: int) -> dict[str, Any]:
    """What a host of usual size says of itself."""
    links = [{"nicName": f"lan{n}", "ip": f"192.0.2.{number}", "macAddr": f"02:00:00:00:00:{n:02x}"} for n in range(4)]
    return {"metadata": {"id": f"host-{number}", "name": f"n{number}"}, "spec": {"networkInfo": links}}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return identity.load_or_make(Host(tmp_path_factory.mktemp("peer"), NetlinkKernel(), "user")).pem


async def measured(folder: Path, certificate: str, count: int) -> tuple[int, int, float]:
    """Calls of functions and bytes of the leader's answer about `count` followers, and seconds."""
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/machine-id").write_text("a" * 32)
    host = Host(folder, NetlinkKernel(), "user")
    store(
        host, Peers(tuple(Peer(f"host-{n}", f"n{n}", "192.0.2.1", 5081, "follower", certificate) for n in range(count)))
    )
    app = build(host)
    links = app.state.links
    for peer in links.peers.all:
        links.heard_of(peer, described(int(peer.id.partition("-")[2])), "Synced", ["d" * 64])
    calls = 0

    def called(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    transport = httpx.ASGITransport(app, client=("uid:0", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        answer = await client.get(STATUS)  # imports and caches
        begun = time.perf_counter()
        answer = await client.get(STATUS)
        seconds = time.perf_counter() - begun
        sys.setprofile(called)
        try:
            answer = await client.get(STATUS)
        finally:
            sys.setprofile(None)
    app.state.store.close()
    found = answer.json()
    assert len(found["peers"]) == count
    assert violations(found, answer_schema("GET", STATUS, 200)) == []
    return calls, len(answer.content), seconds


async def test_a_hundred_peers_cost_what_they_say(tmp_path: Path, certificate: str) -> None:
    ten = await measured(tmp_path / "10", certificate, 10)
    hundred = await measured(tmp_path / "100", certificate, 100)
    calls, size = hundred[0] / ten[0], hundred[1] / ten[1]
    print(
        f"10 peers: {ten[0]} calls, {ten[1]} B, {ten[2] * 1000:.1f} ms; 100 peers: {hundred[0]} calls, {hundred[1]} B,"
        f" {hundred[2] * 1000:.1f} ms; calls x {calls:.2f}, bytes x {size:.2f}"
    )
    assert calls <= size
