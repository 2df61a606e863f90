"""Digits that are read from two metres: five rows of `#`, which every terminal has."""

from __future__ import annotations

_ROWS = (
    "###  #  ### ### # # ### ### ### ### ###",
    "# # ##    #   # # # #   #     # # # # #",
    "# #  #  ### ### ### ### ###   # ### ###",
    "# #  #  #     #   #   # # #   # # #   #",
    "### ### ### ###   # ### ###   # ### ###",
)
HEIGHT = len(_ROWS)


def large(digits: str) -> list[str]:
    """Five lines; a blank between two groups is a gap."""
    return ["  ".join(_part(row, c) for c in digits).rstrip() for row in _ROWS]


def _part(row: str, digit: str) -> str:
    return row[4 * int(digit) : 4 * int(digit) + 3].ljust(3) if digit.isdigit() else " "
