"""The typed name of a keyboard layout made into a value."""

from __future__ import annotations

import re

from tui.models.wrong import Wrong, clean, quoted


def keymap(text: str) -> str | None:
    """The short name of a layout, such as de or us; None for an empty text.

    Whether the console knows it is seen when it is loaded: the list is the distribution's.

    Raises:
        Wrong: Y113.
    """
    text = clean(text)
    if not text:
        return None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", text):
        raise Wrong("Y113", f"{quoted(text)} is not the name of a keyboard layout.", "Type such as us, de or fr.")
    return text
