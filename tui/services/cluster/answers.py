"""Reading an answer of an agent that may be anybody's: what is missing or of another kind is as if it were not said.

Texts are made fit for one line of a screen here, so that nothing behind this has to think of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Answer = Mapping[str, Any]
LONGEST = 2000
_NOTHING: Answer = {}


def part(answer: object, *path: str) -> Answer:
    """The object at a path; an empty one where there is none."""
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, dict) else _NOTHING


def parts(answer: object, *path: str) -> Sequence[Answer]:
    """The objects of the list at a path."""
    *before, last = path
    found = part(answer, *before).get(last)
    return [x for x in found if isinstance(x, dict)] if isinstance(found, list) else ()


def texts(answer: object, *path: str) -> tuple[str, ...]:
    """The texts of the list at a path."""
    *before, last = path
    found = part(answer, *before).get(last)
    return tuple(plain(x) for x in found if isinstance(x, str)) if isinstance(found, list) else ()


def text(answer: object, *path: str) -> str:
    """The text at a path, on one line; numbers as text, "" where there is none."""
    *before, last = path
    found = part(answer, *before).get(last)
    if isinstance(found, str):
        return plain(found)
    return str(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else ""


def flag(answer: object, *path: str) -> bool:
    """Whether there is a true at a path."""
    *before, last = path
    return part(answer, *before).get(last) is True


def number(answer: object, *path: str) -> int:
    """The whole number at a path; 0 where there is none."""
    *before, last = path
    found = part(answer, *before).get(last)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def moment(answer: object, *path: str) -> float | None:
    """The time at a path (RFC 3339) in seconds since the epoch; None where there is none."""
    return seconds(text(answer, *path))


def seconds(words: str) -> float | None:
    """A time of RFC 3339 in seconds since the epoch; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return None
    aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return aware.timestamp() if aware.year > 1 else None  # Go writes the year 1 for "never"


def plain(words: str) -> str:
    """Words for one line: at most LONGEST signs, every run of blanks is one, what cannot be printed is `?`."""
    words = words[:LONGEST]
    if words.isascii() and words.isprintable() and "  " not in words:
        return words.strip()
    return "".join(c if c.isprintable() else "?" for c in " ".join(words.split()))
