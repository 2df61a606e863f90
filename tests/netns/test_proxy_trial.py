"""Every diagnosis of a trial against real parts: squid, OpenSSL on both ends, and those that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.netns import proxies
from tests.netns.proxies import Authority
from tui.models.proxy import ProxyConfig, Upstream
from tui.services.proxy import presented, trial
from tui.services.proxy.trial import Trial

PASSWORD = "p@ss:/#?%&+ \"é'\\"
"""é is sent in UTF-8; squid compares bytes."""
YEAR = 365 * 86400.0


@dataclass(frozen=True, slots=True)
class World:
    """One authority, a server of it, and files of what a host may trust."""

    folder: Path
    ca: Authority
    corporate: Authority
    https: int
    other: int
    http: int

    def bundle(self, *authorities: Authority) -> str:
        file = (
            self.folder / f"bundle-{len(authorities)}-{'-'.join(str(a.certificate.serial_number) for a in authorities)}"
        )
        file.write_bytes(b"".join(a.pem for a in authorities))
        return str(file)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}/v2/"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    ca, corporate = proxies.authority("Site CA"), proxies.authority("Corp Inspection CA")
    with contextlib.ExitStack() as stack:
        https = stack.enter_context(proxies.tls_server(proxies.issued(ca, "localhost", "127.0.0.1"), folder))
        other = stack.enter_context(proxies.tls_server(proxies.issued(ca, "127.0.0.1"), folder))
        http = stack.enter_context(proxies.serving(proxies.answering()))
        yield World(folder, ca, corporate, https, other, http)


@pytest.fixture(scope="module")
def squids() -> None:
    if why := proxies.missing():
        pytest.skip(why)


@pytest.fixture(scope="module")
def asking(world: World, squids: None) -> Iterator[int]:
    folder = world.folder / "asking"
    rules = (f"acl shut port {world.other}", "http_access deny shut")
    with proxies.squid(folder, *rules, *proxies.basic(folder, "edge01", PASSWORD)) as port:
        yield port


@pytest.fixture(scope="module")
def opening(world: World, squids: None) -> Iterator[int]:
    folder = world.folder / "opening"
    lines, options = proxies.bumping(folder, world.corporate, world.ca)
    with proxies.squid(folder, *lines, options=options) as port:
        yield port


def upstream(port: int, user: str = "", password: str = "", **more: object) -> Upstream:
    login = {"user": user, "password": SecretStr(password)} if user else {}
    return Upstream.model_validate({"host": "127.0.0.1", "port": port, **login, **more})


async def tried(
    url: str, via: Upstream | None, bundle: str | None, now: float | None = None, limit: float = 5
) -> Trial:
    return await trial.trial(url, via, bundle, time.time() if now is None else now, limit=limit)


def codes(made: Trial) -> list[str]:
    return [issue.code for issue in made.issues]


async def test_by_squid_with_a_login(world: World, asking: int) -> None:
    made = await tried(world.url, upstream(asking, "edge01", PASSWORD), world.bundle(world.ca))
    assert (codes(made), made.status, made.ok, made.intercepted) == ([], 200, True, False)
    assert [name for name, _ in made.steps] == ["connect", "CONNECT", "TLS", "answer"]
    assert 0 < made.seconds < 5
    assert made.chain[0].subject == "CN=localhost"
    plain = await tried(f"http://127.0.0.1:{world.http}/", upstream(asking, "edge01", PASSWORD), None)
    assert (codes(plain), plain.status) == ([], 200)
    assert PASSWORD not in repr(made)


@pytest.mark.parametrize(
    ("user", "password", "code"), [("edge01", "wrong", "P135"), ("", "", "P136"), ("edge02", PASSWORD, "P135")]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_login_refused(world: World, asking: int, scheme: str, user: str, password: str, code: str) -> None:
    url = world.url if scheme == "https" else f"http://127.0.0.1:{world.http}/"
    made = await tried(url, upstream(asking, user, password), world.bundle(world.ca))
    assert (codes(made), made.status, made.schemes) == ([code], 407, ("basic",))
    assert not password or password not in str(made)


async def test_ntlm_only_is_named(world: World) -> None:
    offers = ("Proxy-Authenticate: NTLM", "Proxy-Authenticate: Negotiate")
    with proxies.serving(proxies.answering("407 Proxy Authentication Required", *offers)) as port:
        made = await tried(world.url, upstream(port, "edge01", "x"), None)
    assert codes(made) == ["P137"]
    assert "NTLM, Negotiate" in made.issues[0].text


async def test_squid_forbids_or_cannot_reach(world: World, asking: int) -> None:
    via = upstream(asking, "edge01", PASSWORD)
    assert codes(await tried(f"https://127.0.0.1:{world.other}/", via, None)) == ["P138"]
    assert codes(await tried("https://127.0.0.1:1/", via, None)) == ["P139"]
    assert codes(await tried("http://127.0.0.1:1/", via, None)) == ["P139"]


async def test_squid_opens_tls(world: World, opening: int) -> None:
    via = upstream(opening)
    untrusted = await tried(world.url, via, world.bundle(world.ca))
    assert (codes(untrusted), untrusted.intercepted) == (["P142"], True)
    assert "Corp Inspection CA" in untrusted.issues[0].text
    assert untrusted.chain[0].der
    imported = await tried(world.url, via, world.bundle(world.ca, world.corporate))
    assert (codes(imported), imported.intercepted, imported.status) == (["P143"], True, 200)
    assert imported.ok, "a warning, for it works"


async def test_private_authority_of_the_server_is_not_the_proxys(world: World, asking: int) -> None:
    made = await tried(world.url, upstream(asking, "edge01", PASSWORD), world.bundle(world.corporate))
    assert (codes(made), made.intercepted) == (["P144"], False)
    assert "Site CA" in made.issues[0].text
    assert "proxy opens" not in made.issues[0].text
    assert codes(await tried(world.url, None, None)) == ["P144"], "an empty store trusts nobody"


async def test_one_unknown_authority_behind_two_servers_is_the_proxys(world: World, opening: int) -> None:
    """Where the direct way is shut, as behind most firewalls: nothing listens there without the proxy's help."""
    config = ProxyConfig(method="one", http=upstream(opening))
    urls = [world.url, f"https://127.0.0.1:{world.other}/"]
    made = [await trial.trial(url, config.http, world.bundle(world.ca), time.time()) for url in urls]
    alike = [replace(m, intercepted=None, issues=(presented.unknown("x", m.chain[-1], by_proxy=None),)) for m in made]
    assert [codes(m) for m in trial.together(alike)] == [["P142"], ["P142"]]
    assert [codes(m) for m in trial.together(alike[:1])] == [["P144"]]


async def test_loopback_goes_without_the_proxy(world: World) -> None:
    config = ProxyConfig(method="one", http=upstream(1))
    (made,) = await trial.trials(config, [world.url], world.bundle(world.ca), time.time())
    assert (made.via, made.ok) == ("", True)


@pytest.mark.parametrize("years", [-3, 30])
async def test_wrong_clock(world: World, asking: int, years: int) -> None:
    via = upstream(asking, "edge01", PASSWORD)
    made = await tried(world.url, via, world.bundle(world.ca), time.time() + years * YEAR)
    assert codes(made) == ["P145"]


@pytest.mark.parametrize(("begins", "days", "word"), [(-20, 10, "ended"), (5, 10, "begins")])
async def test_certificate_out_of_its_time(world: World, asking: int, begins: float, days: float, word: str) -> None:
    own = proxies.issued(world.ca, "localhost", begins=begins, days=days)
    with proxies.tls_server(own, world.folder) as port:
        made = await tried(f"https://localhost:{port}/", upstream(asking, "edge01", PASSWORD), world.bundle(world.ca))
    assert codes(made) == ["P146"]
    assert word in made.issues[0].text


async def test_certificate_for_another_name(world: World, asking: int) -> None:
    via = upstream(asking, "edge01", PASSWORD)
    with proxies.tls_server(proxies.issued(world.ca, "portal.example"), world.folder) as port:
        made = await tried(f"https://localhost:{port}/", via, world.bundle(world.ca))
    assert codes(made) == ["P147"]
    assert "portal.example" in made.issues[0].text


async def test_hanging(world: World, asking: int) -> None:
    with proxies.serving(proxies.hanging) as port:
        began = time.monotonic()
        made = await tried(world.url, upstream(port), None, limit=0.5)
        assert codes(made) == ["P149"]
        assert time.monotonic() - began < 3
        behind = await tried(
            f"https://127.0.0.1:{port}/", upstream(asking, "edge01", PASSWORD), world.bundle(world.ca), limit=1
        )
        assert codes(behind) == ["P149"]
        assert [name for name, _ in behind.steps] == ["connect", "CONNECT", "TLS"]


async def test_garbage(world: World, asking: int) -> None:
    with proxies.serving(proxies.garbage) as port:
        assert codes(await tried(world.url, upstream(port), None)) == ["P134"]
        assert codes(await tried(world.url, upstream(port, scheme="https"), None)) == ["P141"]
        behind = await tried(f"https://127.0.0.1:{port}/", upstream(asking, "edge01", PASSWORD), None)
        assert codes(behind) == ["P148"]


async def test_nothing_there() -> None:
    assert codes(await tried("https://x.example/", upstream(1), None)) == ["P132"]
    named = Upstream(host="proxy.invalid", port=3128)
    assert codes(await tried("https://x.example/", named, None)) == ["P131"]
    with full() as port:
        assert codes(await tried("https://x.example/", upstream(port), None, limit=0.5)) == ["P133"]


@contextlib.contextmanager
def full() -> Iterator[int]:
    """A port whose queue is full: the kernel drops what else comes, as a firewall does."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listening.getsockname()
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]


async def test_tls_with_the_proxy_itself(world: World, squids: None) -> None:
    own = proxies.issued(world.ca, "127.0.0.1")
    folder = world.folder / "tls"
    folder.mkdir()
    (folder / "own.pem").write_bytes(own.pem + own.key_pem)
    listen = "127.0.0.1:{port} tls-cert=" + str(folder / "own.pem")
    lines = ("http_access allow all",)
    with proxies.squid(folder, *lines, listen=listen.replace("http_port", "")) as port:
        plain = await tried(world.url, upstream(port), world.bundle(world.ca))
        assert plain.ok, "http_port with a certificate speaks plain HTTP"


async def test_tls_in_tls(world: World) -> None:
    """A proxy that is spoken with over TLS, and TLS to the server within."""
    own = proxies.issued(world.ca, "127.0.0.1")

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", world.https)
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    file = world.folder / "tunnel.pem"
    file.write_bytes(own.pem + own.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with proxies.serving(tunnel, context) as port:
        made = await tried(world.url, upstream(port, scheme="https"), world.bundle(world.ca))
        assert (codes(made), made.status) == ([], 200)
        strange = await tried(world.url, upstream(port, scheme="https"), world.bundle(world.corporate))
        assert codes(strange) == ["P141"]


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_server_with_a_fault(world: World, asking: int) -> None:
    with proxies.tls_server(proxies.issued(world.ca, "localhost"), world.folder, "503 Down") as port:
        made = await tried(f"https://localhost:{port}/", upstream(asking, "edge01", PASSWORD), world.bundle(world.ca))
    assert (codes(made), made.ok) == (["P151"], True)


@pytest.mark.parametrize(
    "url", ["", "registry.example", "ftp://x/", "https://", "https://[::1", "https://x:99999/", "\x00"]
)
async def test_not_a_web_address(url: str) -> None:
    assert codes(await tried(url, None, None)) == ["P153"]
