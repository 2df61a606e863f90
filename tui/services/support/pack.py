"""A bundle made into one compressed file, and that file put where it is asked for."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import tarfile
from pathlib import Path

from tui.models.change import Issue, Refused
from tui.models.support import Bundle, Told
from tui.models.wrong import quoted
from tui.services.change import files
from tui.services.host import Host

_PIECE = 64 << 10
FOLDER = "/var/lib/onsite/support"


def packed(bundle: Bundle, when: float, told: Told = lambda _done, _all: None) -> bytes:
    """The bundle as a compressed tar archive; the files in it belong to root and are its own alone.

    Args:
        when: seconds since the epoch, for the files in it.
    """
    buffer = io.BytesIO()
    done = 0
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as archive:
        for member in bundle.members:
            entry = tarfile.TarInfo(f"{bundle.name}/{member.name}")
            entry.size, entry.mode, entry.mtime = member.size, 0o600, int(when)
            archive.addfile(entry, io.BytesIO(member.data))
            done += member.size
            told(done, bundle.size)
    return buffer.getvalue()


def save(host: Host, typed: str, name: str, data: bytes, told: Told = lambda _done, _all: None) -> str:
    """Write the file, whole or not at all, readable by its owner alone. Returns its path.

    Args:
        typed: a file, or a folder in which it gets the name `name`.

    Raises:
        Refused: U101, U102, U103; nothing has been written then.
    """
    path = typed.strip()
    if not path.startswith("/") or "\0" in path:
        raise _refused("U101", f"{quoted(path)} is not a whole path.", "Type it from the first /.")
    where = host.path(path)
    try:
        if path.rstrip("/") == FOLDER:
            files.make_folder(where, 0o700)
        if where.is_dir():
            where, path = where / name, f"{path.rstrip('/')}/{name}"
        written(where, data, told)
    except OSError as error:
        raise unwritten(path, error, len(data)) from error
    return path


def unwritten(path: str, error: OSError, size: int) -> Refused:
    """What to say of a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        text = f"There is no room for {size} bytes at {quoted(path)}."
        return _refused("U102", text, "Delete something there, or choose another place.")
    if error.errno == errno.EEXIST:
        remedy = "Type another name, or a folder; no file is overwritten."
        return _refused("U103", f"{quoted(path)} is there already.", remedy)
    text = f"{quoted(path)} cannot be written: {error.strerror or error}."
    return _refused("U101", text, "Check that its folder is there, or choose another place.")


def _refused(code: str, text: str, remedy: str) -> Refused:
    return Refused(Issue(code, "error", "path", text, remedy))


def written(where: Path, data: bytes, told: Told) -> None:
    """The file, or nothing.

    Raises:
        OSError: FileExistsError where there is one already.
    """
    beside = where.parent / f".{where.name}.{os.getpid()}.onsite.tmp"
    beside.unlink(missing_ok=True)
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            for start in range(0, len(data), _PIECE):
                file.write(data[start : start + _PIECE])
                told(min(start + _PIECE, len(data)), len(data))
            file.flush()
            os.fsync(fd)
        try:
            os.link(beside, where)  # unlike a rename it never replaces what is there
        except PermissionError:  # FAT has no links
            if where.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(where)) from None
            beside.rename(where)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    files.sync_folder(where.parent)
