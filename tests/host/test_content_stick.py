"""Archives on a stick and in an ISO image, by the kernel's own file systems; nothing stays mounted."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from tests import archives
from tui.models.change import Refused
from tui.services.content import importing, sources, store
from tui.services.content.sources import Source
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

HERE = Host(Path("/"), NetlinkKernel())
SECTOR = 2048


def _loops() -> bool:
    return os.geteuid() == 0 and Path("/dev/loop-control").exists()


pytestmark = pytest.mark.skipif(not _loops(), reason="a loop device, and root, are needed to have a stick")


def iso(name: str, data: bytes) -> bytes:
    """An image of ISO 9660 with one file: 16 empty sectors, descriptor, end, two path tables, root folder, file."""

    def both(number: int, size: int) -> bytes:
        return number.to_bytes(size, "little") + number.to_bytes(size, "big")

    def record(identity: bytes, at: int, length: int, flags: int) -> bytes:
        body = both(at, 4) + both(length, 4) + bytes(7) + bytes((flags, 0, 0)) + both(1, 2) + bytes((len(identity),))
        body += identity + bytes((len(identity) + 1) % 2)
        return bytes((len(body) + 2, 0)) + body

    sectors = 21 + -(-len(data) // SECTOR)
    root = record(b"\0", 20, SECTOR, 2)
    head = b"\x01CD001\x01\0" + b" " * 32 + b"STICK".ljust(32) + bytes(8) + both(sectors, 4) + bytes(32)
    head += both(1, 2) + both(1, 2) + both(SECTOR, 2) + both(10, 4)
    head += struct.pack("<II", 18, 0) + struct.pack(">II", 19, 0) + root + b" " * 623 + b"0" * 16 + b"\0"
    folder = root + record(b"\1", 20, SECTOR, 2) + record(f"{name};1".encode(), 21, len(data), 0)
    table = (b"\1\0" + struct.pack("<IH", 20, 1) + b"\0\0", b"\1\0" + struct.pack(">IH", 20, 1) + b"\0\0")
    parts = (head.ljust(881, b"\0") + b"\1", b"\xffCD001\x01", *table, folder, data)
    return bytes(16 * SECTOR) + b"".join(p.ljust(-(-len(p) // SECTOR) * SECTOR, b"\0") for p in parts)


def stick(tmp_path: Path) -> Source:
    """ext4 with an archive two folders deep, its signature beside it, and a link that leads away."""
    content = tmp_path / "content"
    (content / "for/site").mkdir(parents=True)
    (content / "for/site/till.tar.zst").write_bytes(archives.good())
    (content / "for/site/till.tar.zst.sig").write_bytes(b"c2ln\n")
    (content / "evil.tgz").symlink_to("/etc/passwd")
    image = tmp_path / "stick.img"
    image.write_bytes(b"")
    os.truncate(image, 8 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-d", content, image], check=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})
    return Source(device=str(image), file_system="ext4")


def imported(source: Source, root: Path) -> str:
    into = Host(root, NetlinkKernel(), "user")
    with sources.opened(HERE, source) as (fd, beside):
        item = importing.imported(into, fd, name=source.name, beside=beside)
    store.verified(into, item.digest)
    return f"{item.name} {item.signature}"


def test_a_stick_is_read_and_nothing_stays_mounted(tmp_path: Path) -> None:
    where = stick(tmp_path)
    (offer,) = sources.offered(HERE, where)
    assert (offer.source.inside, offer.signed_beside) == ("for/site/till.tar.zst", True)
    assert imported(offer.source, tmp_path / "root") == "till not checked"
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    assert str(tmp_path) not in subprocess.check_output(["losetup", "--list"], text=True)


@pytest.mark.skipif(
    "iso9660" not in Path("/proc/filesystems").read_text(), reason="the kernel of this machine has no iso9660"
)
def test_an_iso_image_is_read(tmp_path: Path) -> None:
    (tmp_path / "disc.iso").write_bytes(iso("SHOP.TGZ", archives.definition()))
    (offer,) = sources.offered(HERE, Source(path=str(tmp_path / "disc.iso")))
    assert offer.source.name == "shop.tgz"
    assert imported(offer.source, tmp_path / "root") == "shop unsigned"


@pytest.mark.parametrize("inside", ["evil.tgz", "../../etc/passwd", "nothing.tgz"])
def test_what_is_no_archive_of_the_stick_is_not_opened(inside: str, tmp_path: Path) -> None:
    where = stick(tmp_path)
    with (
        pytest.raises(Refused, match="B121"),
        sources.opened(HERE, Source(device=where.device, file_system="ext4", inside=inside)),
    ):
        pass


def test_a_file_system_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.iso").write_bytes(os.urandom(1 << 20))
    with pytest.raises(Refused, match=r"B121: .*cannot be read"):
        sources.offered(HERE, Source(path=str(tmp_path / "x.iso")))
