"""The dead-man as a timer of systemd: in a control group of its own, so it does not die with the console.

The timer is transient (systemd-run(1)): nothing on disk has to be right for it, no daemon-reload can fail, and a reboot
forgets it, after which `onsite recover` is in charge. Each call starts a timer of its own, with the new deadline, and
leaves the older ones alone: one that fires too early finds time left in the journal and does nothing, so there is
no moment without a dead-man while the window is extended.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

from tui.services.host import Host

_UNIT = "onsite-revert"


def arm_unit(host: Host, change_id: str, seconds: float) -> None:
    """Have that change taken back in so many seconds (CLOCK_MONOTONIC); on return the timer runs.

    Raises:
        OSError: systemd did not start it.
    """
    unit = f"{_UNIT}-{change_id}-{int(host.clock.boottime() * 1000)}"
    root = [] if str(host.root) == "/" else ["--root", str(host.root)]
    _systemd(
        "systemd-run", "--quiet", "--collect", f"--unit={unit}",
        f"--description=Take back change {change_id} unless it is kept",
        f"--on-active={seconds:.3f}s", "--timer-property=AccuracySec=100ms",
        # Tried again as long as it fails: a full disk may get room, a disk may come back.
        "--property=Type=oneshot", "--property=Restart=on-failure", "--property=RestartSec=5s",
        "--property=StartLimitIntervalSec=0", "--property=TimeoutStartSec=180s",
        f"--setenv=PYTHONPATH={Path(__file__).parents[3]}", "--setenv=LC_ALL=C.UTF-8",
        sys.executable, "-m", "tui", *root, "expire", change_id,
    )  # fmt: skip


def disarm_unit(host: Host, change_id: str) -> None:
    """Stop every timer of that change; a revert that runs already goes on.

    Raises:
        OSError: systemd does not answer.
    """
    _systemd("systemctl", "stop", f"{_UNIT}-{change_id}-*.timer")


def _systemd(*command: str) -> None:
    try:
        done = subprocess.run(
            command, env=os.environ | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=30, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise OSError(errno.ETIMEDOUT, f"{command[0]} did not end") from error
    if done.returncode:
        raise OSError(errno.EIO, done.stderr.strip() or f"{command[0]} failed")
