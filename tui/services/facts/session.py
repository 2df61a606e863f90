"""By which address of this host the person who asks has come in."""

from __future__ import annotations

import os
from collections.abc import Mapping

_GENERATIONS = 16


def address(environ: Mapping[str, str]) -> str:
    """The third word of SSH_CONNECTION (sshd(8)): the address on this side; "" on a console.

    sudo removes the variable, so the processes above are asked too.
    """
    words = environ.get("SSH_CONNECTION", "").split() or _inherited().split()
    if len(words) != 4:
        return ""
    return words[2].partition("%")[0].removeprefix("::ffff:")


def _inherited() -> str:
    pid = os.getppid()
    for _ in range(_GENERATIONS):
        if pid <= 1:
            break
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                variables = file.read().split(b"\0")
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        for variable in variables:
            if variable.startswith(b"SSH_CONNECTION="):
                return variable.partition(b"=")[2].decode("ascii", "replace")
    return ""
