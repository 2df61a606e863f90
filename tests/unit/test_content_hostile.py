"""Every kind of hostile archive: a clear sentence, and nothing but the content folder touched."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import archives
from tui.models.change import Refused
from tui.services.content import importing, store
from tui.services.content.stream import in_process, opened
from tui.services.content.unpack import records
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.services.parser import manifest


def host_at(root: Path) -> Host:
    return Host(root, NetlinkKernel(), "user")


def given(host: Host, data: bytes, path: Path, opener: importing.Opener = in_process) -> str:
    """The code with which an archive is refused; "" where it is taken."""
    path.write_bytes(data)
    try:
        with importing.plain_file(path) as source:
            importing.imported(host, source, name=path.name, opener=opener)
    except Refused as why:
        issue = why.issues[0]
        assert issue.text.isprintable()
        assert issue.text.endswith(".")
        assert 20 < len(issue.text) < 250, issue.text
        assert issue.remedy
        return issue.code
    return ""


def outside(root: Path) -> dict[str, tuple[int, int]]:
    """Everything below a folder but the content folder: size and time of change."""
    found = {}
    for top, folders, names in os.walk(root):
        if Path(top) == root / "var/lib/onsite":
            folders[:] = [n for n in folders if n != "content"]
        for name in (*names, *folders):
            status = os.lstat(Path(top, name))
            found[str(Path(top, name))] = (status.st_size, status.st_mtime_ns) if name in names else (0, 0)
    return found


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A host that has a good bundle, of other parts than the hostile ones name."""
    host = host_at(tmp_path_factory.mktemp("host"))
    (host.root / "etc").mkdir()
    (host.root / "etc/passwd").write_text("root\n")
    other = {"bin/other": b"other" * 999}
    assert given(host, archives.packed(archives.plain(other)), tmp_path_factory.mktemp("stick") / "good.tar.zst") == ""
    return host


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of manifests without its child; the next test has it."""
    monkeypatch.setattr(importing, "parse", lambda _what, data: manifest.read(data, {}))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", archives.HOSTILE)
def test_a_hostile_archive_is_refused_in_a_sentence(kind: str, stocked: Host, tmp_path: Path) -> None:
    make, codes = archives.HOSTILE[kind]
    before, items = outside(stocked.root), store.items(stocked)
    assert given(stocked, make(), tmp_path / "x.tar.zst") in codes.split()
    assert outside(stocked.root) == before
    assert store.items(stocked) == items
    assert {p.name for p in (store.folder(stocked) / "blobs").iterdir()} == {
        m.sha256 for m in store.manifest(stocked, items[0].digest).members
    }
    assert not list((store.folder(stocked) / "partial").iterdir())
    store.verified(stocked, items[0].digest)


@pytest.mark.parametrize(
    "kind",
    [
        "cut off in the middle",
        "a symbolic link",
        "a manifest nested 100000 deep",
        "bytes after the last frame",
        "gzip cut off",
    ],
)
def test_the_confined_child_says_the_same(kind: str, stocked: Host, tmp_path: Path) -> None:
    make, code = archives.HOSTILE[kind]
    assert given(stocked, make(), tmp_path / "x.tar.zst", opened) == code


def test_no_block_makes_more_than_it_may() -> None:
    sizes = [len(r.data) for r in records(io.BytesIO(archives.run_length()))]
    assert max(sizes) <= (1 << 20) + (128 << 10)
    assert sum(sizes) <= (64 << 20) + (2 << 20)


def test_there_are_at_least_thirty_kinds() -> None:
    assert len(archives.HOSTILE) >= 30


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(archives.good())
    (tmp_path / "link").symlink_to(tmp_path / "good")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "nothing", "."):
        with pytest.raises(Refused) as why, importing.plain_file(tmp_path / name):
            pass
        assert why.value.issues[0].code == "B121"


def test_ten_seconds_of_foreign_archives() -> None:
    """In a process of its own, so that its memory can be told; `make fuzz` has ten minutes."""
    command = [sys.executable, "-m", "tests.unit.content_fuzz", "10"]
    ended = subprocess.run(
        command, cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert int(ended.stdout.split()[0]) > 200, ended.stdout
