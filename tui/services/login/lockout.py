"""How often somebody was wrong, and for how long nobody may try again there.

Counted by the place that is asked from (a line of the console, an address), not by the user: whoever tries names at a
console shuts that console, and not the administrator out of all others. On disk, so that a power cut does not help.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable

from tui.models.change import FileImage
from tui.services.change import files
from tui.services.change.journal import FOLDER
from tui.services.host import Host

PATH = f"{FOLDER}/login.json"
_LOCK = f"{FOLDER}/login.lock"
SECONDS = 300.0
"""For how long a place is shut, and after how long without a failure it is forgotten."""
_MOST = 1000
"""Places that are remembered; the oldest go first."""


def left(host: Host, place: str) -> float:
    """Seconds until somebody may try again at that place; 0 for now.

    Never more than SECONDS, for a clock that was years ahead when it was written must not shut a console for years.
    """
    return _left(host, _read(host).get(place))


def failed(host: Host, place: str, allowed: int) -> float:
    """Note a failure. Returns as `left`: above 0 where this was the last of `allowed` in a row.

    Raises:
        OSError: it cannot be counted, so nobody should be asked.
    """

    def count(known: dict[str, list[float]]) -> None:
        times, last, until = known.pop(place, [0.0, 0.0, 0.0])
        now = host.clock.now()
        if not 0 <= now - last < SECONDS:
            times = 0.0
        times += 1
        known[place] = [0.0, now, now + SECONDS] if times >= allowed else [times, now, until]

    return _left(host, _change(host, count).get(place))


def succeeded(host: Host, place: str) -> None:
    """Forget the failures there.

    Raises:
        OSError: as `failed`.
    """
    if place in _read(host):
        _change(host, lambda known: known.pop(place, None))


def _left(host: Host, entry: list[float] | None) -> float:
    if entry is None:
        return 0.0
    rest = entry[2] - host.clock.now()
    return max(0.0, min(rest, SECONDS))


def _read(host: Host) -> dict[str, list[float]]:
    try:
        known = json.loads(host.path(PATH).read_text())
        return {str(k): [float(x) for x in v] for k, v in known.items() if len(v) == 3}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _change(host: Host, act: Callable[[dict[str, list[float]]], object]) -> dict[str, list[float]]:
    files.make_folder(host.path(FOLDER), 0o700)
    fd = os.open(host.path(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        known = _read(host)
        act(known)
        kept = dict(list(known.items())[-_MOST:])
        files.write_image(host, FileImage(PATH, json.dumps(kept).encode(), 0o600, os.geteuid(), os.getegid()))
        return kept
    finally:
        os.close(fd)
