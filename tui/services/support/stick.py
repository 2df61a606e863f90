"""A bundle written to a stick: mounted in a process of its own where nobody else sees it, synced, and let go.

The process gets the bytes by its standard input and says how far it is, a line each; ending it takes away what
it began.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tui.models.support import Told
from tui.services.support import pack
from tui.services.trust import sticks
from tui.services.trust.sticks import Stick

OPTIONS = {"vfat": "umask=0077,flush", "exfat": "umask=0077", "ext4": "", "ext3": "", "ext2": ""}
"""The file systems that can be written; a disc cannot."""


def writable(stick: Stick) -> bool:
    return stick.file_system in OPTIONS


def write(stick: Stick, name: str, data: bytes, told: Told = lambda _done, _all: None) -> str:
    """Write the file at the top of the stick. Returns where it is, in words. Blocks; what `told` raises ends it.

    Raises:
        Refused: U101, U102, U103, U104; the stick has nothing of it then.
    """
    command = [sys.executable, "-m", "tui.services.support.stick", stick.device, stick.file_system, name]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(sticks.CODE)}
    with tempfile.TemporaryDirectory(prefix="onsite-stick-") as point, tempfile.TemporaryFile() as given:
        given.write(data)
        given.seek(0)
        child = subprocess.Popen(
            [*command, point], stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd="/"
        )
        said: dict[str, object] = {}
        try:
            assert child.stdout is not None  # noqa: S101 - for the type checker
            for line in child.stdout:
                with contextlib.suppress(ValueError):
                    said = json.loads(line)
                if isinstance(done := said.get("done"), int):
                    told(done, len(data))
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
    where = f"{stick.device} {stick.label}".strip() + f", {name}"
    if "errno" in said:
        raise pack.unwritten(where, OSError(int(str(said["errno"])), str(said["error"])), len(data))
    if not said.get("written"):
        raise pack.unwritten(where, OSError(5, "the stick does not answer"), len(data))
    return where


def _main(device: str, file_system: str, name: str, point: str) -> None:
    """In the process of its own. SIGTERM ends it in order: the file that was begun goes, the stick is let go."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    data = sys.stdin.buffer.read()
    sticks.mounted(device, file_system, point, OPTIONS[file_system], writable=True)
    try:
        pack.written(Path(point) / name, data, lambda done, _all: _say({"done": done}))
    finally:
        os.sync()
        sticks.unmounted(point)
    _say({"written": True})


def _say(words: dict[str, object]) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:5])
    except OSError as failed:
        _say({"errno": failed.errno or 5, "error": failed.strerror or "it cannot be written"})
