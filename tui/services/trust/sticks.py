"""USB sticks, memory cards and discs with certificates on them: listed, and read without being mounted for anybody.

A short-lived process of its own mounts the device read-only in a private mount namespace, copies small files into
memory and ends, and with it the mount. The kernel's own reader of a file system meets hostile input there, so only
the file systems that a stick really has are taken.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.models.change import Issue, Refused
from tui.services.host import Host
from tui.services.trust import folder
from tui.services.trust.folder import Found

OPTIONS = {"vfat": "umask=0077", "exfat": "umask=0077", "iso9660": "", "ext4": "noload", "ext3": "noload", "ext2": ""}
"""The file systems that are taken; "noload" keeps the kernel from replaying a journal, which would write."""
SECONDS = 30.0
LARGEST = 8 << 20
_READ_ONLY, _NOSUID, _NODEV, _NOEXEC, _NOSYMFOLLOW = 1, 2, 4, 8, 256
_REC_PRIVATE = 0x4000 | 0x40000
_CLONE_NEWNS = 0x20000
CODE = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Stick:
    """A device with a file system that can be read."""

    device: str
    file_system: str
    label: str
    size: str


def listed(host: Host) -> tuple[Stick, ...]:
    """The sticks that are plugged in now; none where this is no real host, or we may not mount."""
    if host.kind != "real" or os.geteuid():
        return ()
    command = ["lsblk", "-J", "-o", "PATH,TRAN,RM,TYPE,FSTYPE,LABEL,SIZE,MOUNTPOINTS"]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    try:
        said = subprocess.run(command, capture_output=True, timeout=10, check=True, env=environment).stdout
        devices = json.loads(said)["blockdevices"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return ()
    return tuple(_sticks(devices, removable=False))


def _sticks(devices: list[dict[str, Any]], *, removable: bool) -> Iterator[Stick]:
    for device in devices:
        away = removable or bool(device.get("rm")) or device.get("tran") == "usb"
        away = away or device.get("type") in ("rom", "loop")
        mounted = any(device.get("mountpoints") or ())
        if away and not mounted and device.get("size") not in (None, "0B"):
            file_system, label = device.get("fstype"), device.get("label")
            if not file_system and not device.get("children"):  # where there is no udev, lsblk does not know
                file_system, label = _probed(str(device["path"]))
            if file_system in OPTIONS:
                plain = "".join(c if c.isprintable() else "?" for c in label or "")
                yield Stick(str(device["path"]), str(file_system), plain[:32], str(device["size"]))
        yield from _sticks(device.get("children") or [], removable=away)


def _probed(device: str) -> tuple[str, str]:
    """File system and label as they are on the device itself; empty where there is none that is known."""
    command = ["blkid", "-p", "-o", "export", device]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    try:
        said = subprocess.run(command, capture_output=True, timeout=10, check=True, env=environment, text=True).stdout
    except (OSError, subprocess.SubprocessError, ValueError):
        return "", ""
    found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    return found.get("TYPE", ""), found.get("LABEL", "")


def read(stick: Stick, endings: tuple[str, ...] = folder.ENDINGS) -> tuple[Found, ...]:
    """The files on a stick that may hold certificates, with their bytes. Blocks.

    Raises:
        Refused: S140.
    """
    command = [sys.executable, "-m", "tui.services.trust.sticks", stick.device, stick.file_system]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(CODE)}
    with tempfile.TemporaryDirectory(prefix="onsite-stick-") as point:
        try:
            done = subprocess.run(
                [*command, point, *endings], capture_output=True, timeout=SECONDS, env=environment, cwd="/", check=False
            )
            said: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"error": "it ended early"}
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise _unreadable(stick, "it does not answer") from error
    if "error" in said:
        raise _unreadable(stick, str(said["error"]))
    return tuple(Found(name, size, base64.b64decode(data)) for name, size, data in said["files"])


def _unreadable(stick: Stick, why: str) -> Refused:
    text = f"{stick.device} ({stick.file_system}) cannot be read: {why}."
    return Refused(Issue("S140", "error", "", text, "Plug it in again, or copy the file to a stick with FAT."))


def mounted(device: str, file_system: str, point: str, options: str, *, writable: bool = False) -> None:
    """In a process of its own: mount where nobody else sees it.

    Raises:
        OSError: the kernel refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def must(result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    must(libc.unshare(_CLONE_NEWNS))
    must(libc.mount(b"none", b"/", None, ctypes.c_ulong(_REC_PRIVATE), None))
    flags = _NOSUID | _NODEV | _NOEXEC | (0 if writable else _READ_ONLY)
    what = (device.encode(), point.encode(), file_system.encode())
    data = options.encode()
    if libc.mount(*what, ctypes.c_ulong(flags | _NOSYMFOLLOW), data):
        must(libc.mount(*what, ctypes.c_ulong(flags), data))  # before Linux 5.10 there is no nosymfollow


def unmounted(point: str) -> None:
    """Raises OSError where something is still open there."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(point.encode(), 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _main(device: str, file_system: str, point: str, *endings: str) -> dict[str, Any]:
    """In the process of its own: mount where nobody else sees it, copy, and end."""
    mounted(device, file_system, point, OPTIONS[file_system])
    found: list[tuple[str, int, str]] = []
    total = 0
    for file in folder.look(Path(point), endings):
        with contextlib.suppress(OSError):
            content = folder.read(Path(point) / file.name)
            total += len(content)
            if total > LARGEST:
                break
            name = file.name.encode("utf-8", "replace").decode()
            found.append((name, file.size, base64.b64encode(content).decode()))
    return {"files": found}


if __name__ == "__main__":
    try:
        answer = _main(*sys.argv[1:])
    except OSError as failed:
        answer = {"error": failed.strerror or "it cannot be read"}
    sys.stdout.write(json.dumps(answer))
