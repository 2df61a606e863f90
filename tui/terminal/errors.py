"""Errors that nobody handled, kept off the screen."""

import io
from typing import Any

from rich.console import Console


def keep_off_screen(app: Any) -> None:
    """Throw away what a Textual app prints when it fails.

    It is a traceback with the values of local variables, which may be secrets, so that it may not go to a log either:
    ask `unhandled` for the error itself.
    """
    app.error_console = Console(file=io.StringIO(), width=80)


def unhandled(app: Any) -> Exception | None:
    """The error that ended an app, or None. Textual has no public name for it (tests/console/test_textual.py)."""
    error = app._exception
    return error if isinstance(error, Exception) else None
