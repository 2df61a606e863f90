"""The Python environment of a checkout: found, made by the first way that works on this machine, or mended.

Standard library only, and only the part of it that a minimal Python has: this runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
STAMP = "onsite.stamp"


class SetUpError(Exception):
    """Onsite cannot be set up here; the text is one sentence that says what to do."""


class Unavailable(Exception):
    """This way of making an environment does not exist on this machine; the text says what is missing."""


def place() -> Path:
    """The folder of the Python environment: ONSITE_VENV, else `.venv`, else (checkout read-only) one of our own."""
    if named := os.environ.get("ONSITE_VENV"):
        return Path(named).absolute()
    inside = ROOT / ".venv"
    if os.access(ROOT, os.W_OK) or problem(inside) is None:
        return inside
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    caches = [Path(os.environ["XDG_CACHE_HOME"])] if os.environ.get("XDG_CACHE_HOME") else []
    caches.append(Path("~/.cache").expanduser())
    for cache in caches:
        with contextlib.suppress(OSError):
            (cache / "onsite").mkdir(parents=True, exist_ok=True)
            if os.access(cache / "onsite", os.W_OK):
                return cache / "onsite" / f"venv-{checkout}"
    return private_folder() / f"venv-{checkout}"


def private_folder() -> Path:
    """A folder in the temp folder that nobody else could have prepared for us.

    Raises:
        SetUpError: somebody else owns it.
    """
    folder = Path(tempfile.gettempdir()) / f"onsite-dev-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise SetUpError(f"{folder} belongs to somebody else; name a folder of your own in ONSITE_VENV.")
    return folder


def locked_versions() -> dict[str, str]:
    """Name and version of everything in requirements.lock, names in normal form."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return {normal(name): version for name, version in pins}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def site_packages(venv: Path) -> Path | None:
    return next(iter(sorted(venv.glob("lib/python3.*/site-packages"))), None)


def fingerprint() -> str:
    """What the stamp in an environment says when that environment was filled from today's lock."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def problem(venv: Path) -> str | None:
    """Why `venv` cannot be used as it is, or None. Takes some tens of milliseconds and runs no pip."""
    python = venv / "bin" / "python"
    if not os.access(python, os.X_OK):
        return "it has no Python"
    site = site_packages(venv)
    if site is None:
        return "it has no packages"
    installed = {}
    for info in site.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        installed[normal(name)] = version
    for name, version in locked_versions().items():
        if installed.get(name) != version:
            return f"it has {name} {installed.get(name, 'not at all')} and the lock asks for {version}"
    if not stamped(venv) and (missing := first_missing_file(site)):
        return f"{missing} is missing in it"
    probe = "import sys; sys.exit(sys.version_info < (3, 11))"
    if subprocess.run([python, "-I", "-S", "-c", probe], capture_output=True).returncode:
        return "its Python does not run or is older than 3.11"
    return None


def stamped(venv: Path) -> bool:
    """Whether the stamp, which is written last, says that this environment was filled from today's lock."""
    with contextlib.suppress(OSError):
        return (venv / STAMP).read_text(encoding="utf-8").strip() == fingerprint()
    return False


def first_missing_file(site: Path) -> str | None:
    """The first file that a package says it has and that is not there (an interrupted install, for one).

    Only asked of an environment without our stamp: it costs a stat of every file. Byte code does not count.
    """
    for record in site.glob("*.dist-info/RECORD"):
        for line in record.read_text(encoding="utf-8").splitlines():
            name = line.rsplit(",", 2)[0].strip('"')
            if not name.endswith(".pyc") and not (site / name).exists():
                return name
    return None


Commands = list[list[str]]
INSTALL = ["install", "--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]


def base_python() -> str:
    """The interpreter itself, also when this command is run by the Python of an environment."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def has_module(name: str) -> bool:
    """Whether the base interpreter has a module (this one may be an environment's, which sees other modules)."""
    found = subprocess.run([base_python(), "-I", "-c", f"import {name}"], capture_output=True)
    return found.returncode == 0


def by_uv(venv: Path) -> Commands:
    uv = shutil.which("uv")
    if uv is None:
        raise Unavailable("no uv")
    # uv refuses a folder that is there and is not an environment; ours holds a lock file at most.
    return [[uv, "venv", "--quiet", "--allow-existing", "--no-project", "--python", base_python(), str(venv)]]


def by_venv(venv: Path) -> Commands:
    needs_venv()
    if not has_module("ensurepip"):
        raise Unavailable("no ensurepip")
    return [[base_python(), "-m", "venv", str(venv)]]


def by_bare_venv(venv: Path) -> Commands:
    needs_venv()
    return [[base_python(), "-m", "venv", "--without-pip", str(venv)]]


def needs_venv() -> None:
    if not has_module("venv"):
        raise Unavailable("no venv module")


def uv_pip(venv: Path) -> list[str]:
    uv = shutil.which("uv")
    if uv is None:
        raise Unavailable("no uv")
    return [uv, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")]


def own_pip(venv: Path) -> list[str]:
    return [str(venv / "bin" / "python"), "-m", "pip", *INSTALL]


def system_pip(venv: Path) -> list[str]:
    """The system's pip, told to work on our environment (`--python`, since pip 22.3)."""
    for pip in ([base_python(), "-m", "pip"], ["pip3"], ["pip"]):
        if shutil.which(pip[0]) is None:
            continue
        answer = subprocess.run([*pip, "--version"], capture_output=True, text=True)
        version = re.match(r"pip (\d+)\.(\d+)", answer.stdout)
        if answer.returncode == 0 and version and (int(version[1]), int(version[2])) >= (22, 3):
            return [*pip, "--python", str(venv / "bin" / "python"), *INSTALL]
    raise Unavailable("no pip of 22.3 or newer")


def zipped_pip(venv: Path) -> list[str]:
    """pip's own wheel, run as the zip file that it is."""
    wheels = pip_wheels()
    if not wheels:
        raise Unavailable("no wheel of pip")
    return [str(venv / "bin" / "python"), str(wheels[0] / "pip"), *INSTALL]


def pip_wheels() -> list[Path]:
    """Wheels of pip on this machine, newest first: ensurepip's, the distribution's, those that pip is told to use."""
    folders = [Path("/usr/share/python-wheels"), Path("/usr/share/python3-wheels")]
    libraries = {Path(os.__file__).parent, *Path("/usr/lib").glob("python3*"), *Path("/usr/local/lib").glob("python3*")}
    folders += [library / "ensurepip" / "_bundled" for library in libraries]
    folders += [Path(link) for link in os.environ.get("PIP_FIND_LINKS", "").split() if link.startswith("/")]
    wheels = [wheel for folder in folders for wheel in folder.glob("pip-*.whl")]
    return sorted(wheels, key=lambda wheel: [int(part) for part in re.findall(r"\d+", wheel.name)], reverse=True)


WAYS = (
    ("uv", by_uv, uv_pip),
    ("python3 -m venv", by_venv, own_pip),
    ("python3 -m venv --without-pip, and the system's pip", by_bare_venv, system_pip),
    ("python3 -m venv --without-pip, and the wheel of pip run as a zip", by_bare_venv, zipped_pip),
)


def make(venv: Path, what: list[str]) -> str:
    """Make an environment at `venv`, install `what` (arguments of `pip install`) in it, and say which way it took.

    Raises:
        SetUpError: no way worked. `venv` is then not there.
    """
    reasons = []
    for name, create, installer in WAYS:
        remove(venv)
        try:
            commands = create(venv)
            commands.append([*installer(venv), *what])
        except Unavailable as missing:
            reasons.append(str(missing))
            continue
        failed = next((output for command in commands if (output := attempt(command)) is not None), None)
        if failed is None:
            return name
        reasons.append(f"{name}: {failed}")
    remove(venv)
    raise SetUpError(
        "Onsite needs uv, or Python's venv module with a pip, and a package index that they can reach: install "
        f"`python3-venv` (Debian, Ubuntu), `python3-pip` (Fedora, SUSE) or `uv` and run this again "
        f"(tried here: {'; '.join(dict.fromkeys(reasons))})."
    )


def attempt(command: list[str]) -> str | None:
    """Run a command of the set-up; the last line of what it said when it failed, or None."""
    unwanted = {"PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_BREAK_SYSTEM_PACKAGES"}
    clean = {name: value for name, value in os.environ.items() if name not in unwanted}
    clean.update(UV_PYTHON_DOWNLOADS="never", UV_LINK_MODE="copy", PYTHONNOUSERSITE="1")
    if not os.access(Path("~").expanduser(), os.W_OK):
        clean.setdefault("UV_NO_CACHE", "1")
    done = subprocess.run(
        command, env=clean, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    lines = [line for line in lines if line and not line.startswith(("hint:", "[notice]"))]
    return lines[-1][:200] if lines else f"exit {done.returncode}"


def remove(venv: Path) -> None:
    """Remove an environment, whole or half made.

    Raises:
        SetUpError: there is something else at that path, and it is not ours to remove.
    """
    if venv.is_symlink():
        venv.unlink()
    if not venv.exists():
        return
    half_made = not any(path.is_file() for path in venv.rglob("*"))
    if not ((venv / "pyvenv.cfg").exists() or half_made):
        raise SetUpError(f"{venv} is there and is no Python environment: move it away, or name another in ONSITE_VENV.")
    try:
        shutil.rmtree(venv)
    except OSError as error:
        raise SetUpError(
            f"{venv} is half made and cannot be removed ({error.strerror}): remove it, or name another in ONSITE_VENV."
        ) from error


def environment() -> Path:
    """The Python of an environment that satisfies the lock and sees this checkout; made or mended where needed."""
    venv = place()
    if problem(venv) is None and stamped(venv):
        see_checkout(venv)
        return venv / "bin" / "python"
    try:
        with only_one(venv):
            way = "it already satisfied the lock"
            if reason := problem(venv):
                way = fill(venv, reason)
                if left := problem(venv):
                    raise SetUpError(f"The environment {venv} was made ({way}) and still is not right: {left}.")
            see_checkout(venv)
            (venv / STAMP).write_text(fingerprint() + "\n", encoding="utf-8")
            say(f"environment: {shown(venv)}, {way}")
    except OSError as error:
        raise SetUpError(
            f"The environment {venv} cannot be made: {error}; name another folder in ONSITE_VENV."
        ) from error
    return venv / "bin" / "python"


def fill(venv: Path, reason: str) -> str:
    """Make the environment, or bring it up to the lock; which way that went."""
    what = ["--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)]
    # One that was whole before the lock changed is brought up to date where it stands, because somebody may be
    # using it. One without a stamp is half made, or of unknown origin.
    was_whole = (venv / STAMP).exists() and os.access(venv / "bin" / "python", os.X_OK)
    (venv / STAMP).unlink(missing_ok=True)
    if was_whole and mend(venv, what):
        return "brought up to the new lock"
    if venv.exists():
        say(f"removing {shown(venv)}: {reason}")
    say(f"making {shown(venv)} (a minute, the first time)")
    return make(venv, what)


def mend(venv: Path, what: list[str]) -> bool:
    """Bring an environment up to the lock in place, with the first pip that can."""
    for installer in (uv_pip, own_pip, system_pip, zipped_pip):
        with contextlib.suppress(Unavailable):
            if attempt([*installer(venv), *what]) is None:
                return True
    return False


def see_checkout(venv: Path) -> None:
    """Put the checkout on the path of an environment, and an `onsite` command in it.

    A path file needs no build backend and nothing written in the checkout, so it also works off line and for
    somebody who may only read it; an editable install would do the same with more parts.
    """
    site = site_packages(venv)
    if site is None:
        return
    script = f"#!{venv}/bin/python\nimport sys\n\nfrom tui.cli import main\n\nsys.exit(main())\n"
    for path, text in ((site / "onsite.pth", f"{ROOT}\n"), (venv / "bin" / "onsite", script)):
        with contextlib.suppress(OSError):
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
    with contextlib.suppress(OSError):
        (venv / "bin" / "onsite").chmod(0o755)


@contextlib.contextmanager
def only_one(venv: Path) -> Iterator[None]:
    """Two commands started at once make one environment."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(venv.with_name(venv.name + ".lock"), "a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def say(sentence: str) -> None:
    print(f"onsite: {sentence}", file=sys.stderr, flush=True)
