"""What nobody foresaw: the traceback goes to the log, the terminal gets one sentence with a code."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tui.services.host import Host

LOG = "/var/lib/onsite/log/onsite.log"
_BYTES, _FILES = 1 << 20, 3


class _Private(RotatingFileHandler):
    """A log that only its owner can read, also after it was rotated."""

    def _open(self):  # type: ignore[no-untyped-def]  # the stub's type is private
        fd = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return os.fdopen(fd, self.mode, encoding="utf-8")


def log_to(host: Host) -> None:
    """Send what the services log to the host's log; where it cannot be written, nowhere, but never to the screen."""
    _start(host.root)


def _start(root: Path) -> Path | None:
    path = root / LOG.lstrip("/")
    handler: logging.Handler
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _Private(path, maxBytes=_BYTES, backupCount=_FILES, delay=False)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    root_logger = logging.getLogger()
    root_logger.handlers[:] = [handler]
    root_logger.setLevel(logging.INFO)
    return None if isinstance(handler, logging.NullHandler) else path


def reported(error: Exception, root: Path) -> int:
    """Log the traceback, print the sentence, return the exit code."""
    path = _start(root)
    logging.getLogger(__name__).error("unforeseen", exc_info=error)
    print("X101", "Something went wrong that Onsite did not foresee.", file=sys.stderr)
    where = f"The details are in {path}" if path else "Run it as root to have the details logged"
    print(f"  -> {where}; try again, and send the log to IT if it happens again.", file=sys.stderr)
    return 1
