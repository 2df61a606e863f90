"""An import of 200 MB killed at 20 random moments, and given again each time: the same content at the end."""

from __future__ import annotations

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
    while kills < KILLS:
        resumed += any((root / "var/lib/onsite/content/partial").glob("*/state.json"))
        running = started(root, archive)
        while dice.random() > 0.002 and running.poll() is None and written(running.pid) < 1 << 20:
            time.sleep(0.005)  # until it writes; now and then before
        time.sleep(dice.uniform(0.0, 0.8))  # the moment is what is random here
        running.kill()
        if running.wait() == -signal.SIGKILL:
            kills += 1
            continue
        assert running.returncode == 0
        whole(root)
        finished += 1
        root = next(roots)
    last = started(root, archive)
    assert last.wait(timeout=120) == 0
    whole(root)
    print(f"{kills} kills, {resumed} imports went on from a place in the archive, {finished + 1} came to their end")
    assert resumed, "no kill left anything to go on with"


def started(root: Path, archive: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tui", "--root", str(root), "bundle", "import", str(archive)]
    return subprocess.Popen(command, cwd=CODE, stdout=subprocess.DEVNULL)


def written(pid: int) -> int:
    """Bytes that a process has written."""
    try:
        return int(Path(f"/proc/{pid}/io").read_text().partition("wchar: ")[2].split()[0])
    except (OSError, IndexError):
        return 0


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
