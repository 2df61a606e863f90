"""What is on this host: /var/lib/onsite/content.

    blobs/SHA256              each part once, mode 0444; there only when whole and synced
    items/DIGEST/             one bundle or definition: manifest.json, manifest.sig, item.json, and
    items/DIGEST/tree/PATH    its parts as hard links to the blobs: a folder for the engine to work from
    partial/DIGEST/           an import that is under way or was interrupted
    uploads/                  what arrives over the agent

The rename of an item's folder is the one moment at which it is there. A blob with no other link belongs to nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.models.content import MANIFEST, Item, Manifest
from tui.services.change.files import make_folder, sync_folder
from tui.services.content.stream import refused
from tui.services.host import Host

FOLDER = "/var/lib/onsite/content"
MARGIN = 256 << 20
"""Bytes that an import leaves free."""


def folder(host: Host) -> Path:
    return host.path(FOLDER)


def items(host: Host) -> tuple[Item, ...]:
    """Everything that is there, the last imported first; what cannot be read is left out."""
    found: list[Item] = []
    try:
        entries = [e for e in os.scandir(folder(host) / "items") if not e.name.startswith(".")]
    except OSError:
        return ()
    for entry in entries:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found.append(Item.from_dict(json.loads((Path(entry.path) / "item.json").read_text())))
    return tuple(sorted(found, key=lambda i: (-i.imported, i.digest)))


def item(host: Host, digest: str) -> Item:
    """The one with that digest, or the beginning of it (eight characters or more), or with that name.

    Raises:
        Refused: B124.
    """
    known = items(host)
    found = [i for i in known if i.digest == digest or (len(digest) >= 8 and i.digest.startswith(digest))]
    found = found or [i for i in known if digest in (i.name, f"{i.name}:{i.version}")]
    if not found:
        raise refused("B124", "This bundle or definition is not on this host.", "Look at the list: onsite bundle list.")
    return found[0]


def manifest(host: Host, digest: str) -> Manifest:
    """Its manifest, which is as it was imported.

    Raises:
        Refused: B124 it is not there; B151 it was changed since.
    """
    path = folder(host) / "items" / digest / MANIFEST
    try:
        data = path.read_bytes()
    except OSError as error:
        raise refused("B124", "This bundle or definition is not on this host.", "Look at the list.") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise altered(MANIFEST)
    return Manifest.model_validate_json(data)


def altered(path: str) -> Exception:
    text = f"{path} on this host is not what was imported; the disk or somebody has changed it."
    return refused("B151", text, "Delete the bundle and import it again; have the disk looked at.")


def tree(host: Host, digest: str) -> Path:
    """The folder with its parts under their paths. `verified` says whether they are still what was imported."""
    return folder(host) / "items" / digest / "tree"


def verified(host: Host, digest: str, told: Callable[[int, int, str], None] | None = None) -> Path:
    """Read every part again, and give the folder that holds them: what an engine works from.

    Args:
        told: hears bytes done, bytes in all, and the part.

    Raises:
        Refused: B124, B151.
    """
    listed, top, done = manifest(host, digest), tree(host, digest), 0
    for member in listed.members:
        if told:
            told(done, listed.size, member.path)
        try:
            size, sha256 = digest_of(top / member.path)
        except OSError as error:
            raise altered(member.path) from error
        if (size, sha256) != (member.size, member.sha256):
            raise altered(member.path)
        done += size
    return top


def digest_of(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a plain file.

    Raises:
        OSError: it cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.hexdigest()


def delete(host: Host, digest: str) -> Item:
    """Take one away, and every part that nothing else holds.

    Raises:
        Refused: B124 it is not there; B122.
    """
    with locked(host):
        gone = item(host, digest)
        top = folder(host)
        try:
            away = top / "items" / f".gone-{gone.digest}"
            shutil.rmtree(away, ignore_errors=True)
            (top / "items" / gone.digest).rename(away)
            sync_folder(top / "items")
            shutil.rmtree(away)
            sweep(host)
        except OSError as error:
            raise unwritable(error) from error
    return gone


def sweep(host: Host) -> None:
    """Remove what nobody holds: blobs without a link from an item or an import, and halves of deleted items."""
    top = folder(host)
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(top / "items"):
            if entry.name.startswith("."):
                shutil.rmtree(entry.path, ignore_errors=True)
    if any(partials(host)):  # parts of an import that will go on
        return
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(top / "blobs"):
            if entry.stat(follow_symlinks=False).st_nlink == 1:
                Path(entry.path).unlink()


def partials(host: Host) -> Iterator[Path]:
    """Folders of imports that were interrupted."""
    with contextlib.suppress(OSError):
        yield from (p for p in sorted((folder(host) / "partial").iterdir()) if p.is_dir())


def abandon(host: Host, digest: str) -> None:
    """Give up an interrupted import and what it has brought so far.

    Raises:
        Refused: B122, B125.
    """
    with locked(host):
        shutil.rmtree(folder(host) / "partial" / digest, ignore_errors=True)
        sweep(host)


@contextmanager
def locked(host: Host) -> Iterator[None]:
    """Only one writer of the store at a time, whichever process it is in.

    Raises:
        Refused: B125 another one is at it; B122 the folder cannot be made.
    """
    top = folder(host)
    try:
        for path in (top, top / "blobs", top / "items", top / "partial"):
            make_folder(path, 0o700)
        fd = os.open(top / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise unwritable(error) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            text = "Another import or deletion is under way on this host."
            raise refused("B125", text, "Wait until it has ended, or pause it.") from error
        yield
    finally:
        os.close(fd)


def room(host: Host) -> tuple[int, int]:
    """Bytes free for an import, and bytes in all, of the disk that holds the content."""
    path = folder(host)
    while not path.exists():
        path = path.parent
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize


def unwritable(error: OSError) -> Exception:
    text = f"The content folder of this host cannot be written: {error.strerror or error}."
    return refused("B122", text, "Look at the disk: is it full, or mounted read-only? Then import again; it goes on.")


def fits(host: Host, needed: int) -> None:
    """Whether so many bytes can be written.

    Raises:
        Refused: B120.
    """
    free, _ = room(host)
    if needed + MARGIN > free:
        short = needed + MARGIN - free
        text = f"It needs {size_words(needed)}, and the disk has {size_words(free)} free ({size_words(short)} too few)."
        raise refused("B120", text, "Delete a bundle that is not used any more, or give the host a larger disk.")


def size_words(size: float) -> str:
    """Bytes in words: 5.0 GB, 713 MB, 12 kB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}" if size < 100 * factor else f"{size / factor:.0f} {unit}"
    return f"{size:.0f} bytes"
