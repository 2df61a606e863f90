"""The state folder of a practice host: who holds it, what it became, how to speak to the holder.

lock         held with flock(2) for as long as the holder lives
state.json   what consoles need to enter it
control      Unix socket of the holder: one word, one answer
log          what holder, peers, agent and boot said
root/        the sandbox folder that stands for "/"
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

AGENT_SOCKET = "run/onsite/agent.sock"
_LONGEST_SOCKET_PATH = 107
"""sun_path of unix(7), less its final zero byte."""


class Refusal(Exception):
    """The practice host cannot be had this way; the text is one short sentence without a full stop."""


def cause(error: OSError) -> str:
    """Why the kernel refused a namespace, in words; ENOSPC has another meaning there (namespaces(7))."""
    if error.errno == errno.ENOSPC:
        return "switched off or used up here: user.max_*_namespaces"
    return os.strerror(error.errno or 0)


@dataclass(frozen=True, slots=True)
class State:
    """What `state.json` says.

    Attributes:
        kind: "user" (unprivileged user namespace) or "network" (network namespace made by root).
        refused: why each better kind was not possible, best kind first.
        holder: process id of the holder.
        host: process id whose namespaces are the host's; another one after each boot.
        boot: counts the boots, from 1.
        root: the sandbox folder.
    """

    kind: str
    refused: tuple[str, ...]
    holder: int
    host: int
    boot: int
    root: str

    def write(self, folder: Path) -> None:
        part = folder / "state.json.part"
        part.write_text(json.dumps(asdict(self)) + "\n")
        part.replace(folder / "state.json")


def prepare(folder: Path) -> Path:
    """The state folder, made if need be, for this user alone.

    Raises:
        Refusal: it belongs to another user, others can look into it, or its path is too long for a socket.
    """
    folder = folder.absolute()
    if len(str(folder / "root" / AGENT_SOCKET).encode()) > _LONGEST_SOCKET_PATH:
        raise Refusal(f"the path {folder} is too long for the agent's socket")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise Refusal(f"{folder} cannot be made: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Refusal(f"{folder} is not a folder of this user alone")
    return folder


def lock(folder: Path) -> int | None:
    """The lock as an open descriptor, or None while a holder lives."""
    while True:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        try:
            if os.path.samestat(os.fstat(descriptor), (folder / "lock").stat()):
                return descriptor
        except FileNotFoundError:
            pass  # a `--stop` removed the file between our open and our flock
        os.close(descriptor)


def ask(folder: Path, word: str) -> str:
    """What the holder answers to `word`; it answers after what it is doing now.

    Raises:
        OSError: no holder listens.
        Refusal: the holder says why not.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.settimeout(120)
        control.connect(str(folder / "control"))
        control.sendall(word.encode())
        control.shutdown(socket.SHUT_WR)
        answer = control.makefile(encoding="utf-8").read()
    if answer.startswith("refused: "):
        raise Refusal(answer.removeprefix("refused: ").strip())
    if not answer:
        raise ConnectionResetError("the holder ended without an answer")
    return answer
