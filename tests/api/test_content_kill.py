"""An import of 200 MB killed at 20 random moments, and given again each time: the same content at the end."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tui.services.content import building, store
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

CODE = Path(__file__).resolve().parents[2]
KILLS, MEGABYTES = 20, 200
IMPORTER = """
import os, sys
from pathlib import Path
from tui.services.content import importing
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
for line in sys.stdin:
    root, archive = map(Path, line.split())
    pid = os.fork()
    if pid == 0:
        with importing.plain_file(archive) as source:
            importing.imported(Host(root, NetlinkKernel(), "user"), source, name=archive.name)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""
"""Forks for each import, with everything imported: starting Python twenty times is not what is tried here."""


def made(folder: Path) -> Path:
    """A bundle of 200 MB: one part of 150 MB, and many smaller ones."""
    dice = random.Random(8)
    content = folder / "content"
    (content / "images").mkdir(parents=True)
    noise = dice.randbytes(8 << 20)
    for name, size in (("large", 150), *((f"small{n:02}", 2) for n in range(25))):
        with (content / f"images/{name}.bin").open("wb") as file:
            for number in range(0, size, 2):
                start = dice.randrange(6 << 20)
                file.write(number.to_bytes(8) + noise[start : start + (2 << 20) - 8])
    manifest, paths = building.bundle(content, name="killed")
    building.write(manifest, paths, folder / "killed.tar.zst")
    assert manifest.size == MEGABYTES << 20
    return folder / "killed.tar.zst"


def test_an_import_that_is_killed_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    archive = made(tmp_path)
    roots = (tmp_path / f"root{n}" for n in range(100))
    root = next(roots)
    dice, kills, resumed, finished = random.Random(os.environ.get("ONSITE_SEED", "8")), 0, 0, 0
    with subprocess.Popen(
        [sys.executable, "-c", IMPORTER], cwd=CODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as importer:
        assert importer.stdin is not None
        assert importer.stdout is not None
        while not finished or kills < KILLS:
            resumed += any((root / "var/lib/onsite/content/partial").glob("*/state.json"))
            importer.stdin.write(f"{root} {archive}\n")
            pid = int(importer.stdout.readline())
            if kills < KILLS:
                while dice.random() > 0.002 and written(pid) in range(1 << 20):
                    time.sleep(0.005)  # until it writes; now and then before
                time.sleep(dice.uniform(0.0, 0.6))  # the moment is what is random here
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            status = int(importer.stdout.readline())
            if status == signal.SIGKILL:
                kills += 1
                continue
            assert status == 0
            whole(root)
            finished += 1
            root = next(roots)
        importer.stdin.close()
    print(f"{kills} kills, {resumed} imports went on from a place in the archive, {finished} came to their end")
    assert resumed, "no kill left anything to go on with"


def written(pid: int) -> int:
    """Bytes that a process has written; -1 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/io").read_text().partition("wchar: ")[2].split()[0])
    except (OSError, IndexError):
        return -1


def whole(root: Path) -> None:
    """Every part is what the manifest says, and nothing is left over."""
    host = Host(root, NetlinkKernel(), "user")
    (item,) = store.items(host)
    top = store.verified(host, item.digest)
    names = {str(p.relative_to(top)) for p in top.rglob("*") if p.is_file()}
    assert names == {m.path for m in store.manifest(host, item.digest).members}
    folder = store.folder(host)
    assert not list((folder / "partial").iterdir())
    assert all(p.stat().st_nlink == 2 for p in (folder / "blobs").iterdir())
    assert json.loads((folder / "items" / item.digest / "item.json").read_text())["digest"] == item.digest
