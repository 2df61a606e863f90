"""netplan's generator, run in a scratch root: what it would make of the files, before it makes anything.

One file that it cannot read makes the generator write nothing at all, and the host has no network (tried with 0.106).
So it never runs over the real root: its output is looked at, and then only what differs is copied to where the
generator would have put it. systemd-networkd takes every address away and sets it again when a file is new, also where
not one byte has changed.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from tui.models.change import FileImage
from tui.services import reading
from tui.services.change import files
from tui.services.host import Host
from tui.services.network.netplan_files import FOLDERS, generator

_OUTPUT = {
    "/run/systemd/network": "10-netplan-*",
    "/run/systemd/system": "netplan-*",
    "/run/NetworkManager/system-connections": "netplan-*",
    "/run/NetworkManager/conf.d": "*netplan*",
    "/run/udev/rules.d": "9?-netplan*",
}
"""Where it writes, and what of the files there is its own."""
_PATIENCE = 60
"""Seconds; it takes a tenth of one, but a host that boots has other things to do."""


async def output(host: Host, images: Iterable[FileImage] = ()) -> dict[str, FileImage]:
    """What the generator makes of the files with these in their places, by path.

    Raises:
        OSError: it cannot read them (EINVAL), with its own words, or it cannot be run or does not end.
    """
    with _scratch(host) as root:
        for image in images:
            files.write_image(root, image)
        process = await asyncio.create_subprocess_exec(
            str(host.path(generator(host))), "--root-dir", str(root.root), env=os.environ | {"LC_ALL": "C.UTF-8"},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_PATIENCE):
                _, complaint = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise OSError(errno.ETIMEDOUT, "netplan's generator did not end") from None
        if (process.returncode or 0) < 0:  # killed, as by a host without memory: nothing is said of the files
            raise OSError(errno.EIO, "netplan's generator was killed")
        if process.returncode:
            raise OSError(errno.EINVAL, _words(complaint.decode(errors="replace"), str(root.root)))
        return dict(_made(root))


async def derive(host: Host) -> tuple[str, ...]:
    """Bring what is derived from the files up to date; the paths that have changed.

    Raises:
        OSError: the generator cannot read the files (EINVAL) or does not end, or a file cannot be written.
    """
    new = await output(host)
    old = dict(_made(host))
    changed = []
    for path in sorted({*new, *old}):
        image = new.get(path, FileImage(path))
        if path not in old or path not in new or (old[path].sha256, old[path].mode) != (image.sha256, image.mode):
            files.write_image(host, image)
            changed.append(path)
    return tuple(changed)


@contextmanager
def _scratch(host: Host) -> Iterator[Host]:
    """A copy of the netplan files, readable by nobody else: there may be passwords in them."""
    home = host.path("/run")
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="onsite-netplan-", dir=home) as folder:
        for source in FOLDERS:
            target = Path(folder) / source.lstrip("/")
            target.mkdir(parents=True)
            for name in reading.names(host, source, ".yaml"):
                shutil.copy2(host.path(f"{source}/{name}"), target / name)
        yield replace(host, root=Path(folder))


def _made(host: Host) -> Iterator[tuple[str, FileImage]]:
    """The generator's files below this root."""
    for folder, pattern in _OUTPUT.items():
        for name in reading.names(host, folder):
            path = f"{folder}/{name}"
            if fnmatchcase(name, pattern) and not host.path(path).is_dir():
                yield path, files.read_image(host, path)
            elif name.endswith(".wants"):
                for link in reading.names(host, path):
                    if fnmatchcase(link, pattern):
                        yield f"{path}/{link}", _without_root(files.read_image(host, f"{path}/{link}"), host)


def _without_root(image: FileImage, host: Host) -> FileImage:
    """A link that the generator made leads to a path below the root it was given, or to the true one."""
    target = image.target.removeprefix(str(host.root).rstrip("/"))
    return replace(image, target=target) if image.target else image


def _words(complaint: str, root: str) -> str:
    """The first line of the generator that names an error, with the paths of the host."""
    lines = [line for line in complaint.replace(root, "").splitlines() if line and "WARNING" not in line]
    return next((line for line in lines if "rror" in line), lines[0] if lines else "netplan's generator failed")
