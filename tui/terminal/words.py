"""The control functions we use, each in its shortest form (ECMA-48, VT100 user guide, console_codes(4))."""

from functools import lru_cache

from tui.terminal.colours import PLAIN, Pen
from tui.terminal.grid import RGB


@lru_cache(4096)
def sgr(words: frozenset[str], old: Pen, new: Pen) -> bytes:
    """The shortest SGR from one pen to another."""
    full = ["", *attributes(new), *colours(PLAIN, new)]
    choices = [full]
    lost = [old.bold and not new.bold, old.underline and not new.underline, old.reverse and not new.reverse]
    if not any(lost) or "SGR-OFF" in words:
        off = [code for code, gone in zip(("22", "24", "27"), lost, strict=True) if gone]
        on = [code for code in attributes(new) if code not in attributes(old)]
        choices.append([*off, *on, *colours(old, new)])
    return min((b"\x1b[%sm" % ";".join(choice).encode() for choice in choices), key=len)


def attributes(pen: Pen) -> list[str]:
    """The SGR parameters that switch a pen's attributes on."""
    return [code for code, on in zip("147", (pen.bold, pen.underline, pen.reverse), strict=True) if on]


def colours(old: Pen, new: Pen) -> list[str]:
    """The SGR parameters that change one pen's colours to another's."""
    pairs = ((old.fg, new.fg, 30), (old.bg, new.bg, 40))
    return [colour(wanted, base) for had, wanted, base in pairs if had != wanted]


def colour(value: int, base: int) -> str:
    """The SGR parameters of one colour; base is 30 for the foreground and 40 for the background."""
    if value == PLAIN.fg:
        return str(base + 9)
    if value & RGB:
        return f"{base + 8};2;{value >> 16 & 255};{value >> 8 & 255};{value & 255}"
    if value < 16:
        return str(base + value if value < 8 else base + 52 + value)
    return f"{base + 8};5;{value}"


@lru_cache(16384)
def way(words: frozenset[str], x0: int | None, y0: int, x: int, y: int) -> bytes:
    """The shortest bytes from one place to another (0-based; x0 None where the column is not known)."""
    ways = [b"\x1b[%s%sH" % (b"%d" % (y + 1) if y else b"", b";%d" % (x + 1) if x else b"")]
    if x0 is not None:
        down = y - y0
        if y == y0:
            ways += across(words, x0, x)
        elif x == x0:
            ways += vertical(words, down, y)
        else:
            ways += [v + h for v in vertical(words, down, y) for h in across(words, x0, x)]
    return min(ways, key=len)


def across(words: frozenset[str], x0: int, x: int) -> list[bytes]:
    """Ways along a row."""
    if x == x0:
        return [b""]
    count = b"%d" % abs(x - x0) if abs(x - x0) > 1 else b""
    ways = [b"\x1b[%sC" % count] if x > x0 else [b"\x1b[%sD" % count, b"\b" * (x0 - x)]
    ways.append(b"\r" + b"\x1b[%sC" % (b"%d" % x if x > 1 else b"") if x else b"\r")
    if "CHA" in words:
        ways.append(b"\x1b[%dG" % (x + 1))
    return ways


def vertical(words: frozenset[str], down: int, y: int) -> list[bytes]:
    """Ways along a column. A line feed never scrolls here, since no target is below the last row."""
    count = b"%d" % abs(down) if abs(down) > 1 else b""
    ways = [b"\n" * down, b"\x1b[%sB" % count] if down > 0 else [b"\x1bM" * -down, b"\x1b[%sA" % count]
    if "VPA" in words:
        ways.append(b"\x1b[%dd" % (y + 1))
    return ways
