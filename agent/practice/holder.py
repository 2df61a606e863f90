"""The holder: a process of its own that outlives every console and does what a power switch does."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from agent.practice import power, sandbox
from agent.practice.cables import CABLES
from agent.practice.state import AGENT_SOCKET, Refusal, State, cause
from tui import namespaces

_CODE = Path(__file__).resolve().parents[2]
"""The folder that the packages lie in: children find them there whatever the working folder was."""
_BOOT_COMMANDS = (("recover", "--boot"), ("network", "up"))
"""What the units onsite-recover and onsite-network do before a real host's network is up."""


class Holder:
    """One practice host. `boot` and `shut_down` alternate."""

    def __init__(self, folder: Path, kind: str, refused: Sequence[str]) -> None:
        self.folder, self.kind, self.refused = folder, kind, tuple(refused)
        self.root = folder / "root"
        self.boots = 0
        self._children: list[subprocess.Popen[str]] = []
        self._namespace = -1
        self._environment = {**os.environ, "ONSITE_PRACTICE": str(folder), "LC_ALL": "C.UTF-8"}

    @property
    def state(self) -> State:
        return State(self.kind, self.refused, os.getpid(), self._host.pid, self.boots, str(self.root))

    def boot(self) -> None:
        """Power on: fresh kernel state, /run and boot id; then what a host's units do.

        Raises:
            Refusal: the kernel refused namespaces, links or addresses.
        """
        was_there = not sandbox.fresh(self.root, self.folder / "hub")
        sandbox.power_on(self.root)
        self._peers = peers = self._start("-m", "agent.practice.peers", str(self.folder / "hub"))
        self._host = self._start("-m", "agent.practice.host", str(self.root))
        _expect_ready(peers)
        _tell(self._host, str(peers.pid))
        _expect_ready(self._host)
        _tell(peers, "the cables are in")
        _expect_ready(peers)
        self._namespace = os.open(f"/proc/{self._host.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        agent = self._start_inside("agent", "--root", str(self.root), "--socket", str(self.root / AGENT_SOCKET))
        if was_there:  # a fresh box has nothing to recover and no network to bring up
            for command in _BOOT_COMMANDS:
                self._run_inside("tui", "--root", str(self.root), *command)
        _wait_for_socket(self.root / AGENT_SOCKET, agent)
        self.boots += 1
        self.state.write(self.folder)

    def shut_down(self) -> None:
        """Power off without warning: no process of the host gets to do anything any more."""
        if self._namespace >= 0:
            found = os.fstat(self._namespace)
            power.cut((found.st_dev, found.st_ino))
            os.close(self._namespace)
            self._namespace = -1
        for child in self._children:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
        self._children.clear()

    def remove(self) -> None:
        """Leave nothing in the state folder but the lock and the log."""
        for name in ("state.json", "control"):
            (self.folder / name).unlink(missing_ok=True)
        for name in ("root", "hub"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def answer(self, word: str) -> str:
        """Do what the control socket asks.

        Raises:
            SystemExit: "stop".
            Refusal: the kernel refused what it granted before.
        """
        if word == "reboot":
            self.shut_down()
            self.boot()
        elif word == "stop":
            raise SystemExit(0)
        elif word.startswith(("pull ", "plug ")):
            names = [cable.name for cable in CABLES]
            if word[5:] not in names:
                raise Refusal(f"{word[5:]} is none of its links: {', '.join(names)}")
            _tell(self._peers, word)
        return json.dumps(asdict(self.state)) + "\n"

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, *arguments], cwd=_CODE, env=self._environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._children.append(child)
        return child

    def _inside(self, *module: str) -> list[str]:
        return [sys.executable, "-m", "tui.namespaces", str(self._host.pid), sys.executable, "-m", *module]

    def _start_inside(self, *module: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            self._inside(*module), cwd=_CODE, env=self._environment, text=True,
            stdin=subprocess.DEVNULL, stdout=sys.stderr,
        )  # fmt: skip
        self._children.append(child)
        return child

    def _run_inside(self, *module: str) -> None:
        command = self._inside(*module)
        try:
            ended = subprocess.run(
                command, cwd=_CODE, env=self._environment, stdin=subprocess.DEVNULL, stdout=sys.stderr,
                timeout=60, check=False,
            )  # fmt: skip
            _log(f"boot: {' '.join(module)} ended with {ended.returncode}")
        except subprocess.TimeoutExpired:
            _log(f"boot: {' '.join(module)} took more than a minute and was killed")


def _log(sentence: str) -> None:
    print(time.strftime("%FT%T%z"), sentence, file=sys.stderr, flush=True)


def _tell(child: subprocess.Popen[str], line: str) -> None:
    assert child.stdin is not None  # noqa: S101 - it was started with a pipe
    with contextlib.suppress(BrokenPipeError):  # what it said before it ended is read next
        child.stdin.write(line + "\n")


def _expect_ready(child: subprocess.Popen[str], seconds: float = 30) -> None:
    assert child.stdout is not None  # noqa: S101 - it was started with a pipe
    if not select.select([child.stdout], [], [], seconds)[0]:
        raise Refusal("a process of it did not get ready; see its log")
    line = child.stdout.readline().strip()
    if line != "ready":
        raise Refusal(line.removeprefix("refused: ") or "a process of it ended early; see its log")


def _wait_for_socket(path: Path, agent: subprocess.Popen[str], seconds: float = 15) -> None:
    """A console that opens now finds the agent; a practice host without one is still a host."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and agent.poll() is None:
        with socket.socket(socket.AF_UNIX) as knock:
            try:
                knock.connect(str(path))
            except OSError:
                time.sleep(0.01)
            else:
                return
    _log("the agent does not answer")


def _make_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    try:
        namespaces.unshare(namespaces.USER)
    except OSError as error:
        raise Refusal(f"a user namespace was refused ({cause(error)})") from error
    try:
        namespaces.become_root(uid, gid)
    except OSError as error:
        raise Refusal(f"being root in a user namespace was refused ({cause(error)})") from error


def main(folder: Path, kind: str, lock: str, refused: Sequence[str]) -> None:
    """Say on standard output "ready" or "refused: why", then serve the control socket until told to stop.

    The lock is an inherited descriptor; it is free again when this process ends.
    """
    os.set_inheritable(int(lock), False)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    holder = Holder(folder, kind, refused)
    try:
        if kind == "user":
            _make_user_namespace()
        elif os.geteuid() != 0:
            raise Refusal("a network namespace without a user namespace needs root")
        (folder / "control").unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as control:
            control.bind(str(folder / "control"))
            control.listen()
            holder.boot()
            print("ready", flush=True)
            os.dup2(2, 1)
            _serve(control, holder)
    except Refusal as refusal:
        print(f"refused: {refusal}", flush=True)
    finally:
        holder.shut_down()
        holder.remove()


def _serve(control: socket.socket, holder: Holder) -> None:
    while True:
        connection, _ = control.accept()
        with connection, connection.makefile(encoding="utf-8") as words:
            word = words.read().strip()
            try:
                answer = holder.answer(word)
            except Refusal as refusal:
                _log(str(refusal))
                answer = f"refused: {refusal}\n"
            except SystemExit:
                holder.shut_down()
                holder.remove()
                connection.sendall(b"stopped\n")
                raise
            with contextlib.suppress(OSError):  # whoever asked has left
                connection.sendall(answer.encode())


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
