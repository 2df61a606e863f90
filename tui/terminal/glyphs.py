"""Which characters a terminal can show, and what stands in for the others.

Standard library only. A look-alike is one step simpler than what it replaces; steps are followed until the terminal
has the glyph, and every chain ends in ASCII.
"""

import array
import fcntl
import struct
import unicodedata
from collections.abc import Callable

GIO_UNIMAP = 0x4B66  # linux/kd.h: the Unicode map of the console's font
MAX_UNIMAP = 65535

# The DEC special graphics set (VT100 user guide, table 3-9): glyph -> the byte that shows it after shift-out.
DEC: dict[str, str] = dict(zip("◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", "`afgjklmnopqrstuvwxyz{|}~", strict=True))
DEC_GRAPHICS = frozenset(DEC) - frozenset("⎺⎻⎼⎽")

# What the kernel's built-in font and the common console fonts share: enough without asking the font.
CP437 = frozenset("─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬█▒░■•·→←↑↓▲▼≤≥±°£§¶«»¡¿¢¥ªº¬½¼µ÷ÄÅÆÇÉÑÖÜßàáâäåæçèéêëìíîïñòóôöùúûüÿ")

# Each line: a stand-in, then what it stands in for.
_STAND_INS = """
─ ━═╌╍┄┅┈┉╴╶╸╺╼╾
│ ┃║╎╏┆┇┊┋╵╷╹╻╽╿
┌ ┏╔╭┍┎
┐ ┓╗╮┑┒
└ ┗╚╰┕┖
┘ ┛╝╯┙┚
├ ┣╠┝┠
┤ ┫╣┥┨
┬ ┳╦┯┰
┴ ┻╩┷┸
┼ ╋╬┿╂
- ─▔⎺▀–—‑‒−
| │▌▎▏▍▋▊▉▐▕
+ ┌┐└┘├┤┬┴┼±
_ ▁▂▃▄⎽
▒ ▓
# █▅▆▇■▪▒≠
: ░
• ●⬤
o ⭘○◉°
* •◆♦⧫
. ·∙…
> →▶►▸❯›⮕≥
< ←◀◄◂❮‹≤⏎↵
^ ↑▲▴⌃
v ↓▼▾⌄✓✔
x ✗✘×✕
' ‘’
" “”„«»
, ‚
p π
L £
u µ
S §
P ¶
"""

LOOKALIKES: dict[str, str] = {glyph: line[0] for line in _STAND_INS.strip().splitlines() for glyph in line[2:]} | {
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
    "\N{FIGURE SPACE}": " ",
}


def width(character: str) -> int:
    """Columns that a character takes: 0 for what combines or controls, 2 for the wide ones of East Asia, else 1."""
    if unicodedata.category(character) in ("Mn", "Me", "Cc", "Cf", "Cs", "Zl", "Zp"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def plain(character: str) -> str:
    """The ASCII letter under the accents of a letter, or a question mark."""
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if base.isascii() and base.isprintable() else "?"


def translator(glyphs: frozenset[str] | None) -> Callable[[str], str]:
    """A function from any printable character to one that a terminal with these glyphs shows.

    Args:
        glyphs: What it has beyond ASCII; None for everything that has a width.
    """
    known: dict[str, str] = {}

    def translate(character: str) -> str:
        found = known.get(character)
        if found is None:
            found = known[character] = _search(character, glyphs)
        return found

    return translate


def _search(character: str, glyphs: frozenset[str] | None) -> str:
    if " " <= character <= "~":
        return character
    if glyphs is None:
        private = unicodedata.category(character) in ("Co", "Cn")
        return character if width(character) and not private else "?"
    for _ in range(4):
        if character in glyphs or character.isascii():
            break
        if character not in LOOKALIKES:
            return plain(character)
        character = LOOKALIKES[character]
    return character


def font(fd: int) -> frozenset[str] | None:
    """The characters that the font of a Linux virtual terminal has.

    Source: console_ioctl(4), GIO_UNIMAP.

    Returns:
        The set, or None where the kernel does not tell (not a virtual terminal, a very old kernel, no map).
    """
    pairs = array.array("H", bytes(4 * MAX_UNIMAP))
    address, _ = pairs.buffer_info()
    request = struct.pack("@HP", MAX_UNIMAP, address)
    try:
        count = struct.unpack_from("@H", fcntl.ioctl(fd, GIO_UNIMAP, request))[0]
    except OSError:
        return None
    found = frozenset(chr(code) for code in pairs[: 2 * count : 2] if code > 0x9F and code != 0xFFFD)
    return found or None
