"""Bare containers: a minimal Debian under an overlay, with things taken away, in which a command is run.

Root only. The minimal Debian and the wheels of the lock are made once a machine, in the temp folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.surroundings import outside
from tools.environment import LOCK, ROOT, base_python, fingerprint, has_module, pip_wheels

PACKAGES = ("python3", "python3-venv", "python3-pip", "make", "procps", "iproute2", "ca-certificates")
NOBODY = 65534


@dataclass(frozen=True)
class Container:
    """What is missing or refused in one container. Everything else is as in a small Debian."""

    hidden: tuple[str, ...] = ()
    """Patterns of paths that are not there."""
    user: str = "nobody"
    user_namespaces: bool = True
    without: tuple[str, ...] = ()
    """Capabilities that not even root has."""
    own_checkout: bool = True
    """Whether the checkout belongs to the user; else it can only be read."""
    uv: bool = False
    folders: tuple[str, ...] = ()
    """Empty folders of the user's that are there before the command starts."""

    def run(self, *command: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout, in the container. Everything that it leaves running ends with it."""
        uid = 0 if self.user == "root" else NOBODY
        binds = {str(wheels()): "/wheels"}
        if self.uv:
            binds[str(uv_program())] = "/usr/local/bin/uv"
        with tempfile.TemporaryDirectory(prefix="onsite-bare-box-") as scratch:
            box = {
                "base": str(debian()),
                "scratch": scratch,
                "binds": binds,
                "hidden": self.hidden,
                "checkout": str(ROOT),
                "files": files(),
                "owner": uid if self.own_checkout else 0,
                "folders": self.folders,
                "without": self.without,
                "uid": uid,
                "user_namespaces": self.user_namespaces,
                "command": command,
                "environment": {
                    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "HOME": "/root" if uid == 0 else "/nonexistent",
                    "TERM": "xterm",
                    "LC_ALL": "C.UTF-8",
                    # No index: the wheels of the lock are all that there is.
                    **{
                        "PIP_NO_INDEX": "1",
                        "PIP_FIND_LINKS": "/wheels",
                        "UV_OFFLINE": "1",
                        "UV_FIND_LINKS": "/wheels",
                    },
                },
            }
            enter = str(Path(__file__).with_name("enter.py"))
            unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", sys.executable, enter, json.dumps(box)]
            return subprocess.run(
                unshare, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=seconds
            )


def missing() -> str | None:
    """Why no bare container can be had here, or None."""
    if os.geteuid():
        return "bare containers need root"
    needed = [name for name in ("mmdebstrap", "unshare", "pivot_root", "mount") if shutil.which(name) is None]
    if needed:
        return f"bare containers need {' and '.join(needed)} (see .ci/packages)"
    probe = ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    refused = subprocess.run(probe, capture_output=True, text=True)
    return f"bare containers need to mount, and may not: {refused.stderr.strip()}" if refused.returncode else None


@cache
def files() -> list[str]:
    """The checkout as it stands, what git ignores left out."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split("\0") if listed.returncode == 0 else [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
    return [name for name in names if name and (ROOT / name).is_file() and not name.startswith(".venv")]


def kept(name: str, key: str) -> tuple[Path, Path]:
    """A folder in the temp folder that is made once for `key`, and a partial one that is renamed to it when done."""
    folder = Path(tempfile.gettempdir()) / f"onsite-{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    return folder, partial


@cache
def debian() -> Path:
    """The folder of a minimal Debian, made with this machine's own sources where it is a Debian too."""
    folder, partial = kept("bare-debian", " ".join(PACKAGES))
    if not folder.exists():
        suite, sources = suite_and_sources()
        options = ["--mode=root", "--variant=minbase", "--quiet", f"--include={','.join(PACKAGES)}"]
        options += ["--aptopt=APT::Install-Recommends false", "--dpkgopt=path-exclude=/usr/share/doc/*"]
        checked(["mmdebstrap", *options, suite, str(partial), *sources])
        partial.rename(folder)
    return folder


def suite_and_sources() -> tuple[str, list[str]]:
    """The Debian that mmdebstrap makes: this machine's own suite and sources where it is a Debian too."""
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    codename = re.search(r"^VERSION_CODENAME=(\w+)", release, re.MULTILINE)
    suite = codename[1] if codename and re.search(r"^ID=debian", release, re.MULTILINE) else "bookworm"
    lists = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
    return suite, [str(path) for path in lists if path.exists() and suite in path.read_text(encoding="utf-8")][:1]


@cache
def wheels() -> Path:
    """The folder of the wheels that the lock asks for, for the Python of that Debian."""
    folder, partial = kept("bare-wheels", fingerprint())
    if not folder.exists():
        python = next((debian() / "usr/lib").glob("python3.*")).name.removeprefix("python")
        options = ["download", "--quiet", "--require-hashes", "--only-binary=:all:", f"--python-version={python}"]
        checked([*pip(), *options, "--dest", str(partial), "-r", str(LOCK)])
        partial.rename(folder)
    return folder


@cache
def uv_program() -> Path:
    """uv as one file: this machine's, else out of its wheel."""
    if found := shutil.which("uv"):
        return Path(found).resolve()
    folder, partial = kept("bare-uv", "uv")
    if not folder.exists():
        checked([*pip(), "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(partial), "uv"])
        with zipfile.ZipFile(next(partial.glob("uv-*.whl"))) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
            (partial / "uv").write_bytes(archive.read(name))
        (partial / "uv").chmod(0o755)
        partial.rename(folder)
    return folder / "uv"


def pip() -> list[str]:
    """A pip of this machine."""
    return [base_python(), *(["-m", "pip"] if has_module("pip") else [str(pip_wheels()[0] / "pip")])]


def checked(command: list[str]) -> None:
    done = subprocess.run(command, env=outside(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {(done.stdout + done.stderr)[-2000:]}")
