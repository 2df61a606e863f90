"""Typed text that is not a value, and what is true of every typed text: its length and its characters."""

from __future__ import annotations

from tui.models.change import Issue

LONGEST = 1000
"""Characters that a field takes. The longest honest value, a list of twenty IPv6 addresses, has 900."""


class Wrong(ValueError):
    """Typed text that is not a value; `issue` says why, with an empty field for the caller to fill in."""

    def __init__(self, code: str, text: str, remedy: str) -> None:
        super().__init__(text)
        self.issue = Issue(code, "error", "", text, remedy)


def quoted(text: str) -> str:
    """`text` for a sentence: short, and nothing in it that a terminal would obey."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= 40 else plain[:37] + "..."


def clean(text: str) -> str:
    """`text` without the blanks around it.

    Raises:
        Wrong: N116 too long; N115 a character that cannot be seen.
    """
    if len(text) > LONGEST:
        raise Wrong(
            "N116",
            f"This has {len(text)} characters; {LONGEST} is the limit.",
            "Type only the value, such as 192.0.2.10/24.",
        )
    for place, c in enumerate(text, 1):
        blank = c in "\t\r\n" or (c.isspace() and c >= "\xa0")
        if not c.isprintable() and not blank:
            raise Wrong(
                "N115",
                f"Character {place} cannot be seen (U+{ord(c):04X}); such characters come in by copy and paste.",
                "Clear the field and type the value by hand.",
            )
    return text.strip()


def ascii_of(text: str) -> str:
    """`text` with digits and signs of other scripts as the plain ones; what has none stays as it is."""
    import unicodedata

    folded = unicodedata.normalize("NFKC", text).replace("。", ".").replace("、", ",")
    return "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in folded)
