"""The look: a handful of styles and marks, the same for every terminal.

State is a mark and a word first; colour comes on top where the line has any. Styles name ANSI colours, which the
encoder of `tui.terminal` maps to the line or drops.
"""

from __future__ import annotations

from rich.style import Style

PLAIN = Style()
STRONG = Style(bold=True)
HERE = Style(reverse=True)
"""Where one is: this host, this place. A word at a time, for every cell of a bar costs bytes."""
OK = Style(color="green")
WARNING = Style(color="yellow")
ERROR = Style(color="red")

MARKS: dict[str, Style] = {"ok": OK, "!": WARNING, "x": ERROR, "..": PLAIN, "-": PLAIN, "": PLAIN}
"""What a mark looks like: ok done, ! needs attention, x wrong, .. under way or next, - does not apply."""

SEVERITY_MARKS = {"error": "x", "warning": "!", "note": "-"}
