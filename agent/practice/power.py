"""The power cut: every process of a network namespace killed at once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tui.namespaces import identity


def inhabitants(namespace: tuple[int, int]) -> list[int]:
    """The processes in that network namespace, as far as they are ours to look at; zombies have left it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if identity(entry.name, "net") == namespace:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def cut(namespace: tuple[int, int], *, spare: int = 0, seconds: float = 10) -> None:
    """Kill until nobody is left but `spare`. Hold the namespace open meanwhile, or its identity may be given again.

    Raises:
        TimeoutError: somebody is still there, stuck in the kernel.
    """
    end = time.monotonic() + seconds
    while left := [pid for pid in inhabitants(namespace) if pid != spare]:
        for pid in left:
            _kill(pid, namespace)
        if time.monotonic() > end:
            raise TimeoutError(f"processes {left} do not end")
        time.sleep(0.005)


def _kill(pid: int, namespace: tuple[int, int]) -> None:
    """Kill `pid` if it is still the process that was seen: the number may have been given away."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if identity(pid, "net") == namespace:
            signal.pidfd_send_signal(process, signal.SIGKILL)
    except OSError:
        return
    finally:
        os.close(process)
