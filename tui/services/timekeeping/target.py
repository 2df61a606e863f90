"""The time service follows its file; a zone needs nobody, but this process and timedated keep the former one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence

from tui.models.change import Issue
from tui.services import reading, system
from tui.services.facts import setters
from tui.services.host import Host
from tui.services.timekeeping.plan import SERVICES, TARGET

log = logging.getLogger(__name__)
TRIES = 20
"""Times a quarter of a second for a service to know its servers."""


class TimeTarget:
    name = TARGET

    async def reload(self, host: Host, paths: Sequence[str]) -> None:
        """Raises nothing: a service that was broken before must not stop a change from being taken back."""
        if setters.LOCALTIME in paths:
            time.tzset()
            if system.booted(host):
                with contextlib.suppress(OSError):  # it ends by itself when idle
                    await system.output(
                        "systemctl", "--quiet", "--no-block", "try-restart", "systemd-timedated.service"
                    )
        service = SERVICES.get(setters.read(host).time)
        if service is not None and _told(paths) and system.booted(host):
            try:
                await service.follow(host, _unit(host, service.UNITS))
            except OSError:
                log.exception("time service")  # `problems` says it

    async def problems(self, host: Host, paths: Sequence[str]) -> tuple[Issue, ...]:
        """A service that does not run, or does not ask who is in its file."""
        service = SERVICES.get(setters.read(host).time)
        path = _told(paths)
        if service is None or not path or not system.booted(host):
            return ()
        wanted = _wanted(reading.text(host, path) or "")
        if not wanted:
            return ()
        missing, said = wanted, ""
        for _ in range(TRIES):
            try:
                missing = wanted - await service.known(host)
                said = ""
            except OSError as error:
                said = error.strerror or str(error)
            if not missing and not said:
                return ()
            await asyncio.sleep(0.25)
        text = (
            f"The time service does not ask {', '.join(sorted(missing))}."
            if not said
            else f"The time service does not answer: {said}."
        )
        remedy = "See the Log; look at the time service with systemctl status."
        return (Issue("Y132", "error", "clock.servers", text, remedy),)


def _told(paths: Sequence[str]) -> str:
    """The file with servers among these, or ""."""
    return next((p for p in paths if p == setters.TIMESYNCD or p.endswith(f"/{setters.CHRONY}")), "")


def _wanted(text: str) -> set[str]:
    """The servers in a file of ours, whichever service reads it."""
    lines = text.splitlines()
    named = {server for line in lines if line.startswith("NTP=") for server in line.removeprefix("NTP=").split()}
    return named | {line.split()[1] for line in lines if line.startswith("server ")}


def _unit(host: Host, units: tuple[str, ...]) -> str:
    folders = ("/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system")
    return next((u for u in units if any(reading.present(host, f"{f}/{u}") for f in folders)), units[0])
