"""`onsite demo`: the console, or any command of it, on a practice host instead of this machine.

The practice host is a process of its own (`python -m agent.practice`). This starts it or finds it, enters its
namespaces before anything heavy is imported, and hands over to the command line with another root folder.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui import namespaces

_CODE = Path(__file__).resolve().parents[1]
_WORDS = {"user": "a user namespace", "network": "a network namespace of root"}
_PASSED = ("machine", "clock", "play", "record", "terminal")
"""Options that are the console's own and only pass through."""
RECORDED = "onsite-recorded-"
"""How the folders of recorded hosts begin; the process id follows."""
_NOTHING_WORKS = 3
"""Exit code of agent.practice: no kind of namespace is to be had, reasons on standard error."""


class Unavailable(Exception):
    """The practice host cannot be had; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice host to enter. `refused` says why each better kind is not possible, best first."""

    kind: str
    refused: tuple[str, ...]
    root: str = ""
    host: int = 0

    @property
    def why(self) -> str:
        """Why it is not a better one; "" for the best."""
        return "; ".join(self.refused)


def default_folder() -> Path:
    """Where the practice host of this user is: ONSITE_PRACTICE, else the runtime folder, else /tmp."""
    if named := os.environ.get("ONSITE_PRACTICE"):
        return Path(named).absolute()
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime, "onsite-practice")
    return Path("/tmp", f"onsite-practice-{os.geteuid()}")  # noqa: S108 - checked to be ours alone before use


def main(argv: Sequence[str], run: Callable[[list[str]], int]) -> int:
    """The `demo` command; `run` is the command line's own dispatcher, called inside with the options it needs."""
    given = list(argv)
    command: list[str] = []
    if "--" in given:
        command = given[given.index("--") + 1 :]
        given = given[: given.index("--")]
    options = _options(given)
    folder = default_folder()
    passed = [x for name in _PASSED if (value := options[name]) for x in (f"--{name}", value)]
    try:
        if options["stop"]:
            _control(folder, "--stop")
            return 0
        if options["hub"]:
            print(_control(folder, "--hub", *options["hub"]), end="")
            return 0
        if options["pull"] or options["plug"]:
            _control(folder, *(["--pull", options["pull"]] if options["pull"] else ["--plug", options["plug"]]))
            return 0
        if options["machine"]:
            return _recorded(passed, command, run)
        practice = _rebooted(folder) if options["reboot"] else _attached(folder) or _started(folder)
        if practice.kind == "recorded":
            print(f"Practice on a recorded host: {practice.why}.", file=sys.stderr)
            return _recorded(["--machine", str(_first_recording()), *passed], command, run, practice.why)
        if practice.refused:
            print(f"Practice in {_WORDS[practice.kind]}: {practice.why}.", file=sys.stderr)
        if options["reboot"] and not command:
            print("The practice host has rebooted; `onsite demo` opens its console.")
            return 0
        _enter(practice, folder)
    except Unavailable as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return run(["--root", practice.root, "--practice", practice.kind, *passed, *command])


def _options(given: list[str]) -> dict[str, Any]:
    """The options of the command itself; argparse costs as much as a Python start, so only where there are some."""
    if not given:
        return dict.fromkeys((*_PASSED, "reboot", "stop", "hub", "pull", "plug"))
    import argparse

    parser = argparse.ArgumentParser(
        prog="onsite demo",
        description="The console on a practice host: real links in namespaces, a folder instead of /. "
        "Arguments after -- are a command to run there instead, such as: onsite demo -- status --json",
    )
    parser.add_argument("--machine", metavar="FILE", help="replay this recorded host instead (onsite facts --json)")
    parser.add_argument("--clock", metavar="T", help="the time that the console believes it is")
    parser.add_argument("--play", metavar="FILE", help="replay keystrokes; exit 1 at the first screen that differs")
    parser.add_argument("--record", metavar="FILE", help="record keystrokes and screens")
    parser.add_argument("--terminal", metavar="PROFILE", help="as for onsite itself")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--reboot", action="store_true", help="cut the power of the practice host and boot it again")
    what.add_argument(
        "--hub", nargs="+", metavar="WORD", help="faults of the practice hub to switch on, none, or orders"
    )
    what.add_argument("--pull", metavar="LINK", help="pull the cable of a link of the practice host, such as lan0")
    what.add_argument("--plug", metavar="LINK", help="plug it in again")
    what.add_argument("--stop", action="store_true", help="end the practice host and throw it away")
    return vars(parser.parse_args(given))


def _attached(folder: Path) -> Practice | None:
    """The practice host that runs in `folder`; None where none does. Waits while it boots."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Unavailable(f"{folder} is not a folder of this user alone; remove it or set ONSITE_PRACTICE to another.")
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(120)
        try:
            control.connect(str(folder / "control"))
            control.sendall(b"state")
            control.shutdown(socket.SHUT_WR)
            answer = control.makefile(encoding="utf-8").read()
        except OSError:
            return None
    return _practice(answer) if answer else None


def _started(folder: Path) -> Practice:
    return _practice(_control(folder))


def _rebooted(folder: Path) -> Practice:
    return _practice(_control(folder, "--reboot"))


def _practice(answer: str) -> Practice:
    said = json.loads(answer)
    return Practice(said["kind"], tuple(said["refused"]), said.get("root", ""), said.get("host", 0))


def _control(folder: Path, *options: str) -> str:
    """Call agent.practice. Where no namespace can be had, the answer is that of a recorded host."""
    import subprocess

    command = [sys.executable, "-m", "agent.practice", "--state", str(folder), *options]
    ended = subprocess.run(command, cwd=_CODE, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode == _NOTHING_WORKS:
        return json.dumps({"kind": "recorded", "refused": ended.stderr.strip().splitlines()})
    if ended.returncode != 0:
        raise Unavailable(ended.stderr.strip() or f"the practice host ended with {ended.returncode}")
    return ended.stdout


def _enter(practice: Practice, folder: Path) -> None:
    try:
        namespaces.enter(practice.host)
    except OSError as error:
        raise Unavailable(f"The practice host cannot be entered: {error.strerror}. Try: onsite demo --stop") from error
    os.environ["ONSITE_PRACTICE"] = str(folder)
    os.environ["ONSITE_PRACTICE_WHY"] = practice.why


def _first_recording() -> Path:
    found = sorted((_CODE / "assets/machines").glob("*.json"))
    if not found:
        raise Unavailable("There is no recorded host to fall back on; give one with --machine FILE.")
    return found[0]


def _recorded(options: list[str], command: list[str], run: Callable[[list[str]], int], why: str = "") -> int:
    """Changes to a recorded host stay in memory, so its root folder is an empty one that is thrown away."""
    import shutil
    import tempfile

    os.environ["ONSITE_PRACTICE_WHY"] = why
    for folder in left_over(RECORDED):
        shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{RECORDED}{os.getpid()}-") as root:
        return run(["--root", root, "--practice", "recorded", *options, *command])


def left_over(prefix: str) -> Iterator[Path]:
    """This user's folders PREFIX PID - NAME in the temp folder whose process is gone: it was killed."""
    import tempfile

    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*-*"):
        pid = folder.name.removeprefix(prefix).partition("-")[0]
        try:
            found = folder.lstat()
        except FileNotFoundError:  # its own process, or another one that clears, was quicker
            continue
        if pid.isdecimal() and stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            try:
                os.kill(int(pid), 0)
            except ProcessLookupError:
                yield folder
            except (PermissionError, OverflowError):  # somebody else's process, or none that there can be
                continue
