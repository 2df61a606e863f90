"""The tar of our archives: plain files alone, in the one order of the manifest (POSIX.1-1988, "ustar").

Everything else that a tar can hold is refused by name: it is what archives are attacked with.
"""

from __future__ import annotations

import re

from tui.models.content import shown
from tui.services.content.stream import Stream, refused

BLOCK = 512
_KINDS = {
    "1": "a hard link", "2": "a symbolic link", "3": "a character device", "4": "a block device", "5": "a folder",
    "6": "a pipe", "7": "a reserved kind of file", "x": "a PAX header", "g": "a global PAX header",
    "L": "a GNU long name", "K": "a GNU long link", "S": "a sparse file", "D": "a GNU folder list",
    "M": "a part of another volume", "V": "a volume label",
}  # fmt: skip
_OCTAL = re.compile(rb" *([0-7]{1,11})[\0 ]*")


def header(name: str, size: int, mode: int = 0o644) -> bytes:
    """The header block of a plain file, of root, at time 0: the same content gives the same archive.

    Raises:
        ValueError: the name fits into no header.
    """
    prefix = ""
    if len(name) > 100:
        cut = name.find("/", len(name) - 101)
        if cut < 0 or cut > 155:
            raise ValueError(f"{name} is too long for a tar")
        prefix, name = name[:cut], name[cut + 1 :]
    fields = (
        name.encode().ljust(100, b"\0"), b"%07o\0" % mode, b"0000000\0", b"0000000\0", b"%011o\0" % size,
        b"%011o\0" % 0, b" " * 8, b"0", b"\0" * 100, b"ustar\x0000", b"\0" * 32, b"\0" * 32, b"0000000\0",
        b"0000000\0", prefix.encode().ljust(155, b"\0"),
    )  # fmt: skip
    block = b"".join(fields).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def padding(size: int) -> int:
    return -size % BLOCK


def member(stream: Stream) -> tuple[str, int] | None:
    """Name and size of the next file; None at the end of the tar.

    Raises:
        Refused: B101, B102, B104, B105.
    """
    block = stream.exactly(BLOCK)
    if block == b"\0" * BLOCK:
        return None
    stated = _OCTAL.fullmatch(block[148:156])
    if stated is None or int(stated[1], 8) != sum(block[:148]) + 8 * 32 + sum(block[156:]):
        raise refused("B102", "This archive cannot be used: a header in it is damaged, or it is no tar.")
    name = _text(block[:100])
    if block[257:262] == b"ustar" and (prefix := _text(block[345:500])) and block[257:263] == b"ustar\0":
        name = f"{prefix}/{name}"
    kind = chr(block[156])
    if kind not in ("0", "\0"):
        what = _KINDS.get(kind, "an unknown kind of file")
        raise refused("B104", f"{shown(name)} in this archive is {what}; only plain files may be in it.")
    size = _OCTAL.fullmatch(block[124:136])
    if size is None:
        raise refused("B102", f"This archive cannot be used: the size of {shown(name)} is no number.")
    if block[157:257].strip(b"\0"):
        raise refused("B104", f"{shown(name)} in this archive leads to another file; only plain files may be in it.")
    if name.startswith("/") or ".." in name.split("/") or not name.isprintable() or "\\" in name:
        raise refused("B105", f"{shown(name)} in this archive would lie outside of its folder.")
    return name, int(size[1], 8)


def end(stream: Stream) -> None:
    """After the first empty block: a second one, then nothing but the zeros with which tar fills a record.

    Raises:
        Refused: B102, B108.
    """
    if stream.exactly(BLOCK) != b"\0" * BLOCK:
        raise refused("B108", "This archive cannot be used: something follows after its end.")
    rest = 0
    while piece := stream.some(1 << 16):
        rest += len(piece)
        if rest > 1 << 16 or any(piece):
            raise refused("B108", "This archive cannot be used: something follows after its end.")


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")
