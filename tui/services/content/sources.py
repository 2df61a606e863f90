"""Where an archive comes from: a file of this host, a USB stick or disc, or an ISO image with archives in it.

A device is mounted read-only by a short-lived process that nobody else sees (as for certificates), which hands over
the one open file and ends; the kernel keeps the mount for as long as the file is open.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tui.models.change import Refused
from tui.services.content.importing import LARGEST_SIGNATURE, plain_file
from tui.services.content.stream import refused
from tui.services.host import Host
from tui.services.trust import sticks

ENDINGS = (".tar.zst", ".tgz")
MOST, DEPTH = 200, 3
SECONDS = 60.0
_CODE = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Source:
    """An archive that can be imported.

    Attributes:
        path: of a file or an ISO image on this host; "" for a device.
        device, file_system: of a stick or disc.
        inside: path of the archive on the stick or in the image; "" where `path` is the archive.
    """

    path: str = ""
    device: str = ""
    file_system: str = ""
    inside: str = ""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)

    @property
    def name(self) -> str:
        return Path(self.inside or self.path).name


@dataclass(frozen=True, slots=True)
class Offer:
    """An archive that was found."""

    source: Source
    size: int
    signed_beside: bool


def offered(host: Host, where: Source) -> tuple[Offer, ...]:
    """The archives in a folder, on a stick or in an ISO image. Blocks.

    Raises:
        Refused: B121.
    """
    if where.device or where.path.lower().endswith(".iso"):
        return tuple(
            Offer(Source(where.path, where.device, where.file_system, name), size, beside)
            for name, size, beside in _asked(host, where, None)[0]
        )
    top = host.path(where.path)
    if top.is_dir():
        return tuple(Offer(Source(str(Path(where.path) / n)), size, beside) for n, size, beside in look(top))
    with plain_file(top) as fd:
        return (Offer(where, os.fstat(fd).st_size, top.with_name(top.name + ".sig").is_file()),)


@contextmanager
def opened(host: Host, source: Source) -> Iterator[tuple[int, bytes]]:
    """The archive, open for reading, and the signature file that lies beside it (NAME.sig), if there is one.

    Raises:
        Refused: B121.
    """
    if not source.inside:
        path = host.path(source.path)
        with plain_file(path) as fd:
            yield fd, _beside(path)
        return
    _, fds = _asked(host, source, source.inside)
    if not fds:
        raise refused("B121", f"{source.name} is not there any more.", "Plug the stick in again and look anew.")
    try:
        yield fds[0], os.pread(fds[1], LARGEST_SIGNATURE, 0) if len(fds) > 1 else b""
    finally:
        for fd in fds:
            os.close(fd)


def look(top: Path) -> list[tuple[str, int, bool]]:
    """Archives below a folder: name, size, and whether a signature lies beside it; links are not followed."""
    found: list[tuple[str, int, bool]] = []
    rest = [(top, 0)]
    while rest and len(found) < MOST:
        folder, depth = rest.pop(0)
        with contextlib.suppress(OSError):
            for entry in sorted(os.scandir(folder), key=lambda e: e.name)[:2000]:
                if entry.name.startswith((".", "$")) or not entry.name.isprintable():
                    continue
                if entry.is_dir(follow_symlinks=False) and depth + 1 < DEPTH:
                    rest.append((Path(entry.path), depth + 1))
                elif entry.is_file(follow_symlinks=False) and entry.name.lower().endswith(ENDINGS):
                    beside = Path(entry.path + ".sig").is_file()
                    found.append((os.path.relpath(entry.path, top), entry.stat(follow_symlinks=False).st_size, beside))
    return found[:MOST]


def _beside(path: Path) -> bytes:
    with contextlib.suppress(Refused), plain_file(path.with_name(path.name + ".sig")) as fd:
        return os.pread(fd, LARGEST_SIGNATURE, 0)
    return b""


def _asked(host: Host, where: Source, name: str | None) -> tuple[list[tuple[str, int, bool]], list[int]]:
    """The list, or with a name the open files, out of the process that mounts."""
    if host.kind != "real" or os.geteuid():
        raise refused("B121", "Only root can read a stick or an ISO image.", "Copy the archive to a folder instead.")
    device, file_system = where.device, where.file_system
    if not device:
        device, file_system = str(host.path(where.path)), "iso9660"
    if file_system not in sticks.OPTIONS:
        raise refused("B121", f"{where.device} has a file system that is not taken.", "Use a stick with FAT or ext4.")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(_CODE)}
    command = [sys.executable, "-m", "tui.services.content.sources", device, file_system]
    with ours, tempfile.TemporaryDirectory(prefix="onsite-stick-") as point:
        with theirs:
            child = subprocess.Popen(
                [*command, point, *([name] if name else [])], stdin=theirs.fileno(), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=environment, cwd="/",
            )  # fmt: skip
        try:
            ours.settimeout(SECONDS)
            data, fds, _, _ = socket.recv_fds(ours, 1 << 16, 2)
            while data and not data.endswith(b"\n"):
                data += ours.recv(1 << 16)
            answer: dict[str, Any] = json.loads(data or b"{}")
        except (OSError, ValueError) as error:
            raise refused("B121", f"{device} does not answer.", "Plug it in again.") from error
        finally:
            child.kill()
            child.wait()
    if "error" in answer or not answer:
        raise refused("B121", f"{device} cannot be read: {answer.get('error', 'it ended early')}.", "Plug it in again.")
    return [(str(n), int(s), bool(b)) for n, s, b in answer.get("found", [])], list(fds)


def _main(device: str, file_system: str, point: str, name: str = "") -> None:
    """In the process of its own: mount, look or open, hand over, end."""
    top, loop = Path(point), ""
    if stat.S_ISREG(os.stat(device).st_mode):  # noqa: PTH116 - as given
        loop = subprocess.check_output(["losetup", "--find", "--show", "--read-only", device], text=True).strip()
    try:
        sticks.mounted(loop or device, file_system, point, sticks.OPTIONS[file_system])
    finally:
        if loop:
            subprocess.run(["losetup", "--detach", loop], check=False)  # goes away with the last file that is open
    speaker = socket.socket(fileno=os.dup(0))
    if not name:
        speaker.sendall(json.dumps({"found": look(top)}).encode() + b"\n")
        return
    if name not in {found for found, _, _ in look(top)}:
        raise OSError(2, "the archive is not there")
    fds = [os.open(top / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)]
    with contextlib.suppress(OSError):
        fds.append(os.open(top / (name + ".sig"), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
    socket.send_fds(speaker, [b'{"found": []}\n'], fds)


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:5])
    except (OSError, subprocess.SubprocessError) as failed:
        words = getattr(failed, "strerror", None) or "it cannot be mounted"
        if getattr(failed, "errno", 0) == errno.ENODEV:
            words = "the kernel of this host does not know its file system"
        socket.socket(fileno=os.dup(0)).sendall(json.dumps({"error": words}).encode() + b"\n")
