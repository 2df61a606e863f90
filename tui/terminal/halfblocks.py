"""Half blocks for a Linux console whose font has none: three glyphs lent to it, and taken back.

Only three seldom glyphs of the font that is there are replaced, so its letters, its size and the screen stay as they
are, and a console that is killed meanwhile leaves a font in which everything can still be read. Source:
console_ioctl(4), linux/kd.h (KDFONTOP, GIO_UNIMAP, PIO_UNIMAP).
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import struct
from collections.abc import Iterator

KDFONTOP, GIO_UNIMAP, PIO_UNIMAP, PIO_UNIMAPCLR = 0x4B72, 0x4B66, 0x4B67, 0x4B68
SET, GET = 0, 1
ROWS = 32
"""Each glyph has that many rows in the ioctl, however high the font is."""
UPPER, LOWER, FULL = 0x2580, 0x2584, 0x2588
_OPERATION = struct.Struct("@IIIIIP")
MOST = 16384
LINES = frozenset(map(ord, "─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬"))
WIDENED = range(0xC0, 0xE0)
"""In text mode a VGA makes the ninth dot of these as the eighth, so that blocks touch; that of the others is blank."""
Pairs = list[tuple[int, int]]
"""(character, position in the font)"""


def pairs_of(fd: int) -> Pairs:
    """Raises OSError where this is no console."""
    found = array.array("H", bytes(4 * MOST))
    answer = fcntl.ioctl(fd, GIO_UNIMAP, struct.pack("@HP", MOST, found.buffer_info()[0]))
    count = struct.unpack_from("@H", answer)[0]
    return list(zip(found[: 2 * count : 2], found[1 : 2 * count : 2], strict=True))


def glyphs_of(fd: int) -> tuple[int, int, int, bytes]:
    """(width, height, count, bitmaps) of the font. Raises OSError where this is no console, or one without fonts."""
    data = array.array("B", bytes(512 * ROWS * 4))
    asked = _OPERATION.pack(GET, 0, 32, 32, 512, data.buffer_info()[0])
    _, _, width, height, count, _ = _OPERATION.unpack(fcntl.ioctl(fd, KDFONTOP, asked))
    return width, height, count, bytes(data[: count * ROWS * ((width + 7) // 8)])


def put(fd: int, width: int, height: int, count: int, bitmaps: bytes, pairs: Pairs) -> None:
    """Raises OSError where the console does not take it."""
    data = array.array("B", bitmaps)
    fcntl.ioctl(fd, KDFONTOP, _OPERATION.pack(SET, 0, width, height, count, data.buffer_info()[0]))
    flat = array.array("H", [number for pair in pairs for number in pair])
    fcntl.ioctl(fd, PIO_UNIMAPCLR, struct.pack("@HHH", 0, 0, 0))
    fcntl.ioctl(fd, PIO_UNIMAP, struct.pack("@HP", len(pairs), flat.buffer_info()[0]))


def with_half_blocks(width: int, height: int, count: int, bitmaps: bytes, pairs: Pairs) -> tuple[bytes, Pairs]:
    """The font and its map with the three glyphs in the place of seldom ones.

    Where the font has 512 glyphs, one of the upper half has the bit of a bright colour set: its black is a grey on
    the screens of many virtual machines. So those come last.

    Raises:
        ValueError: there are no seldom ones.
    """
    needed = {place for code, place in pairs if code < 0x100 or code in LINES} | {0, 32}
    order = [*WIDENED, *range(255, -1, -1), *range(count - 1, 255, -1)]
    spare = [place for place in dict.fromkeys(order) if place not in needed and place < count][:3]
    if len(spare) < 3:
        raise ValueError("every glyph of this font is needed")
    made, pitch = bytearray(bitmaps), (width + 7) // 8
    row = bytes([0xFF] * (width // 8) + [0xFF << (8 - width % 8) & 0xFF] * (width % 8 > 0))
    half = height // 2
    for place, rows in zip(spare, (range(half), range(half, height), range(height)), strict=True):
        start = place * ROWS * pitch
        made[start : start + ROWS * pitch] = bytes(ROWS * pitch)
        for y in rows:
            made[start + y * pitch : start + (y + 1) * pitch] = row
    kept = [(code, place) for code, place in pairs if place not in spare and code not in (UPPER, LOWER, FULL)]
    return bytes(made), [*kept, *zip((UPPER, LOWER, FULL), spare, strict=True)]


@contextlib.contextmanager
def lent(fd: int) -> Iterator[None]:
    """The console has half blocks meanwhile; one that has them is left alone.

    Raises:
        OSError: it takes no font. ValueError: its font has no room.
    """
    pairs = pairs_of(fd)
    if {UPPER, LOWER, FULL} <= {code for code, _ in pairs}:
        yield
        return
    width, height, count, bitmaps = glyphs_of(fd)
    made, mapped = with_half_blocks(width, height, count, bitmaps, pairs)
    try:
        put(fd, width, height, count, made, mapped)
        yield
    finally:
        put(fd, width, height, count, bitmaps, pairs)
