"""Programs of the system that the targets of Name & time run: bounded in time, told what to say in English."""

from __future__ import annotations

import asyncio
import errno
import os

from tui.services import reading
from tui.services.host import Host

LIMIT = 20.0
"""Seconds that one program may take."""
_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def booted(host: Host) -> bool:
    """As sd_booted(3); a practice host has no services of its own, and ours are none of its business."""
    return host.kind == "real" and reading.present(host, "/run/systemd/system")


def program(host: Host, name: str) -> str:
    """The path of a program of a real host; "" where it is not there."""
    if host.kind != "real":
        return ""
    folders = _ENVIRONMENT["PATH"].split(":")
    return next((path for f in folders if os.access(path := f"{f}/{name}", os.X_OK)), "")


async def output(*argv: str, limit: float = LIMIT, given: str = "") -> str:
    """What the program prints.

    Args:
        given: its standard input, for what must not be seen among its arguments.

    Raises:
        OSError: it is not there, failed (with its first line), or took too long.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=pipe if given else asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=_ENVIRONMENT
    )
    try:
        async with asyncio.timeout(limit):
            printed, said = await process.communicate(given.encode() if given else None)
    except TimeoutError as error:
        raise OSError(errno.ETIMEDOUT, f"{argv[0]} took longer than {limit:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        first = (said or printed).decode("utf-8", "replace").strip().partition("\n")[0][:200]
        raise OSError(errno.EIO, first or f"{argv[0]} ended with {process.returncode}")
    return printed.decode("utf-8", "replace")
