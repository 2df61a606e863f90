"""Services follow the files: systemd reads its units anew, and what runs and reads the proxy restarts."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Iterable, Sequence

from tui.models.change import Issue
from tui.services import reading
from tui.services.host import Host
from tui.services.proxy import places
from tui.services.proxy.plan import NAME

_AGENT = "onsite-agent.service"
"""It looks at what is kept each time, and must not end in the middle of a change that it was asked for."""
_restarted: set[str] = set()
"""Units that ran when this process restarted them; one that had failed before is not the change's fault."""
RECENT = 900.0
"""Seconds; longer than a change can wait for its Keep."""
LIMIT = 40.0
"""Seconds that one restart may take; an apply may take 60."""


class ProxyTarget:
    name = NAME

    async def reload(self, host: Host, paths: Sequence[str]) -> None:
        """Let systemd read the files, and restart the running services that read them.

        Raises:
            OSError: systemd refused, or a service did not start again.
        """
        read = [path for path in paths if path.startswith("/etc/systemd/") or path == places.ENVIRONMENT]
        if not read or not _systemd(host):
            return
        await _systemctl("daemon-reload")
        units = concerned(host, paths)
        running = [unit for unit in units if unit != _AGENT and await _answers(unit, "active")]
        fallen = [unit for unit in units if await _answers(unit, "failed") and await _just_tried(unit)]
        if fallen:  # perhaps by the change that is being taken back: as before means running
            await _systemctl("reset-failed", *fallen)
            await _systemctl("start", "--no-block", *fallen)
        _restarted.update(running)
        if running:
            await _systemctl("restart", *running)

    async def problems(self, host: Host, paths: Sequence[str]) -> tuple[Issue, ...]:
        """The services that failed after their restart."""
        if not _systemd(host):
            return ()
        failed = [unit for unit in concerned(host, paths) if unit in _restarted and await _answers(unit, "failed")]
        remedy = "See `systemctl status` of it; the change is taken back."
        return tuple(
            Issue("P121", "error", "proxy", f"{unit} does not run since it was told of the proxy.", remedy)
            for unit in failed
        )


def concerned(host: Host, paths: Iterable[str]) -> list[str]:
    """Units whose drop-in is among these files; all with one where the environment file is."""
    given = set(paths)
    return [
        f"{unit}.service"
        for unit in places.UNITS
        if places.drop_in(unit) in given
        or (places.ENVIRONMENT in given and reading.present(host, places.drop_in(unit)))
    ]


def _systemd(host: Host) -> bool:
    """As sd_booted(3); a practice host has no services of its own, and ours are none of its business."""
    return host.kind == "real" and reading.present(host, "/run/systemd/system")


async def _systemctl(*arguments: str) -> None:
    status, said = await _run("--quiet", "--no-ask-password", *arguments)
    if status:
        first = said.strip().partition("\n")[0][:200]
        raise OSError(errno.EIO, first or f"systemctl {arguments[0]} ended with {status}")


async def _answers(unit: str, state: str) -> bool:
    status, _ = await _run("--quiet", f"is-{state}", unit)
    return status == 0


async def _just_tried(unit: str) -> bool:
    """Whether the unit was started, or tried to, within the time of a change."""
    process = await asyncio.create_subprocess_exec(
        "systemctl", "show", "-P", "InactiveExitTimestampMonotonic", unit,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    said, _ = await process.communicate()
    started = said.decode().strip()
    return started.isdigit() and time.clock_gettime(time.CLOCK_MONOTONIC) - int(started) / 1e6 < RECENT


async def _run(*arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "systemctl", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT):
            _, said = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise OSError(errno.ETIMEDOUT, f"systemctl {arguments[-1]} took longer than {LIMIT:.0f} s") from error
    return process.returncode or 0, said.decode("utf-8", "replace")
