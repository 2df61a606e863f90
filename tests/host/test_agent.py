"""The agent as a service of a host: users log in over HTTPS; restart, reset and shutdown for real, last."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract import answer_schema, violations
from tests.host import box as boxes
from tests.host.box import Box, wait_for
from tui.services.login import service

CURRENT = "/v1/edge-mgmt/edgehosts/current"
LOGIN = "/v1/users/default/login"
RESET_PASSWORD = "/v1/users/default/password/reset"
FIRST, SECOND = "correct horse battery 1", "staple wagon river 2"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyz0123456789ABCDEF alice@laptop"
ASK = """
import json, ssl, sys, urllib.error, urllib.request
method, path, token, body = json.load(sys.stdin)
context = ssl.create_default_context(cafile="/etc/onsite/server.crt")
request = urllib.request.Request("https://127.0.0.1:5080" + path, method=method)
data = json.dumps(body).encode() if body is not None else None
request.add_header("Content-Type", "application/json")
if token:
    request.add_header("Authorization", token)
try:
    with urllib.request.urlopen(request, data, context=context, timeout=30) as answer:
        print(json.dumps([answer.status, answer.read().decode()]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, error.read().decode()]))
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Box]:
    """A host with HTTPS switched on and two users, of whom alice administers it."""
    if why := boxes.missing():
        pytest.skip(why)
    with Box() as box:
        box.write("/etc/onsite/onsite.toml", "[agent]\nhttps = true\ndelay_after = 20\nlock_after = 20\n")
        box.write("/etc/pam.d/onsite", service.text(box.root))
        for name, groups in (("alice", ["-G", "sudo"]), ("bob", [])):
            box.run("useradd", "-m", *groups, name)
            box.run("chpasswd", input=f"{name}:{FIRST}\n")
        box.write(
            "/etc/systemd/system/onsite-agent.service", (boxes.CODE / "assets/units/onsite-agent.service").read_text()
        )
        box.run("systemctl", "daemon-reload")
        box.run("systemctl", "--quiet", "enable", "--now", "onsite-agent")
        wait_for("HTTPS", lambda: listening(box))
        yield box


def listening(box: Box) -> bool:
    return ":5080" in box.run("ss", "-ltnH", check=False).stdout


def ask(box: Box, method: str, path: str, token: str = "", body: Any = None) -> tuple[int, Any]:
    """(status, JSON) of a request inside, whose shape was looked at."""
    said = box.run("python3", "-c", ASK, input=json.dumps([method, path, token, body])).stdout
    status, text = json.loads(said)
    found = json.loads(text) if text else None
    try:
        schema = answer_schema(method, path, status)
    except (KeyError, TypeError):
        schema = {}
    assert violations(found, schema) == [], (status, text)
    return status, found


def token_of(box: Box, password: str) -> str:
    status, found = ask(box, "POST", LOGIN, body={"username": "alice", "password": password})
    assert status == 200, found
    return str(found["Token"]["Authorization"])


def test_the_service_runs_as_its_unit_says(host: Box) -> None:
    assert host.run("systemctl", "is-active", "onsite-agent").stdout.strip() == "active"
    assert stat.S_IMODE((host.root / "var/lib/onsite/agent.db").stat().st_mode) == 0o600


def test_users_of_the_system_log_in_and_change_their_password_and_keys(host: Box) -> None:
    for user, password in (("alice", "wrong"), ("bob", FIRST)):
        assert ask(host, "POST", LOGIN, body={"username": user, "password": password})[0] == 400, user
    token = token_of(host, FIRST)
    assert ask(host, "GET", "/v1/users/current", token)[1]["userName"] == "alice"
    assert ask(host, "PATCH", "/v1/users/current", token, {"sshKeys": [KEY]})[0] == 202
    kept = host.run("stat", "-c", "%U %a", "/home/alice/.ssh/authorized_keys").stdout.split()
    assert kept == ["alice", "600"]
    for old, new in ((FIRST, "password"), ("wrong", SECOND), (FIRST, FIRST)):
        assert ask(host, "POST", RESET_PASSWORD, token, {"oldPassword": old, "newPassword": new})[0] == 400
    assert ask(host, "POST", RESET_PASSWORD, token, {"oldPassword": FIRST, "newPassword": SECOND}) == (204, None)
    assert ask(host, "GET", "/v1/users/current", token)[0] == 401, "every session of the user is over"
    assert ask(host, "POST", LOGIN, body={"username": "alice", "password": FIRST})[0] == 400
    token_of(host, SECOND)
    for secret in (FIRST, SECOND, token):
        assert secret not in (host.root / "var/lib/onsite/audit.log").read_text()
        assert secret not in host.run("journalctl", "-u", "onsite-agent").stdout


def test_host_information_names_what_the_kernel_has(host: Box) -> None:
    status, info = ask(host, "GET", CURRENT, token_of(host, SECOND))
    assert status == 200
    assert info["metadata"]["name"] == "box"
    assert {n["nicName"] for n in info["spec"]["networkInfo"]} >= {"lan0"}


def ends(box: Box, path: str) -> int:
    """Ask for it, and see the container end. Returns the exit status of systemd-nspawn: 0 for a shutdown only.

    A restart ends it too, for in namespaces of the rig nspawn cannot begin again by itself; then the rig boots it.
    """
    status, said = ask(box, "POST", path, token_of(box, SECOND))
    assert status == 202, said
    nspawn = box.nspawn
    assert nspawn is not None
    wait_for("the container gone", lambda: nspawn.poll() is not None, 60)
    return int(nspawn.returncode)


def restarts(box: Box, path: str) -> None:
    assert ends(box, path) != 0
    box.power_cut()
    box.boot()
    wait_for("HTTPS", lambda: listening(box))


def test_restart_reset_and_shutdown_for_real(host: Box) -> None:
    for name in ("var/lib/onsite/content/part", "var/log/files/report", "etc/onsite/userdata.json"):
        host.write(name, "{}")
    restarts(host, f"{CURRENT}/actions/reboot")
    assert (host.root / "var/lib/onsite/content/part").exists()
    restarts(host, f"{CURRENT}/actions/reset")
    for name in ("var/lib/onsite/content", "var/log/files", "etc/onsite/userdata.json"):
        assert not (host.root / name).exists(), name
    for name in ("etc/onsite/onsite.toml", "var/lib/onsite/audit.log", "etc/onsite/server.key"):
        assert (host.root / name).exists(), name
    events = [json.loads(line)["event"] for line in (host.root / "var/lib/onsite/audit.log").read_text().splitlines()]
    assert {"reboot", "factory reset", "login", "login refused", "password changed"} <= set(events)
    assert ends(host, f"{CURRENT}/actions/shutdown") == 0
