"""A thousand passwords, and each consumer's own parser gives back every one. systemd's is asked in tests/host."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import SecretStr

from tests.netns import proxies
from tui.models.facts import Facts, FileFact
from tui.models.proxy import ProxyConfig, Upstream
from tui.services import document
from tui.services.http import Routed
from tui.services.proxy import apt, environment, kept, places
from tui.services.proxy.settings import Settings

USER = "SITE\\edge 01@corp"
PASSWORDS = proxies.passwords(1000)


def wish(password: str, port: int = 3128) -> ProxyConfig:
    upstream = Upstream(host="127.0.0.1", port=port, user=USER, password=SecretStr(password))
    return ProxyConfig(method="one", http=upstream)


def spelled(password: str, port: int = 3128) -> Settings:
    return Settings.of(wish(password, port))


def test_the_passwords_are_what_they_should_be() -> None:
    assert len(PASSWORDS) == 1000
    assert set("".join(PASSWORDS)) >= {chr(n) for n in range(32, 127)}
    assert any(not p.isascii() for p in PASSWORDS)
    assert any(p != p.strip() for p in PASSWORDS)


class Asked:
    """A proxy that writes down who logged in, by the number in the path."""

    def __init__(self) -> None:
        self.logins: dict[int, str] = {}

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                number = re.search(r"/n([0-9]+)", head)
                login = re.search(r"(?i)proxy-authorization: basic (\S+)", head)
                if number and login:
                    self.logins[int(number[1])] = base64.b64decode(login[1]).decode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        writer.close()


@pytest.fixture
def asked() -> Iterator[tuple[Asked, int]]:
    asked = Asked()
    with proxies.serving(asked) as port:
        yield asked, port


def wanted(count: int = len(PASSWORDS)) -> dict[int, str]:
    return {number: f"{USER}:{password}" for number, password in enumerate(PASSWORDS[:count])}


def test_curl(asked: tuple[Asked, int], tmp_path: Path) -> None:
    told, port = asked
    transfers = (
        f'proxy = "{spelled(p, port).http}"\nurl = "http://x.example/n{n}"\noutput = "/dev/null"\n'
        for n, p in enumerate(PASSWORDS)
    )
    (tmp_path / "curlrc").write_text("next\n".join(transfers))
    subprocess.run(["curl", "-sS", "-K", str(tmp_path / "curlrc")], check=True, capture_output=True, timeout=60)
    assert told.logins == wanted()


def test_curl_by_the_environment(asked: tuple[Asked, int]) -> None:
    told, port = asked
    for number, password in enumerate(PASSWORDS[:50]):
        variables = spelled(password, port).variables(bare=False, ipv6_networks=True)
        command = ["curl", "-sS", f"http://x.example/n{number}"]
        subprocess.run(command, check=True, capture_output=True, timeout=20, env=variables)
    assert told.logins == wanted(50)


def test_python_urllib(asked: tuple[Asked, int]) -> None:
    told, port = asked
    for number, password in enumerate(PASSWORDS):
        handler = urllib.request.ProxyHandler({"http": spelled(password, port).http})
        with urllib.request.build_opener(handler).open(f"http://x.example/n{number}", timeout=10) as answer:
            answer.read()
    assert told.logins == wanted()


async def test_our_own_client(asked: tuple[Asked, int]) -> None:
    told, port = asked
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for number, password in enumerate(PASSWORDS):
        transport = Routed(wish(password, port), context)
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            assert (await client.get(f"http://x.example/n{number}")).text == "ok"
    assert told.logins == wanted()


def test_apt_reads_its_file(tmp_path: Path) -> None:
    """All in one file, each under a name of its own, as `apt-config` reads only the last of equal ones."""
    lines = []
    for number, password in enumerate(PASSWORDS):
        (image,) = apt.files(spelled(password), Facts(consumers=("apt",)))
        assert image.mode == 0o600
        lines.append((image.content or b"").decode().replace("Acquire::http::Proxy", f"Acquire::http::Proxy{number}"))
    (tmp_path / "conf").write_text("".join(lines))
    said = subprocess.run(
        ["apt-config", "dump"], env={"APT_CONFIG": str(tmp_path / "conf"), "PATH": "/usr/bin:/bin"},
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = dict(re.findall(r'^Acquire::http::Proxy([0-9]+) "(.*)/";$', said, re.MULTILINE))
    assert found == {str(n): spelled(p).http for n, p in enumerate(PASSWORDS)}


@pytest.mark.skipif(not Path("/usr/lib/apt/apt-helper").exists(), reason="needs apt")
def test_apt_sends_it(asked: tuple[Asked, int], tmp_path: Path) -> None:
    told, port = asked
    for number, password in enumerate(PASSWORDS[:40]):
        (image,) = apt.files(spelled(password, port), Facts(consumers=("apt",)))
        (tmp_path / "conf").write_bytes((image.content or b"") + b'APT::Sandbox::User "root";\n')
        command = ["/usr/lib/apt/apt-helper", "download-file", f"http://x.example/n{number}", str(tmp_path / "got")]
        environment = {"APT_CONFIG": str(tmp_path / "conf"), "PATH": "/usr/bin:/bin"}
        subprocess.run(command, check=True, capture_output=True, timeout=30, env=environment)
    assert told.logins == wanted(40)


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_sh(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    script = []
    for number, password in enumerate(PASSWORDS):
        (image,) = environment.files(spelled(password), Facts())
        (tmp_path / f"{number}.env").write_bytes(image.content or b"")
        script.append(f'. {tmp_path}/{number}.env; printf "%s\\n" "$http_proxy"')
    said = subprocess.run([shell], input="\n".join(script), check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == [spelled(p).http for p in PASSWORDS]


def test_json_that_is_kept_and_yaml_of_a_site_file() -> None:
    for password in PASSWORDS:
        (image,) = kept.files(wish(password), Facts())
        back = kept.kept(Facts(files=(FileFact(places.KEPT, "x", (image.content or b"").decode()),)))
        assert back == wish(password)
        proxy = wish(password).model_dump(mode="json", exclude_none=True)
        proxy["http"]["password"] = password
        for text in (yaml.safe_dump({"proxy": proxy}), yaml.safe_dump({"proxy": proxy}, allow_unicode=True)):
            assert document.parse(text.encode()).proxy == wish(password)
        assert document.parse(json.dumps({"proxy": proxy}, ensure_ascii=False).encode()).proxy == wish(password)


def test_go() -> None:
    """net/url of Go, rewritten: only these signs may stand in userinfo (validUserinfo), then %XX is decoded."""
    allowed = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
    for password in PASSWORDS:
        authority = spelled(password).http.removeprefix("http://")
        userinfo, at, host = authority.rpartition("@")
        assert (at, host) == ("@", "127.0.0.1:3128")
        assert allowed.fullmatch(userinfo)
        user, _, secret = userinfo.partition(":")
        assert [_unescaped(user), _unescaped(secret)] == [USER, password]


def _unescaped(text: str) -> str:
    out, at = bytearray(), 0
    while at < len(text):
        if text[at] == "%":
            out.append(int(text[at + 1 : at + 3], 16))
            at += 3
        else:
            out += text[at].encode()
            at += 1
    return out.decode()
