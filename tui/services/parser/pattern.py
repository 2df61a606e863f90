"""The reader of regular expressions: do they match, and do they end?

An expression of a cluster definition is foreign, and some take longer than the age of the site. So each is tried in
the child, which an alarm interrupts: the engine of `re` looks for signals while it works.
"""

from __future__ import annotations

import json
import re
import signal
from types import FrameType
from typing import Any

SECONDS = 0.5
"""For one expression."""


class _Late(Exception):
    pass


def warm_up() -> None:
    read(b'[["^a+$", "a"], ["(", ""]]', {})


def read(data: bytes, _details: dict[str, Any]) -> dict[str, Any]:
    """{"found": [...]}: for each pair of expression and text "yes", "no", "bad" (no expression) or "slow"."""
    signal.signal(signal.SIGALRM, _ring)
    return {"found": [_tried(str(expression), str(text)) for expression, text in json.loads(data)]}


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise _Late


def _tried(expression: str, text: str) -> str:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return "yes" if re.search(expression, text) else "no"
    except _Late:
        return "slow"
    except (re.error, RecursionError, OverflowError, MemoryError):
        return "bad"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
