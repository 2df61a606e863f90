"""What each terminal knows, and which terminal is at the other end of a file descriptor.

Standard library only and cheap to import: the command line chooses a profile before anything heavy is loaded.
A profile is a whitelist. The encoder says nothing for which the profile has no word, so a sequence or a glyph that a
terminal does not know cannot reach its line.
"""

import fcntl
import os
import struct
import termios
from collections.abc import Mapping, MutableMapping, Sequence
from typing import NamedTuple

from tui.terminal.glyphs import CP437, DEC_GRAPHICS

KDGKBTYPE = 0x4B33  # linux/kd.h: answered by virtual terminals only
TIOCGDEV = 0x80045432  # asm-generic/ioctls.h: the real device behind /dev/console or /dev/tty
PTY_SLAVE_MAJORS = range(136, 144)  # Documentation/admin-guide/devices.txt
PTY_SPEED = 38400  # what the kernel gives a new pty; it says nothing about a line

VT100_WORDS = frozenset({"CUP", "CUU", "CUD", "CUF", "CUB", "EL", "ED", "SGR", "DECSTBM", "IND", "RI", "DECAWM", "CPR"})
VT220_WORDS = VT100_WORDS | {"ECH", "DECTCEM", "SGR-OFF"}
LINUX_WORDS = VT220_WORDS | {"CHA", "VPA", "BCE", "PALETTE", "UTF8"}
XTERM_WORDS = VT220_WORDS | {"CHA", "VPA", "BCE", "ALTERNATE", "PASTE"}


class Profile(NamedTuple):
    """One kind of terminal.

    Attributes:
        name: What `--terminal` takes.
        words: Control functions it knows, by the names of ECMA-48 and the DEC manuals, and `SGR-OFF` (22, 24, 27),
            `BCE` (erases with the current background), `PALETTE` (OSC P of the Linux console), `UTF8` (ESC % G),
            `ALTERNATE` (mode 1049), `PASTE` (mode 2004).
        colours: 0 for a monochrome terminal, else 16, 256 or 2**24.
        backgrounds: How many of the colours can be a background.
        utf8: Text goes out and comes in as UTF-8; else it is 7-bit.
        graphics: Line drawing by shift-out to the DEC special graphics set.
        glyphs: What it can show beyond ASCII; None for everything with a width.
        escape: Seconds after which a lone ESC byte is the Escape key.
    """

    name: str
    words: frozenset[str]
    colours: int
    backgrounds: int
    utf8: bool
    graphics: bool
    glyphs: frozenset[str] | None
    escape: float


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("xterm", XTERM_WORDS, 256, 256, True, False, None, 0.1),
        Profile("linux", LINUX_WORDS, 16, 8, True, True, CP437, 0.025),
        Profile("vt220", VT220_WORDS, 0, 0, False, True, DEC_GRAPHICS, 0.3),
        Profile("vt100", VT100_WORDS, 0, 0, False, True, DEC_GRAPHICS, 0.3),
        Profile("ascii", VT100_WORDS, 0, 0, False, False, frozenset(), 0.3),
    )
}

VT220_FAMILY = ("vt2", "vt3", "vt4", "vt5")
VT100_FAMILY = ("vt1",)
ASCII_FAMILY = ("ansi", "cons25", "pcansi", "sun")
MULTIPLEXERS = ("screen", "tmux")


def kind(fd: int) -> str:
    """What a descriptor is, asked of the kernel and never of TERM.

    Returns:
        `vt` for a Linux virtual terminal, `serial` for any other real line, `pty`, or `none`.
    """
    try:
        if not os.isatty(fd):
            return "none"
    except OSError:
        return "none"
    try:
        fcntl.ioctl(fd, KDGKBTYPE, b"\0")
    except OSError:
        pass
    else:
        return "vt"
    try:
        (device,) = struct.unpack("I", fcntl.ioctl(fd, TIOCGDEV, bytes(4)))
        major = (device >> 8) & 0xFFF
    except OSError:
        major = os.major(os.fstat(fd).st_rdev)
    return "pty" if major in PTY_SLAVE_MAJORS else "serial"


def choose(fd: int, environ: Mapping[str, str], forced: str | None = None) -> Profile:
    """The profile for a descriptor.

    Args:
        fd: The line, usually standard output.
        environ: Where TERM is looked up; it only tells the terminals behind a serial line or a pty apart.
        forced: A name from `PROFILES`, as given with `--terminal`.

    Raises:
        ValueError: If `forced` is not the name of a profile.
    """
    if forced is not None:
        if forced not in PROFILES:
            raise ValueError(f"there is no terminal profile {forced!r}; there are {', '.join(PROFILES)}")
        return PROFILES[forced]
    place = kind(fd)
    term = environ.get("TERM", "")
    if place == "vt":
        return PROFILES["linux"]
    if term.startswith(VT220_FAMILY):
        return PROFILES["vt220"]
    if term.startswith(VT100_FAMILY):
        return PROFILES["vt100"]
    if term.startswith(ASCII_FAMILY):
        return PROFILES["ascii"]
    if place == "serial":
        return PROFILES["vt220"]  # what getty says of a serial line, and what every terminal program emulates
    if term == "linux":
        return PROFILES["linux"]
    profile = PROFILES["xterm"]
    if term.startswith(MULTIPLEXERS):
        profile = profile._replace(words=profile.words - {"BCE"})  # GNU screen erases with the default background
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return profile._replace(colours=2**24, backgrounds=2**24)
    return profile if "256color" in term else profile._replace(colours=16, backgrounds=16)


def speed(fd: int) -> int:
    """The line's speed in bits a second, or 0 where bytes cost nothing (a virtual terminal, SSH)."""
    try:
        code = termios.tcgetattr(fd)[5]
    except termios.error:
        return 0
    if kind(fd) == "vt":
        return 0
    known = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
    bits = known.get(code, 0)
    if kind(fd) == "pty" and bits == PTY_SPEED:
        return 0
    return bits


def prepare_environment(profile: Profile, environ: MutableMapping[str, str] | None = None) -> None:
    """Set what Textual and Rich read when they are imported, and remove what would mislead them.

    Textual always renders in one colour system; the encoder maps that to the line. NO_COLOR on an ANSI theme gives
    black on black, COLORTERM crosses sudo and tmux onto a Linux console, and COLUMNS and LINES win over the tty.
    """
    target = os.environ if environ is None else environ
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES", "TEXTUAL_DRIVER", "TEXTUAL_FILTERS"):
        target.pop(name, None)
    target["TEXTUAL_ANIMATIONS"] = "none"
    target["TEXTUAL_SMOOTH_SCROLL"] = "0"
    target["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
    target["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
    target["ESCDELAY"] = str(round(profile.escape * 1000))


def unfit(environ: Mapping[str, str], fds: Sequence[int], forced: str | None = None) -> str | None:
    """Why no screen can be painted here, in one sentence, or None.

    Args:
        environ: Where TERM is looked up.
        fds: The descriptors that would be read and written.
        forced: The profile that the operator asked for; it overrules TERM but cannot make a terminal of a pipe.
    """
    headless = "use `onsite status`, `onsite plan FILE` or `onsite apply FILE` instead"
    if any(kind(fd) == "none" for fd in fds):
        return f"The console needs a terminal, and this is not one; {headless}."
    if forced is None and environ.get("TERM") in ("dumb", "unknown"):
        return f'The console needs a terminal that can place text, and TERM is "{environ["TERM"]}"; {headless}.'
    return None
