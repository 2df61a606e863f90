"""Is the clock of this host right, since when, and by whom? Read from what the time service leaves or says."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tui.services import system
from tui.services.facts import setters
from tui.services.host import Host

_SYNCHRONISED = "/run/systemd/timesync/synchronized"
"""timesyncd touches it each time that it set the clock (systemd-timesyncd.service(8))."""
_SAVED = "/var/lib/systemd/timesync/clock"
"""Its time is that of the last synchronisation, also of an earlier boot."""
LIMIT = 3.0
"""Seconds that the time service may take to answer."""


@dataclass(frozen=True, slots=True)
class Synchronisation:
    """How the clock is.

    Attributes:
        service: "timesyncd", "chrony", or what else is there; "" for none.
        synchronised: None where it cannot be known.
        last: when the clock was set by a server last, in seconds since the epoch; 0 for never or not known.
        server: who told the time.
        reason: why it is not known; one sentence.
    """

    service: str = ""
    synchronised: bool | None = None
    last: float = 0.0
    server: str = ""
    reason: str = ""


async def read(host: Host) -> Synchronisation:
    """Ask; takes a few milliseconds, or `LIMIT` where a service hangs. Raises nothing."""
    service = setters.read(host).time
    if service == "timesyncd":
        return await _timesyncd(host)
    if service == "chrony" and host.kind == "real":
        return await _chrony()
    if not service:
        return Synchronisation("", False, reason="No service that asks time servers is on this host.")
    return Synchronisation(service, reason=f"{service} cannot be asked here.")


async def _timesyncd(host: Host) -> Synchronisation:
    now = _modified(host, _SYNCHRONISED)
    server = ""
    if system.booted(host):
        try:
            command = ("timedatectl", "show-timesync", "--property=ServerName", "--value")
            server = (await system.output(*command, limit=LIMIT)).strip()
        except OSError:
            server = ""
    return Synchronisation("timesyncd", now > 0, now or _modified(host, _SAVED), server)


async def _chrony() -> Synchronisation:
    """`chronyc -c tracking`: reference, name, stratum, reference time, ..., leap status (chronyc(1))."""
    try:
        said = await system.output("chronyc", "-c", "-N", "tracking", limit=LIMIT)
    except OSError as error:
        return Synchronisation("chrony", reason=f"chrony does not answer: {error.strerror or error}.")
    fields = said.strip().split(",")
    if len(fields) < 14:
        return Synchronisation("chrony", reason="chrony gave an answer that is not understood.")
    try:
        last = float(fields[3])
    except ValueError:
        last = 0.0
    return Synchronisation("chrony", fields[-1] != "Not synchronised", last, fields[1])


def _modified(host: Host, path: str) -> float:
    try:
        return os.stat(host.path(path)).st_mtime  # noqa: PTH116 - as elsewhere for facts
    except OSError:
        return 0.0
