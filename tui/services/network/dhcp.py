"""DHCP for a link: start and stop its client, a process of its own that outlives the console.

Under systemd the client is the unit onsite-dhcp@LINK, elsewhere a detached process. Either way it holds a lock
(flock) on its pid file while it lives, so a recycled pid is never signalled.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tui.services.host import Host
from tui.services.network import leases
from tui.services.network.reconcile import Operation

FOLDER = "/run/onsite/dhcp"
LEAVE = signal.SIGUSR1
"""Ends the client and leaves address and routes; SIGTERM ends it and takes them away."""
_PATIENCE = 5.0


async def start(host: Host, name: str) -> None:
    """Have a client for that link; nothing where it runs already. On return it runs, a lease may take its time.

    Raises:
        OSError: it could not be started.
    """
    if host.kind == "recorded" or running(host, name):
        return
    if _under_systemd(host):
        await _systemctl("start", _unit(name))
        return
    command = [sys.executable, "-m", "tui", "--root", str(host.root.absolute()), "--practice", host.kind]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = await asyncio.to_thread(
        subprocess.run, [*command, "network", "dhcp", name, "--detached"], env=environment, cwd="/",
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False,
    )  # fmt: skip
    if done.returncode:
        raise OSError(errno.EIO, f"the DHCP client of {name} did not start")


async def stop(host: Host, name: str, *, leave: bool = False) -> None:
    """End the client of that link if it has one, and forget its lease.

    Args:
        leave: the kernel keeps the address until somebody else takes it away.

    Raises:
        OSError: it does not end, or the kernel refused.
    """
    if host.kind == "recorded":
        return
    if running(host, name):
        if _under_systemd(host):
            if leave:
                await _systemctl("kill", f"--signal={LEAVE.name}", _unit(name))
            await _systemctl("stop", _unit(name))
        else:
            await _end(host, name, LEAVE if leave else signal.SIGTERM)
    if leave:
        leases.remove(host, name)
    else:
        await withdraw(host, name)


def client(host: Host, name: str, *, detached: bool) -> int:
    """The client process itself; returns an exit code. Nothing is done where one runs already.

    Args:
        detached: go on in a child of its own session; the caller waits for this process, and then it runs.
    """
    fd = hold(host, name)
    if fd is None:
        return 0
    pid = os.fork() if detached else os.getpid()
    if pid:
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(pid).encode(), 0)
    if detached:
        if pid:
            os._exit(0)  # the child holds the lock by now
        os.setsid()
    from tui.services.network import dhcp_client

    asyncio.run(dhcp_client.serve(host, name))
    return 0


def running(host: Host, name: str) -> bool:
    fd = hold(host, name, patience=0)
    if fd is None:
        return True
    os.close(fd)
    return False


def hold(host: Host, name: str, patience: float = 1.0) -> int | None:
    """The lock that says "this link's client runs"; None where another holds it all that time.

    Somebody who only asks holds it for an instant, hence the patience.
    """
    path = _pid_file(host, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                os.close(fd)
                return None
            time.sleep(0.02)
        else:
            return fd


async def withdraw(host: Host, name: str) -> None:
    """Take away what the lease of that link put into the kernel, and the lease; nothing where there is none.

    Raises:
        OSError: the kernel refused.
    """
    lease = leases.read(host, name)
    if lease is None:
        return
    for link in host.kernel.links():
        if link.name == name:
            routes = [Operation("delete route", link.index, route=r) for r in link.routes if r.protocol == 16]
            await host.kernel.change([*routes, Operation("delete address", link.index, lease.address)])
    leases.remove(host, name)


async def _end(host: Host, name: str, how: signal.Signals) -> None:
    end = time.monotonic() + _PATIENCE
    for sent in (how, signal.SIGKILL):
        with contextlib.suppress(ValueError, ProcessLookupError):  # on its way in or out
            os.kill(int(_pid_file(host, name).read_text()), sent)
        while time.monotonic() < end:
            if not running(host, name):
                return
            await asyncio.sleep(0.02)
        end += _PATIENCE
    raise OSError(errno.ETIMEDOUT, f"the DHCP client of {name} does not end")


def _pid_file(host: Host, name: str) -> Path:
    return host.path(f"{FOLDER}/{name}.pid")


def _under_systemd(host: Host) -> bool:
    return host.kind == "real" and Path("/run/systemd/system").is_dir()


def _unit(name: str) -> str:
    return f"onsite-dhcp@{name}.service"


async def _systemctl(*arguments: str) -> None:
    done = await asyncio.to_thread(
        subprocess.run, ["systemctl", *arguments], timeout=30, check=False,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode:
        raise OSError(errno.EIO, done.stderr.strip() or f"systemctl {arguments[0]} failed")
