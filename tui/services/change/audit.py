"""Who changed what from which line, and how it ended: one JSON object a line, appended, never rewritten.

The history is the truth; the audit catches up with it, so that a kill between the two loses nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import asdict
from typing import Any

from tui.models.change import Difference
from tui.services.change import files, history, journal
from tui.services.host import Host

PATH = f"{journal.FOLDER}/audit.log"
log = logging.getLogger(__name__)


def write(host: Host, event: str, change: journal.Pending, **more: Any) -> None:
    """Append one line; a disk that refuses is logged, for no change may fail because of it."""
    entry = {
        "time": host.clock.now(),
        "event": event,
        "change": change.change_id,
        "who": change.who,
        "line": change.line,
        "plan": change.plan_hash,
        "differences": [asdict(d) for d in change.differences],
        **more,
    }
    _append(host, entry)


def note(host: Host, event: str, who: str, line: str, *differences: Difference) -> None:
    """Append one line about an action that is no change of files, such as a clock set by hand."""
    with contextlib.suppress(OSError):
        files.make_folder(host.path(journal.FOLDER), 0o700)
    entry = {"time": host.clock.now(), "event": event, "who": who, "line": line}
    _append(host, entry | {"differences": [asdict(d) for d in differences]})


def _append(host: Host, entry: dict[str, Any]) -> None:
    try:
        fd = os.open(host.path(PATH), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, json.dumps(entry).encode() + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        log.exception("audit: %s", entry["event"])


def catch_up(host: Host, reason: str = "") -> None:
    """Add a line for every change of the history that has none yet."""
    known = {number for entry in entries(host) if isinstance(number := entry.get("number"), int)}
    for record in history.after(host, known):
        more = {"number": record.number} | ({"reason": reason} if reason and record.result != "kept" else {})
        write(host, record.result, record.change, **more)


def entries(host: Host) -> list[dict[str, Any]]:
    """All lines, oldest first; a line that a power cut tore is left out."""
    found: list[dict[str, Any]] = []
    try:
        text = host.path(PATH).read_text(errors="replace")
    except OSError:
        return found
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                found.append(entry)
    return found
