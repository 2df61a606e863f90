"""A whole machine with the distribution's kernel that starts in seconds: User Mode Linux (Debian: user-mode-linux).

What a container lacks: a kernel and a disk of its own. It has bonds, VLANs and FAT where this machine's kernel may have
none, and `power_cut` loses what nobody flushed. It has no screen and no serial line that a person could use: `vm.py`.

Its ports are pairs whose other ends are in namespaces of the same machine (`far.py`): the practice host's peers, and a
switch that speaks LACP on two of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, cast

from bench.terminal import Program
from tests.dev.container import checked, kept
from tests.host import box as boxes
from tests.host.box import CODE, Begun, wait_for
from tests.practice import Kernel
from tests.surroundings import outside

PROGRAMS = ("linux.uml", "mkfs.ext4", "mmdebstrap")
MODULES = Path("/usr/lib/uml/modules")
HERE = Path(__file__).parent
_UNIT = """
[Unit]
Description={what}
DefaultDependencies=no
After=local-fs.target systemd-udevd.service
{more}
[Service]
Type={type}
ExecStart=/usr/bin/python3 /opt/onsite/code/tests/host/{program}
[Install]
WantedBy=sysinit.target
"""
_UNITS = {
    "asked.service": _UNIT.format(what="What the test asks", more="", type="simple", program="asked.py"),
    "far.service": _UNIT.format(
        what="The other ends of the cables", type="notify", program="far.py",
        more="Wants=network-pre.target\nBefore=network-pre.target systemd-networkd.service NetworkManager.service",
    ),
}  # fmt: skip
_FSTAB = """
/dev/ubda / ext4 errors=remount-ro 0 1
none /opt/onsite/code hostfs ro,{code} 0 0
none /opt/onsite/site hostfs ro,{site} 0 0
"""
_PORTS = "[device-ports]\nmatch-device=interface-name:lan*\nmanaged=1\n"
"""NetworkManager leaves pairs alone where there is udev (85-nm-unmanaged.rules); here they are the ports."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


_BRIDGE = """
import os, select, sys, tty
line = int(sys.argv[1])
tty.setraw(0)
print("ready", flush=True)
while True:
    for source in select.select([0, line], [], [])[0]:
        data = os.read(source, 4096)
        if not data:
            sys.exit()
        os.write(1 if source == line else line, data)
"""
"""Between the test's terminal and the machine's line."""
_FILES = """
import json, pathlib, sys
found = [f for folder in sys.argv[1:] for f in sorted(pathlib.Path(folder).rglob("*")) if f.is_file()]
print(json.dumps({str(f).lstrip("/"): f.read_text(errors="replace") for f in found}))
"""


def missing() -> str | None:
    """Why no such machine can be had here, or None."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent or not MODULES.is_dir():
        return f"a machine with a kernel of its own needs {' and '.join(absent) or MODULES} (user-mode-linux)"
    return boxes.missing()


def disk() -> Path:
    """The disk of the container's Debian with the modules of that kernel, made once for this recipe; 20 seconds."""
    units = "".join(f"{name}{text}" for name, text in _UNITS.items())
    release = sorted(MODULES.iterdir())[-1]
    fstab = _FSTAB.format(code=CODE, site=boxes.site())
    base = boxes.image(boxes.MORE)
    file, partial = kept("guest-disk", f"{base}{units}{fstab}{_PORTS}{release.name}{_installed()}")
    if not file.exists():
        with tempfile.TemporaryDirectory(prefix="onsite-guest-") as name:
            root = Path(name) / "root"
            for part in ("root", "upper", "work"):
                (Path(name) / part).mkdir()
            layers = f"lowerdir={base},upperdir={name}/upper,workdir={name}/work"
            checked(["mount", "-t", "overlay", "overlay", "-o", layers, str(root)])
            try:
                shutil.copytree(release, root / "usr/lib/modules" / release.name)
                (root / "etc/fstab").write_text(fstab)
                (root / "etc/NetworkManager/conf.d/20-ports.conf").write_text(_PORTS)
                for unit, text in _UNITS.items():
                    (root / "etc/systemd/system" / unit).write_text(text)
                boxes.install(root)
                for unit in _UNITS:
                    checked(["systemctl", "--quiet", f"--root={root}", "enable", unit])
                checked(["systemctl", "--quiet", f"--root={root}", "mask", "e2scrub_reap.service"])
                checked(["mkfs.ext4", "-q", "-L", "root", "-d", str(root), str(partial), "1500M"])
            finally:
                checked(["umount", "-l", str(root)])
        partial.rename(file)
    return file


def _installed() -> str:
    return "".join(f.read_text() for f in sorted((CODE / "assets/units").glob("*.*")) if f.is_file())


class Guest:
    """One machine on a copy of the disk. Use as a context manager; `power_cut` and `boot` may be repeated in between.

    Args:
        sticks: files that it sees as further disks, `/dev/ubdb` and so on.
        cards: permanent MACs of cards without a cable that is worth looking at, in the order in which the kernel finds
            them (vec0, vec1); set anew before `boot` they have changed places. Pairs have no permanent MAC, and beside
            cards there are none.
    """

    def __init__(self, memory: int = 512, sticks: tuple[Path, ...] = (), cards: tuple[str, ...] = ()) -> None:
        self.memory, self.sticks, self.cards = memory, sticks, cards
        self.kernel_process: subprocess.Popen[bytes] | None = None
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked, self._told = 0, threading.Condition()

    def __enter__(self) -> Guest:
        self.folder = Path(tempfile.mkdtemp(prefix="onsite-guest-"))
        try:
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.power_cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    def boot(self, *, wait: bool = True) -> None:
        """Switch it on; returns when every unit of the boot has ended or runs, or as soon as it can be asked."""
        (ours, theirs), (self._terminal, far) = socket.socketpair(), socket.socketpair()
        disks = [f"ubd0={self.folder}/disk.cow,{disk()}", *(f"ubd{n}={f}" for n, f in enumerate(self.sticks, 1))]
        self._cables = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in self.cards]
        plugs = [near.fileno() for near, _ in self._cables]
        cards = [
            f"vec{n}:transport=fd,fd={fd},mac={mac}" for n, (fd, mac) in enumerate(zip(plugs, self.cards, strict=True))
        ]
        command = [
            *("linux.uml", f"mem={self.memory}M", "root=/dev/ubda", "rw", *disks, *cards, f"umid={self.folder.name}"),
            *("con0=null,fd:1", "con=null", "ssl0=null", f"ssl1=fd:{theirs.fileno()}", f"ssl2=fd:{far.fileno()}"),
            *("selinux=0", "systemd.log_target=console", "systemd.show_status=no"),
        ]
        environment = outside() | {"HOME": str(self.folder), "TMPDIR": str(self.folder)}
        self._answers.clear()
        with self._console.open("ab") as console:
            self.kernel_process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                pass_fds=[theirs.fileno(), far.fileno(), *plugs], env=environment,
            )  # fmt: skip
        theirs.close()
        far.close()
        self._line = ours
        threading.Thread(target=self._listen, args=(ours,), daemon=True).start()
        self._answer(0, 120)
        if wait:
            wait_for("the end of the boot", self.up, 120)

    def up(self) -> bool:
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def power_cut(self) -> None:
        """The plug is pulled: nothing in the machine gets a chance to flush."""
        if self.kernel_process is None:
            return
        # Every process of the machine is a process here, in one session, held by its kernel by ptrace(2). One whose
        # kernel dies first goes on here, as root: its next open() makes a file on this machine. So the kernel is
        # stopped, which stops all of them at their next call, and killed when they are gone.
        leader = self.kernel_process.pid
        own = [pid for pid in _session(leader) if not _holder(pid)]
        for pid in own:
            _signal(pid, signal.SIGSTOP)
        wait_for("its kernel to stand", lambda: all(_state(pid) in "TZX" for pid in own), 10)
        held = [pid for pid in _session(leader) if _holder(pid)]
        for pid in held:
            _signal(pid, signal.SIGKILL)
        wait_for("the end of what runs in it", lambda: all(_state(pid) in "ZX" for pid in held), 10)
        for pid in _session(leader):
            _signal(pid, signal.SIGKILL)
        self.kernel_process.wait()
        self._line.close()
        self._terminal.close()
        for near, far in self._cables:
            near.close()
            far.close()
        self.kernel_process = None

    @property
    def _console(self) -> Path:
        return self.folder / "console"

    def console(self) -> str:
        return self._console.read_text(errors="replace")

    def program(self, *argv: str) -> Program:
        """A program of the machine on its third serial line, with a VT220 of 80x24 at the other end."""
        start = 'stty -F /dev/ttyS2 cols 80 rows 24; exec setsid -c "$@" </dev/ttyS2 >/dev/ttyS2 2>/dev/ttyS2'
        os.set_inheritable(self._terminal.fileno(), True)
        shown = Program([sys.executable, "-c", _BRIDGE, str(self._terminal.fileno())], "vt220")
        self.begin("sh", "-c", start, "sh", *argv)
        return shown

    def run(
        self, *argv: str, check: bool = True, timeout: float = 60, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside as root; raises CalledProcessError and TimeoutExpired as `subprocess.run` does."""
        said = self._answer(self._ask(argv, timeout, input), timeout + 30)
        if said["status"] is None:
            raise subprocess.TimeoutExpired(argv, timeout)
        done = subprocess.CompletedProcess(list(argv), said["status"], said["stdout"], said["stderr"])
        if check:
            done.check_returncode()
        return done

    def onsite(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run("onsite", *arguments, **more)

    def begin(self, *argv: str) -> Begun:
        """Start a command inside and go on."""
        number = self._ask(argv, 600, None)
        return lambda: number in self._answers

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file, flushed: it is there after a power cut."""
        script = 'mkdir -p "$(dirname "$1")" && umask 077 && cat >"$1" && chmod "$2" "$1" && sync'
        self.run("sh", "-c", script, "sh", _absolute(path), f"{mode:o}", input=text)

    def read(self, path: str) -> str | None:
        """The text of a file; None if there is none."""
        done = self.run("cat", _absolute(path), check=False)
        return None if done.returncode else done.stdout

    def remove(self, *paths: str) -> None:
        """Files and links that may be there; flushed."""
        self.run("sh", "-c", 'rm -f "$@" && sync', "sh", *map(_absolute, paths))

    def files(self, *folders: str) -> dict[str, str]:
        """Every file below those folders that is text, by its path without the first slash."""
        found: dict[str, str] = json.loads(self.run("python3", "-c", _FILES, *map(_absolute, folders)).stdout)
        return found

    def kernel(self) -> Kernel:
        """Links, addresses and routes by iproute2, which shares no code with what is tested."""
        links = json.loads(self.run("ip", "-json", "-details", "address").stdout)
        routes = [json.loads(self.run("ip", "-json", f, "route").stdout or "[]") for f in ("-4", "-6")]
        return Kernel(links, routes[0] + routes[1])

    def networkctl(self, link: str) -> dict[str, Any]:
        """What systemd-networkd itself says of a link."""
        return cast(dict[str, Any], json.loads(self.run("networkctl", "--json=short", "status", link).stdout))

    # --- the line to asked.py --------------------------------------------------------------------------------------

    def _ask(self, argv: tuple[str, ...], timeout: float, input: str | None) -> int:
        environment = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "HOME": "/root", "TERM": "vt220"}
        with self._told:
            self._asked += 1
            asked = {"id": self._asked, "argv": argv, "env": environment, "input": input, "timeout": timeout}
            self._line.sendall(json.dumps(asked).encode() + b"\n")
            return self._asked

    def _listen(self, line: socket.socket) -> None:
        try:
            with line.makefile("rb") as said:
                for text in said:
                    answer = json.loads(text)
                    with self._told:
                        self._answers[answer["id"]] = answer
                        self._told.notify_all()
        except (OSError, ValueError):
            return  # the plug was pulled

    def _answer(self, number: int, seconds: float) -> dict[str, Any]:
        with self._told:
            if not self._told.wait_for(lambda: number in self._answers, seconds):
                raise AssertionError(
                    f"no answer within {seconds:.0f} s; its console ends with {self.console()[-1500:]}"
                )
            return self._answers.pop(number)


def _absolute(path: str) -> str:
    return f"/{path.lstrip('/')}"


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _holder(pid: int) -> int:
    """Who holds a process by ptrace(2); 0 for nobody."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("TracerPid:"))


def _state(pid: int) -> str:
    """One letter of proc(5); "X" where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _session(leader: int) -> list[int]:
    """Every process of a session, by /proc/PID/stat (proc(5): the session is the fourth after the name)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(after[3]) == leader:
            found.append(int(stat.parent.name))
    return found
