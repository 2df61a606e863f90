"""Build the wheel and the sdist, install the wheel in a fresh environment, start it from another folder.

`python3 dev.py wheel` does all of it, with the dependencies fetched as a site would; the tests use the parts.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
import zipfile
from pathlib import Path

import pyte

from tests.surroundings import outside
from tools.environment import ROOT, SetUpError, locked_versions, make, say

FOLDERS = ("tui", "screens", "styles", "assets", "agent")
SIZE = (80, 24)


def build(folder: Path) -> tuple[Path, Path]:
    """The sdist, and the wheel built from it, in `folder`.

    Raises:
        subprocess.CalledProcessError: the build failed; its output is in the error.
    """
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def shipped() -> set[str]:
    """Every file of the tree that the wheel must have."""
    listed = subprocess.run(["git", "ls-files", "-z", *FOLDERS], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in found if path.suffix != ".pyc"}


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def constraints(folder: Path) -> Path:
    """The versions of the lock as pip's constraints: a release of today must not decide whether our wheel is good."""
    path = folder / "constraints.txt"
    path.write_text("".join(f"{name}=={version}\n" for name, version in locked_versions().items()), encoding="utf-8")
    return path


def first_screen(command: list[str], words: str, within: float = 60.0) -> list[str]:
    """Run a program on a pty of 80x24 until its screen shows `words`; the rows of that screen, or of the last one.

    The program is then hung up on, as when a line is lost.
    """
    pid, line = pty.fork()
    if pid == 0:
        os.chdir("/")
        os.execve(command[0], command, {**os.environ, "TERM": "xterm-256color"})  # noqa: S606  # a path of ours
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    screen = pyte.Screen(*SIZE)
    stream = pyte.ByteStream(screen)
    limit = time.monotonic() + within
    try:
        while time.monotonic() < limit and words not in "\n".join(screen.display):
            if select.select([line], [], [], 0.2)[0]:
                try:
                    stream.feed(os.read(line, 65536))
                except OSError:  # the program has ended
                    break
        return list(screen.display)
    finally:
        os.close(line)
        os.waitpid(pid, 0)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="onsite-wheel-") as name:
        folder = Path(name)
        sdist, wheel = build(folder)
        missing = sorted(shipped() - contents(wheel))
        say(f"built {wheel.name} and {sdist.name}: {len(contents(wheel))} files, missing: {missing or 'none'}")
        os.environ.update(outside())
        try:
            way = make(folder / "venv", [str(wheel), "--constraint", str(constraints(folder))])
        except SetUpError as error:
            say(str(error))
            return 1
        onsite = str(folder / "venv" / "bin" / "onsite")
        say(f"installed in a fresh environment ({way})")
        # A practice host of its own: the one in the usual place may be somebody's.
        os.environ["ONSITE_PRACTICE"] = str(folder / "practice")
        failed = bool(missing)
        for arguments in (["--version"], ["status", "--json"]):
            done = subprocess.run([onsite, *arguments], cwd="/", capture_output=True, text=True, timeout=60)
            say(
                f"onsite {' '.join(arguments)}: status {done.returncode}, {(done.stdout + done.stderr).strip()[:120]!r}"
            )
            failed |= done.returncode != 0
        screen = first_screen([onsite, "demo"], "Network")
        subprocess.run([onsite, "demo", "--stop"], cwd="/", capture_output=True, timeout=60)
        shown = any("Network" in row for row in screen)
        say("the console from /: " + ("its first screen shows the places" if shown else "no places on its screen:"))
        if not shown:
            print("\n".join(row.rstrip() for row in screen))
        return int(failed or not shown)


if __name__ == "__main__":
    sys.exit(main())
