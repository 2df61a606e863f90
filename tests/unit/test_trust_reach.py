"""Certificates over the network: real servers on the loopback, good ones and bad ones."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from tests.certificates import Issued, issued, server
from tui.models.change import Refused
from tui.models.facts import Facts, Trust
from tui.models.proxy import ProxyConfig, Upstream
from tui.services import recording
from tui.services.clock import FixedClock
from tui.services.trust import proof, reach

ROOT = issued("Example Root CA")
NAMES = (x509.DNSName("localhost"),)


@asynccontextmanager
async def serving(answer: bytes, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that gives that answer to whatever it is asked; its port."""

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(answered, "127.0.0.1", 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


@asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[ProxyConfig]:
    """A proxy that connects everything to one port of the loopback."""

    async def pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"CONNECT registry.example:443 HTTP/1.1\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pumped(reader, back), pumped(there, writer))

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        upstream = Upstream(host="127.0.0.1", port=listening.sockets[0].getsockname()[1])
        yield ProxyConfig(method="one", http=upstream)
    finally:
        listening.close()


def context(tmp_path: Path, leaf: Issued, *chain: Issued) -> ssl.SSLContext:
    path = tmp_path / "server.pem"
    path.write_bytes(leaf.key_pem + leaf.pem + b"".join(x.pem for x in chain))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    return made


def page(status: str, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *fields, "", "")).encode() + body


async def test_fetched() -> None:
    async with serving(page("200 OK", body=ROOT.pem)) as port:
        assert await reach.fetched(f"http://127.0.0.1:{port}/ca.crt") == ROOT.pem


async def test_fetched_by_a_tls_that_nobody_here_knows(tmp_path: Path) -> None:
    async with serving(page("200 OK", body=ROOT.der), tls=context(tmp_path, server(ROOT))) as port:
        assert await reach.fetched(f"https://127.0.0.1:{port}/ca.crt") == ROOT.der


async def test_what_is_too_large_is_not_read_to_its_end() -> None:
    async with serving(page("200 OK", body=b"x" * (2 << 20))) as port:
        assert len(await reach.fetched(f"http://127.0.0.1:{port}/")) == reach.LARGEST + 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (page("302 Found", "Location: http://elsewhere.example/login"), "S144"),
        (page("302 Found", "Location: /again"), "S143"),
        (page("302 Found"), "S143"),
        (page("302 Found", "Location: ftp://elsewhere.example/"), "S142"),
        (page("404 Not Found"), "S143"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "S143"),
        (b"", "S143"),
    ],
)
async def test_not_fetched(answer: bytes, code: str) -> None:
    async with serving(answer) as port:
        with pytest.raises(Refused) as raised:
            await reach.fetched(f"http://127.0.0.1:{port}/ca.crt")
    assert raised.value.issues[0].code == code


@pytest.mark.parametrize(
    "text", ["", "ca.crt", "ftp://pki.example/ca", "http://", "http://a b/", "http://[::1", "http://x:99999/"]
)
async def test_no_url(text: str) -> None:
    with pytest.raises(Refused, match="S142"):
        await reach.fetched(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("registry.example", "registry.example:443"), ("registry.example:5000", "registry.example:5000"),
        ("https://registry.example/v2/", "registry.example:443"), ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        (" 192.0.2.1 ", "192.0.2.1:443"),
    ],
)  # fmt: skip
def test_servers_as_people_write_them(text: str, wanted: str) -> None:
    assert str(reach.server(text)) == wanted


@pytest.mark.parametrize("text", ["", ":443", "a b", "x:port", "x:70000", "[::1"])
def test_no_server(text: str) -> None:
    with pytest.raises(Refused, match="S142"):
        reach.server(text)


async def test_presented_directly_and_by_a_proxy(tmp_path: Path) -> None:
    middle = issued("Example Issuing CA", ROOT)
    leaf = server(middle)
    async with serving(b"", tls=context(tmp_path, leaf, middle)) as port:
        assert await reach.presented(reach.Server("127.0.0.1", port)) == (leaf.der, middle.der)
        async with proxy_to(port) as proxy:
            assert await reach.presented(reach.Server("registry.example", 443), proxy) == (leaf.der, middle.der)


async def test_nothing_is_presented() -> None:
    async with serving(b"220 mail.example\r\n") as port:
        with pytest.raises(Refused, match="S145"):
            await reach.presented(reach.Server("127.0.0.1", port))
    with pytest.raises(Refused, match="S145"):
        await reach.presented(reach.Server("127.0.0.1", port))


@pytest.mark.parametrize(("lax", "wanted"), [(False, {True}), (True, {True, False})])
async def test_each_program_says_whether_it_believes(lax: bool, wanted: set[bool], tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    today = datetime.now(UTC)
    span = {"begins": today - timedelta(days=1), "ends": today + timedelta(days=30)}
    root = issued("Some Root", critical=not lax, **span)
    leaf = issued("localhost", root, ca=False, usage=("digital_signature",), names=NAMES, **span)
    here = recording.host(Facts(trust=Trust("debian")), tmp_path / "host", FixedClock(today.timestamp()))
    bundle = here.path("/etc/ssl/certs/ca-certificates.crt")
    bundle.parent.mkdir(parents=True)
    async with serving(page("200 OK", "Content-Length: 0"), tls=context(tmp_path, leaf)) as port:
        where = reach.Server("localhost", port)
        bundle.write_bytes(ROOT.pem)
        before = [one async for one in proof.proofs(here, where)]
        assert {one.believed for one in before} == {False}, before
        bundle.write_bytes(ROOT.pem + root.pem)
        after = [one async for one in proof.proofs(here, where)]
    assert {one.believed for one in after} == wanted, after
    assert [one.consumer for one in after if one.believed is False] == ([proof.STRICT] if lax else [])
    gone = [one async for one in proof.proofs(here, where)]
    assert {one.believed for one in gone} == {None}, gone
