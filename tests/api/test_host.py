"""What the agent does for its host: proxy and authorities, user data, diagnostics, logs, files, audit, power."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from agent import audits, hardware
from agent.app import build
from agent.diagnostics import endpoint
from agent.practice import sandbox
from tests.certificates import issued
from tests.contract import answer_schema, contract, violations
from tui.models.host import HostConfig
from tui.models.registration import RegistrationConfig
from tui.services import facts, registration, userdata
from tui.services.change import audit, journal, transaction
from tui.services.change.planner import plan
from tui.services.host import Host
from tui.services.network import backends
from tui.services.network.kernel import NetlinkKernel

CURRENT = "/v1/edge-mgmt/edgehosts/current"
CONFIGURATIONS = f"{CURRENT}/configurations"
USERDATA = f"{CURRENT}/userdata"


@dataclass
class Asked:
    state: Any
    client: httpx.AsyncClient
    root: Path

    async def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """The JSON of an answer whose status and shape were looked at."""
        answer = await self.client.request(method, path, **more)
        assert answer.status_code == status, answer.text
        try:
            schema = answer_schema(method, path, status)
        except (KeyError, TypeError):  # ours, or not declared and without a default
            schema = contract()["definitions"]["v1Error"] if status >= 400 else {}
        assert violations(answer.json(), schema) == [], answer.text
        return answer.json()

    async def job(self, kind: str) -> dict[str, Any]:
        """The newest job of a kind, when it has ended."""
        row = self.state.store.row("SELECT * FROM jobs WHERE kind = ? ORDER BY rowid DESC", kind)
        await self.state.jobs.wait(row["id"])
        shown: dict[str, Any] = self.state.jobs.shown(
            self.state.store.row("SELECT * FROM jobs WHERE id = ?", row["id"])
        )
        return shown


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    with TemporaryDirectory(prefix="onsite-host-") as folder:
        root = Path(folder)
        sandbox.fresh(root, root / "hub")
        app = build(Host(root, NetlinkKernel(), "user"))
        transport = httpx.ASGITransport(app, client=("uid:0", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            yield Asked(app.state, client, root)
        await app.state.jobs.stop()
        app.state.store.close()


# --- this host -------------------------------------------------------------------------------------------------------


def test_disks_partitions_and_gpus_of_a_host(tmp_path: Path) -> None:
    files = {
        "sys/block/sda/size": "1000215216\n", "sys/block/sda/device/vendor": "ATA\n",
        "sys/block/sda/sda1/partition": "1\n", "sys/block/nvme0n1/size": "2000409264\n",
        "sys/block/nvme0n1/device/model": "Example 1TB\n", "sys/block/loop0/size": "8\n", "sys/block/sdb/size": "0\n",
        "sys/bus/pci/devices/0000:01:00.0/class": "0x030200\n", "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
        "sys/bus/pci/devices/0000:01:00.0/device": "0x20b5\n", "sys/bus/pci/devices/0000:00:1f.0/class": "0x060100\n",
        "proc/self/mountinfo": "29 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 1 8:1 / /mnt rw - ext4 /dev/sda1 rw\n",
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "\6\0\0\0\1",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    host = Host(tmp_path, NetlinkKernel(), "user")
    found = hardware.described(host)
    assert violations(found, contract()["definitions"]["v1HardwareSpec"]) == []
    disks = {d["controller"]: d for d in found["disks"]}
    assert (disks["SCSI"]["size"], disks["SCSI"]["vendor"], disks["NVMe"]["size"]) == (512, "ATA", 1024)
    assert [p["mountPoint"] for p in disks["SCSI"]["partitions"]] == ["/"]
    assert len(found["disks"]) == 2
    (gpu,) = found["gpus"]
    assert (gpu["vendor"], gpu["model"], gpu["addresses"]) == ("NVIDIA", "0x20b5", {"0000:01:00.0": "0000_01_00_0"})
    assert hardware.secure_boot(host) is True


async def test_modes_follow_the_registration(asked: Asked) -> None:
    settings = await asked.ask("GET", "/v1/edge-mgmt/settings")
    assert (settings["managementMode"], settings["featureFlags"]["FactoryReset"]) == ("local", True)
    (asked.root / registration.KEPT.lstrip("/")).write_text(
        json.dumps({"mode": "central", "endpoint": "manage.example", "tags": ["city:berlin"], "token": "secret"})
    )
    settings = await asked.ask("GET", "/v1/edge-mgmt/settings")
    assert (settings["managementMode"], settings["installationMode"]) == ("central", "connected")
    info = await asked.ask("GET", CURRENT)
    assert info["spec"]["paletteEndpointURL"] == "https://manage.example"
    assert info["metadata"]["labels"] == {"city": "berlin"}
    assert info["metadata"]["id"].startswith("edge-")
    assert "secret" not in json.dumps(info)


async def test_dns_options_and_ntp(asked: Asked) -> None:
    (asked.root / "etc/resolv.conf").write_text("nameserver 192.0.2.53\noptions timeout:1 rotate\n")
    info = await asked.ask("GET", CURRENT)
    assert info["status"]["dns"]["options"] == ["timeout:1", "rotate"]
    assert info["status"]["ntp"]["ntpServers"] == []


# --- proxy and authorities -------------------------------------------------------------------------------------------


async def test_proxy_and_authorities_go_through_the_journal_and_the_audit(asked: Asked) -> None:
    assert (await asked.ask("GET", f"{CONFIGURATIONS}/status"))["state"] == "Not Configured"
    authority = issued("Site Root")
    body = {
        "httpProxy": "http://edge01:s%20cret@proxy.site.example:3128", "httpsProxy": "https://secure.site.example:8443",
        "noProxy": "10.0.0.0/8,.site.example", "caCerts": [base64.b64encode(authority.pem).decode()],
    }  # fmt: skip
    await asked.ask("PUT", CONFIGURATIONS, json=body)
    assert (await asked.job("configure"))["state"] == "done"
    assert (await asked.ask("GET", f"{CONFIGURATIONS}/status"))["state"] == "Configured"
    got = await asked.ask("GET", CONFIGURATIONS)
    assert got["httpProxy"] == "http://edge01:***@proxy.site.example:3128"
    assert got["httpsProxy"] == "https://secure.site.example:8443"
    assert base64.b64decode(got["caCerts"][0]) == authority.pem
    entries = audit.entries(asked.state.host)
    assert [e["event"] for e in entries] == ["applied", "kept"]
    assert entries[0]["line"] == "agent socket"
    assert journal.pending(asked.state.host) is None
    # What was read can be written back: the masked password is the one that is kept.
    await asked.ask("PUT", CONFIGURATIONS, json=got)
    assert (await asked.job("configure"))["state"] == "done"
    assert "s cret" in (asked.root / "etc/onsite/proxy.json").read_text()
    # The whole of it: what is left out is gone.
    await asked.ask("PUT", CONFIGURATIONS, json={})
    assert (await asked.job("configure"))["state"] == "done"
    assert await asked.ask("GET", CONFIGURATIONS) == {"httpProxy": "", "httpsProxy": "", "noProxy": "", "caCerts": []}
    assert (await asked.ask("GET", f"{CONFIGURATIONS}/status"))["state"] == "Not Configured"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"httpProxy": "ftp://proxy.example"}, "P102"),
        ({"httpProxy": "http://proxy.example/path"}, "P102"),
        ({"httpProxy": "http://proxy example:3128"}, "P101"),
        ({"httpProxy": "http://proxy.example:99999"}, "P102"),
        ({"httpProxy": "http://[::1"}, "P102"),
        ({"httpProxy": "http://proxy.example:3128", "noProxy": "http://x"}, "P107"),
        ({"caCerts": ["@@@"]}, "S110"),
        ({"caCerts": [base64.b64encode(b"nothing").decode()]}, "S110"),
        ({"caCerts": ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]}, "S110"),
    ],
)
async def test_what_is_wrong_is_said_at_once_and_nothing_is_changed(asked: Asked, body: Any, code: str) -> None:
    said = await asked.ask("PUT", CONFIGURATIONS, 400, json=body)
    assert said["code"] == code, said
    assert asked.state.store.rows("SELECT * FROM jobs") == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"httpProxy": 5}', b'{"caCerts": "x"}', b"\xff", b"[" * 9999])
async def test_a_body_that_is_not_the_contracts(asked: Asked, content: bytes) -> None:
    await asked.ask("PUT", CONFIGURATIONS, 400, content=content)


async def test_a_change_that_waits_at_a_console_is_not_touched(asked: Asked) -> None:
    host: Host = asked.state.host
    config = HostConfig.model_validate({"proxy": {"method": "one", "http": {"host": "first.example"}}})
    planned = plan(config, facts.read(host), backends())
    waiting = await transaction.apply(host, planned, backends(), who="alice", line="tty1")
    await asked.ask("PUT", CONFIGURATIONS, json={"httpProxy": "http://second.example:3128"})
    assert (await asked.job("configure"))["code"] == "C101"
    status = await asked.ask("GET", f"{CONFIGURATIONS}/status")
    assert (status["state"], status["errorMessage"][:4]) == ("Failed", "C101")
    assert await asked.ask("GET", f"{CURRENT}/audits", params={"actionType": "update"})
    await transaction.revert(host, backends(), "the test is over", waiting.change_id)


# --- user data -------------------------------------------------------------------------------------------------------


async def test_user_data_is_put_read_masked_and_put_back(asked: Asked) -> None:
    body = {
        "hostName": "kiosk-17",
        "tags": {"city": {"name": "berlin"}},
        "stages": base64.b64encode(b"stages: {}").decode(),
        "network": {"httpProxy": "http://proxy.site.example:3128", "noProxy": ".site.example"},
        "registryCredentials": {"domain": "registry.example", "username": "puller", "password": "hunter2 secret"},
        "v1Management": {
            "type": "remote", "paletteEndpoint": "https://manage.example", "edgeHostToken": "token-0123456789",
            "projectName": "stores",
        },
    }  # fmt: skip
    await asked.ask("POST", USERDATA, 201, json=body)
    job = await asked.job("userdata")
    assert job["state"] == "done", job
    got = await asked.ask("GET", USERDATA)
    assert (asked.root / "etc/hostname").read_text() == "kiosk-17\n"
    assert (got["hostName"], got["tags"]) == ("kiosk-17", {"city": {"name": "berlin"}})
    assert got["registryCredentials"]["password"] == got["v1Management"]["edgeHostToken"] == "***"
    assert got["v1Management"]["type"] == "remote"
    wish = registration.of(asked.state.host)
    assert wish is not None
    assert (wish.endpoint, wish.project, wish.secrets) == ("manage.example", "stores", {"token": "token-0123456789"})
    login = userdata.registry(asked.state.host)
    assert login is not None
    assert login.password == "hunter2 secret"
    del got["network"]["interfaces"]
    await asked.ask("PUT", USERDATA, json=got)
    assert (await asked.job("userdata"))["state"] == "done"
    again, login = registration.of(asked.state.host), userdata.registry(asked.state.host)
    assert again is not None
    assert login is not None
    assert (again.secrets, login.password) == ({"token": "token-0123456789"}, "hunter2 secret")


async def test_no_secret_of_user_data_stays_in_what_others_see(asked: Asked) -> None:
    secrets = ("hunter2-secret", "token-0123456789")
    body = {
        "registryCredentials": {"domain": "r.example", "username": "u", "password": secrets[0]},
        "v1Management": {"type": "remote", "paletteEndpoint": "manage.example", "edgeHostToken": secrets[1]},
    }
    await asked.ask("PUT", USERDATA, json=body)
    assert (await asked.job("userdata"))["state"] == "done"
    for path in (USERDATA, CURRENT, f"{CURRENT}/audits", "/v1/onsite/jobs", "/v1/onsite/events"):
        text = (await asked.client.get(path)).text
        assert not [s for s in secrets if s in text], path
    row = asked.state.store.row("SELECT argument FROM jobs")
    assert row["argument"] == "{}"
    for file in asked.root.rglob("*"):
        if file.is_file() and any(s.encode() in file.read_bytes() for s in secrets):
            assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"hostName": "not a name"}, "Y101"),
        ({"stages": "@@"}, "D107"),
        ({"registryCredentials": {"insecure": True}}, "A132"),
        ({"v1Management": {"type": "remote"}}, "R101"),
        ({"v1Management": {"type": "remote", "paletteEndpoint": "manage.example", "insecure": True}}, "A132"),
        ({"network": {"interfaces": {"eth99": {"type": "dhcp"}}}}, "C110"),
    ],
)
async def test_user_data_that_is_wrong(asked: Asked, body: Any, code: str) -> None:
    said = await asked.ask("PUT", USERDATA, 400, json=body)
    assert said["code"] == code, said


async def test_user_data_is_refused_under_a_cluster(asked: Asked) -> None:
    (asked.root / "etc/kubernetes").mkdir()
    (asked.root / "etc/kubernetes/kubelet.conf").write_text("")
    assert (await asked.ask("PUT", USERDATA, 409, json={"hostName": "other"}))["code"] == "A131"
    flags = (await asked.ask("GET", "/v1/edge-mgmt/settings"))["featureFlags"]
    assert flags["UserDataForm"] is False


# --- diagnostics -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("192.0.2.1", "192.0.2.1"), ("registry.example:443", "registry.example"), ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"), ("https://registry.example/v2/", "registry.example"), (" a ", "a"),
    ],
)  # fmt: skip
def test_what_an_endpoint_may_look_like(typed: str, host: str) -> None:
    assert endpoint(typed) == host


@pytest.mark.parametrize(
    "typed", ["", "-f", "a b", "a;reboot", "$(id)", "http://", "x" * 300, "a/b", "[", "a\n"[:1] + "\0"]
)
def test_what_is_no_endpoint(typed: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        endpoint(typed)


@pytest.mark.skipif(os.geteuid() != 0, reason="echoes need the rights of root")
async def test_ping_and_traceroute_of_this_very_machine(asked: Asked) -> None:
    base = "/v1/edge-mgmt/edgehosts/connectivity"
    said = await asked.ask("GET", f"{base}/ping", params={"endpoint": "127.0.0.1:443"})
    assert "4 sent, 4 answered, 0% lost" in said["pingHostStatus"]
    said = await asked.ask("GET", f"{base}/traceroute", params={"endpoint": "127.0.0.1"})
    assert said["traceRouteStatus"].splitlines()[1].split()[:2] == ["1", "127.0.0.1"]
    said = await asked.ask("GET", f"{base}/ping", params={"endpoint": "no-such-name.invalid"})
    assert "no-such-name.invalid" in said["pingHostStatus"]
    await asked.ask("GET", f"{base}/ping", 400, params={"endpoint": "; reboot"})


async def test_latest_errors(asked: Asked) -> None:
    log = asked.root / "var/lib/onsite/log/onsite.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"2026-11-25 10:42:{n:02},000 1 {'ERROR' if n % 2 else 'INFO'} tui: number {n}" for n in range(20)]
    log.write_text("\n".join(lines))
    path = f"{CURRENT}/error-logs"
    said = await asked.ask("GET", path, params={"logCount": 3})
    assert [e["message"] for e in said["items"]] == ["tui: number 19", "tui: number 17", "tui: number 15"]
    for wrong in ("0", "-1", "x", "", "1e3", "9" * 30):
        await asked.ask("GET", path, 400, params={"logCount": wrong})
    await asked.ask("GET", path, 400)


async def test_logs_are_collected_and_fetched(asked: Asked) -> None:
    assert (await asked.ask("GET", f"{CURRENT}/generate-logs-status"))["status"] == "Unknown"
    assert (await asked.client.get(f"{CURRENT}/download-logs")).status_code == 404
    await asked.ask("POST", f"{CURRENT}/generate-logs", 202)
    await asked.ask("POST", f"{CURRENT}/generate-logs", 202)
    assert (await asked.job("logs"))["state"] == "done"
    assert len(asked.state.store.rows("SELECT * FROM jobs")) == 1
    assert (await asked.ask("GET", f"{CURRENT}/generate-logs-status"))["status"] == "Completed"
    answer = await asked.client.get(f"{CURRENT}/download-logs")
    assert answer.headers["content-type"] == "application/x-tar"
    assert "onsite-logs-" in answer.headers["content-disposition"]
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        assert any(name.endswith("/facts.json") for name in archive.getnames())
    assert (asked.root / "var/lib/onsite/support/onsite-logs.tar.gz").stat().st_mode & 0o077 == 0


# --- files -----------------------------------------------------------------------------------------------------------


async def test_files_of_a_site(asked: Asked) -> None:
    await asked.ask("GET", f"{CURRENT}/file-download/files", 404)
    folder = asked.root / "var/log/files"
    folder.mkdir()
    (folder / "report 1.txt").write_bytes(b"x" * 600_000)
    (folder / "sub").mkdir()
    (folder / "sub/inner").write_text("inner")
    (folder / "link").symlink_to(asked.root / "etc/hostname")
    os.mkfifo(folder / "pipe")
    listed = await asked.ask("GET", f"{CURRENT}/file-download/files")
    assert [(f["fileName"], f["size"]) for f in listed["files"]] == [("report 1.txt", "600000")]
    answer = await asked.client.get(f"{CURRENT}/file-download/report%201.txt")
    assert (answer.status_code, len(answer.content)) == (200, 600_000)
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''report%201.txt"


@pytest.mark.parametrize(
    "name",
    [
        "%2e%2e", "%2e", "%2e%2e%2ffiles%2freport", "..%2F..%2Fetc%2Fhostname", "%2e%2e%2fetc%2fhostname",
        "sub%2Finner", "link", "pipe", "sub", "/etc/hostname", "%2Fetc%2Fhostname", "nothing",
        "%00", "a%00b", "x" * 300, "..%5c..%5cetc",
    ],
)  # fmt: skip
async def test_nothing_else_can_be_had(asked: Asked, name: str) -> None:
    folder = asked.root / "var/log/files"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/inner").write_text("inner")
    (folder / "link").symlink_to(asked.root / "etc/hostname")
    os.mkfifo(folder / "pipe")
    answer = await asyncio.wait_for(asked.client.get(httpx.URL(f"http://agent{CURRENT}/file-download/{name}")), 5)
    assert answer.status_code == 404, answer.text


# --- audit -----------------------------------------------------------------------------------------------------------


def audited(host: Host, count: int) -> None:
    for number in range(count):
        audit.note(host, "login" if number % 2 else "kept", "alice" if number % 3 else "bob", f"tty{number}")


async def test_audits_by_page_and_filter(asked: Asked) -> None:
    audited(asked.state.host, 120)
    seen, following = [], ""
    while True:
        page = await asked.ask("GET", f"{CURRENT}/audits", params={"limit": 50, "continue": following})
        seen += [x["spec"]["message"] for x in page["items"]]
        following = page["listmeta"]["continue"]
        if not following:
            break
    assert len(seen) == len(set(seen)) == 120
    assert "tty119" in seen[0]
    for query, count in (({"userUid": "bob"}, 40), ({"actionType": "activity"}, 50), ({"resourceKind": "user"}, 50)):
        page = await asked.ask("GET", f"{CURRENT}/audits", params=query)
        assert len(page["items"]) == min(count, 50), query
    page = await asked.ask("GET", f"{CURRENT}/audits", params={"startTime": "2001-01-01T00:00:00Z", "limit": 1})
    assert len(page["items"]) == 1
    page = await asked.ask("GET", f"{CURRENT}/audits", params={"endTime": "2001-01-01T00:00:00+01:00"})
    assert page["items"] == []
    choices = await asked.ask("GET", f"{CURRENT}/audits/filters")
    assert [c["value"] for c in choices["userUid"]] == ["alice", "bob"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"}, {"limit": "51"}, {"limit": "x"}, {"offset": "-1"}, {"continue": "x"}, {"startTime": "today"},
        {"startTime": "2026-01-01T00:00:00"}, {"actionType": "explode"}, {"offset": "9" * 40},
    ],
)  # fmt: skip
async def test_a_question_for_audits_that_makes_no_sense(asked: Asked, query: dict[str, str]) -> None:
    await asked.ask("GET", f"{CURRENT}/audits", 400, params=query)


async def test_the_audit_as_an_archive(asked: Asked) -> None:
    assert (await asked.client.get(f"{CURRENT}/audits/download")).status_code == 404
    audited(asked.state.host, 3)
    answer = await asked.client.get(f"{CURRENT}/audits/download")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        member = archive.extractfile("audit.log")
        assert member is not None
        assert len(member.read().splitlines()) == 3


def test_a_strange_line_of_the_audit_is_shown_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "var/lib/onsite").mkdir(parents=True)
    (tmp_path / "var/lib/onsite/audit.log").write_text('{"event": "x", "time": 1e300}\n{"time": "x"}\n5\ntorn')
    assert [e["event"] for e in audits.every(Host(tmp_path, NetlinkKernel(), "user"))] == ["", "x"]


# --- power -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["reboot", "shutdown", "reset"])
async def test_a_practice_host_has_no_power_switch(asked: Asked, action: str) -> None:
    assert (await asked.ask("POST", f"{CURRENT}/actions/{action}", 409)).startswith("A133: ")


async def test_a_centrally_managed_host_is_not_reset_here(asked: Asked) -> None:
    wish = RegistrationConfig(mode="central", endpoint="manage.example")
    (asked.root / registration.KEPT.lstrip("/")).write_text(json.dumps(wish.model_dump(mode="json")))
    assert (await asked.ask("POST", f"{CURRENT}/actions/reset", 409)).startswith("A134: ")
