"""Import of a bundle or a definition: every part is hashed while it is written, and only whole ones get a name.

What was written stays through a kill, a pause or a power cut: whole parts under blobs/, the part that was being
written under partial/DIGEST/part, and how far it is synced in partial/DIGEST/state.json together with the place in the
archive at which reading can go on. The same archive, given again, goes on there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.models.change import Refused
from tui.models.content import MANIFEST, SIGNATURE, Item, Manifest, Member, Origin, Progress, Trust, shown
from tui.services.change.files import make_folder, sync_folder
from tui.services.content import signing, store, tar
from tui.services.content.stream import Stream, opened, refused
from tui.services.host import Host
from tui.services.parser.run import ParserFailed, parse

PIECE = 1 << 20
SYNC_EVERY = 32 << 20
TELL_EVERY = 0.2
"""Seconds between two words on the progress."""
LARGEST_SIGNATURE = 16 << 10
RATIO, FREE = 200, 64 << 20
Told = Callable[[Progress], None]
Opener = Callable[[int, int], AbstractContextManager[Stream]]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands in front of every archive."""

    manifest: Manifest
    digest: str
    raw: bytes
    signature: bytes
    trust: Trust
    first: tuple[str, int] | None
    """Name and size of the member after it, whose header was read."""


def looked(host: Host, source: int, *, beside: bytes = b"", check: bool = True, opener: Opener = opened) -> Head:
    """Read the head of an archive and nothing more.

    Args:
        source: the open archive.
        beside: a signature that came in a file of its own.
        check: whether the signature has to be good for this host.

    Raises:
        Refused: what is wrong with the archive, its manifest or its signature.
    """
    with opener(source, 0) as stream:
        return _head(host, stream, os.fstat(source).st_size, beside, check)


def verified(
    host: Host,
    source: int,
    *,
    beside: bytes = b"",
    check: bool = True,
    told: Told | None = None,
    opener: Opener = opened,
) -> Head:
    """Read a whole archive and write nothing: every part against its size and SHA-256.

    Raises:
        Refused: as `imported`, but for what concerns the disk.
    """
    size = os.fstat(source).st_size
    with opener(source, 0) as stream:
        head = _head(host, stream, size, beside, check)
        for member in _members(stream, head):
            digest, rest = hashlib.sha256(), member.size
            while rest:
                rest -= len(piece := _piece(stream, rest, member))
                digest.update(piece)
                if told:
                    told(Progress(stream.offset, size, member.path))
            _matches(member, digest.hexdigest())
            stream.exactly(tar.padding(member.size))
        tar.end(stream)
    return head


def imported(
    host: Host, source: int, *, name: str = "", beside: bytes = b"", origin: Origin = "imported",
    told: Told | None = None, stop: threading.Event | None = None, opener: Opener = opened,
) -> Item:  # fmt: skip
    """Take an archive into the store. Blocks; where it was interrupted before, it goes on.

    Args:
        source: the open archive, a plain file.
        name: what the file is called, for the list.
        beside: a signature that came in a file of its own.
        stop: set it to pause; what was written stays.

    Raises:
        Refused: B101 to B113 the archive; B120 no room; B122 the disk; B125 another import; B126 paused. What was
            in the store before is as it was.
    """
    size = os.fstat(source).st_size
    head = looked(host, source, beside=beside, opener=opener)
    run = Run(host, source, size, head, told, stop or threading.Event(), opener)
    with store.locked(host):
        there = next((i for i in store.items(host) if i.digest == head.digest), None)
        if there is not None:
            return there
        try:
            try:
                run.all_parts(resume=True)
            except Refused as why:
                if not run.resumed or why.issues[0].code in ("B120", "B122", "B126"):
                    raise
                run.forget()  # another archive with the same manifest, or a disk that lost what was synced
                run.all_parts(resume=False)
            item = Item.of(
                head.manifest, head.digest, signature=head.trust, origin=origin, imported=host.clock.now(),
                file_name=shown(name), file_size=size,
            )  # fmt: skip
            run.finish(item)
        except Refused as why:
            if why.issues[0].code not in ("B120", "B122", "B126"):
                run.forget()
                store.sweep(host)
            raise
        except OSError as error:
            raise store.unwritable(error) from error
    _embedded(host, item, stop)
    return item


def _embedded(host: Host, bundle: Item, stop: threading.Event | None) -> None:
    """A definition inside a bundle is imported with it."""
    inner = next((m for m in store.manifest(host, bundle.digest).members if m.kind == "definition"), None)
    if bundle.kind == "bundle" and inner is not None:
        with plain_file(store.tree(host, bundle.digest) / inner.path) as source:
            imported(host, source, name=inner.path, origin="bundle", stop=stop)


@contextmanager
def plain_file(path: Path) -> Iterator[int]:
    """The file, opened for reading; a link is not followed, and nothing but a plain file is taken.

    Raises:
        Refused: B121.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        why = "it is a link" if path.is_symlink() else (error.strerror or "it cannot be opened").lower()
        raise refused("B121", f"{path.name} cannot be read: {why}.", "Look whether it is there.") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise refused("B121", f"{path.name} is not a plain file.", "Choose the archive itself.")
        yield fd
    finally:
        os.close(fd)


# --- reading ---------------------------------------------------------------------------------------------------------


def _head(host: Host, stream: Stream, size: int, beside: bytes, check: bool, known: Head | None = None) -> Head:
    first = tar.member(stream)
    if first is None or first[0] != MANIFEST:
        what = f"begins with {shown(first[0])}" if first else "is empty"
        raise refused("B101", f"This archive {what}; one for Onsite begins with {MANIFEST}.")
    if first[1] > 2 << 20:
        raise refused("B103", f"The manifest of this archive has {first[1] >> 10} KiB; 2048 KiB is the limit.")
    raw = stream.exactly(first[1])
    stream.exactly(tar.padding(first[1]))
    manifest = known.manifest if known is not None and known.raw == raw else parsed(raw)
    signature = b""
    following = tar.member(stream)
    if following is not None and following[0] == SIGNATURE:
        if following[1] > LARGEST_SIGNATURE:
            raise refused("B111", "The signature in this archive is too long to be one.")
        signature = stream.exactly(following[1])
        stream.exactly(tar.padding(following[1]))
        following = tar.member(stream)
    if manifest.size > FREE and manifest.size > RATIO * size:
        raise refused("B109", f"This archive claims to unpack to more than {RATIO} times its own size.")
    trust = signing.judged(raw, signature or beside, signing.trusted_key(host) if check else b"")
    return Head(manifest, hashlib.sha256(raw).hexdigest(), raw, signature or beside, trust, following)


def parsed(raw: bytes) -> Manifest:
    """The manifest that these bytes are, read by the parser child.

    Raises:
        Refused: B103 it is none; B123 it is of a newer format.
    """
    try:
        found: dict[str, Any] = parse("manifest", raw)
    except ParserFailed as error:
        raise refused("B103", "The manifest of this archive cannot be read.") from error
    if found.get("code") == "B123":
        text = f"This archive has {found['text']}, which this Onsite does not know yet."
        raise refused("B123", text, "Update Onsite on this host first, or ask for an archive of format 1.")
    if "manifest" not in found:
        raise refused("B103", f"The manifest of this archive is wrong: {found.get('text', 'no reason given')}.")
    return Manifest.model_validate(found["manifest"])


def _members(stream: Stream, head: Head, start: int = 0) -> Iterator[Member]:
    """The parts as the manifest lists them, each with its header read; the first header may be read already.

    Raises:
        Refused: B102 an end too early; B106 another order, one too many, one missing; B107 another size.
    """
    following, seen = head.first, {MANIFEST, SIGNATURE, *(m.path for m in head.manifest.members[:start])}
    for number, member in enumerate(head.manifest.members[start:]):
        if number or start:
            following = tar.member(stream)
        if following is None:
            raise refused("B106", f"{member.path} is missing in this archive, although its manifest names it.")
        name, size = following
        if name != member.path:
            why = "stands there twice" if name in seen else f"stands where {member.path} should be"
            raise refused("B106", f"{shown(name)} in this archive {why}.")
        if size != member.size:
            raise refused("B107", f"{name} has {size} bytes; its manifest says {member.size}.")
        seen.add(name)
        yield member
    if head.manifest.members or start:
        following = tar.member(stream)
    if following is not None:
        why = "stands there twice" if following[0] in seen else "is not named in its manifest"
        raise refused("B106", f"{shown(following[0])} in this archive {why}.")


def _piece(stream: Stream, rest: int, member: Member) -> memoryview:
    piece = stream.some(min(rest, PIECE))
    if not piece:
        raise refused("B102", f"This archive ends in the middle of {member.path}.")
    return piece


def _matches(member: Member, sha256: str) -> None:
    if sha256 != member.sha256:
        text = f"{member.path} in this archive was altered or damaged: its SHA-256 is not that of the manifest."
        raise refused("B107", text, "Copy it again from where it came from; compare its size.")


# --- writing ---------------------------------------------------------------------------------------------------------


class Run:
    """One import, with what it has to remember: the folder under partial/, and how far it is."""

    def __init__(
        self, host: Host, source: int, size: int, head: Head, told: Told | None, stop: threading.Event, opener: Opener
    ) -> None:
        self._host, self._source, self._size, self._head = host, source, size, head
        self._told, self._stop, self._opener = told, stop, opener
        top = store.folder(host)
        self.blobs, self.folder = top / "blobs", top / "partial" / head.digest
        self._part = self.folder / "part"
        self._synced = ThreadPoolExecutor(1)
        self._last_told = 0.0
        self.resumed = False

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def all_parts(self, *, resume: bool) -> None:
        """Every part into blobs/.

        Raises:
            Refused, OSError.
        """
        members = self._head.manifest.members
        there = {m.path for m in members if self.has(m)}
        offset, start, at = self._state(there) if resume else (0, 0, 0)
        self.resumed = bool(offset)
        needed = sum({m.sha256: m.size for m in members if m.path not in there}.values())
        store.fits(self._host, needed - at)
        make_folder(self.folder, 0o700)
        try:
            if not offset:
                self._from_the_beginning()
            else:
                with self._opener(self._source, offset) as stream:
                    member = members[start]
                    self._one(stream, member, start, at)
                    self._rest(stream, start + 1)
        finally:
            self._synced.shutdown(wait=True)
            self._synced = ThreadPoolExecutor(1)

    def _from_the_beginning(self) -> None:
        with self._opener(self._source, 0) as stream:
            again = _head(self._host, stream, self._size, self._head.signature, True, self._head)
            if again.digest != self._head.digest:
                raise refused("B106", "This archive was changed while it was read.")
            self._head = again
            self._rest(stream, 0)

    def _rest(self, stream: Stream, start: int) -> None:
        members = _members(stream, self._head, start)
        for number, member in enumerate(members, start):
            self._one(stream, member, number, 0)
        tar.end(stream)

    def _one(self, stream: Stream, member: Member, number: int, at: int) -> None:
        """One part; those that are there already are only read past."""
        if self.has(member):
            self._skip(stream, member, number, at)
        else:
            self._write(stream, member, number, at)
        stream.exactly(tar.padding(member.size))

    def _skip(self, stream: Stream, member: Member, number: int, at: int) -> None:
        rest = member.size - at
        while rest:
            rest -= len(_piece(stream, rest, member))
            self._tell(stream, member)
        if stream.boundary is not None:
            self._remember(stream.boundary, number, member.size)

    def _write(self, stream: Stream, member: Member, number: int, at: int) -> None:
        digest = hashlib.sha256()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if at else os.O_TRUNC)
        fd = os.open(self._part, flags, 0o600)
        try:
            os.ftruncate(fd, at)
            for start in range(0, at, PIECE):
                digest.update(os.pread(fd, min(PIECE, at - start), start))
            os.lseek(fd, at, os.SEEK_SET)
            waiting: Future[None] | None = None
            synced = at
            while at < member.size:
                piece = _piece(stream, member.size - at, member)
                digest.update(piece)
                at += len(piece)
                while piece:
                    piece = piece[os.write(fd, piece) :]
                self._tell(stream, member)
                if at - synced >= SYNC_EVERY and stream.boundary is not None:
                    if waiting is not None:
                        waiting.result()
                    waiting, synced = self._synced.submit(self._checkpoint, fd, stream.boundary, number, at), at
            if waiting is not None:
                waiting.result()
            _matches(member, digest.hexdigest())
            os.fchmod(fd, 0o555 if member.executable else 0o444)
            os.fsync(fd)
        finally:
            self._synced.shutdown(wait=True)
            self._synced = ThreadPoolExecutor(1)
            os.close(fd)
        self._part.replace(self.blobs / member.sha256)
        if stream.boundary is not None:
            self._remember(stream.boundary, number, member.size)

    def _checkpoint(self, fd: int, offset: int, number: int, at: int) -> None:
        os.fdatasync(fd)
        self._remember(offset, number, at)

    def _remember(self, offset: int, number: int, at: int) -> None:
        sync_folder(self.blobs)
        state = {"size": self._size, "offset": offset, "part": number, "at": at}
        beside = self.folder / "state.tmp"
        with beside.open("w") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / "state.json")
        sync_folder(self.folder)

    def _state(self, there: set[str]) -> tuple[int, int, int]:
        """Offset in the archive, number of the part and place in it to go on at; zeros to begin anew."""
        members = self._head.manifest.members
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            state = json.loads((self.folder / "state.json").read_text())
            offset, number, at = int(state["offset"]), int(state["part"]), int(state["at"])
            if state["size"] == self._size and 0 < offset < self._size and 0 <= at <= members[number].size:
                before_are_there = all(m.path in there for m in members[:number])
                if members[number].path in there and before_are_there:
                    return offset, number, at
                if before_are_there and 0 < at <= self._part.stat().st_size:
                    return offset, number, at
        return 0, 0, 0

    def finish(self, item: Item) -> None:
        """Everything is there: links under the paths, the descriptions, and one rename that makes it so.

        Raises:
            OSError.
        """
        sync_folder(self.blobs)
        made = self.folder / "item"
        shutil.rmtree(made, ignore_errors=True)
        (made / "tree").mkdir(parents=True, mode=0o755)
        for member in self._head.manifest.members:
            path = made / "tree" / member.path
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(self.blobs / member.sha256, path)
            if member.executable:
                path.chmod(0o555)
        texts = {
            MANIFEST: self._head.raw,
            SIGNATURE: self._head.signature,
            "item.json": json.dumps(item.to_dict()).encode(),
        }
        for name, data in texts.items():
            if data:
                with (made / name).open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
        for top, folders, _ in os.walk(made, topdown=False):
            for folder in folders:
                sync_folder(Path(top, folder))
        sync_folder(made)
        there = store.folder(self._host) / "items" / item.digest
        shutil.rmtree(there, ignore_errors=True)  # one that cannot be read: it was not in the list
        made.rename(there)
        sync_folder(there.parent)
        shutil.rmtree(self.folder, ignore_errors=True)

    def has(self, member: Member) -> bool:
        """A blob is there only when it was whole and synced."""
        try:
            status = os.lstat(self.blobs / member.sha256)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == member.size

    def _tell(self, stream: Stream, member: Member) -> None:
        if self._stop.is_set():
            text = "The import is paused; what was written stays."
            raise refused("B126", text, "Import the same archive again, and it goes on where it stopped.")
        now = time.monotonic()
        if self._told is not None and now - self._last_told >= TELL_EVERY:
            self._last_told = now
            self._told(Progress(stream.offset, self._size, member.path))
