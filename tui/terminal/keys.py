"""What the keys of VT100, VT220, Linux console and xterm send, and what we call them.

The names are Textual's (`events.Key.key`). Every action can be reached without function keys and without an Esc key:
see docs/terminals.md for the letters.
"""

import re
import unicodedata

CONTROL: dict[str, str] = {
    "\b": "backspace",
    "\t": "tab",
    "\n": "enter",  # some serial clients send LF
    "\r": "enter",
    "\x7f": "backspace",
    # Routes for terminals that lack the key
    "\x02": "pageup",
    "\x06": "pagedown",
    "\x07": "escape",
    "\x0e": "down",
    "\x10": "up",
    "\x14": "shift+tab",
}
CONTROL |= {chr(code): f"ctrl+{chr(code + 96)}" for code in range(1, 27) if chr(code) not in CONTROL}

# CSI final byte, or SS3 byte (cursor keys in both modes, PF keys, the keypad in application mode)
LETTERS: dict[str, str] = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end",
    "P": "f1", "Q": "f2", "R": "f3", "S": "f4", "Z": "shift+tab", "M": "enter",
}  # fmt: skip
KEYPAD: dict[str, str] = dict(zip("lmnpqrstuvwxyjko", ",-.0123456789*+/", strict=True))

# CSI number ~ (VT220 reference manual, table 3-3; the Linux console and xterm agree where they overlap)
NUMBERS: dict[int, str] = {
    1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pageup", 6: "pagedown", 7: "home", 8: "end",
    11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10",
    23: "f11", 24: "f12", 28: "f1", 29: "enter",
}  # fmt: skip
"""28 is the Help key of a VT220 and 29 its Do key."""

CONSOLE: dict[str, str] = {letter: f"f{n}" for n, letter in enumerate("ABCDE", 1)}
"""CSI [ letter: F1 to F5 of the Linux console."""

DIGITS: dict[str, str] = {digit: f"f{(int(digit) or 10)}" for digit in "1234567890"}
"""ESC digit: function keys for a terminal or a multiplexer that has none."""

MODIFIERS = {2: "shift+", 3: "alt+", 5: "ctrl+", 6: "ctrl+shift+"}

CSI = re.compile(r"\x1b\[(?P<private>[<=>?]?)(?P<parameters>[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~])")


def of_sequence(sequence: str) -> str | None:
    """The key that sends a whole escape sequence, or None for what is no key: an answer, a mouse, an unknown one."""
    if sequence.startswith("\x1b[["):
        return CONSOLE.get(sequence[3:])
    if sequence.startswith("\x1bO"):
        return LETTERS.get(sequence[-1])
    match = CSI.fullmatch(sequence)
    if match is None or match["private"] or match["between"]:
        return None
    numbers = [int(part or 0) for part in re.split("[;:]", match["parameters"])]
    modifier = MODIFIERS.get(numbers[1], "") if len(numbers) == 2 else ""
    if match["final"] == "~" and len(numbers) < 3:
        key = NUMBERS.get(numbers[0])
    elif match["final"] in "ABCDHFPQSZ" and numbers[0] in (0, 1):
        key = LETTERS[match["final"]]
    else:
        key = None
    return None if key is None else modifier + key


def of_character(character: str) -> str:
    """The name of a printable character: itself for letters and digits, else as Textual spells its Unicode name."""
    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
            "plus_sign": "plus", "low_line": "underscore"}.get(name, name)  # fmt: skip
