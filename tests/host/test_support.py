"""The support bundle on a real device and on a host with real systemd: written to a stick, fetched once by curl."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import box as boxes
from tests.host.box import MORE, Box, wait_for
from tui.models.change import Refused
from tui.services.support import stick as writing
from tui.services.trust import sticks
from tui.services.trust.sticks import Stick

NAME = "onsite-support-box-20260131-120000.tar.gz"
DATA = os.urandom(1_500_000)
PASSWORD = 'Str0ng & 50% "quoted" pässword'
TOKEN = "tok-0123456789abcdefghij"


def device(tmp_path: Path, size: int) -> Iterator[Stick]:
    """A stick of that many bytes, with what file system of a stick this kernel has."""
    if shutil.which("losetup") is None or shutil.which("mke2fs") is None:
        pytest.skip("a stick needs losetup and mke2fs (see .ci/packages)")
    image = tmp_path / "stick.img"
    with image.open("wb") as file:
        file.truncate(size)
    fat = "\tvfat\n" in Path("/proc/filesystems").read_text() and shutil.which("mkfs.vfat") is not None
    make = (
        ["mkfs.vfat", "-n", "SUPPORT"] if fat else ["mke2fs", "-q", "-t", "ext4", "-L", "SUPPORT", "-O", "^has_journal"]
    )
    subprocess.run([*make, str(image)], check=True, capture_output=True)
    made = subprocess.run(["losetup", "-f", "--show", str(image)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a stick needs a loop device: {made.stderr.strip()}")
    path = made.stdout.strip()
    try:
        yield Stick(path, "vfat" if fat else "ext4", "SUPPORT", "16M")
    finally:
        subprocess.run(["losetup", "-d", path], check=True)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    yield from device(tmp_path, 16 << 20)


@pytest.fixture
def small_stick(tmp_path: Path) -> Iterator[Stick]:
    yield from device(tmp_path, 1 << 20)


def lying(on: Stick) -> dict[str, int]:
    """Names and sizes on the stick, by the reader of certificates."""
    return {found.name: found.size for found in sticks.read(on, (".gz", ".tmp"))}


def test_written_and_whole(stick: Stick, tmp_path: Path) -> None:
    steps: list[int] = []
    where = writing.write(stick, NAME, DATA, lambda done, _whole: steps.append(done))
    assert where == f"{stick.device} SUPPORT, {NAME}"
    assert steps[-1] == len(DATA)
    assert len(steps) > 10
    assert lying(stick) == {NAME: len(DATA)}
    assert stick.device not in Path("/proc/mounts").read_text(), "mounted for nobody else"
    content = (tmp_path / "stick.img").read_bytes()
    assert DATA[:4096] in content, "synced before it was said"
    with pytest.raises(Refused) as refused:
        writing.write(stick, NAME, DATA)
    assert refused.value.issues[0].code == "U103"
    assert lying(stick) == {NAME: len(DATA)}


def test_cancelled_and_nothing_is_left(stick: Stick) -> None:
    def stop(done: int, whole: int) -> None:
        if done > whole // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writing.write(stick, NAME, DATA, stop)
    assert [name for name in lying(stick) if name == NAME] in ([], [NAME])
    assert all(size == len(DATA) for size in lying(stick).values()), "whole, or not there"
    assert not [name for name in lying(stick) if name.endswith(".tmp")]


def test_no_room(small_stick: Stick) -> None:
    with pytest.raises(Refused) as refused:
        writing.write(small_stick, NAME, DATA)
    assert refused.value.issues[0].code == "U102"
    assert lying(small_stick) == {}


def test_no_stick() -> None:
    with pytest.raises(Refused) as refused:
        writing.write(Stick("/dev/nothing-here", "ext4", "", ""), NAME, DATA)
    assert refused.value.issues[0].code == "U101"


@pytest.fixture(scope="module")
def host() -> Iterator[Box]:
    if why := boxes.missing():
        pytest.skip(why)
    with Box(MORE) as made:
        yield made


def test_a_real_host_has_none_of_its_secrets_in_it(host: Box, tmp_path: Path) -> None:
    """A proxy and a token that were kept, a Wi-Fi key of somebody else, and a journal that has all of them."""
    wish = {
        "version": 1,
        "proxy": {"method": "one", "http": {"host": "192.0.2.8", "user": "edge01", "password": PASSWORD}},
        "registration": {"endpoint": "manage.example", "token": TOKEN},
    }
    host.write("/root/wish.yaml", json.dumps(wish))
    host.run("chmod", "600", "/root/wish.yaml")
    host.onsite("apply", "/root/wish.yaml", "--yes-warnings")
    host.onsite("keep")
    host.write("/etc/wpa_supplicant/w.conf", 'network={\n psk="wifi-key-of-somebody"\n}\n')
    said = (
        f"careless: {PASSWORD} {TOKEN} wifi-key-of-somebody {base64.b64encode(f'edge01:{PASSWORD}'.encode()).decode()}"
    )
    host.run("systemd-run", "--wait", "--quiet", "--unit=containerd", "echo", said, check=False)
    wait_for("the journal", lambda: "careless" in host.run("journalctl", "-u", "containerd").stdout)
    listed = host.onsite("support-bundle", "--to", "/root/bundle.tar.gz").stdout
    assert "journal/containerd.log" in listed
    packed = (host.root / "root/bundle.tar.gz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = {e.name.partition("/")[2]: archive.extractfile(e).read() for e in archive}  # type: ignore[union-attr]
    assert b"careless: ***" in members["journal/containerd.log"]
    assert len(members) > 10
    heap = b"\n".join(members.values())
    for secret in (PASSWORD, TOKEN, "wifi-key-of-somebody"):
        raw = secret.encode()
        inner = [base64.b64encode(b"x" * lead + raw)[4:-4] for lead in range(3)]
        for form in (raw, json.dumps(secret)[1:-1].encode(), *inner):
            assert form not in heap, form


def test_fetched_once_by_curl_and_the_link_is_in_no_log(host: Box) -> None:
    serve = host.inside("onsite", "support-bundle", "--link", "--address", "127.0.0.1")
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as serving:
        assert serving.stdout is not None
        shown = ""
        while "SHA-256" not in shown or not re.search(r"([0-9A-F]{4} ){15}[0-9A-F]{4}", shown):
            line = serving.stdout.readline()
            assert line, shown
            shown += line
        found = re.search(r"https://127\.0\.0\.1:\d+/(\w{26})", shown)
        assert found is not None
        assert host.run("curl", "-sS", found[0], check=False).returncode == 60, "curl does not know the certificate"
        wrong = host.run("curl", "-skS", "-o", "/dev/null", "-w", "%{http_code}", found[0][:-1])
        assert wrong.stdout == "404"
        host.run("curl", "-skS", "-o", "/root/fetched.tar.gz", found[0])
        rest = serving.stdout.read()
        assert serving.wait(30) == 0
    assert "fetched by 127.0.0.1" in rest
    assert host.run("curl", "-sk", found[0], check=False).returncode == 7, "the link is closed"
    with tarfile.open(host.root / "root/fetched.tar.gz") as archive:
        assert len(archive.getnames()) > 10
    heap = host.run("journalctl", "--no-pager", "-o", "json", "--all").stdout.encode()
    for top in ("etc", "run", "var/lib/onsite", "var/log"):
        heap += b"".join(p.read_bytes() for p in (host.root / top).rglob("*") if p.is_file() and not p.is_symlink())
    assert found[1].encode() not in heap
    assert b"support bundle" in heap, "that it left is in the audit"
