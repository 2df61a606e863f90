"""From bytes off a line to keys, surviving whatever a line can carry.

Bytes that come without a pause are a burst, and a burst is judged as a whole:

* One that holds a byte which is no text (wrong speed, line noise, a Latin-1 letter, an 8-bit control) is dropped
  whole, because half a value typed in silence is worse than none.
* One in which Enter is glued to text is a paste: it goes in as one, and its Enter confirms nothing. Terminals without
  bracketed paste give no other sign.
* Answers to queries, mouse reports and escape sequences that no key sends are swallowed, late or not.

Nothing here waits: the caller says what time it is and asks when to come back.
"""

import re
from typing import NamedTuple

from tui.terminal import keys
from tui.terminal.profile import Profile

SETTLE = 0.005
"""Seconds of silence that end a burst; at low speed, three characters' time."""

GLUED = 0.03
"""Seconds after text within which an Enter was not pressed by a person."""

STALLED = 1.0
"""Seconds after which an escape sequence that never ended is dropped."""

UNEASY = 0.05
"""Seconds after noise in which nothing is believed."""

LONG = 32
"""Characters from which a burst is inserted as one text."""

STRAGGLING = 0.05
"""Seconds of silence that end a long burst: USB adapters and networks deliver a paste in pieces."""

LARGEST = 1 << 18
"""Bytes kept of a burst or a paste."""

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"

TOKEN = re.compile(
    r"(?P<cut>\x1b(?:\[\[?[0-?]*[ -/]*|\[M[\x20-\xff]{0,2}|O[0-9;]*|[\]PX^_][^\x07\x1b]*\x1b?)?\Z)"
    r"|(?P<sequence>\x1b\[\[[A-E]|\x1b\[M[\x20-\xff]{3}|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[0-9;]*[A-~])"
    r"|(?P<string>\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\))"
    r"|\x1b(?P<escaped>[^\x1b])"
    r"|(?P<escape>\x1b)"
    r"|(?P<enter>\r\n|\r|\n)"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
    r"|(?P<control>[\x01-\x1f\x7f])"
    r"|\x00"
)
POSITION = re.compile(r"\x1b\[(\d{1,4});(\d{1,4})R")
EIGHT_BIT = re.compile(rb"\A([\x8f\x9b])([0-9;]{0,5}[A-~])\Z")
C1 = {b"\x8f": b"\x1bO", b"\x9b": b"\x1b["}
"""A key of a VT220 that was set to 8-bit controls: the only such byte that is not noise, and only alone."""

NOISE = re.compile(r"[\x80-\x9f\ufffe\uffff]")


class Key(NamedTuple):
    """A key, by Textual's name, with the character it types, if any."""

    name: str
    character: str | None = None


class Paste(NamedTuple):
    """Text that came at once."""

    text: str


class Position(NamedTuple):
    """An answer to the cursor position query: the size, when the cursor was sent to the far corner."""

    columns: int
    rows: int


Event = Key | Paste | Position


class Decoder:
    """Keys from bytes, for one terminal.

    Attributes:
        asked: Whether a cursor position report is expected; without a question its answer is swallowed.
    """

    def __init__(self, profile: Profile, speed: int = 0) -> None:
        self.profile = profile
        self.asked = False
        self._settle = max(SETTLE, 30 / speed if speed else 0.0)
        self._burst = b""
        self._tail = ""
        self._until: float | None = None
        self._text_at = self._noise_at = -1.0
        self._brackets: list[str] | None = None
        self._has_brackets = False

    def due(self) -> float | None:
        """When `tick` must be called if nothing comes before."""
        return self._until

    def feed(self, data: bytes, now: float) -> list[Event]:
        """Take bytes that were read at a time (seconds, any clock that only goes on)."""
        events = self.tick(now) if self._until is not None and now >= self._until else []
        if not self.profile.utf8:
            data = EIGHT_BIT.sub(lambda match: C1[match[1]] + match[2], data)
        if self._unreadable(data):
            self._noise_at = now
            self._burst, self._tail, self._until = b"", "", None
            self._brackets = None
            return events
        if now - self._noise_at < UNEASY:
            self._noise_at = now
            return events
        self._burst += data
        self._until = now + (self._settle if len(self._burst) < LONG else STRAGGLING)
        if len(self._burst) >= LARGEST:
            events += self._judge(now)
        return events

    def tick(self, now: float) -> list[Event]:
        """What has become certain by now."""
        if self._until is None or now < self._until:
            return []
        if self._burst:
            return self._judge(now)
        self._until = None
        if self._brackets is not None:
            return self._close_brackets()
        tail, self._tail = self._tail, ""
        return [Key("escape", "\x1b")] if tail == "\x1b" else []

    def _unreadable(self, data: bytes) -> bool:
        """Whether a burst that goes on with these bytes is noise."""
        if data.isascii() and self._burst.isascii():
            return False
        if not self.profile.utf8:
            return True
        try:
            text = (self._burst + data).decode()
        except UnicodeDecodeError as error:
            # A character may be cut at the end of what was read; the rest of it is on its way
            cut = error.reason == "unexpected end of data" and error.end == len(self._burst) + len(data)
            return not cut
        return NOISE.search(text) is not None

    def _judge(self, now: float) -> list[Event]:
        """The burst is over: what was it?"""
        burst, self._burst = self._burst, b""
        self._until = None
        try:
            text = self._tail + burst.decode("utf-8" if self.profile.utf8 else "ascii")
        except UnicodeDecodeError:
            self._noise_at, self._tail = now, ""
            return []
        self._tail = ""
        events: list[Event] = []
        while text:
            if self._brackets is not None:
                inside, end, text = text.partition(PASTE_END)
                self._brackets.append(inside)
                if not end:
                    self._until = now + STALLED
                    return events
                events += self._close_brackets()
            else:
                before, start, text = text.partition(PASTE_START)
                events += self._typed(before, now)
                if start:
                    self._brackets, self._has_brackets = [], True
        return events

    def _close_brackets(self) -> list[Event]:
        text = "".join(self._brackets or [])
        self._brackets = None
        return _paste(text)

    def _typed(self, text: str, now: float) -> list[Event]:
        """Keys, or a paste that has no brackets."""
        tokens = list(TOKEN.finditer(text))
        letters = sum(len(token["text"]) for token in tokens if token["text"])
        soon = now - self._text_at < GLUED
        if letters:
            self._text_at = now
        if letters >= LONG and not any(token["enter"] for token in tokens):
            # fast, but nothing that confirms: a script, or a key pressed while the line was held up
            return [e for t in tokens for e in (_paste(t["text"]) if t["text"] else self._key(t, now))]
        if letters >= LONG or (_glued(tokens) and not self._has_brackets):
            return _paste("".join(token["text"] or ("\n" if token["enter"] else " ") for token in tokens
                                  if token["text"] or token["enter"] or token["control"] == "\t"))  # fmt: skip
        events: list[Event] = []
        for token in tokens:
            if token["enter"] and soon and not self._has_brackets:
                continue
            events += self._key(token, now)
        return events

    def _key(self, token: re.Match[str], now: float) -> list[Event]:
        kind, found = token.lastgroup, token[0]
        if kind == "text":
            return [Key(keys.of_character(character), character) for character in found if character.isprintable()]
        if kind == "enter":
            return [Key("enter", "\r")]
        if kind == "control":
            name = keys.CONTROL.get(found)
            return [Key(name, found)] if name else []
        if kind == "escape":
            return [Key("escape", "\x1b")]
        if kind == "escaped":
            return _escaped(found[1])
        if kind == "cut":
            self._tail = found
            self._until = now + (max(0.0, self.profile.escape - self._settle) if found == "\x1b" else STALLED)
            return []
        if kind == "sequence":
            if (answer := POSITION.fullmatch(found)) and self.asked:
                self.asked = False
                return [Position(int(answer[2]), int(answer[1]))]
            if found[1] == "O" and (character := keys.KEYPAD.get(found[-1])):
                return [Key(keys.of_character(character), character)]
            name = keys.of_sequence(found)
            return [Key(name, "\r" if name == "enter" else None)] if name else []
        return []


def _glued(tokens: list[re.Match[str]]) -> bool:
    """Whether an Enter has text right beside it: more than a hasty typist's last two letters, or text after it."""
    for n, token in enumerate(tokens):
        if token["enter"]:
            before = tokens[n - 1]["text"] if n else None
            after = tokens[n + 1]["text"] if n + 1 < len(tokens) else None
            if after or (before and len(before) > 2):
                return True
    return False


def _escaped(character: str) -> list[Event]:
    """ESC and a character close together: a function key by digit, Shift+Tab of the Linux console, or two keys."""
    if character in keys.DIGITS:
        return [Key(keys.DIGITS[character])]
    if character == "\t":
        return [Key("shift+tab")]
    escape: list[Event] = [Key("escape", "\x1b")]
    if character.isprintable():
        return [*escape, Key(keys.of_character(character), character)]
    return escape


def _paste(text: str) -> list[Event]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = "".join(character for character in text if character == "\n" or character.isprintable())
    return [Paste(text)] if text.strip() else []
