"""A certificate authority from a FAT stick to a working curl, by keystrokes, on a machine whose kernel has FAT.

test_trust.py tries the rest in a container; the kernel below it may have no FAT.
"""

from __future__ import annotations

import datetime
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Issued, issued, server
from tests.host import guest
from tests.host.box import wait_for
from tests.host.guest import Guest
from tests.host.test_trust import ADDRESS, APPLY, HELLO, IMPORT, NAME, SERVE, URL, press

_FEW = """awk '/^mozilla/ && ++n > 3 {$0 = "!" $0} 1' /etc/ca-certificates.conf >/run/few &&
cp /run/few /etc/ca-certificates.conf && update-ca-certificates --fresh"""
"""Three of the distribution's authorities: this kernel starts a thousand processes too slowly for all of them."""
pytestmark = pytest.mark.timeout(900)


def _stick(path: Path, root: Issued) -> None:
    """An image with FAT as a camera or a Windows PC makes it: the file in a folder, with DOS lines."""
    with path.open("wb") as file:
        file.truncate(64 << 20)
    certificate = path.with_name("company-root.crt")
    certificate.write_bytes(root.pem.replace(b"\n", b"\r\n"))
    for command in (["mformat", "-F", "-v", "COMPANY", "::"], ["mmd", "::pki"], ["mcopy", str(certificate), "::pki"]):
        subprocess.run([command[0], "-i", str(path), *command[1:]], check=True)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Guest]:
    """With the stick as a loop device, which is what lsblk calls removable here, and a server that nobody believes."""
    if why := guest.missing():
        pytest.skip(why)
    if shutil.which("mformat") is None:
        pytest.skip("a FAT stick needs mformat (mtools, see .ci/packages)")
    today = datetime.datetime.now(datetime.UTC)
    begins = today - datetime.timedelta(days=2)
    root = issued("Example Root CA", begins=begins, ends=today + datetime.timedelta(days=3650))
    leaf = server(root, NAME, begins=begins)
    _stick(tmp_path / "stick.img", root)
    with Guest(sticks=(tmp_path / "stick.img",)) as booted:
        booted.run("sh", "-c", _FEW, timeout=300)
        booted.run("modprobe", "-a", "loop", "vfat", "nls_cp437", "nls_iso8859-1")
        booted.run("losetup", "-f", "-r", "/dev/ubdb")
        booted.run("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
        booted.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 box\n{ADDRESS} {NAME}\n")
        booted.write("/run/serve.py", SERVE)
        booted.write("/run/server.pem", (leaf.key_pem + leaf.pem).decode(), 0o600)
        booted.begin("python3", "/run/serve.py", ADDRESS, "/run/server.pem", HELLO)
        wait_for("the server", lambda: _curl(booted).returncode == 60, 60)
        yield booted


def _curl(machine: Guest) -> subprocess.CompletedProcess[str]:
    return machine.run("curl", "-sS", "--max-time", "10", URL, check=False)


def test_from_a_fat_stick_to_a_working_curl(machine: Guest, tmp_path: Path) -> None:
    assert "vfat" in machine.run("blkid", "-p", "/dev/ubdb").stdout
    before = hashlib.sha256((tmp_path / "stick.img").read_bytes()).hexdigest()
    with machine.program("script", "-q", "-c", "onsite --terminal vt220", "/dev/null") as program:
        program.expect("q quit", 60)
        number = press(
            program, ("4", "none; I imports"), ("i", "COMPANY"), ("enter", "pki/company-root.crt"), *IMPORT, *APPLY,
        )  # fmt: skip
    assert number <= 15, number
    assert _curl(machine).stdout == HELLO
    assert hashlib.sha256((tmp_path / "stick.img").read_bytes()).hexdigest() == before, "not one byte changed"
    print(f"from a FAT stick to a working curl: {number} keys (limit 15)")
