"""From a stick or a folder to a working curl by keystrokes, in a host with real systemd; and nothing of it remains.

A TLS server with a certificate of a private CA listens in the container's network, its name known to /etc/hosts only.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from bench.terminal import Program
from tests.certificates import Issued, issued, server
from tests.host import box as boxes
from tests.host.box import MORE, Box, wait_for
from tui.services.trust import sticks

NAME, ADDRESS = "registry.example", "203.0.113.20"
URL = f"https://{NAME}/"
HELLO = "hello from behind the private CA"
PASSPHRASE = "S3cret, with 20% & more"
SERVE = """
import http.server, ssl, sys
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.argv[3].encode())
    def log_message(self, *_):
        pass
httpd = http.server.ThreadingHTTPServer((sys.argv[1], 443), Hello)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
httpd.serve_forever()
"""
UNIT = f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'curl -sS {URL} >/run/reach.out 2>&1'\n"
PROVE = f"""
import asyncio
from pathlib import Path
from tui.services.host import Host
from tui.services.trust import proof, reach
async def main():
    async for one in proof.proofs(Host(Path("/"), None), reach.server("{NAME}")):
        print(one.consumer, one.believed, one.code)
asyncio.run(main())
"""
PLACES = (
    "etc/ssl",
    "usr/local/share/ca-certificates",
    "etc/ca-certificates",
    "etc/containers",
    "var/lib/ca-certificates",
)


@dataclass(frozen=True, slots=True)
class Site:
    box: Box
    root: Issued
    middle: Issued

    def curl(self) -> subprocess.CompletedProcess[str]:
        return self.box.run("curl", "-sS", "--max-time", "10", URL, check=False)

    def service(self) -> str:
        """What a service of systemd gets, with nothing of a login's environment."""
        self.box.run("systemctl", "start", "reach.service", check=False)
        return (self.box.run("cat", "/run/reach.out")).stdout

    def store(self) -> dict[str, str]:
        """Every file and link of the trust stores."""
        return {
            str(path.relative_to(self.box.root)): os.readlink(path)  # noqa: PTH115
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
            for top in PLACES
            for path in (self.box.root / top).rglob("*")
            if path.is_symlink() or path.is_file()
        }

    def console(self) -> Program:
        command = self.box.inside("onsite", "--terminal", "vt220")
        program = Program(command, "vt220", environ={"PATH": os.environ["PATH"], "TERM": "vt220"})
        program.expect("q quit", 30)
        return program

    def believed(self) -> None:
        assert self.curl().stdout == HELLO
        assert self.service() == HELLO
        python = f"import urllib.request; print(urllib.request.urlopen('{URL}', timeout=10).read().decode())"
        assert self.box.run("python3", "-c", python).stdout.strip() == HELLO

    def not_believed(self) -> None:
        assert self.curl().returncode == 60, self.curl().stderr
        assert "certificate" in self.service()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if why := boxes.missing():
        pytest.skip(why)
    today = datetime.datetime.now(datetime.UTC)
    span = {"begins": today - datetime.timedelta(days=2)}
    root = issued("Example Root CA", ends=today + datetime.timedelta(days=3650), **span)
    middle = issued("Example Issuing CA", root, ends=today + datetime.timedelta(days=1800), **span)
    leaf = server(middle, NAME, **span)
    folder = tmp_path_factory.mktemp("server")
    (folder / "server.pem").write_bytes(leaf.key_pem + leaf.pem + middle.pem)
    (folder / "serve.py").write_text(SERVE)
    with Box(MORE) as box:
        net = ["nsenter", "-t", str(box.leader), "--net"]
        subprocess.run([*net, "ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
        serve = [*net, sys.executable, str(folder / "serve.py"), ADDRESS, str(folder / "server.pem"), HELLO]
        with subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as serving:
            try:
                box.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 box\n{ADDRESS} {NAME}\n")
                box.write("/etc/systemd/system/reach.service", UNIT)
                box.run("systemctl", "daemon-reload")
                (box.root / "etc/containers/certs.d" / NAME).mkdir(parents=True)
                found = Site(box, root, middle)
                wait_for("the server", lambda: found.curl().returncode == 60)
                yield found
            finally:
                serving.kill()


def press(program: Program, *steps: tuple[str, str]) -> int:
    """Press a key and wait for words, for each; the number of keys."""
    for key, words in steps:
        program.press(key)
        program.expect(words, 30)
    return len(steps)


IMPORT = (("enter", "Enter trust this"), ("enter", "nothing is written yet"))
APPLY = (("a", "Keep this change?"), ("k", "Kept."))


def test_from_a_folder_to_a_working_curl(site: Site) -> None:
    box = site.box
    before = site.store()
    site.not_believed()
    (box.root / "mnt/stick").mkdir(parents=True)
    (box.root / "mnt/stick/company-root.cer").write_bytes(site.root.der)
    with site.console() as program:
        number = press(
            program, ("4", "none; I imports"), ("i", "A folder or file"), ("enter", "Folder or file [/mnt"),
            ("enter", "company-root.cer"), *IMPORT, *APPLY,
        )  # fmt: skip
    assert number <= 15, number
    site.believed()
    proven = box.run("python3", "-c", PROVE).stdout.split("\n")
    assert [line.split()[-1] for line in proven if line] == ["True"] * 3 or all("True" in x for x in proven if x)
    copies = [path for path in site.store() if path.endswith(f"onsite-{site.root.sha256[:8]}.crt")]
    assert sorted(copies) == [
        f"etc/containers/certs.d/{NAME}/onsite-{site.root.sha256[:8]}.crt",
        f"usr/local/share/ca-certificates/onsite-{site.root.sha256[:8]}.crt",
    ]
    box.onsite("revert", "--last")
    box.onsite("keep")
    assert site.store() == before
    site.not_believed()


def test_what_is_not_kept_leaves_nothing(site: Site) -> None:
    box = site.box
    before = site.store()
    document = f"version: 1\ntrust:\n  authorities:\n  - |\n{_indented(site.root.pem.decode())}"
    box.write("/root/wish.yaml", document)
    box.onsite("apply", "/root/wish.yaml", "--keep-within", "60")
    assert site.curl().stdout == HELLO, "in effect before Keep"
    box.onsite("revert")
    assert site.store() == before
    site.not_believed()
    box.onsite("apply", "/root/wish.yaml", "--keep-within", "5")
    wait_for("the dead-man", lambda: not (box.root / "var/lib/onsite/pending.json").exists(), 40)
    assert site.store() == before
    again = box.onsite("apply", "/root/wish.yaml")
    box.onsite("keep")
    assert "Example Root CA" in again.stdout
    assert "Nothing has to change" in box.onsite("apply", "/root/wish.yaml").stdout
    box.onsite("revert", "--last")
    box.onsite("keep")
    assert site.store() == before


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def test_what_the_server_presents(site: Site) -> None:
    """The chain is shown, the intermediate picked, the fingerprint compared; curl stops at it (partial chain)."""
    before = site.store()
    with site.console() as program:
        program.press("4")
        program.expect("none; I imports", 30)
        program.press("i", "down", "down", "enter")
        program.expect("Server         [", 10)
        program.send(NAME.encode())
        program.settle(0.5, 2)
        program.press("enter")
        program.expect("Example Issuing CA", 30)
        shown = "\n".join(program.model.text())
        assert "compare the fingerprint" in shown
        program.press("enter")
        program.expect("Is the fingerprint the same?", 10)
        program.press("y")
        program.expect("nothing is written yet", 10)
        program.press("a")
        program.expect("Apply in spite of 1 warning?", 20)
        program.press("y")
        program.expect("Keep this change?", 40)
        assert site.curl().stdout == HELLO
        program.press("r")
        program.expect("(verified)", 40)
    assert site.store() == before


def test_keys_and_passphrases_are_nowhere(site: Site) -> None:
    box = site.box
    folder = box.root / "mnt/stick"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    (folder / "a-key.pem").write_bytes(site.root.pem + site.root.key_pem)
    how = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    store = pkcs12.serialize_key_and_certificates(b"ca", None, None, [site.root.certificate], how)
    (folder / "b-store.p12").write_bytes(store)
    with site.console() as program:
        press(program, ("4", "I imports"), ("i", "A folder or file"), ("enter", "Folder or file ["))
        press(program, ("enter", "a-key.pem"), ("enter", "S111"), ("escape", "b-store.p12"))
        program.press("down", "enter")
        program.expect("Passphrase     [", 20)
        program.settle(0.5, 2)
        program.send(PASSPHRASE.encode())
        program.settle(0.5, 2)
        press(program, ("enter", "ok Example Root CA (root)"), ("enter", "nothing is written yet"), *APPLY)
        running = box.run(
            "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"
        ).stdout
        seen = bytes(program.data)
    site.believed()
    (folder / "a-key.pem").unlink()
    (folder / "b-store.p12").unlink()
    journal = box.run(
        "sh", "-c", "journalctl --no-pager --all -o json; cat /run/onsite/* /var/lib/onsite/* 2>/dev/null; true"
    ).stdout
    heap = running.encode("utf-8", "replace") + journal.encode("utf-8", "replace") + seen
    for top in ("etc", "var", "run", "root", "usr/local", "tmp"):
        for path in (box.root / top).rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_size < 50_000_000:
                heap += path.read_bytes()
    body = b"".join(site.root.key_pem.splitlines()[1:-1])
    secrets = [body[:60], body[60:120], PASSPHRASE.encode(), b"PRIVATE KEY-"]
    for secret in secrets:
        for form in (secret, base64.b64encode(secret).rstrip(b"=")[:-2], quote(secret).encode()):
            assert form not in heap, form
    assert b"onsite" in heap
    box.onsite("revert", "--last")
    box.onsite("keep")


@pytest.fixture
def stick(tmp_path: Path, site: Site) -> Iterator[Path]:
    """A device with a file system of a stick, as far as this kernel has one."""
    if shutil.which("losetup") is None or shutil.which("mke2fs") is None:
        pytest.skip("a stick needs losetup and mke2fs (see .ci/packages)")
    content, image = tmp_path / "content", tmp_path / "stick.img"
    (content / "pki").mkdir(parents=True)
    (content / "pki/company-root.crt").write_bytes(site.root.pem.replace(b"\n", b"\r\n"))
    (content / "pki/link.crt").symlink_to("/etc/shadow")
    (content / "readme.txt").write_text("not a certificate")
    (content / "huge.pem").write_bytes(b"x" * 1_000_000)
    with image.open("wb") as file:
        file.truncate(8 << 20)
    if "\tvfat\n" in Path("/proc/filesystems").read_text() and shutil.which("mkfs.vfat") and shutil.which("mcopy"):
        subprocess.run(["mkfs.vfat", "-n", "COMPANY", str(image)], check=True, capture_output=True)
        (content / "pki/link.crt").unlink()
        subprocess.run(["mcopy", "-s", "-i", str(image), *map(str, content.iterdir()), "::"], check=True)
    else:
        command = ["mke2fs", "-q", "-t", "ext4", "-L", "COMPANY", "-d", str(content), str(image)]
        subprocess.run(command, check=True, capture_output=True)
    made = subprocess.run(["losetup", "-f", "--show", str(image)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a stick needs a loop device: {made.stderr.strip()}")
    device = Path(made.stdout.strip())
    try:
        yield device
    finally:
        subprocess.run(["losetup", "-d", str(device)], check=True)


def test_from_a_stick_to_a_working_curl(site: Site, stick: Path) -> None:
    box = site.box
    before = site.store()
    content = hashlib.sha256(stick.read_bytes()).hexdigest()
    numbers = [str(n) for n in (os.major(stick.stat().st_rdev), os.minor(stick.stat().st_rdev))]
    box.run("mknod", str(stick), "b", *numbers)
    with site.console() as program:
        number = press(
            program, ("4", "none; I imports"), ("i", f"> Stick {stick}  COMPANY"), ("enter", "pki/company-root.crt"),
        )  # fmt: skip
        shown = "\n".join(program.model.text())
        assert "link.crt" not in shown
        assert "readme" not in shown
        mounts = Path(f"/proc/{box.leader}/mounts").read_text() + Path("/proc/mounts").read_text()
        assert str(stick) not in mounts, "mounted for nobody else"
        number += press(program, ("down", "> pki"), *IMPORT, *APPLY)
    assert number <= 15, number
    site.believed()
    assert hashlib.sha256(stick.read_bytes()).hexdigest() == content, "not one byte of the stick changed"
    box.onsite("revert", "--last")
    box.onsite("keep")
    assert site.store() == before
    site.not_believed()


def test_a_stick_that_is_gone_is_a_sentence() -> None:
    from tui.models.change import Refused

    with pytest.raises(Refused, match="S140"):
        sticks.read(sticks.Stick("/dev/nothing-here", "vfat", "", ""))
