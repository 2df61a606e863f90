"""From the colours that Textual painted to the ones that a terminal has."""

from collections.abc import Callable
from typing import NamedTuple

from tui.terminal.grid import BOLD, DEFAULT, DIM, REVERSE, RGB, UNDERLINE, Style
from tui.terminal.palette import SIXTEEN
from tui.terminal.profile import Profile

CUBE = (0, 95, 135, 175, 215, 255)


class Pen(NamedTuple):
    """What a terminal's SGR can say: colours (index, 24-bit with RGB set, or DEFAULT) and three attributes."""

    fg: int = DEFAULT
    bg: int = DEFAULT
    bold: bool = False
    underline: bool = False
    reverse: bool = False


PLAIN = Pen()


def red_green_blue(colour: int) -> int:
    """The 24-bit value of a colour (xterm's 256-colour table, ours for the first sixteen)."""
    if colour & RGB:
        return colour & (RGB - 1)
    if colour < 16:
        return SIXTEEN[colour]
    if colour < 232:
        n = colour - 16
        return CUBE[n // 36] << 16 | CUBE[n // 6 % 6] << 8 | CUBE[n % 6]
    level = 8 + 10 * (colour - 232)
    return level << 16 | level << 8 | level


def _distance(a: int, b: int) -> int:
    return sum(
        weight * (((a >> shift) & 255) - ((b >> shift) & 255)) ** 2 for weight, shift in ((3, 16), (6, 8), (1, 0))
    )


def nearest(colour: int, candidates: range) -> int:
    """The candidate that looks most like a colour."""
    wanted = red_green_blue(colour)
    return min(candidates, key=lambda index: _distance(wanted, red_green_blue(index)))


def fit(colour: int, count: int) -> int:
    """A colour as one of `count` colours (8, 16, 256 or 2**24)."""
    if colour == DEFAULT or count >= RGB:
        return colour
    if not colour & RGB:
        if colour < count:
            return colour
        if count == 8 and colour < 16:
            return 0 if colour == 8 else colour - 8
        return nearest(colour, range(count))
    return nearest(colour, range(16, 256) if count == 256 else range(count))


def mapper(profile: Profile) -> Callable[[Style], Pen]:
    """A function from a painted style to a pen of this terminal.

    A monochrome terminal shows a background as reverse video, since that is where a screen says "here". The Linux
    console has no underline of its own (it would be another colour) and dims by grey.
    """
    known: dict[Style, Pen] = {}

    def monochrome(style: Style) -> Pen:
        marked = style.bg not in (DEFAULT, 0, RGB)
        return Pen(
            bold=bool(style.flags & BOLD),
            underline=bool(style.flags & UNDERLINE),
            reverse=marked or bool(style.flags & REVERSE),
        )

    def coloured(style: Style) -> Pen:
        fg, bg = style.fg, style.bg
        reverse = bool(style.flags & REVERSE)
        if reverse and DEFAULT not in (fg, bg):
            fg, bg, reverse = bg, fg, False
        if style.flags & DIM and fg in (DEFAULT, 7):
            fg = 8
        fg, bg = fit(fg, profile.colours), fit(bg, profile.backgrounds)
        if fg == bg != DEFAULT:
            fg = 0 if _distance(red_green_blue(bg), 0) > _distance(red_green_blue(bg), 0xFFFFFF) else 7
        underline = bool(style.flags & UNDERLINE) and "PALETTE" not in profile.words
        return Pen(fg, bg, bool(style.flags & BOLD), underline, reverse)

    def pen(style: Style) -> Pen:
        found = known.get(style)
        if found is None:
            found = known[style] = coloured(style) if profile.colours else monochrome(style)
        return found

    return pen
