"""A file is old or new, never half, and nothing is left beside it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services.change import files
from tui.services.host import Host


class _NoKernel:
    def links(self) -> tuple[()]:
        return ()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, _NoKernel(), "recorded")  # type: ignore[arg-type]  # no kernel is asked here


def _leftovers(host: Host) -> list[str]:
    return [str(p) for p in host.root.rglob("*.tmp")]


def test_writes_content_mode_and_folders(host: Host) -> None:
    files.write_image(host, FileImage("/etc/onsite/links/a.yaml", b"one\n", 0o640, os.getuid(), os.getgid()))
    written = host.path("/etc/onsite/links/a.yaml")
    assert written.read_bytes() == b"one\n"
    assert stat.S_IMODE(written.stat().st_mode) == 0o640
    assert _leftovers(host) == []


def test_reads_back_what_it_wrote(host: Host) -> None:
    for image in (
        FileImage("/etc/f", b"\x00\xff", 0o600, os.getuid(), os.getgid()),
        FileImage("/etc/l", target="/run/onsite/resolv.conf"),
        FileImage("/etc/none"),
    ):
        files.write_image(host, image)
        again = files.read_image(host, image.path)
        assert (again.sha256, again.content, again.target) == (image.sha256, image.content, image.target)


def test_a_link_is_replaced_and_not_followed(host: Host) -> None:
    target = host.root / "other"
    target.write_text("keep me")
    (host.root / "etc").mkdir()
    (host.root / "etc/resolv.conf").symlink_to(target)
    files.write_image(host, FileImage("/etc/resolv.conf", b"mine", 0o644, os.getuid(), os.getgid()))
    assert target.read_text() == "keep me"
    assert not (host.root / "etc/resolv.conf").is_symlink()


def test_an_equal_file_is_not_touched(host: Host) -> None:
    image = FileImage("/etc/f", b"same", 0o644, os.getuid(), os.getgid())
    files.write_image(host, image)
    before = host.path("/etc/f").stat().st_ino
    files.write_image(host, image)
    assert host.path("/etc/f").stat().st_ino == before


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
def test_a_failing_write_leaves_the_old_file_and_no_temporary(
    host: Host, monkeypatch: pytest.MonkeyPatch, call: str, fault: int
) -> None:
    files.write_image(host, FileImage("/etc/f", b"old", 0o644, os.getuid(), os.getgid()))

    def fails(*_: object, **__: object) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os if call == "fsync" else Path, call, fails)
    with pytest.raises(OSError, match=os.strerror(fault)):
        files.write_image(host, FileImage("/etc/f", b"new", 0o644, os.getuid(), os.getgid()))
    monkeypatch.undo()
    assert host.path("/etc/f").read_bytes() == b"old"
    assert _leftovers(host) == []


def test_sweep_takes_what_a_killed_writer_left(host: Host) -> None:
    files.write_image(host, FileImage("/etc/f", b"old", 0o644, os.getuid(), os.getgid()))
    leftover = host.path("/etc/.f.123.onsite.tmp")
    leftover.write_text("half")
    foreign = host.path("/etc/.g.tmp")
    foreign.write_text("not ours")
    files.sweep(host, ["/etc/f"])
    assert not leftover.exists()
    assert foreign.exists()


def test_a_file_of_megabytes_is_refused(host: Host) -> None:
    (host.root / "big").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(OSError, match="1 MiB"):
        files.read_image(host, "/big")


def test_removing_what_is_not_there_is_no_error(host: Host) -> None:
    files.remove(host, ["/run/onsite/nothing"])
    assert Facts().file("/run/onsite/nothing").sha256 == FileImage("/run/onsite/nothing").sha256 == ""
