"""Files that are whole or not there: written beside, synced, renamed, the folder synced.

The order is that of rename(2) and fsync(2): owner and mode before the rename, the folder after it. A name
that starts with a dot and ends in ".tmp" is ignored by every reader of configuration we know of.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from tui.models.change import FileImage
from tui.services.host import Host

_LARGEST = 1 << 20


def read_image(host: Host, path: str) -> FileImage:
    """The file as it lies there, not following a link in the last place.

    Raises:
        OSError: it is there but cannot be read, or is larger than 1 MiB (EFBIG).
    """
    where = host.path(path)
    try:
        status = os.lstat(where)
        if stat.S_ISLNK(status.st_mode):
            return FileImage(path, target=str(where.readlink()))
        if status.st_size > _LARGEST:
            raise OSError(errno.EFBIG, "larger than 1 MiB", path)
        content = where.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return FileImage(path)
    return FileImage(path, content, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def write_image(host: Host, image: FileImage) -> None:
    """Make the file on disk equal to `image`: write, link or remove; nothing is done where it is equal already.

    Raises:
        OSError: nothing has changed then, except that a failing sync of the folder leaves the new file in place.
    """
    now = read_image(host, image.path)
    if (now.sha256, now.target) == (image.sha256, image.target) and (image.absent or now.mode == image.mode):
        return
    where = host.path(image.path)
    if image.absent:
        where.unlink(missing_ok=True)
        sync_folder(where.parent)
        return
    make_folder(where.parent)
    beside = where.parent / f".{where.name}.{os.getpid()}.onsite.tmp"
    beside.unlink(missing_ok=True)
    try:
        if image.target:
            beside.symlink_to(image.target)
        elif image.content is not None:
            _write_synced(beside, image, image.content, where)
        try:
            beside.replace(where)
        except OSError as error:
            if error.errno != errno.EBUSY or image.content is None:
                raise
            _write_over(where, image.content)
            beside.unlink(missing_ok=True)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(where.parent)


def remove(host: Host, paths: Iterable[str]) -> None:
    """Remove files that may be there.

    Raises:
        OSError: one of them is there and cannot be removed.
    """
    for path in paths:
        write_image(host, FileImage(path))


def sweep(host: Host, paths: Iterable[str]) -> None:
    """Remove what a killed writer left beside these files."""
    for folder in {host.path(p).parent for p in paths}:
        with contextlib.suppress(OSError):
            for leftover in folder.glob(".*.onsite.tmp"):
                leftover.unlink(missing_ok=True)


def make_folder(folder: Path, mode: int = 0o755) -> None:
    """The folder and those above it, each synced into its parent.

    Raises:
        OSError: as mkdir(2).
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode)
        sync_folder(path.parent)


def _write_synced(beside: Path, image: FileImage, content: bytes, old: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(beside, flags, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(fd, rest) :]
        if os.geteuid() == 0:
            with contextlib.suppress(PermissionError):  # a user namespace maps no other owner
                os.fchown(fd, image.uid, image.gid)
        os.fchmod(fd, image.mode)
        with contextlib.suppress(OSError):  # no SELinux here, or no file before
            os.setxattr(fd, "security.selinux", os.getxattr(old, "security.selinux"))
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_over(where: Path, content: bytes) -> None:
    """Write into a file that is a mount point, such as /etc/hostname of a container: no rename can replace it.

    Not whole or nothing; what a kill leaves half written the journal puts back.
    """
    fd = os.open(where, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """fsync(2) of a folder, so that a rename in it survives a power cut.

    Raises:
        OSError: as open(2) and fsync(2).
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
