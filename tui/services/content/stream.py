"""The plain tar stream of an archive, out of the confined child: read in pieces, and where it can go on later."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tui.models.change import Issue, Refused
from tui.services.content.unpack import CHUNK, HEADER, Record, records

_CODE = Path(__file__).resolve().parents[3]
_SET_PIPE_SIZE = 1031
REMEDIES = {
    "B101": "Choose the archive itself: a bundle (.tar.zst) or a cluster definition (.tgz).",
    "B102": "Copy it again from where it came from; compare its size.",
    "B108": "Get it again from those who made it.",
    "B109": "Do not use it; ask those who made it.",
}


def refused(code: str, text: str, remedy: str = "") -> Refused:
    return Refused(Issue(code, "error", "", text, remedy or REMEDIES.get(code, REMEDIES["B108"])))


class Stream:
    """Bytes in order. A read never goes beyond the end of a frame, so that `boundary` is seen.

    Args:
        source: the records of `unpack`.
    """

    def __init__(self, source: Iterator[Record]) -> None:
        self._source = source
        self._data = memoryview(b"")
        self._held: Record | None = None
        self.offset = 0
        """Bytes of the archive that were read so far."""
        self.boundary: int | None = None
        """Where in the archive the next frame begins, while exactly everything before it was read; else None."""
        self.ended = False

    def some(self, most: int) -> memoryview:
        """At least one byte; none at the end of the archive.

        Raises:
            Refused: B101, B102, B108, B109.
        """
        while not self._data and not self.ended:
            self._take(self._next())
        if self._data:
            self.boundary = None
        piece, self._data = self._data[:most], self._data[most:]
        if not self._data and not self.ended:  # the end of a frame directly after what was read belongs to it
            record = self._next()
            if record.kind == b"F":
                self._take(record)
            else:
                self._held = record
        return piece

    def _next(self) -> Record:
        record, self._held = self._held or next(self._source, None), None
        if record is None:
            return Record(b"X", b"B102 its reader ended early", 0)
        return record

    def _take(self, record: Record) -> None:
        if record.kind == b"X":
            code, _, words = record.data.decode().partition(" ")
            raise refused(code, f"This archive cannot be used: {words}.")
        self.offset = record.offset
        self._data = memoryview(record.data)
        self.ended = record.kind == b"E"
        if record.kind == b"F":
            self.boundary = record.offset

    def exactly(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            Refused: B102 the archive ends before; as `some`.
        """
        found = bytearray()
        while len(found) < size:
            piece = self.some(size - len(found))
            if not piece:
                raise refused("B102", "This archive cannot be used: it ends in the middle.")
            found += piece
        return bytes(found)


@contextmanager
def opened(source: int, offset: int = 0) -> Iterator[Stream]:
    """The stream of an archive that is open as `source`, from a frame on; the child ends with the block.

    Raises:
        Refused: B102 the child could not be started.
    """
    os.lseek(source, offset, os.SEEK_SET)
    environment = {
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(_CODE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "tui.services.content.unpack", str(offset)]
    try:
        child = subprocess.Popen(
            command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env=environment
        )
    except OSError as error:
        raise refused("B102", f"The archive could not be unpacked: {error.strerror}.") from error
    with child:
        assert child.stdout is not None  # noqa: S101 - PIPE
        try:
            with suppress(OSError):  # a user without root may have less
                fcntl.fcntl(child.stdout, _SET_PIPE_SIZE, CHUNK)
            yield Stream(_read(child.stdout))
        finally:
            child.kill()


@contextmanager
def in_process(source: int, offset: int = 0) -> Iterator[Stream]:
    """The same without a child: for archives that this host has made itself, and for the fuzzer."""
    os.lseek(source, offset, os.SEEK_SET)
    with open(source, "rb", buffering=CHUNK, closefd=False) as file:
        yield Stream(records(file, offset))


def _read(pipe: IO[bytes]) -> Iterator[Record]:
    while head := pipe.read(HEADER.size):
        if len(head) < HEADER.size:
            return
        kind, length, offset = HEADER.unpack(head)
        if length > CHUNK + (256 << 10):
            return
        data = pipe.read(length)
        if len(data) < length:
            return
        yield Record(kind, data, offset)
