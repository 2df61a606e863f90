"""The cluster operations of the agent where there is no cluster, and where none may be made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from agent.app import build
from tests.contract import answer_schema, violations
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

CLUSTER = "/v1/edge-mgmt/cluster"
CURRENT = "/v1/edge-mgmt/clusters/current"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("a" * 32)
    app: Starlette = build(Host(tmp_path, NetlinkKernel(), "user"))
    transport = httpx.ASGITransport(app, client=("uid:0", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as found:
        yield found
    app.state.store.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", CLUSTER, 404),
        ("GET", f"{CLUSTER}/details", 404),
        ("GET", f"{CLUSTER}/certificates", 404),
        ("GET", f"{CLUSTER}/applications", 404),
        ("GET", f"{CLUSTER}/events", 200),
        ("GET", f"{CURRENT}/nodes", 200),
        ("GET", f"{CURRENT}/machinepools", 200),
        ("DELETE", CLUSTER, 202),
    ],
)
async def test_without_a_cluster(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert violations(answer.json(), answer_schema(method, path, status)) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", CLUSTER, {}, "K231"),
        ("POST", CLUSTER, {"spec": {"archiveUploadPath": "/nowhere/at-all"}}, "B124"),
        ("POST", f"{CLUSTER}/renew-certificates", {}, "K239"),
        ("PUT", f"{CLUSTER}/profiles", {}, "K239"),
        ("PUT", f"{CLUSTER}/settings", {}, "K239"),
        ("PUT", f"{CLUSTER}/shop", {}, "K239"),
        ("PATCH", f"{CLUSTER}/shop", {"clusterConfigPatches": []}, "K239"),
        ("PATCH", CLUSTER, {}, "K239"),
        ("POST", f"{CURRENT}/machinepools", {"hosts": []}, "K239"),
        ("PUT", f"{CURRENT}/machinepools/work", {"hosts": []}, "K239"),
        ("PATCH", f"{CURRENT}/machinepools/work", {}, "K239"),
        ("DELETE", f"{CURRENT}/machinepools/work", {}, "K239"),
        ("DELETE", f"{CURRENT}/machinepools/work/nodes/n1", {}, "K239"),
        ("POST", "/v1/onsite/cluster/preflight", {}, "K231"),
    ],
)
async def test_what_cannot_be_done_says_why(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, object], code: str
) -> None:
    answer = await client.request(method, path, json=body)
    assert answer.status_code in (400, 409)
    said = answer.json()
    if isinstance(said, str):  # the shape that the contract has for this operation
        assert said.startswith(code) or code in said
        return
    assert said["code"] == code
    assert said["message"].endswith(".")
    assert said["details"]["issues"]


async def test_a_namespace_is_a_name(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{CLUSTER}/events", params={"namespace": "../x"})).status_code == 400


async def test_what_was_never_seen_to_work_says_so(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/onsite/cluster/engines")).json()["items"]
    assert [(e["name"], e["proven"]) for e in found] == [("kubeadm", True), ("k3s", False)]
    assert "not yet proven on real hardware" in found[1]["note"]
