"""The same figures for programs that operators know: nmtui and whiptail, where they are installed."""

import os
import shutil
import subprocess
import tempfile

from bench.measure import Measured
from bench.terminal import Program

TERMS = {"vt100": "vt100", "vt220": "vt220", "linux": "linux"}


def environ(terminal: str) -> dict[str, str]:
    """What a login on this terminal has. C, because both send UTF-8 to a VT100 in a UTF-8 locale."""
    locale = "C.UTF-8" if terminal == "linux" else "C"
    return {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "TERM": TERMS[terminal], "LC_ALL": locale}


def nmtui(terminal: str) -> Measured | None:
    """`nmtui edit` of the first profile; None where it or its daemon is missing."""
    if not shutil.which("nmtui") or not shutil.which("nmcli"):
        return None
    found = subprocess.run(
        ["nmcli", "-t", "-f", "NAME", "connection"], capture_output=True, text=True, check=False, timeout=20
    )
    if found.returncode or not found.stdout.strip():
        return None
    profile = found.stdout.splitlines()[0]
    measured = Measured(Program(["nmtui", "edit", profile], terminal, environ=environ(terminal)), terminal)
    with measured.program:
        measured.start()
        measured.press("type", *"abcdefgh")
        measured.press("Tab", *["tab"] * 8)
    return measured


def whiptail(terminal: str) -> Measured | None:
    """A menu of thirty lines; None where it is not installed."""
    if not shutil.which("whiptail"):
        return None
    items = [word for n in range(1, 31) for word in (f"host-{n:02}", f"192.0.2.{n} registered")]
    command = ["whiptail", "--menu", "Hosts", "22", "70", "14", *items]
    measured = Measured(Program(command, terminal, environ=environ(terminal)), terminal)
    with measured.program:
        measured.start()
        measured.press("Down", *["down"] * 12)
        measured.press("Down, scrolling", *["down"] * 12)
    return measured
