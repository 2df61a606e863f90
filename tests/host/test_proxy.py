"""After Keep a real curl, apt, services and our own client get out by a squid; after Revert nothing remains.

The server's name is known to squid only, so nothing of the container reaches it without the proxy.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from pydantic import SecretStr

from tests.host import box as boxes
from tests.host.box import MORE, Box, wait_for
from tests.netns import proxies
from tui.models.facts import Facts
from tui.models.proxy import ProxyConfig, Upstream
from tui.services.proxy import environment, manager
from tui.services.proxy.settings import Settings

PROXY, SERVER, PORT = "203.0.113.8", "203.0.113.9", 8080
URL = f"http://repo.example:{PORT}/hello"
HELLO = "hello from behind the proxy"
USER, PASSWORD = "edge01", "p@ss:/#?%&+ \"é'\\$HOME%40"
SERVICE = f"""
[Service]
ExecStart=/bin/sh -c 'curl -sS {URL} >/run/%N.out 2>&1; sleep 1000'
"""
FUSSY = """
[Service]
Type=notify
NotifyAccess=all
ExecStart=/bin/sh -c 'test -z "$http_proxy" && systemd-notify --ready && sleep 1000'
"""
OUR_CLIENT = f"""
import asyncio
from pathlib import Path
from tui.services import http
from tui.services.host import Host
async def main():
    async with http.client(Host(Path("/"), None)) as client:
        print((await client.get("{URL}")).text)
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The container, a squid that asks for a login, one that does not, and a server behind both."""

    box: Box
    asking: int
    open: int

    def wish(self, port: int, **login: str) -> None:
        exceptions = ["localhost", "127.0.0.0/8", "::1", ".svc", "10.0.0.0/8", "2001:db8::/32"]
        proxy = {"method": "one", "http": {"host": PROXY, "port": port, **login}, "exceptions": exceptions}
        self.box.write("/root/wish.yaml", json.dumps({"version": 1, "proxy": proxy}, ensure_ascii=False))
        (self.box.root / "root/wish.yaml").chmod(0o600)

    def apply(self) -> str:
        return self.box.onsite("apply", "/root/wish.yaml", "--yes-warnings", "--keep-within", "120").stdout

    def curl(self, *how: str) -> subprocess.CompletedProcess[str]:
        return self.box.run(*how, f"curl -sS --max-time 10 {URL}", check=False)

    def update(self) -> subprocess.CompletedProcess[str]:
        return self.box.run("apt-get", "update", "-o", "Acquire::Retries=0", check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if why := boxes.missing() or proxies.missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("site")
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(Box(MORE))
        _repository(folder / "www")
        net = ["nsenter", "-t", str(box.leader), "--net"]
        for address in (PROXY, SERVER):
            subprocess.run([*net, "ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
        server = [sys.executable, "-m", "http.server", "--bind", SERVER, "--directory", str(folder / "www"), str(PORT)]
        stack.enter_context(_running([*net, *server]))
        (folder / "hosts").write_text(f"{SERVER} repo.example\n")
        ports = []
        for name, rules in (
            ("asking", proxies.basic(folder / "asking", USER, PASSWORD)), ("open", ("http_access allow all",)),
        ):  # fmt: skip
            lines = (f"hosts_file {folder}/hosts", *rules)
            listen = f"{PROXY}:{{port}}"
            ports.append(stack.enter_context(proxies.squid(folder / name, *lines, listen=listen, within=net)))
        box.run("sh", "-c", "rm -rf /etc/apt/sources.list.d/*")
        box.write("/etc/apt/sources.list", f"deb [trusted=yes] http://repo.example:{PORT}/ ./\n")
        box.write("/etc/systemd/system/containerd.service", SERVICE)
        box.write("/etc/systemd/system/other.service", SERVICE)
        box.run("systemctl", "daemon-reload")
        box.run("systemctl", "start", "containerd.service", "other.service")
        yield Site(box, *ports)


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _repository(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "hello").write_text(HELLO)
    packages = b"Package: onsite-nothing\nVersion: 1\nArchitecture: all\nFilename: ./none.deb\nSize: 0\n\n"
    (folder / "Packages").write_bytes(packages)
    line = f" {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages"
    (folder / "Release").write_text(f"Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n{line}\n")


def _state(box: Box) -> dict[str, tuple[str, int]]:
    """Every file of /etc with its hash and mode."""
    etc = box.root / "etc"
    return {
        str(path.relative_to(etc)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.lstat().st_mode)
        for path in etc.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def _environment(box: Box, unit: str) -> str:
    pid = box.run("systemctl", "show", "-P", "MainPID", unit).stdout.strip()
    return box.run("cat", f"/proc/{pid}/environ").stdout


def _refused(site: Site) -> None:
    assert "Could not resolve host" in site.curl("sh", "-lc").stderr
    assert site.update().returncode != 0 or "repo.example" in site.update().stderr
    assert "proxy" not in _environment(site.box, "containerd.service").lower()
    wish = site.box.run("systemctl", "show-environment").stdout
    assert "proxy" not in wish.lower(), wish


def test_with_a_login(site: Site) -> None:
    box = site.box
    before = _state(box)
    _refused(site)

    site.wish(site.asking, user=USER, password=PASSWORD)
    said = site.apply()
    assert HELLO in site.curl("sh", "-lc").stdout, "in effect before Keep"
    said += box.onsite("revert").stdout
    assert _state(box) == before
    _refused(site)

    said += site.apply() + box.onsite("keep").stdout
    assert site.curl("sh", "-lc").stdout == HELLO
    updated = site.update()
    assert updated.returncode == 0, updated.stderr
    assert "Err" not in updated.stdout + updated.stderr
    assert "onsite-nothing" in box.run("apt-cache", "show", "onsite-nothing").stdout
    assert box.run("python3", "-c", OUR_CLIENT).stdout.strip() == HELLO
    wait_for("containerd fetched it", lambda: _out(box) == HELLO)
    _nobody_else_knows(box, said)
    assert _state(box).keys() - before.keys() == {
        "onsite/proxy.json", "onsite/proxy.env", "profile.d/50-onsite-proxy.sh", "apt/apt.conf.d/95onsite-proxy",
        "systemd/system.conf.d/50-onsite-proxy.conf", "systemd/system/containerd.service.d/50-onsite-proxy.conf",
    } | ({"environment"} - before.keys())  # fmt: skip

    box.onsite("revert", "--last")
    box.onsite("keep")
    assert _state(box) == before
    _refused(site)


def _out(box: Box) -> str:
    return box.run("cat", "/run/containerd.out", check=False).stdout


def test_without_a_login_every_service_gets_out(site: Site) -> None:
    box = site.box
    before = _state(box)
    site.wish(site.open)
    site.apply()
    box.onsite("keep")
    service = ["systemd-run", "--quiet", "--wait", "--pipe", "curl", "-sS", "--max-time", "10", URL]
    assert box.run(*service).stdout == HELLO, "any service, by systemd's default environment"
    assert site.curl("setpriv", "--reuid=65534", "--clear-groups", "sh", "-lc").stdout == HELLO, "any user"
    assert site.update().returncode == 0
    box.onsite("revert", "--last")
    box.onsite("keep")
    assert _state(box) == before
    _refused(site)


def test_a_service_that_does_not_start_takes_the_change_back(site: Site) -> None:
    box = site.box
    before = _state(box)
    box.write("/etc/systemd/system/k3s.service", FUSSY)
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", "k3s.service")
    with_unit = _state(box)
    site.wish(site.open)
    refused = box.onsite("apply", "/root/wish.yaml", "--yes-warnings", check=False)
    assert refused.returncode == 4, refused.stdout + refused.stderr
    assert "C103" in refused.stderr
    assert _state(box) == with_unit
    assert box.run("systemctl", "is-active", "k3s.service", check=False).stdout.strip() == "active"
    box.run("systemctl", "stop", "k3s.service")
    (box.root / "etc/systemd/system/k3s.service").unlink()
    box.run("systemctl", "daemon-reload")
    assert _state(box) == before


def _spellings() -> dict[str, bytes]:
    raw = PASSWORD.encode()
    login = f"{USER}:{PASSWORD}".encode()
    found = {
        "raw": raw,
        "percent": quote(PASSWORD, safe="").encode(),
        "unit": quote(PASSWORD, safe="").replace("%", "%%").encode(),
        "JSON": json.dumps(PASSWORD)[1:-1].encode(),
        "JSON, UTF-8": json.dumps(PASSWORD, ensure_ascii=False)[1:-1].encode(),
    }
    for name, data in (("password", raw), ("login", login)):
        for offset in range(3):  # base64 of what stands somewhere within other bytes
            encoded = base64.b64encode(b"\0" * offset + data)
            found[f"base64 of the {name} at {offset}"] = encoded[(0, 2, 3)[offset] : -4]
    return found


def _nobody_else_knows(box: Box, said: str) -> None:
    """Terminal, process list, environments, journal, D-Bus, audit, every file that somebody else may read."""
    spellings = _spellings()

    def leaks(data: bytes) -> list[str]:
        return [name for name, spelling in spellings.items() if spelling in data]

    assert leaks(b"...x" + PASSWORD.encode()), "the search finds what is there"
    assert leaks(base64.b64encode(f"ab{USER}:{PASSWORD} ".encode())), "in base64 too"
    outputs = {
        "terminal": said, "plan": box.onsite("plan", "/root/wish.yaml").stdout,
        "plan --json": box.onsite("plan", "/root/wish.yaml", "--json").stdout,
        "facts": box.onsite("facts", "--json").stdout, "export": box.onsite("export").stdout,
        "history": box.onsite("history", "--json").stdout, "journal": box.run("journalctl", "--no-pager", "-a").stdout,
        "units": box.run("systemctl", "show", "containerd.service", "other.service").stdout,
        "manager": box.run("systemctl", "show").stdout + box.run("systemctl", "show-environment").stdout,
        "processes": box.run("ps", "-eo", "args").stdout,
    }  # fmt: skip
    assert {name: leaks(text.encode()) for name, text in outputs.items() if leaks(text.encode())} == {}
    assert f"user: {USER}" in outputs["export"], "all but the password"
    assert "proxy" in outputs["units"], "the drop-in is seen"
    environments = box.run(
        "sh", "-c", "for p in /proc/[0-9]*; do echo; echo $p; cat $p/environ 2>/dev/null; done"
    ).stdout
    holders = [e for e in environments.split("\n/proc/") if leaks(e.encode())]
    cgroups = {box.run("cat", f"/proc/{e.splitlines()[0].split('/')[-1]}/cgroup").stdout for e in holders}
    assert len(cgroups) == 1, "containerd alone"
    assert "containerd.service" in cgroups.pop()
    readable = []
    for path in (box.folder / "upper").rglob("*"):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and leaks(path.read_bytes()):
            opened = status.st_mode & 0o077 and all(
                os.lstat(p).st_mode & 0o001 for p in _above(path, box.folder / "upper")
            )
            readable.append((str(path), bool(opened)))
    assert {Path(p).name for p, _ in readable} >= {"proxy.json", "proxy.env", "95onsite-proxy"}, "the search finds them"
    assert [p for p, opened in readable if opened] == []
    audit = (box.root / "var/lib/onsite/audit.log").read_bytes()
    assert b"***@" in audit
    assert leaks(audit) == []


def _above(path: Path, top: Path) -> Iterator[Path]:
    while (path := path.parent) != top:
        yield path


def test_a_thousand_passwords_through_systemd(site: Site) -> None:
    """One service reads them all: by environment files as we write them, and by the quoting of unit files."""
    box = site.box
    folder = box.root / "opt/passwords"
    folder.mkdir()
    lines = []
    passwords = proxies.passwords(1000)
    for number, password in enumerate(passwords):
        upstream = Upstream(host="proxy.example", port=3128, user=USER, password=SecretStr(password))
        settings = Settings.of(ProxyConfig(method="one", http=upstream))
        (image,) = environment.files(settings, Facts())
        text = (image.content or b"").decode().splitlines()[0]
        (folder / f"{number}").write_text(text.replace("http_proxy", f"by_file_{number}") + "\n")
        lines.append(f"EnvironmentFile=/opt/passwords/{number}")
        lines.append(f"Environment={manager.assignment(f'by_unit_{number}', settings.http)}")
    box.write("/etc/systemd/system/asked.service", "\n".join(
        ["[Service]", "Type=oneshot", *lines, "ExecStart=/bin/sh -c 'env -0 >/opt/passwords/said'", ""]
    ))  # fmt: skip
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", "asked.service")
    said = dict(x.split("=", 1) for x in (folder / "said").read_text().split("\0") if x.startswith("by_"))
    shutil.rmtree(folder)
    (box.root / "etc/systemd/system/asked.service").unlink()
    box.run("systemctl", "daemon-reload")
    for way in ("file", "unit"):
        found = [unquote(str(urlsplit(said[f"by_{way}_{n}"]).password)) for n in range(len(passwords))]
        assert found == passwords
