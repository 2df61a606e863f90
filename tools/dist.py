"""`python3 dev.py dist`: onsite-VERSION-linux-ARCH.tar, which installs itself on a host that has nothing but Python.

In it: our wheel, the wheels of everything it needs for each Python from 3.11 on, their hashes, and `install`
(`assets/install.py`). The same tree and the same lock give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from packaging.requirements import Requirement

from tests.dev.container import pip
from tests.packaging import wheel
from tests.surroundings import outside
from tools.environment import LOCK, ROOT, normal, say
from tui import __version__

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PLATFORMS = ("manylinux_2_17", "manylinux2014", "manylinux_2_28", "manylinux_2_34")
"""A host with an older C library than 2.17 has no Python 3.11."""


def needed() -> set[str]:
    """Names of everything that the program needs to run, out of what is installed here; tests and tools left out."""
    wanted = [Requirement(line) for line in _project()]
    found: set[str] = set()
    while wanted:
        one = wanted.pop()
        name = normal(one.name)
        if name in found or (one.marker is not None and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        more = [Requirement(line) for line in importlib.metadata.requires(name) or ()]
        extras = [{"extra": extra} for extra in (*one.extras, "")]
        wanted += [r for r in more if r.marker is None or any(r.marker.evaluate(extra) for extra in extras)]
        wanted = [Requirement(str(r).partition(";")[0]) for r in wanted]
    return found


def _project() -> list[str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [str(line) for line in project["dependencies"]]


def requirements() -> str:
    """The part of the lock that the program needs, with its hashes."""
    names, kept, keep = needed(), [], False
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace() and "==" in line:
            keep = normal(line.partition("==")[0].partition("[")[0].strip()) in names
        if keep:
            kept.append(line)
    return "\n".join([*kept, ""])


def download(folder: Path, machine: str, pythons: tuple[str, ...] = PYTHONS) -> list[Path]:
    """The wheels of the lock for one kind of machine and these Pythons, each as its hash says.

    Raises:
        subprocess.CalledProcessError: one of them cannot be had; pip's words are in the error.
    """
    lock = folder / "requirements.txt"
    lock.write_text(requirements(), encoding="utf-8")
    platforms = [f"--platform={name}_{machine}" for name in PLATFORMS]
    for python in pythons:
        abi = f"cp{python.replace('.', '')}"
        options = ["download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", *platforms]
        options += [f"--python-version={python}", "--implementation=cp", f"--abi={abi}", "--abi=abi3", "--abi=none"]
        command = [*pip(), *options, "--dest", str(folder), "-r", str(lock)]
        subprocess.run(command, check=True, capture_output=True, text=True, env=outside())
    return sorted(folder.glob("*.whl"))


def pack(out: Path, arch: str, wheels: list[Path]) -> Path:
    """The archive of these wheels, ours among them, in `out`."""
    name = f"onsite-{__version__}-linux-{arch}"
    path = out / f"{name}.tar"
    files = {f"wheels/{x.name}": x.read_bytes() for x in wheels}
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {where}\n" for where, data in sorted(files.items()))
    files |= {"SHA256SUMS": sums.encode(), "install": (ROOT / "assets/install.py").read_bytes()}
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for where, data in sorted(files.items()):
            member = tarfile.TarInfo(f"{name}/{where}")
            member.size, member.mode = len(data), 0o755 if where == "install" else 0o644
            archive.addfile(member, io.BytesIO(data))
    return path


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py dist")
    parser.add_argument("--arch", choices=[*MACHINES], action="append", help="default: both")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    for arch in given.arch or MACHINES:
        with tempfile.TemporaryDirectory(prefix="onsite-dist-") as name:
            folder = Path(name)
            try:
                ours = wheel.build(folder)[1]
                (folder / "needed").mkdir()
                wheels = download(folder / "needed", MACHINES[arch])
            except subprocess.CalledProcessError as error:
                say(f"{error.cmd[0]} failed: {(error.stdout or '')[-500:]}{(error.stderr or '')[-1500:]}")
                return 1
            path = pack(given.out, arch, [ours, *wheels])
        megabytes = path.stat().st_size / 1e6
        say(f"{path}: {megabytes:.1f} MB, {len(wheels) + 1} wheels, Python {PYTHONS[0]} to {PYTHONS[-1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
