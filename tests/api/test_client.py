"""The console's client of the agent's API against servers that answer in every way an agent may, bytes on a socket."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import certifi
import pytest
from cryptography import x509

from tests.certificates import issued
from tui.models.change import Refused
from tui.models.contract import cluster, content, diagnostics, events, host, userdata, users
from tui.models.contract.base import Operation
from tui.services.agent.answers import LoginNeeded, NotOffered
from tui.services.agent.client import Agent
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.settings import Settings

Script = Callable[[str, bytes], bytes]
"""Request line and the rest of the request to all bytes of the response."""


def http(status: int, body: bytes = b"", kind: str = "application/json", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status} Words", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(head).encode() + body


def said(value: Any, status: int = 200) -> bytes:
    return http(status, json.dumps(value).encode())


@pytest.fixture
def root() -> Any:
    with TemporaryDirectory(prefix="onsite-client-") as folder:
        (Path(folder) / "run/onsite").mkdir(parents=True)
        yield Path(folder)


async def _serve(script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(x.split(":")[1]) for x in head.lower().split("\r\n") if x.startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        line, _, rest = head.partition("\r\n")
        writer.write(script(line, rest.encode() + body))
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def agent(root: Path, script: Script) -> AsyncIterator[Agent]:
    """The client of an agent on the socket below `root`."""
    server = await asyncio.start_unix_server(
        lambda r, w: _serve(script, r, w), str(root / "run/onsite/agent.sock"), limit=1 << 24
    )
    async with server:
        yield Agent(Host(root, NetlinkKernel(), "user"), Settings())


async def test_the_socket_costs_no_authorities(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console asks some times in each three seconds; reading certifi for each request took 5 % of a processor."""
    read: list[str] = []
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(certifi, "where", lambda: read.append("certifi") or "/dev/null")
    async with agent(root, lambda _line, _rest: said({})) as client:
        await client.find(host.INFO)
    assert read == []


async def issue_of(root: Path, answer: bytes, operation: Operation[Any] = host.INFO, seconds: float = 5.0) -> Any:
    async with agent(root, lambda _line, _rest: answer) as client:
        with pytest.raises(Refused) as refused:
            await client.call(operation, seconds=seconds)
    return refused.value.issues[0]


V1 = {"code": "X", "message": "what is wrong", "ref": "ab12", "details": {}}


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (said(V1, 500), "A107", "what is wrong"),
        (said("just words", 500), "A107", "just words"),
        (said({"message": "only a message"}, 500), "A107", "only a message"),
        (said({}, 500), "A107", "failed at"),
        (http(500), "A107", "failed at"),
        (http(502, b"<html><h1>Bad Gateway</h1></html>", "text/html"), "A107", "failed at"),
        (http(503, b"plain text", "text/plain"), "A107", "plain text"),
        (said(V1, 400), "A109", "what is wrong"),
        (http(400), "A109", "refuses"),
        (said(V1, 409), "A109", "what is wrong"),
        (said(V1, 401), "A104", "what is wrong"),
        (said(V1, 403), "A103", "what is wrong"),
        (said(V1, 404), "A105", "what is wrong"),
        (http(405), "A105", "does not offer"),
        (said(V1, 501), "A105", "what is wrong"),
        (said(V1, 429), "A111", "what is wrong"),
        (http(302, b"", "text/html", "Location: http://127.0.0.1/"), "A109", "refuses"),
        (http(200, b"{"), "A106", "not what its contract says"),
        (http(200, b"<html></html>", "text/html"), "A106", "not what its contract says"),
        (http(200, b"[" * 100_000), "A106", "not what its contract says"),
        (said({"spec": {"nodeRole": "master"}}), "A106", "spec.nodeRole"),
        (said({"status": "fine"}), "A106", "status"),
        (said([]), "A106", "all of it"),
        (http(200, b" " * (33 << 20)), "A106", "32 MiB"),
        (b"", "A101", "ended the connection"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "A101", "ended the connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "A101", "ended the connection"),
    ],
)
async def test_whatever_is_wrong_has_a_code(root: Path, answer: bytes, code: str, told: str) -> None:
    issue = await issue_of(root, answer)
    assert (issue.code, told in issue.text) == (code, True), issue


async def test_a_reference_goes_to_the_remedy_and_a_wait_too(root: Path) -> None:
    assert "ab12" in (await issue_of(root, said(V1, 500))).remedy
    assert "900 seconds" in (await issue_of(root, http(429, b"", "text/plain", "Retry-After: 900"))).remedy


async def test_the_words_of_an_agent_are_harmless_on_a_screen(root: Path) -> None:
    hostile = {"message": "\x1b]0;owned\x07\x9b31m\u202e" + "long " * 200 + "password=hunter2"}
    issue = await issue_of(root, said(hostile, 400))
    assert issue.text.isprintable()
    assert len(issue.text) < 400
    assert "hunter2" not in (await issue_of(root, said({"message": "password: hunter2"}, 400))).text


async def test_a_slow_agent_is_given_up(root: Path) -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    over = asyncio.Event()
    server = await asyncio.start_unix_server(silent, str(root / "run/onsite/agent.sock"))
    async with server:
        with pytest.raises(Refused) as refused:
            await Agent(Host(root, NetlinkKernel(), "user"), Settings()).call(host.INFO, seconds=0.05)
        over.set()
    assert refused.value.issues[0].code == "A102"


async def test_an_agent_that_is_not_there(root: Path) -> None:
    client = Agent(Host(root, NetlinkKernel(), "user"), Settings())
    for prepare in (lambda: None, lambda: (root / "run/onsite/agent.sock").write_text("")):
        prepare()
        with pytest.raises(Refused) as refused:
            await client.call(host.INFO)
        assert refused.value.issues[0].code == "A101"


async def test_nulls_and_unknown_fields_of_another_agent_do_no_harm(root: Path) -> None:
    answer = {"metadata": {"id": "x", "labels": None}, "spec": None, "status": {"managementIp": 1, "dns": None}}
    async with agent(root, lambda _line, _rest: said(answer)) as client:
        assert (await client.call(host.INFO)).sent() == {"metadata": {"id": "x"}, "status": {}}
    (root / "run/onsite/agent.sock").unlink(missing_ok=True)
    async with agent(root, lambda _line, _rest: said({"items": None})) as client:
        assert (await client.call(events.CLUSTER)).items == []


async def test_none_is_not_the_same_as_not_offered(root: Path) -> None:
    async with agent(root, lambda _line, _rest: said(V1, 404)) as client:
        assert await client.find(cluster.CONFIGURATION) is None
        with pytest.raises(NotOffered):
            await client.find(host.INFO)
        with pytest.raises(Refused) as refused:
            await client.call(cluster.CONFIGURATION)
    assert refused.value.issues[0].code == "A113"


async def test_body_query_and_path_arrive(root: Path) -> None:
    seen: list[tuple[str, bytes]] = []

    def script(line: str, rest: bytes) -> bytes:
        seen.append((line, rest))
        return said({"message": "ok"}) if "userdata" in line else said({"items": []})

    async with agent(root, script) as client:
        await client.call(userdata.PUT, userdata.CloudInit(management=userdata.Management(type="local")))
        await client.call(diagnostics.ERROR_LOGS, query={"logCount": 5})
    assert seen[0][0] == "PUT /v1/edge-mgmt/edgehosts/current/userdata HTTP/1.1"
    assert json.loads(seen[0][1].partition(b"\r\n\r\n")[2]) == {"v1Management": {"type": "local"}}
    assert seen[1][0].split()[1].endswith("error-logs?logCount=5")


async def test_upload_and_download(root: Path) -> None:
    seen: list[bytes] = []
    told: list[int] = []

    def script(line: str, rest: bytes) -> bytes:
        seen.append(rest)
        return said({"uploadPath": "/x"}, 201) if line.startswith("POST") else http(200, b"z" * 100_000, "x/tar")

    bundle, target = root / "bundle.tar.zst", root / "got"
    bundle.write_bytes(b"bundle" * 50_000)
    bundle.with_suffix(".sig").write_bytes(b"signed")
    async with agent(root, script) as client:
        answer = await client.upload(content.UPLOAD, bundle, bundle.with_suffix(".sig"), told.append)
        assert answer.upload_path == "/x"
        with target.open("wb") as opened:
            assert await client.download(diagnostics.DOWNLOAD_LOGS, opened, largest=1 << 20) == 100_000
        with target.open("wb") as opened, pytest.raises(Refused):
            await client.download(diagnostics.DOWNLOAD_LOGS, opened, largest=1000)
    assert b'name="uploadFile"; filename="bundle.tar.zst"' in seen[0]
    assert b"bundle" * 50_000 in seen[0]
    assert b'name="signature"' in seen[0]
    assert told[-1] == 300_000
    assert told == sorted(told)


@pytest.fixture
def authority() -> Any:
    return issued("Site Root")


@asynccontextmanager
async def https_agent(root: Path, script: Script, ca: Any, *, believed: bool = True) -> AsyncIterator[Agent]:
    names = (x509.IPAddress(ip_address("127.0.0.1")),)
    server_certificate = issued("agent", ca, ca=False, usage=("digital_signature",), names=names)
    (root / "pair.pem").write_bytes(server_certificate.pem + server_certificate.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(root / "pair.pem")
    store = root / "etc/ssl/certs/ca-certificates.crt"
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_bytes((ca if believed else issued("Another Root")).pem)
    server = await asyncio.start_server(lambda r, w: _serve(script, r, w), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Agent(Host(root, NetlinkKernel(), "user"), Settings(agent_url=f"https://127.0.0.1:{port}/"))


async def test_login_token_and_logout_over_https(root: Path, authority: Any) -> None:
    def script(line: str, rest: bytes) -> bytes:
        if "/login" in line:
            right = json.loads(rest.partition(b"\r\n\r\n")[2]) == {"username": "alice", "password": "right"}
            return said({"IsFirstLogin": True, "Token": {"Authorization": "the-token"}}) if right else http(400)
        if b"authorization: the-token" not in rest.lower():
            return said({"message": "who are you"}, 401)
        return http(200) if "/logout" in line else said({"managementMode": "local"})

    async with https_agent(root, script, authority) as client:
        with pytest.raises(LoginNeeded):
            await client.call(host.SETTINGS)
        with pytest.raises(Refused) as refused:
            await client.login("alice", "wrong")
        assert refused.value.issues[0].code == "A112"
        assert not client.logged_in
        assert await client.login("alice", "right") is True
        assert (await client.call(host.SETTINGS)).management_mode == "local"
        await client.logout()
        with pytest.raises(LoginNeeded):
            await client.call(host.SETTINGS)


async def test_a_token_is_renewed_before_it_ends(root: Path, authority: Any, monkeypatch: Any) -> None:
    lines: list[str] = []

    def script(line: str, _rest: bytes) -> bytes:
        lines.append(line.split()[1].partition("?")[0])
        if "/login" in line:
            return said({"Token": {"Authorization": "first"}})
        return said({"Authorization": "second"}) if "/renewal" in line else said({})

    monkeypatch.setattr("tui.services.agent.client.RENEW_AFTER", 0.0)
    async with https_agent(root, script, authority) as client:
        await client.login("alice", "right")
        await client.call(host.SETTINGS)
        assert client._token == "second"
    assert lines == ["/v1/users/default/login", users.RENEW.path, host.SETTINGS.path]


async def test_a_certificate_that_the_host_does_not_trust(root: Path, authority: Any) -> None:
    async with https_agent(root, lambda _line, _rest: said({}), authority, believed=False) as client:
        with pytest.raises(Refused) as refused:
            await client.call(host.SETTINGS)
    assert refused.value.issues[0].code == "A108"


async def test_nobody_listens_at_the_url(root: Path) -> None:
    client = Agent(Host(root, NetlinkKernel(), "user"), Settings(agent_url="https://127.0.0.1:1"))
    with pytest.raises(Refused) as refused:
        await client.call(host.SETTINGS)
    assert refused.value.issues[0].code == "A110"
    assert "127.0.0.1:1" in refused.value.issues[0].text


async def test_the_environment_says_nothing_about_proxies(root: Path, authority: Any, monkeypatch: Any) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "fd00::/8")
    async with https_agent(root, lambda _line, _rest: said({"managementMode": "central"}), authority) as client:
        assert (await client.call(host.SETTINGS)).management_mode == "central"
