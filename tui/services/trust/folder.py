"""Certificates in a folder: which files look like some, and the bytes of one; only plain files are opened."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from tui.models.change import Issue, Refused
from tui.models.wrong import quoted

ENDINGS = (".crt", ".cer", ".pem", ".der", ".p7b", ".p7c", ".p12", ".pfx", ".ca", ".cert")
LARGEST = 256 << 10
MOST_FILES, MOST_LOOKS, DEPTH = 100, 2000, 3


@dataclass(frozen=True, slots=True)
class Found:
    """One file that may hold certificates. `data` is None where it was not read yet."""

    name: str
    size: int
    data: bytes | None = field(default=None, repr=False)


def look(top: Path, endings: tuple[str, ...] = ENDINGS) -> tuple[Found, ...]:
    """Files that end like certificates, below a folder; links are not followed, hidden ones left out.

    Raises:
        OSError: the folder cannot be read.
    """
    found: list[Found] = []
    looks = 0
    rest = [(top, 0)]
    while rest:
        folder, depth = rest.pop(0)
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError:
            if folder == top:
                raise
            continue
        for entry in entries:
            looks += 1
            if looks > MOST_LOOKS or len(found) >= MOST_FILES:
                return tuple(found)
            if entry.name.startswith((".", "$")):
                continue
            if entry.is_dir(follow_symlinks=False) and depth + 1 < DEPTH:
                rest.append((Path(entry.path), depth + 1))
            elif entry.is_file(follow_symlinks=False) and entry.name.lower().endswith(endings):
                name = os.path.relpath(entry.path, top)
                found.append(Found(name, entry.stat(follow_symlinks=False).st_size))
    return tuple(found)


def read(path: Path) -> bytes:
    """The bytes of a plain file, at most a little more than a certificate has; a link is not followed.

    Raises:
        OSError: it cannot be read, or is no plain file.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise IsADirectoryError(21, "not a plain file", str(path))
        return file.read(LARGEST + 1)


def opened(text: str, path: Path, endings: tuple[str, ...] = ENDINGS) -> tuple[Found, ...]:
    """The files at a path that was typed: those of a folder, or that one file.

    Args:
        path: where that really lies.

    Raises:
        Refused: S141.
    """
    try:
        if path.is_dir():
            return look(path, endings)
        return (Found(path.name, path.stat().st_size),)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        words = f"{quoted(text)} cannot be read: {why}."
        raise Refused(Issue("S141", "error", "path", words, "Type its whole path, from the first /.")) from error
