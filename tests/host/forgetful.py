"""A disk that has, after a power cut, what was flushed to it and nothing else.

An ext4 file system in a file, over a loop device. What its kernel has not yet sent to the device is not in that file,
so a copy of the file is what a disk has when the power goes at this moment; the next boot mounts the copy, and ext4
replays its journal. Nothing is written back by time, and a rename is not helped by ext4 flushing the data first
(`noauto_da_alloc`): only what the program itself has flushed counts. What it does not show: a disk that says it has
written what it has not, or that tears a sector.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import TracebackType

import pytest

_OPTIONS = "loop,commit=900,noauto_da_alloc"


class Disk:
    """Mounted at `where` for as long as the context lasts; skips the test where this machine has no loop device."""

    def __init__(self, file: Path, where: Path) -> None:
        self.file, self.where = file, where

    def __enter__(self) -> Disk:
        self.where.mkdir(parents=True, exist_ok=True)
        with self.file.open("wb") as made:
            made.truncate(24 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.file)], check=True)
        mounted = self._mount()
        if mounted.returncode:
            pytest.skip(f"a disk that forgets needs a loop device: {mounted.stderr.strip()}")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        subprocess.run(["umount", "-l", str(self.where)], check=False)

    def flush(self) -> None:
        """As time would: everything so far is on the disk."""
        subprocess.run(["sync", "-f", str(self.where)], check=True)

    def copied(self) -> Path:
        """What the device has now: to be taken before anything that ends a process can flush."""
        copy = self.file.with_suffix(".copy")
        shutil.copyfile(self.file, copy)
        return copy

    def becomes(self, copy: Path) -> None:
        """The power is away: go on with the copy. Nobody may use the disk any more."""
        subprocess.run(["umount", str(self.where)], check=True)
        copy.replace(self.file)
        mounted = self._mount()
        assert mounted.returncode == 0, mounted.stderr

    def _mount(self) -> subprocess.CompletedProcess[str]:
        command = ["mount", "-t", "ext4", "-o", _OPTIONS, str(self.file), str(self.where)]
        return subprocess.run(command, text=True, capture_output=True, check=False)
