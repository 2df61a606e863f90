"""Typed time servers, time zones and moments made into values."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address

from tui.models.domain import domain
from tui.models.wrong import Wrong, clean, quoted

_SERVER = "Type a name such as ntp1.site.example, or an address."
_WORDS = ("server", "pool", "peer", "iburst", "burst", "prefer", "minpoll", "maxpoll", "ntp")
"""Words of chrony.conf(5) and ntp.conf(5), which come along when a line is pasted."""
_ALIASES = ("localtime", "Factory")
"""Names that Debian's folder has and that say nothing about where this host is."""
EARLIEST, LATEST = 2020, 2099


def server(text: str) -> str:
    """A time server: a name in lower case or an address. NTP has one port (123), so none is typed.

    Raises:
        Wrong: Y111.
    """
    text = clean(text)
    if text.lower() in _WORDS:
        remedy = "Type the names or addresses only; Onsite writes the rest of the line."
        raise Wrong("Y111", f"{quoted(text)} is a word of a configuration file, not a server.", remedy)
    if "://" in text:
        raise Wrong("Y111", f"{quoted(text)} is a URL; here only the host is needed.", _SERVER)
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        found = ip_address(bare)
    except ValueError:
        pass
    else:
        if found.is_unspecified or found.is_multicast or "%" in bare:
            raise Wrong("Y111", f"{quoted(bare)} is no address of a server.", _SERVER)
        return str(found)
    if re.search(r"(:|\])[0-9]+$", text):
        raise Wrong("Y111", f"{quoted(text)} has a port; time servers are asked on port 123.", _SERVER)
    try:
        return domain(text)
    except Wrong as wrong:
        raise Wrong("Y111", wrong.issue.text, _SERVER) from None


def zone(text: str) -> str | None:
    """A time zone by its name in the IANA database; None for an empty text. Capitals do not matter.

    Validated by the list of names and not by path: `posixrules` and `../x` are files too.

    Raises:
        Wrong: Y112.
    """
    text = clean(text).replace(" ", "_")
    if not text:
        return None
    known = zones()
    wanted = text.lower()
    if wanted in known:
        return known[wanted]
    parts = sorted(name for key, name in known.items() if wanted in key.split("/"))
    near = parts[:2] or _near(wanted, tuple(known))
    remedy = f"Type {' or '.join(known.get(n, n) for n in near)}." if near else "Type such as Europe/Berlin, or UTC."
    raise Wrong("Y112", f"{quoted(text)} is no time zone that this host knows.", remedy)


@cache
def zones() -> dict[str, str]:
    """Every name by its lower case; UTC alone where the system has no time zone data."""
    from zoneinfo import available_timezones

    return {name.lower(): name for name in available_timezones() if name not in _ALIASES} | {"utc": "UTC"}


def moment(text: str) -> float:
    """A date and time in UTC, "2026-01-31 12:00" with or without seconds, in seconds since the epoch.

    Raises:
        Wrong: Y114.
    """
    text = clean(text).upper().removesuffix("UTC").removesuffix("Z").strip()
    found = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", text)
    remedy = "Type it in UTC, such as 2026-01-31 12:00."
    if not found:
        raise Wrong("Y114", f"{quoted(text)} is not a date and a time.", remedy)
    try:
        when = datetime(*(int(part or 0) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type, misc]  # six numbers, and no tzinfo among them
    except ValueError:
        raise Wrong("Y114", f"{quoted(text)} is no day and hour of a calendar.", remedy) from None
    if not EARLIEST <= when.year <= LATEST:
        raise Wrong("Y114", f"The year {when.year} is outside of {EARLIEST} to {LATEST}.", remedy)
    return when.timestamp()


def shown(seconds: float) -> str:
    """The text that `moment` makes `seconds` of."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _near(wanted: str, known: tuple[str, ...]) -> list[str]:
    import difflib

    return difflib.get_close_matches(wanted, known, 1, 0.7)
