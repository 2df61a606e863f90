"""What an import costs: its throughput as a ratio to sha256sum of the same archive in the same run, and its memory.

    python -m bench.content [--megabytes 5000] [--folder DIR] [--check]

The archive is read from the disk and not from memory both times (its pages are dropped before), and the import ends
when everything is synced. sha256sum runs before and after; the mean counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tui.services.content import building

CODE = Path(__file__).resolve().parents[1]
LEAST_RATIO, LARGEST_MEMORY = 0.8, 150 << 20
PART = 250


def made(folder: Path, megabytes: int) -> Path:
    """A bundle of so many megabytes of noise, which no compression makes smaller."""
    content = folder / "content" / "images"
    content.mkdir(parents=True)
    for number, size in enumerate([PART] * (megabytes // PART) + [megabytes % PART] * bool(megabytes % PART)):
        with (content / f"image{number:03}.bin").open("wb") as file:
            for _ in range(size):
                file.write(os.urandom(1_000_000))
    manifest, paths = building.bundle(folder / "content", name="bench")
    building.write(manifest, paths, folder / "bench.tar.zst")
    for path in paths.values():
        path.unlink()
    return folder / "bench.tar.zst"


def cold(path: Path) -> None:
    """Drop the pages of a file, so that the next reader has to go to the disk."""
    os.sync()
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def hashed(archive: Path) -> float:
    """Seconds of sha256sum."""
    cold(archive)
    begun = time.monotonic()
    subprocess.run(["sha256sum", archive], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def imported(archive: Path, root: Path) -> tuple[float, int]:
    """Seconds of an import until all is synced, and the most memory that its processes had together, in bytes."""
    cold(archive)
    command = [sys.executable, "-m", "tui", "--root", str(root), "bundle", "import", str(archive)]
    begun = time.monotonic()
    running = subprocess.Popen(command, cwd=CODE, stdout=subprocess.DEVNULL)
    most = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.05):
            most = max(most, sum(map(resident, family(running.pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = running.wait()
    seconds = time.monotonic() - begun
    ended.set()
    watcher.join()
    if status:
        raise SystemExit(f"the import failed: {status}")
    return seconds, most


def family(pid: int) -> list[int]:
    """A process and its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *map(int, children)]


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) << 10
    except (OSError, IndexError):
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.content", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=5000)
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is room for it three times"
    )
    parser.add_argument("--check", action="store_true", help="exit 1 where a figure is beyond its limit")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onsite-bench-", dir=given.folder) as folder:
        archive = made(Path(folder), given.megabytes)
        size = archive.stat().st_size
        before = hashed(archive)
        seconds, most = imported(archive, Path(folder) / "root")
        after = hashed(archive)
    reference = (before + after) / 2
    print(f"archive         {size / 1e6:.0f} MB")
    print(f"sha256sum       {size / 1e6 / reference:.0f} MB/s ({before:.1f} s before, {after:.1f} s after)")
    print(f"import, synced  {size / 1e6 / seconds:.0f} MB/s ({seconds:.1f} s)")
    print(f"ratio           {reference / seconds:.2f} (at least {LEAST_RATIO})")
    print(f"memory          {most / 1e6:.0f} MB, both processes (at most {LARGEST_MEMORY / 1e6:.0f})")
    good = reference / seconds >= LEAST_RATIO and most <= LARGEST_MEMORY
    return int(given.check and not good)


if __name__ == "__main__":
    sys.exit(main())
