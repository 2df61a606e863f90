"""Times and sizes in few words: coarse, so that a screen that is looked at does not change all the time."""

from __future__ import annotations


def spell(seconds: float | None) -> str:
    """A duration: "8 s", "2 min", "1 h 05 min", "3 days"; "" for None. From 20 s on in steps of ten."""
    if seconds is None:
        return ""
    whole = int(max(0.0, seconds))
    if whole < 20:
        return f"{whole} s"
    if whole < 60:
        return f"{whole // 10 * 10} s"
    if whole < 600:
        rest = whole % 60 // 10 * 10
        return f"{whole // 60} min" if whole >= 300 or not rest else f"{whole // 60} min {rest} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400 * 2:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} days"


def count(number: int, noun: str) -> str:
    """ "1 node", "3 nodes"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
