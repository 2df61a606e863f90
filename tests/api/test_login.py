"""Logging in: real HTTPS, real PAM with a stack of the test's own, throttling and lock-out, tokens, keys."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import jwt
import pytest

from agent import people
from agent.practice import sandbox
from agent.store import Store
from agent.throttle import ADDRESS, WAITING, Throttle
from agent.tokens import LONG, SECRET, SHORT, Invalid, Tokens
from tests.contract import answer_schema, violations
from tui.services.change import audit
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.settings import Settings, load

CODE = Path(__file__).resolve().parents[2]
LOGIN = "/v1/users/default/login"
CURRENT = "/v1/users/current"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyz0123456789ABCDEF alice@laptop"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may ask PAM about others")


def prepared(root: Path, settings: str = "") -> None:
    """A host whose PAM stack takes the password "right" of whoever asks, with alice, who administers, and bob."""
    sandbox.fresh(root, root / "hub")
    program = root / "check"
    program.write_text('#!/bin/sh\nIFS= read -r said\n[ "$said" = right ]\n')
    program.chmod(0o755)
    (root / "etc/pam.d").mkdir(parents=True, exist_ok=True)
    stack = (
        f"auth [success=done default=ignore] pam_exec.so expose_authtok quiet {program}\n"
        "auth required pam_deny.so\naccount required pam_permit.so\n"
    )
    (root / "etc/pam.d/onsite").write_text(stack)
    (root / "home/alice").mkdir(parents=True)
    (root / "etc/passwd").write_text(
        "root:x:0:0::/root:/bin/sh\nalice:x:1001:1001::/home/alice:/bin/sh\nbob:x:1002:1002::/home/bob:/bin/sh\n"
    )
    (root / "etc/group").write_text("sudo:x:27:alice\nalice:x:1001:\nbob:x:1002:\n")
    (root / "etc/onsite").mkdir(parents=True, exist_ok=True)
    (root / "etc/onsite/onsite.toml").write_text(settings)


@dataclass
class Served:
    root: Path
    port: int
    process: subprocess.Popen[str]

    def client(self, token: str = "") -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.root / "etc/onsite/server.crt"))
        headers = {"Authorization": token} if token else {}
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}", verify=context, trust_env=False, headers=headers, timeout=30
        )

    def login(self, user: str = "alice", password: str = "right", **query: str) -> httpx.Response:  # noqa: S107
        with self.client() as client:
            return client.post(LOGIN, json={"username": user, "password": password}, params=query)

    def token(self, **query: str) -> str:
        return str(self.login(**query).json()["Token"]["Authorization"])


@contextmanager
def running_in(root: Path) -> Iterator[Served]:
    running = serve(root)
    try:
        yield running
    finally:
        end(running)


def serve(root: Path) -> Served:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "--root", str(root), "--https", str(port)], cwd=CODE, text=True,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    while process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return Served(root, port, process)
    raise RuntimeError(process.communicate()[1])


def end(served: Served) -> str:
    served.process.terminate()
    return served.process.communicate(timeout=20)[1]


@pytest.fixture
def fresh_root() -> Iterator[Path]:
    with TemporaryDirectory(prefix="onsite-login-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with TemporaryDirectory(prefix="onsite-login-") as folder:
        prepared(Path(folder))
        running = serve(Path(folder))
        yield running
        assert end(running) == ""


# --- the way in ------------------------------------------------------------------------------------------------------


@needs_root
def test_login_gives_a_token_that_opens_and_logout_ends_it(served: Served) -> None:
    answer = served.login()
    assert answer.status_code == 200
    assert violations(answer.json(), answer_schema("POST", LOGIN, 200)) == []
    token = answer.json()["Token"]["Authorization"]
    with served.client(token) as client:
        assert client.get("/v1/edge-mgmt/settings").status_code == 200
        user = client.get(CURRENT)
        assert user.json() == {"userName": "alice", "sshKeys": [], "disablePasswordUpdate": False}
        assert violations(user.json(), answer_schema("GET", CURRENT, 200)) == []
        assert client.post("/v1/users/default/logout").status_code == 200
        assert client.get("/v1/edge-mgmt/settings").status_code == 401


@needs_root
def test_the_first_login_says_so(fresh_root: Path) -> None:
    prepared(fresh_root)
    with running_in(fresh_root) as running:
        assert [running.login().json()["IsFirstLogin"] for _ in range(2)] == [True, False]


@needs_root
def test_the_cookie_works_alone_and_cannot_be_read_by_scripts(served: Served) -> None:
    answer = served.login()
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=strict"))
    with served.client() as client:
        client.cookies.set("Authorization", answer.cookies["Authorization"])
        assert client.get(CURRENT).json()["userName"] == "alice"
    assert "set-cookie" not in served.login(setCookie="false").headers
    assert served.login(setCookie="perhaps").status_code == 400


@needs_root
def test_two_hours_or_twenty_four(served: Served) -> None:
    for query, seconds in (({}, SHORT), ({"extendedSession": "true"}, LONG)):
        claims = jwt.decode(served.token(**query), options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == pytest.approx(seconds, abs=2)


@needs_root
def test_renewal_gives_another_that_works(served: Served) -> None:
    token = served.token()
    with served.client(token) as client:
        answer = client.post("/v1/users/default/token/renewal", params={"extendedSession": "true"})
        assert violations(answer.json(), answer_schema("POST", "/v1/users/default/token/renewal", 200)) == []
    renewed = answer.json()["Authorization"]
    assert renewed != token
    with served.client(renewed) as client:
        assert client.get(CURRENT).status_code == 200


@needs_root
def test_whoever_may_not_administer_any_more_gets_no_other_token(fresh_root: Path) -> None:
    prepared(fresh_root)
    with running_in(fresh_root) as running, running.client(running.token()) as client:
        (fresh_root / "etc/group").write_text("sudo:x:27:\nalice:x:1001:\n")
        assert client.post("/v1/users/default/token/renewal").status_code == 401


@needs_root
@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("alice", "wrong"),
        ("bob", "right"),
        ("nobody-here", "right"),
        ("", "right"),
        ("a\nb", "right"),
        ("x" * 300, "r"),
    ],
)
def test_whoever_may_not_hears_the_same(served: Served, user: str, password: str) -> None:
    answer = served.login(user, password)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("The user or the password is wrong")


def tampered() -> list[str]:
    key = b"x" * 48
    now = int(time.time())
    claims = {"sub": "root", "jti": "1", "iat": now, "exp": now + 999, "aud": "onsite-agent"}

    def part(data: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."
    return [
        "x",
        "a.b.c",
        unsigned,
        jwt.encode(claims, key, "HS256"),
        jwt.encode(claims, key * 2, "HS512"),
        "\x7f" * 9000,
    ]


@pytest.mark.parametrize("number", range(6))
def test_a_token_of_somebody_elses_making(served: Served, number: int) -> None:
    with served.client(tampered()[number]) as client:
        answer = client.get("/v1/edge-mgmt/settings")
    assert answer.status_code == 401
    assert violations(answer.json(), answer_schema("GET", CURRENT, 500)) == []


def test_without_a_token_there_are_two_paths(served: Served) -> None:
    with served.client() as client:
        assert client.get("/v1/ping").json() == {"msg": "pong"}
        for method, path in (("GET", "/v1/nothing"), ("GET", CURRENT), ("POST", "/v1/ping"), ("GET", LOGIN)):
            assert client.request(method, path).status_code == 401, path


# --- throttling ------------------------------------------------------------------------------------------------------


@pytest.fixture
def throttle(tmp_path: Path) -> Iterator[tuple[Throttle, FixedClock]]:
    store, clock = Store(tmp_path / "agent.db"), FixedClock(1e9)
    yield Throttle(store, clock, Settings()), clock
    store.close()


def test_the_documented_numbers(throttle: tuple[Throttle, FixedClock]) -> None:
    counts, clock = throttle
    seen = []
    for _ in range(5):
        seen.append((counts.delay("alice"), counts.locked("alice")))
        counts.failed("alice")
    assert seen == [(0, 0), (0, 0), (0, 0), (1, 0), (2, 0)]
    assert counts.locked("alice") == 15 * 60
    assert counts.locked("bob") == 0
    clock.move(15 * 60 + 1)
    assert (counts.locked("alice"), counts.delay("alice")) == (0, 0)


def test_a_right_password_forgives_and_a_day_too(throttle: tuple[Throttle, FixedClock]) -> None:
    counts, clock = throttle
    for forgive in (lambda: counts.succeeded("alice"), lambda: clock.move(86401)):
        for _ in range(4):
            counts.failed("alice")
        assert counts.delay("alice") == 2
        forgive()
        assert counts.delay("alice") == 0


def test_an_address_may_be_wrong_four_times_as_often(throttle: tuple[Throttle, FixedClock]) -> None:
    counts, _ = throttle
    for _ in range(19):
        counts.failed(ADDRESS + "192.0.2.7")
    assert counts.locked(ADDRESS + "192.0.2.7") == 0
    counts.failed(ADDRESS + "192.0.2.7")
    assert counts.locked(ADDRESS + "192.0.2.7") > 0


def test_a_clock_that_was_set_back_does_not_lock_for_years(throttle: tuple[Throttle, FixedClock]) -> None:
    counts, clock = throttle
    for _ in range(5):
        counts.failed("alice")
    clock.set(1e8)
    assert counts.locked("alice") <= 15 * 60


async def test_tries_under_one_name_take_turns_and_do_not_pile_up(throttle: tuple[Throttle, FixedClock]) -> None:
    counts, _ = throttle
    at_once = most = 0

    async def one() -> bool:
        nonlocal at_once, most
        async with counts.turn("alice") as ours:
            if not ours:
                return False
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1
            return True

    let_in = await asyncio.gather(*(one() for _ in range(50)))
    assert most == 1
    assert let_in.count(True) == WAITING
    async with counts.turn("alice") as ours:
        assert ours


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agent]\nhttps = 1", "true or false"),
        ("[agent]\nport = 70000", "agent.port"),
        ("[agent]\nlock_after = 0", "agent.lock_after"),
        ("[agent]\nlock_minutes = true", "agent.lock_minutes"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "etc/onsite").mkdir(parents=True)
    (tmp_path / "etc/onsite/onsite.toml").write_text(text)
    with pytest.raises(ValueError, match=said):
        load(tmp_path)


@needs_root
def test_delay_lock_and_audit_over_https_and_after_a_restart(fresh_root: Path) -> None:
    prepared(fresh_root, "[agent]\ndelay_after = 2\nlock_after = 3\nlock_minutes = 20\n")
    with running_in(fresh_root) as running:
        seconds = []
        for _ in range(3):
            begun = time.monotonic()
            last = running.login(password="wrong")
            seconds.append(time.monotonic() - begun)
        assert seconds[2] > 1.0, "the third waits"
        assert last.status_code == 429
        assert 1190 <= int(last.headers["retry-after"]) <= 1201
        assert running.login().status_code == 429, "the right password does not help now"
    with running_in(fresh_root) as again:
        assert again.login().status_code == 429, "a restart forgives nothing"
        assert again.login("bob", "wrong").status_code == 400
    entries = audit.entries(Host(fresh_root, NetlinkKernel(), "user"))
    refused = [e for e in entries if e["event"].startswith("login refused") and e["who"] == "alice"]
    assert len(refused) == 5
    assert all(e["line"] == "HTTPS from 127.0.0.1" for e in refused)
    assert "wrong" not in json.dumps(entries).replace("wrong passwords", "")


@needs_root
def test_many_at_once_do_not_get_more_tries(fresh_root: Path) -> None:
    prepared(fresh_root, "[agent]\ndelay_after = 100\nlock_after = 5\n")
    program = fresh_root / "check"
    program.write_text(f"#!/bin/sh\necho >> {fresh_root}/asked\nexit 1\n")
    with running_in(fresh_root) as running, ThreadPoolExecutor(30) as pool:
        statuses = list(pool.map(lambda _: running.login(password="guess").status_code, range(30)))
    assert set(statuses) <= {400, 429}
    assert len((fresh_root / "asked").read_text().splitlines()) <= 5


# --- tokens and secrets ----------------------------------------------------------------------------------------------


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[tuple[Tokens, FixedClock, Host]]:
    store, clock = Store(tmp_path / "var/lib/onsite/agent.db"), FixedClock(time.time())
    host = Host(tmp_path, NetlinkKernel(), "user", clock)
    made = Tokens(host, store)
    made.logged_in("alice")
    yield made, clock, host
    store.close()


def test_a_token_ends_by_itself(tokens: tuple[Tokens, FixedClock, Host]) -> None:
    judge, clock, _ = tokens
    short, long = judge.issue("alice"), judge.issue("alice", long=True)
    clock.move(SHORT - 1)
    assert judge.judge(short).user == "alice"
    clock.move(1)
    with pytest.raises(Invalid, match="over"):
        judge.judge(short)
    clock.move(LONG - SHORT)
    with pytest.raises(Invalid, match="over"):
        judge.judge(long)


def test_a_new_password_ends_every_session(tokens: tuple[Tokens, FixedClock, Host]) -> None:
    judge, clock, _ = tokens
    before = judge.issue("alice")
    clock.move(1)
    judge.end_all("alice")
    clock.move(1)
    with pytest.raises(Invalid, match="ended"):
        judge.judge(before)
    assert judge.judge(judge.issue("alice")).user == "alice"


def test_a_token_from_the_future_is_refused(tokens: tuple[Tokens, FixedClock, Host]) -> None:
    judge, clock, _ = tokens
    token = judge.issue("alice")
    clock.move(-3600)
    with pytest.raises(Invalid, match="clock"):
        judge.judge(token)


def test_the_secret_is_roots_alone_and_one_that_was_open_is_replaced(tokens: tuple[Tokens, FixedClock, Host]) -> None:
    judge, _, host = tokens
    path = host.path(SECRET)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token, before = judge.issue("alice"), path.read_bytes()
    path.chmod(0o644)
    other = Tokens(host, judge._store)
    assert path.read_bytes() != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(Invalid):
        other.judge(token)


@needs_root
def test_no_secret_lies_about(served: Served) -> None:
    token = served.token()
    secret = (served.root / SECRET.lstrip("/")).read_bytes()
    for file in (served.root / "var/lib/onsite").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        if file.name != Path(SECRET).name and file.is_file():
            assert secret not in file.read_bytes()
            assert token.encode() not in file.read_bytes()
    assert stat.S_IMODE((served.root / "etc/onsite/server.key").stat().st_mode) == 0o600


def test_the_certificate_names_the_host_and_a_better_one_is_taken_up(served: Served) -> None:
    shown = ssl.get_server_certificate(("127.0.0.1", served.port))
    kept = (served.root / "etc/onsite/server.crt").read_text()
    assert (
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).digest()
        == hashlib.sha256(ssl.PEM_cert_to_DER_cert(kept)).digest()
    )
    with served.client() as client:  # verifies the name and the address
        assert client.get("/v1/ping").status_code == 200


# --- keys of the user ------------------------------------------------------------------------------------------------


@needs_root
def test_keys_are_read_and_replaced(served: Served) -> None:
    file = served.root / "home/alice/.ssh/authorized_keys"
    with served.client(served.token()) as client:
        answer = client.patch(CURRENT, json={"sshKeys": [KEY]})
        assert (answer.status_code, violations(answer.json(), answer_schema("PATCH", CURRENT, 202))) == (202, [])
        assert client.get(CURRENT).json()["sshKeys"] == [KEY]
        assert file.read_text() == KEY + "\n"
        assert (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode)) == (1001, 0o600)
        for wrong in ("-----BEGIN PRIVATE KEY-----", KEY + "\nroot", "ssh-ed25519", ""):
            assert client.patch(CURRENT, json={"sshKeys": [wrong]}).status_code == 400
        assert client.patch(CURRENT, json={"userName": "root"}).status_code == 400
        assert client.patch(CURRENT, json={"sshKeys": "no list"}).status_code == 400
        assert client.patch(CURRENT, json={}).status_code == 202
        assert client.get(CURRENT).json()["sshKeys"] == [KEY]
        assert client.patch(CURRENT, json={"sshKeys": []}).status_code == 202
        assert client.get(CURRENT).json()["sshKeys"] == []


def test_a_link_in_the_users_folder_is_not_followed(tmp_path: Path) -> None:
    prepared(tmp_path)
    host = Host(tmp_path, NetlinkKernel(), "user")
    alice = people.account(host, "alice")
    assert alice is not None
    target = tmp_path / "root-only"
    target.mkdir()
    (tmp_path / "home/alice/.ssh").symlink_to(target)
    with pytest.raises(OSError):
        people.set_ssh_keys(host, alice, [KEY])
    assert list(target.iterdir()) == []
    (tmp_path / "home/alice/.ssh").unlink()
    (tmp_path / "home/alice/.ssh").mkdir()
    (target / "shadow").write_text("secret")
    (tmp_path / "home/alice/.ssh/authorized_keys").symlink_to(target / "shadow")
    assert people.ssh_keys(host, alice) == []
    people.set_ssh_keys(host, alice, [KEY])
    assert (target / "shadow").read_text() == "secret"
    assert people.ssh_keys(host, alice) == [KEY]


def test_who_may_administer(tmp_path: Path) -> None:
    prepared(tmp_path)
    host = Host(tmp_path, NetlinkKernel(), "user")
    assert [people.may_administer(host, n) for n in ("root", "alice", "bob", "eve")] == [True, True, False, False]


@needs_root
def test_a_password_is_not_changed_on_a_practice_host_nor_a_bad_one_taken(served: Served) -> None:
    with served.client(served.token()) as client:
        path = "/v1/users/default/password/reset"
        for old, new, word in (
            ("right", "short", "characters"),
            ("right", "password1234", "first"),
            ("correct horse battery", "correct horse battery", "old one"),
            ("right", "correct horse battery", "practice"),
        ):
            answer = client.post(path, json={"oldPassword": old, "newPassword": new})
            assert answer.status_code == 400
            assert word in answer.json()["message"]


def test_too_large_a_body_is_refused(served: Served) -> None:
    with served.client() as client:
        answer = client.post(LOGIN, content=b'{"username": "' + b"a" * 100_000)
    assert answer.status_code == 413
