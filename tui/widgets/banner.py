"""A word that can be read from two metres: letters of five lines, made of signs that every terminal has."""

from __future__ import annotations

LETTERS = {
    "B": ("### ", "#  #", "### ", "#  #", "### "),
    "E": ("####", "#   ", "### ", "#   ", "####"),
    "H": ("#  #", "#  #", "####", "#  #", "#  #"),
    "K": ("#  #", "# # ", "##  ", "# # ", "#  #"),
    "L": ("#   ", "#   ", "#   ", "#   ", "####"),
    "O": (" ## ", "#  #", "#  #", "#  #", " ## "),
    "P": ("### ", "#  #", "### ", "#   ", "#   "),
    "S": (" ###", "#   ", " ## ", "   #", "### "),
    "U": ("#  #", "#  #", "#  #", "#  #", " ## "),
    "Y": ("#  #", "#  #", " ###", "   #", " ## "),
}
WORDS = {"ok": "OK", "..": "BUSY", "!": "LOOK", "x": "HELP"}
"""By mark: all is well; it is working; somebody should have a look; somebody has to do something."""
WIDTH = 25


def lines(mark: str) -> tuple[str, ...]:
    """Five lines, each WIDTH columns wide."""
    word = WORDS[mark]
    return tuple("  ".join(LETTERS[letter][row] for letter in word).ljust(WIDTH) for row in range(5))
