"""Hosts that link to each other: real TLS on loopback, three agents' worth of links in one process."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.app import build
from agent.links import identity, joining, serving, wire
from agent.links.links import Links
from agent.links.pairing import Admitting, Joining, PairingError
from agent.links.peers import Peer
from agent.links.window import FAILURES, SECONDS, Refusal, Window
from tests.contract import answer_schema, violations
from tests.screens.agents import free_port
from tui.models import peers as model
from tui.models.peers import Token
from tui.models.wrong import Wrong
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.settings import Settings

LINK = "/v1/edge-mgmt/edgehosts/current/link"
STATUS, UNLINK = f"{LINK}/status", "/v1/edge-mgmt/edgehosts/current/unlink"
WINDOW, CODE = "/v1/onsite/link/window", "/v1/onsite/link/code"


def describe(name: str, host_id: str = "") -> dict[str, Any]:
    return {"metadata": {"id": host_id or f"id-of-{name}", "name": name}}


def linked_host(folder: Path, name: str, host_id: str = "") -> Links:
    host = Host(folder / name, NetlinkKernel(), "user", FixedClock())
    return Links(host, lambda: describe(name, host_id), port=0)


@asynccontextmanager
async def running(folder: Path, *names: str) -> AsyncIterator[list[Links]]:
    """Hosts of these names, each with its listener on a port of its own."""
    async with AsyncExitStack() as stack:
        found = [linked_host(folder, name) for name in names]
        for links in found:
            await links.start(serving.build(links))
            stack.push_async_callback(links.stop)
        yield found


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition, of other tasks
            await asyncio.sleep(0.01)


async def code_linked(leader: Links, follower: Links) -> None:
    leader.lead()
    follower.follow(Token("127.0.0.1", leader.port, "", leader.window.code()), "code")
    await until(lambda: follower.status != "InProgress")


async def test_two_followers_by_code_and_by_token_know_each_other(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2", "n3") as (n1, n2, n3):
        await code_linked(n1, n2)
        assert (n2.status, n2.error) == ("Completed", "")
        token = model.token(n1.window.token("127.0.0.1", n1.port))
        n3.follow(token, "token")
        await until(lambda: n3.status == "Completed")
        assert [(p.name, p.role) for p in n1.peers.all] == [("n2", "follower"), ("n3", "follower")]
        assert [(p.name, p.role) for p in n3.peers.all] == [("n1", "leader"), ("n2", "follower")]
        await until(lambda: "id-of-n2" in n1.heard and "id-of-n3" in n1.heard)
        assert n1.told["id-of-n2"] == describe("n2")
        assert n1.silent(n1.peers.all[0]) is None
        n1.host.clock.move(36)  # type: ignore[attr-defined]  # the fixed clock of this test
        assert n1.silent(n1.peers.all[0]) == 36


async def test_what_is_linked_is_linked_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2") as (n1, n2):
        await code_linked(n1, n2)
    again = linked_host(tmp_path, "n2")
    assert again.status == "Completed"
    assert again.own.fingerprint == n2.own.fingerprint
    assert again.peers.leader is not None
    assert again.peers.leader.fingerprint == n1.own.fingerprint
    for file in ("host.key", "peers.json"):
        assert (tmp_path / "n2/var/lib/onsite/links" / file).stat().st_mode & 0o777 == 0o600


async def test_a_wrong_code_is_refused_and_used_up(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2") as (n1, n2):
        n1.lead()
        code = n1.window.code()
        n2.follow(Token("127.0.0.1", n1.port, "", "00000000" if code != "00000000" else "1" * 8), "code")
        await until(lambda: n2.status == "Failed")
        assert "not the one that the leader shows" in n2.error
        assert n1.window.failures == 1
        assert n1.window.code() != code
        assert n1.peers.all == n2.peers.all == ()


async def test_ten_failures_close_the_window(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2") as (n1, n2):
        n1.lead()
        for _ in range(FAILURES):
            n2.follow(Token("127.0.0.1", n1.port, "", "x"), "code")
            await until(lambda: n2.status == "Failed")
        assert not n1.window.opened
        n2.follow(Token("127.0.0.1", n1.port, "", "x"), "code")
        await until(lambda: n2.status == "Failed")
        assert "lets nobody link" in n2.error


async def test_a_token_is_good_once(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2", "n3") as (n1, n2, n3):
        n1.lead()
        token = model.token(n1.window.token("127.0.0.1", n1.port))
        n2.follow(token, "token")
        await until(lambda: n2.status == "Completed")
        n3.follow(token, "token")
        await until(lambda: n3.status == "Failed")
        assert n1.peers.by_id("id-of-n3") is None


async def test_a_token_of_another_host_at_that_address(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2", "n3") as (n1, n2, n3):
        n1.lead()
        n3.lead()
        token = model.token(n1.window.token("127.0.0.1", n3.port))
        n2.follow(token, "token")
        await until(lambda: n2.status == "Failed")
        assert "its certificate is another" in n2.error
        assert n3.window.failures == 0  # nothing was sent to it


async def test_a_man_in_the_middle_of_the_short_code_gets_nothing(tmp_path: Path) -> None:
    """It shows a certificate of its own to the follower and passes every word on to the leader, who sees its own."""
    async with running(tmp_path, "n1", "n2") as (n1, n2):
        n1.lead()
        (tmp_path / "m").mkdir()
        own = identity.load_or_make(Host(tmp_path / "m", NetlinkKernel(), "user"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.certificate, own.key)
        leader = await wire.presented("127.0.0.1", n1.port)
        seen: list[bytes] = []

        async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                body = await reader.readexactly(length)
                path = head.split()[1].decode()
                seen.append(body)
                async with wire.client(None, "127.0.0.1", n1.port, leader) as client:
                    answer = await client.post(path, content=body)
                said = answer.content
                status = f"HTTP/1.1 {answer.status_code} X\r\ncontent-length: {len(said)}\r\nconnection: close\r\n\r\n"
                writer.write(status.encode() + said)
                await writer.drain()
            except asyncio.IncompleteReadError:
                pass  # who only looked at the certificate
            finally:
                writer.close()

        server = await asyncio.start_server(passed_on, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            n2.follow(Token("127.0.0.1", port, "", n1.window.code()), "code")
            await until(lambda: n2.status == "Failed")
        assert len(seen) == 2
        assert "somebody listens in between" in n2.error
        assert n1.peers.all == n2.peers.all == ()
        assert n1.window.failures == 1


async def test_a_foreign_certificate_and_a_stranger_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2") as (n1, n2):
        await code_linked(n1, n2)
        (tmp_path / "m").mkdir()
        foreign = identity.load_or_make(Host(tmp_path / "m", NetlinkKernel(), "user"))
        with pytest.raises(httpx.HTTPError):
            async with wire.client(foreign, "127.0.0.1", n1.port, n1.own.pem) as client:
                await client.post("/v1/onsite/peer/state", json={})
        async with wire.client(None, "127.0.0.1", n1.port, n1.own.pem) as client:
            for path in ("state", "unlink"):
                assert (await client.post(f"/v1/onsite/peer/{path}", json={})).status_code == 403
            assert (await client.get("/v1/edge-mgmt/edgehosts/current")).status_code == 404
            assert (await client.post("/v1/onsite/peer/pair/begin", content=b"{" * 300_000)).status_code == 413
            for nonsense in (b"", b"[]", b"\xff", b'{"kind":"code","host":{},"message":"AA=="}'):
                assert (await client.post("/v1/onsite/peer/pair/begin", content=nonsense)).status_code == 400
        with pytest.raises(httpx.HTTPError):  # a host that is not the pinned one
            async with wire.client(n2.own, "127.0.0.1", n1.port, n2.own.pem) as client:
                await client.post("/v1/onsite/peer/state", json={})


async def test_unlinked_from_either_side(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2", "n3") as (n1, n2, n3):
        await code_linked(n1, n2)
        await code_linked(n1, n3)
        await n3.unlink("id-of-n1")
        assert [p.name for p in n1.peers.all] == ["n2"]
        assert n3.status == "Pending"
        await n1.unlink("id-of-n2")
        await until(lambda: not n2.peers.all)
        async with wire.client(n2.own, "127.0.0.1", n1.port, n1.own.pem) as client:
            assert (await client.post("/v1/onsite/peer/state", json={})).status_code == 403
        with pytest.raises(KeyError):
            await n1.unlink("id-of-n2")


async def test_a_copied_disk_is_told_apart(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2") as (n1, n2):
        n2.describe = partial(describe, "n2", "id-of-n1")
        await code_linked(n1, n2)
        assert n2.status == "Failed"
        assert "Was a disk copied?" in n2.error


async def test_who_leads_cannot_follow_and_who_follows_cannot_lead(tmp_path: Path) -> None:
    async with running(tmp_path, "n1", "n2") as (n1, n2):
        await code_linked(n1, n2)
        with pytest.raises(Refusal, match="follows n1"):
            n2.lead()
        with pytest.raises(Refusal, match="leads others"):
            n1.follow(Token("127.0.0.1", n2.port, "", "1" * 8), "code")


async def test_by_the_routes_of_the_contract_and_ours(tmp_path: Path) -> None:
    """What a console asks, on one agent that leads and one that follows."""
    served = [NetlinkKernel(), NetlinkKernel()]
    apps = [
        build(Host(tmp_path / name, kernel, "user"), Settings(agent_peer_port=free_port()))
        for name, kernel in zip(("n1", "n2"), served, strict=True)
    ]
    async with AsyncExitStack() as stack:
        clients = []
        for number, app in enumerate(apps, 1):
            app.state.links.describe = partial(describe, f"n{number}")
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(app, client=("uid:0", 1))
            clients.append(await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://a")))
        leader, follower = clients
        apps[1].state.links.asked_port = apps[0].state.links.port
        assert (await leader.get(STATUS)).status_code == 404
        assert (await leader.get(WINDOW)).json() == {"open": False, "failures": 0}
        shown = (await leader.post(WINDOW)).json()
        assert (len(shown["code"]), shown["port"], shown["remaining"] > 100) == (8, apps[0].state.links.port, True)
        refused = await follower.post(CODE, json={"address": "127.0.0.1", "code": "12 34"})
        assert (refused.status_code, refused.json()["message"][:25]) == (400, "A code has eight digits; ")
        begun = await follower.post(CODE, json={"address": "127.0.0.1", "code": model.spoken(shown["code"])})
        assert begun.json()["status"] == "InProgress"
        await until(lambda: apps[1].state.links.status == "Completed")
        await until(lambda: "id-of-n2" in apps[0].state.links.heard)
        assert violations((await leader.get(STATUS)).json(), answer_schema("GET", STATUS, 200)) == []
        seen = (await leader.get(STATUS)).json()["peers"][0]
        assert (seen["id"], seen["role"], seen["health"]) == ("id-of-n2", "follower", {"status": "Healthy"})
        assert (await follower.post(WINDOW)).status_code == 409
        assert (await leader.delete(WINDOW)).json()["open"] is False
        token = (await leader.post(f"{LINK}/generate-token")).json()
        assert violations(token, answer_schema("POST", f"{LINK}/generate-token", 200)) == []
        assert (await leader.post(LINK, json=token)).status_code == 400  # it leads
        assert (await follower.post(UNLINK, params={"peerId": "nobody"})).status_code == 400
        assert (await follower.post(UNLINK, params={"peerId": "id-of-n1"})).status_code == 200
        assert (await leader.get(STATUS)).json()["peers"] == []


async def test_nobody_answers(tmp_path: Path) -> None:
    links = linked_host(tmp_path, "n1")
    with pytest.raises(joining.JoinError, match="No host answers"):
        await joining.join(links.own, Token("127.0.0.1", 1, "", "x"), "code", {"id": "x"})


def test_a_code_ends_after_two_minutes() -> None:
    clock = FixedClock()
    window = Window(clock, "0" * 64)
    window.open()
    code = window.code()
    clock.move(SECONDS - 1)
    assert window.code() == code
    clock.move(2)
    assert window.code() != code


def test_a_pairing_that_is_begun_and_left_counts_as_a_failure(tmp_path: Path) -> None:
    clock = FixedClock()
    own = identity.load_or_make(Host(tmp_path, NetlinkKernel(), "user"))
    window = Window(clock, own.fingerprint)
    window.open()
    peer = Peer("x", "x", "192.0.2.1", 5081, "follower", own.pem)
    number, _ = window.begin("code", peer, Joining("x", own.fingerprint, own.fingerprint).message)
    clock.move(31)
    with pytest.raises(Refusal, match="over"):
        window.finish(number, b"")
    assert window.failures == 1


@given(st.binary(max_size=70))
def test_no_message_breaks_a_pairing(message: bytes) -> None:
    for data in (message, b"A" + message[:32].ljust(32, b"\0"), b"B" + message[:32].ljust(32, b"\0")):
        with suppress(PairingError):
            Admitting("x", "a", "b", data).answer(b"")
        half = Joining("x", "a", "b")
        with suppress(PairingError):
            half.proof(data)
        assert not half.believes(message)


_FORGED = st.dictionaries(st.sampled_from("apfw"), st.text(max_size=4) | st.integers())


@given(st.text(max_size=80) | _FORGED.map(lambda said: base64.b64encode(json.dumps(said).encode()).decode()))
def test_a_token_is_read_or_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(Wrong, match="no token of a leader"):
        model.token(text)
