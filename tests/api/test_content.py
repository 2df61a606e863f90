"""What the agent answers about content: uploads whole and in pieces, imports as jobs, archives, variables."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from agent.practice import sandbox
from tests import archives
from tests.api.test_agent import Agent, ended, started
from tests.contract import answer_schema, contract, violations

HOST = "/v1/edge-mgmt/edgehosts/current"
ARCHIVE = "/v1/edge-mgmt/clusters/archive"
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def one_agent() -> Iterator[Agent]:
    with TemporaryDirectory(prefix="onsite-agent-") as folder:
        sandbox.fresh(Path(folder), Path(folder) / "hub")
        running = started(Path(folder))
        yield running
        ended(running)


@pytest.fixture
def agent(one_agent: Agent) -> Iterator[Agent]:
    """The agent of this file, with nothing on its host."""
    yield one_agent
    for folder in ("items", "blobs", "partial", "uploads"):
        for path in (one_agent.root / "var/lib/onsite/content" / folder).glob("*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (one_agent.root / "etc/onsite/content.pub").unlink(missing_ok=True)


@pytest.fixture
def ask(agent: Agent) -> Iterator[Ask]:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(agent.socket)), trust_env=False, timeout=60) as client:

        def asked(method: str, path: str, status: int = 200, **more: Any) -> httpx.Response:
            answer = client.request(method, f"http://agent{path}", **more)
            assert answer.status_code == status, answer.text
            if path.startswith("/v1/edge-mgmt"):
                v1error = contract()["definitions"]["v1Error"]
                schema = v1error if status == 400 else answer_schema(method, path, status)
                assert violations(answer.json(), schema) == []
            return answer

        yield asked


def upload(ask: Ask, data: bytes, where: str, status: int = 201, **more: bytes) -> httpx.Response:
    files = {"uploadFile": ("x.bin", data), **{k: (k, v) for k, v in more.items()}}
    return ask("POST", f"{HOST}/actions/{where}", status, files=files)


def ended_job(ask: Ask, job: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found: dict[str, Any] = ask("GET", f"/v1/onsite/jobs/{job}").json()
        if found["state"] not in ("running", "undoing"):
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def test_an_upload_is_on_the_host_and_in_the_answers(agent: Agent, ask: Ask) -> None:
    ask("GET", f"{HOST}/uploaded-content/details", 404)
    assert ask("GET", f"{ARCHIVE}/overridden/details").json()["clusterProfileDetails"] == []
    data = archives.good()
    where = upload(ask, data, "upload-content").json()["uploadPath"]
    assert (agent.root / where.lstrip("/") / "tree/bin/engine").read_bytes() == archives.PARTS["bin/engine"]
    last = ask("GET", f"{HOST}/uploaded-content/details").json()
    assert (last["sizeInBytes"], last["sha256Hash"]) == (len(data), hashlib.sha256(data).hexdigest())
    upload(ask, archives.definition(), "upload-clusterconfig")
    details = ask("GET", f"{ARCHIVE}/overridden/details").json()
    assert details["clusterProfileDetails"][0]["variables"][0]["regex"] == "^[0-9]{4}$"
    (till, shop) = sorted(ask("GET", "/v1/onsite/content").json()["items"], key=lambda i: str(i["kind"]))
    assert (till["kind"], shop["kind"], shop["missingEngine"], shop["missingImages"]) == (
        "bundle",
        "definition",
        "",
        [],
    )
    assert [i["name"] for i in ask("GET", "/v1/edge-mgmt/cluster/registry/content/details").json()["status"]] == [
        "a", "registry.example/one",
    ]  # fmt: skip
    ask("DELETE", f"/v1/onsite/content/{till['digest']}")
    (shop,) = ask("GET", "/v1/onsite/content").json()["items"]
    assert (shop["missingEngine"], shop["missingImages"]) == ("kubeadm v1.20.2 for amd64", [archives.REF])
    assert not list((agent.root / "var/lib/onsite/content/uploads").glob("whole-*"))


@pytest.mark.parametrize("kind", ["a part altered", "a symbolic link", "cut off in the middle", "text"])
def test_a_bad_upload_is_refused_and_leaves_nothing(kind: str, agent: Agent, ask: Ask) -> None:
    make, code = archives.HOSTILE[kind]
    assert upload(ask, make(), "upload-content", 400).json()["code"] == code
    assert ask("GET", "/v1/onsite/content").json()["items"] == []
    assert not list((agent.root / "var/lib/onsite/content/uploads").glob("whole-*"))


def test_what_is_no_upload_is_refused(ask: Ask) -> None:
    upload(ask, archives.definition(), "upload-content", 400)
    ask("POST", f"{HOST}/actions/upload-content", 400, content=b"x")
    ask("POST", f"{HOST}/actions/upload-content", 400, files={"other": b"x"})
    upload(ask, archives.good(), "upload-content", 400, signature=b"A" * (1 << 20))


def test_a_definition_of_a_bundle_is_an_update_until_it_is_deleted(ask: Ask) -> None:
    parts = {**archives.PARTS, "definition.tgz": archives.definition()}
    head = archives.manifest(parts)
    head["members"][-1]["kind"] = "definition"
    upload(ask, archives.packed(archives.plain(parts, head)), "upload-content")
    assert ask("GET", f"{ARCHIVE}/update/details").json()["clusterProfileDetails"][0]["profileName"] == "base"
    ask("DELETE", f"{ARCHIVE}/update", 202)
    assert ask("GET", f"{ARCHIVE}/update/details").json()["clusterProfileDetails"] == []


def test_variables_are_judged(ask: Ask) -> None:
    path = upload(ask, archives.definition(), "upload-clusterconfig").json()["uploadPath"]
    where = "/v1/edge-mgmt/cluster/profiles/variables/validate"

    def judged(**value: str) -> dict[str, Any]:
        body = {"archiveUploadPath": path, "variables": [{"profileUid": "base-1", **value}] if value else []}
        (found,) = ask("POST", where, json=body).json()["variables"]
        return dict(found)

    assert judged()["isValid"] is True
    assert judged(name="site", value="0815")["isValid"] is True
    wrong = judged(name="site", value="x")
    assert wrong["isValid"] is False
    assert wrong["validationFailureReason"].startswith("B142: ")


def test_an_upload_in_pieces_goes_on_after_the_agent_was_killed(agent: Agent, ask: Ask) -> None:
    data = archives.packed(archives.plain({"a": os.urandom(3 << 20)}))
    announced = {"name": "x.tar.zst", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    first = ask("POST", "/v1/onsite/uploads", 201, json=announced).json()
    where = f"/v1/onsite/uploads/{first['id']}"
    assert ask("PATCH", where, headers={"Upload-Offset": "0"}, content=data[:1_000_000]).json()["offset"] == 1_000_000
    refused = ask("PATCH", where, 409, headers={"Upload-Offset": "5"}, content=b"x")
    assert refused.headers["upload-offset"] == "1000000"
    ask("POST", f"{where}/finish", 409, json={})
    ended(agent, signal.SIGKILL)
    again = started(agent.root)
    agent.process = again.process
    offset = ask("POST", "/v1/onsite/uploads", 201, json=announced).json()["offset"]
    assert offset == 1_000_000
    ask("PATCH", where, headers={"Upload-Offset": str(offset)}, content=data[offset:])
    job = ask("POST", f"{where}/finish", 202, json={}).json()["job"]
    assert ended_job(ask, job)["state"] == "done"
    assert [i["origin"] for i in ask("GET", "/v1/onsite/content").json()["items"]] == ["uploaded"]
    assert not (agent.root / f"var/lib/onsite/content/uploads/{first['id']}").exists()


def test_pieces_that_are_not_what_was_announced_are_refused(ask: Ask) -> None:
    data = archives.good()
    announced = {"name": "x", "size": len(data), "sha256": "0" * 64}
    where = f"/v1/onsite/uploads/{ask('POST', '/v1/onsite/uploads', 201, json=announced).json()['id']}"
    ask("PATCH", where, 400, headers={"Upload-Offset": "0"}, content=data + b"more than that")
    ask("PATCH", where, headers={"Upload-Offset": "0"}, content=data)
    assert ask("POST", f"{where}/finish", 409, json={}).json()["code"] == "B107"
    ask("GET", where, 409)
    ask("POST", "/v1/onsite/uploads", 400, json={**announced, "size": 0})
    ask("GET", "/v1/onsite/uploads/..%2f..%2fetc", 404)


def test_an_import_from_a_folder_is_a_job(agent: Agent, ask: Ask) -> None:
    (agent.root / "mnt").mkdir(exist_ok=True)
    (agent.root / "mnt/till.tar.zst").write_bytes(archives.good())
    (agent.root / "mnt/bad.tar.zst").write_bytes(archives.good()[:300])
    offers = ask("POST", "/v1/onsite/content/look", json={"path": "/mnt"}).json()["items"]
    assert [o["name"] for o in offers] == ["bad.tar.zst", "till.tar.zst"]
    job = ask("POST", "/v1/onsite/content/import", 202, json=offers[1]["source"]).json()["job"]
    assert ended_job(ask, job)["state"] == "done"
    job = ask("POST", "/v1/onsite/content/import", 202, json=offers[0]["source"]).json()["job"]
    ended_job(ask, job)
    content = ask("GET", "/v1/onsite/content").json()
    assert (content["current"]["state"], content["current"]["code"], content["current"]["name"]) == (
        "failed", "B102", "bad.tar.zst",
    )  # fmt: skip
    assert [i["name"] for i in content["items"]] == ["till"]
    ask("POST", "/v1/onsite/content/look", 400, json={"path": "relative"})
    ask("POST", "/v1/onsite/content/look", 409, json={"path": "/nothing"})


def test_an_import_goes_on_by_itself_after_a_kill_and_can_be_paused(agent: Agent, ask: Ask) -> None:
    (agent.root / "mnt").mkdir(exist_ok=True)
    noise = os.urandom(1 << 20)
    parts = {f"part{n:02}": noise + bytes([n]) for n in range(60)}
    (agent.root / "mnt/large.tar.zst").write_bytes(archives.packed(archives.plain(parts)))
    job = ask("POST", "/v1/onsite/content/import", 202, json={"path": "/mnt/large.tar.zst"}).json()["job"]
    blobs = agent.root / "var/lib/onsite/content/blobs"
    while not (blobs.is_dir() and len(list(blobs.iterdir())) > 5):
        time.sleep(0.005)
    ask("POST", f"/v1/onsite/jobs/{job}/pause", 202)
    assert ended_job(ask, job)["state"] == "paused"
    there = len(list(blobs.iterdir()))
    assert 5 < there < 60
    ask("POST", f"/v1/onsite/jobs/{job}/retry", 202)
    while len(list(blobs.iterdir())) < there + 5:
        time.sleep(0.005)
    ended(agent, signal.SIGKILL)
    again = started(agent.root)
    agent.process = again.process
    assert ended_job(ask, job)["state"] == "done"
    (item,) = ask("GET", "/v1/onsite/content").json()["items"]
    assert item["size"] == sum(map(len, parts.values()))


def test_the_key_of_the_installer_is_told(agent: Agent, ask: Ask) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    path = f"{HOST}/actions/content/signing-public-key"
    ask("GET", path, 404)
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (agent.root / "etc/onsite").mkdir(parents=True, exist_ok=True)
    (agent.root / "etc/onsite/content.pub").write_bytes(pem)
    assert "Ed25519" not in ask("GET", path).json()["description"]
    assert upload(ask, archives.good(), "upload-content", 400).json()["code"] == "B110"
    assert ask("GET", "/v1/onsite/content").json()["key"] is True
    assert ask("GET", "/v1/edge-mgmt/cluster/registry/health").json()["State"] == "NotInstalled"
