#!/usr/bin/env python3
"""Install Onsite from the folder that this file lies in. Needs Python 3.11 or newer and root; no pip, no network.

    ./install              unpack into /opt/onsite/VERSION, and switch to it
    ./install --root DIR   the same in the file system below DIR (an image that is being made)

Nothing of what is installed already is touched before everything is unpacked and each file is as its hash says.
Afterwards: `onsite install --back` to the version before, `onsite uninstall`.
"""

# Kept in words that an old Python understands, so that it can say what is wrong.
import sys

if sys.version_info < (3, 11):  # noqa: UP036  # this very line is for those
    sys.exit("onsite: Onsite needs Python 3.11 or newer: run `python3.11 install`, or another that is newer still.")

import compileall
import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
ENTRY = """#!{python} -I
import sys

from tui.cli import main

sys.exit(main())
"""
CONSOLE = """#!/bin/sh
# What the getty of a console starts instead of login. Whatever ends the console, the host's own login follows;
# when that ends too, the getty begins anew.
stty -isig 2>/dev/null  # Ctrl-C while it starts, a cat on the keyboard: the console comes all the same
dmesg --console-off 2>/dev/null
echo 0 >/proc/sys/kernel/printk  # not even an "emergency"; what comes before a panic is shown all the same
kill -55 1 2>/dev/null  # SIGRTMIN+21, systemd(1): no status lines over the screen
/opt/onsite/current/bin/onsite
if [ $? -gt 128 ]; then
    # Killed while it painted: half a control function, other letters, margins, a cursor at the end of a line that does
    # not wrap. What follows could not be read.
    [ "$TERM" != linux ] || printf '\\030\\033]R'  # its own sixteen colours
    printf '\\030\\033[r\\033[m\\033(B\\033)B\\017\\033[?7h\\033[?25h\\033[H\\033[2J'
fi
stty sane 2>/dev/null
exec /bin/login
"""


class Refused(Exception):
    """It cannot be installed here; the text says why in a sentence."""


def wheels():
    """The wheels beside this file, each as its hash says."""
    found = []
    for line in (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = HERE / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise Refused(f"{name} is not as it was made: copy the archive again")
        found.append(path)
    return found


def fits(wheel):
    """How well a wheel fits this Python and this machine; 0 for not at all."""
    pythons, abis, platforms = wheel.stem.rsplit("-", 3)[1:]
    here = sys.version_info[:2]
    if platforms != "any" and not any(platform_fits(p) for p in platforms.split(".")):
        return 0
    if f"cp{here[0]}{here[1]}" in abis.split("."):
        return 3
    number = re.fullmatch(r"cp3(\d+)", pythons.split(".")[0])
    if "abi3" in abis.split(".") and number and int(number[1]) <= here[1]:
        return 2 + int(number[1]) / 100
    return 1 if "py3" in pythons.split(".") and abis == "none" else 0


def platform_fits(platform):
    glibc = re.fullmatch(r"manylinux_(\d+)_(\d+)_(\w+)", platform)
    old = re.fullmatch(r"manylinux(1|2010|2014)_(\w+)", platform)
    if glibc:
        needed, machine = (int(glibc[1]), int(glibc[2])), glibc[3]
    elif old:
        needed, machine = {"1": (2, 5), "2010": (2, 12), "2014": (2, 17)}[old[1]], old[2]
    else:
        return False
    name, _, version = os.confstr("CS_GNU_LIBC_VERSION").partition(" ")
    have = tuple(int(part) for part in version.split(".")[:2])
    return name == "glibc" and machine == os.uname().machine and needed <= have


def chosen(found):
    """One wheel of each package: the one that fits best."""
    best = {}
    for wheel in found:
        name = wheel.name.split("-")[0].lower()
        best.setdefault(name, []).append(wheel)
    picked = []
    for name, candidates in best.items():
        wheel = max(candidates, key=fits)
        if not fits(wheel):
            here = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {os.uname().machine}"
            raise Refused(f"this archive has no {name} for {here}")
        picked.append(wheel)
    return picked


def unpack(wheel, site):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            parts = member.filename.split("/")
            if parts[0].endswith(".data"):
                if parts[1] not in ("purelib", "platlib"):
                    continue
                parts = parts[2:]
            if member.is_dir() or ".." in parts or parts[0] == "":
                continue
            path = site.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target)


def prepare(folder, picked, final):
    """The whole version in `folder`, as it will be in `final`: an environment of Python's own kind, made by hand."""
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    short = f"python3.{sys.version_info[1]}"
    site = folder / "lib" / short / "site-packages"
    site.mkdir(parents=True)
    for wheel in picked:
        unpack(wheel, site)
    (folder / "bin").mkdir()
    for name in ("python3", short):
        (folder / "bin" / name).symlink_to(base)
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\n", encoding="utf-8"
    )
    for name, text in (("onsite", ENTRY.format(python=f"{final}/bin/python3")), ("console", CONSOLE)):
        (folder / "bin" / name).write_text(text, encoding="utf-8")
        (folder / "bin" / name).chmod(0o755)
    compileall.compile_dir(str(site), quiet=2, stripdir=str(folder), prependdir=str(final))
    for path in (*folder.rglob("*"), folder):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    os.sync()


def main(arguments):
    root = Path("/")
    if arguments[:1] == ["--root"] and len(arguments) == 2:
        root = Path(arguments[1]).resolve()
    elif arguments:
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    if os.geteuid():
        raise Refused("installing needs root: run it with sudo")
    os.umask(0o022)
    found = wheels()
    ours = next(x for x in found if x.name.startswith("onsite-"))
    version = ours.name.split("-")[1]
    final = f"/opt/onsite/{version}"
    there = root / final.lstrip("/")
    if not (there / "bin" / "onsite").exists():
        picked = chosen(found)
        partial = there.parent / f".{version}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        new = not there.parent.exists()
        made = [] if (root / "opt").exists() else [root / "opt"]
        try:
            prepare(partial, picked, final)
            partial.rename(there)
        except BaseException:
            shutil.rmtree(there.parent if new else partial, ignore_errors=True)
            for folder in made:
                folder.rmdir()
            raise
    python = [f"{there}/bin/python3", "-I", "-m", "tui"]
    return subprocess.run([*python, "--root", str(root), "install", "--activate", version], check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Refused, OSError) as refusal:
        sys.exit(f"onsite: {refusal}.")
