"""The one process that decompresses foreign archives: zstd frames or one gzip member in, plain bytes out.

It gives up its rights before it reads a byte. A zstd frame is walked block by block (RFC 8878, 3.1.1.2), so that no
input makes more than 128 KiB of output at once, and every end of a frame is a place at which reading can go on later.

On standard output: records of kind (1 byte), length (4) and offset (8, of the archive, after what was read), then the
bytes. D data, F end of a frame, E end of the archive, X a code and a sentence.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from tui.services.parser.confine import confine

HEADER = struct.Struct(">cIQ")
CHUNK = 1 << 20
"""Bytes of one record of data, at most; a little more where a block of zstd ends."""
WINDOW = 8 << 20
"""Bytes that zstd may look back: what every level up to 19 uses. More would be memory."""
RATIO, FREE = 200, 64 << 20
"""Output may be so many times the input, after the first 64 MiB."""
_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_BLOCK = 128 << 10


class Record(NamedTuple):
    kind: bytes
    data: bytes
    offset: int


class Bad(Exception):
    """The archive is not one; `code` and the sentence say why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def records(file: BinaryIO, offset: int = 0) -> Iterator[Record]:
    """What is in an archive from a frame on; ends with E or X, never with an exception.

    Args:
        file: standing at `offset`.
    """
    try:
        yield from _records(file, offset)
    except Bad as bad:
        yield Record(b"X", f"{bad.code} {bad}".encode(), 0)
    except (zlib.error, MemoryError, OSError) as error:
        why = "it cannot be read" if isinstance(error, OSError) else "its data are damaged"
        yield Record(b"X", f"B102 {why}".encode(), 0)


def _records(file: BinaryIO, offset: int) -> Iterator[Record]:
    magic = file.read(4)
    if magic[:2] == _GZIP and offset == 0:
        yield from _gzip(file, magic)
        return
    if magic != _ZSTD:
        raise Bad("B101", "it is neither compressed with zstd nor with gzip" if magic else "it is empty")
    total, begun = 0, offset
    while magic:
        if magic != _ZSTD:
            raise Bad("B108", "something follows after its end")
        for chunk, offset in _frame(file, offset):  # noqa: B020 - it goes on from there
            total += len(chunk)
            _bounded(total, offset - begun)
            yield Record(b"D", chunk, offset)
        yield Record(b"F", b"", offset)
        magic = file.read(4)
    yield Record(b"E", b"", offset)


def _frame(file: BinaryIO, offset: int) -> Iterator[tuple[bytes, int]]:
    """The content of one frame whose magic number was read."""
    import zstandard

    descriptor = _exactly(file, 1)[0]
    single, checksum, dictionary = descriptor >> 5 & 1, descriptor >> 2 & 1, descriptor & 3
    if dictionary or descriptor & 8:
        raise Bad("B102", "it needs a dictionary, or is of a newer zstd")
    size = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    rest = _exactly(file, (0 if single else 1) + size)
    offset += 5 + len(rest)
    engine = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
    try:
        engine.decompress(_ZSTD + bytes((descriptor,)) + rest)
        waiting: list[bytes] = []
        held, last = 0, 0
        while not last:
            head = _exactly(file, 3)
            number = int.from_bytes(head, "little")
            last, kind, length = number & 1, number >> 1 & 3, number >> 3
            if kind == 3 or length > _BLOCK:
                raise Bad("B102", "its data are damaged")
            packed = 1 if kind == 1 else length
            tail = 4 if last and checksum else 0
            out = engine.decompress(head + _exactly(file, packed + tail))
            offset += 3 + packed + tail
            waiting.append(out)
            held += len(out)
            if held >= CHUNK or last:
                yield b"".join(waiting), offset
                waiting, held = [], 0
    except zstandard.ZstdError as error:
        words = "it needs more memory than is given (a window above 8 MiB)"
        raise Bad("B102", words if "memory" in str(error).lower() else "its data are damaged") from error
    if not engine.eof:
        raise Bad("B102", "its data are damaged")


def _gzip(file: BinaryIO, magic: bytes) -> Iterator[Record]:
    engine = zlib.decompressobj(wbits=31)
    total = taken = 0
    data = magic + file.read(CHUNK - 4)
    while data or engine.unconsumed_tail:
        taken += len(data)
        out = engine.decompress(engine.unconsumed_tail + data, CHUNK)
        total += len(out)
        _bounded(total, taken)
        if out:
            yield Record(b"D", out, taken)
        if engine.eof:
            break
        data = b"" if len(engine.unconsumed_tail) >= CHUNK else file.read(CHUNK)
    if not engine.eof:
        raise Bad("B102", "it ends too early")
    if engine.unused_data or file.read(1):
        raise Bad("B108", "something follows after its end")
    yield Record(b"E", b"", taken)


def _bounded(made: int, taken: int) -> None:
    if made > FREE and made > RATIO * taken:
        raise Bad("B109", f"it unpacks to more than {RATIO} times its own size")


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise Bad("B102", "it ends too early")
    return data


def main(offset: int) -> int:
    import zstandard

    zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
    confine(memory=64 << 20, cpu=3600)
    source = open(0, "rb", buffering=CHUNK, closefd=False)  # noqa: SIM115 - for as long as the process lives
    for record in records(source, offset):
        sys.stdout.buffer.write(HEADER.pack(record.kind, len(record.data), record.offset))
        sys.stdout.buffer.write(record.data)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
