"""Start, reboot or stop a practice host: `python -m agent.practice --state DIR [--reboot | --stop]`.

Prints the state as one line of JSON. Exit codes: 0 done; 1 refused, with a sentence; 3 no kind of namespace
works here, with the reason of each on a line of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from agent.practice import hub, state
from agent.practice.state import Refusal

_KINDS = ("user", "network")
"""Best first: the first needs no privilege at all."""
_CODE = Path(__file__).resolve().parents[2]


class NothingWorks(Exception):
    """No kind of namespace works on this machine."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))


def start(folder: Path) -> str:
    """The state of the practice host in `folder`, started if none lives there.

    Raises:
        NothingWorks: neither kind of namespace is to be had.
        Refusal: the running one does not answer.
    """
    lock = state.lock(folder)
    if lock is None:
        return _ask_patiently(folder, "state")
    try:
        refused: list[str] = []
        for kind in _KINDS:
            if reason := _start_holder(folder, kind, lock, refused):
                refused.append(reason)
            else:
                return state.ask(folder, "state")
        _clear(folder)
        raise NothingWorks(refused)
    finally:
        os.close(lock)


def _start_holder(folder: Path, kind: str, lock: int, refused: list[str]) -> str:
    """Try one kind; returns why it did not work, or ""."""
    with open(folder / "log", "ab") as log:
        holder = subprocess.Popen(
            [sys.executable, "-m", "agent.practice.holder", str(folder), kind, str(lock), *refused],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            cwd=_CODE, start_new_session=True, pass_fds=(lock,),
        )  # fmt: skip
    assert holder.stdout is not None  # noqa: S101 - it was started with a pipe
    with holder.stdout as report:
        said = report.readline().strip()
    if said == "ready":
        holder.returncode = 0  # it is not ours any more: no warning about a child that is still running
        return ""
    holder.wait()
    return said.removeprefix("refused: ") or f"it ended early; see {folder / 'log'}"


def stop(folder: Path) -> None:
    """End it and leave nothing behind; nothing to do is fine.

    Raises:
        Refusal: it does not end.
    """
    lock = state.lock(folder)
    if lock is None:
        _ask_patiently(folder, "stop")
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
    _clear(folder)
    os.close(lock)


def _clear(folder: Path) -> None:
    """Remove what a holder, also a crashed one, left; the lock is ours. A folder with other things in it stays."""
    for name in ("root", "hub"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("state.json", "state.json.part", "control", "log", "lock"):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _ask_patiently(folder: Path, word: str, seconds: float = 30) -> str:
    """Ask a holder that may be so young that it does not listen yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            return state.ask(folder, word)
        except OSError as error:
            if time.monotonic() > end:
                raise Refusal(f"the practice host in {folder} does not answer: {error.strerror}") from error
            time.sleep(0.02)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m agent.practice", description="The practice host of Onsite.")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="its state folder, mode 0700")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--reboot", action="store_true", help="cut the power and boot again")
    what.add_argument("--stop", action="store_true", help="end it and everything it holds")
    what.add_argument(
        "--hub", nargs="+", metavar="WORD", help="faults of the practice hub to switch on, none, or orders"
    )
    what.add_argument("--pull", metavar="LINK", help="pull the cable of a link, such as lan0")
    what.add_argument("--plug", metavar="LINK", help="plug it in again")
    arguments = parser.parse_args(argv)
    try:
        folder = state.prepare(arguments.state)
        if arguments.stop:
            stop(folder)
            return 0
        answer = start(folder)
        if arguments.hub:
            print(hub.order(folder / "hub", arguments.hub))
            return 0
        if link := arguments.pull or arguments.plug:
            answer = state.ask(folder, f"{'pull' if arguments.pull else 'plug'} {link}")
        if arguments.reboot:
            answer = state.ask(folder, "reboot")
        print(answer, end="")
    except NothingWorks as reasons:
        print(reasons, file=sys.stderr)
        return 3
    except (Refusal, OSError, ValueError) as refusal:
        print(f"The practice host: {refusal}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
