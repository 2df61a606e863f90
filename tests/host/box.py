"""A host with real systemd in a container: systemd-nspawn on an overlay, links with the practice host's peers.

Real: systemd, D-Bus, networkd, resolved, the project and its units. Not real: kernel, udev, consoles. `power_cut`
kills every process at once and takes the kernel's links away; the files stay as they were, so it shows what survives
a crash of the processes, not what a disk loses. Root only.

Three things that took time to find: /sys has to show the container's own links and has to be read-only (where it can
be written networkd waits for udev, and every link stays "pending"); /proc/sys/net has to be writable, as networkd and
Onsite set it; without the two capabilities networkd is not started at all. The state "degraded" (nothing to remount)
is as expected.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from agent.practice.cables import CABLES
from tests.dev.container import checked, kept, pip, suite_and_sources, wheels
from tests.practice import Kernel
from tests.surroundings import outside
from tools.environment import LOCK, fingerprint

CODE = Path(__file__).resolve().parents[2]
PACKAGES = (
    "systemd", "systemd-sysv", "systemd-resolved", "dbus", "iproute2", "iputils-ping", "procps", "python3", "strace",
    "netplan.io", "network-manager",
)  # fmt: skip
MORE = ("curl", "ca-certificates", "openssh-server", "p11-kit", "udev", "kmod", "ethtool")
"""What some tests need beside it; one image for all of them, as making one takes half a minute."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENTER = """
console=$1
mount --rbind /sys/fs/cgroup "$0" && mount -t sysfs sysfs /sys &&
mount --rbind "$0" /sys/fs/cgroup && umount -l "$0" &&
echo ready && read -r _ && shift && exec "$@" </dev/null >>"$console" 2>&1
"""
_CUSTOMIZE = r"""
cd "$1"
: >etc/machine-id
echo box >etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 box\n' >etc/hosts
ln -sf ../run/systemd/resolve/stub-resolv.conf etc/resolv.conf
chroot . systemctl --quiet enable systemd-networkd.service systemd-resolved.service
chroot . systemctl --quiet disable systemd-networkd-wait-online.service
rm -f etc/ssh/ssh_host_*
if [ -e lib/systemd/system/ssh.service ]; then chroot . systemctl --quiet disable ssh.service; fi
chroot . systemctl --quiet disable NetworkManager.service NetworkManager-wait-online.service
printf '[main]\nno-auto-default=*\n' >etc/NetworkManager/conf.d/10-box.conf
chroot . systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer
mkdir -p opt/onsite/code opt/onsite/site
printf '/opt/onsite/code\n/opt/onsite/site\n' >usr/lib/python3/dist-packages/onsite.pth
printf '#!/bin/sh\nexport PYTHONPATH=/opt/onsite/code:/opt/onsite/site\n' >usr/bin/onsite
printf 'exec /usr/bin/python3 -m tui "$@"\n' >>usr/bin/onsite
chmod 755 usr/bin/onsite
"""


def missing() -> str | None:
    """Why no container with systemd can be had here, or None."""
    if os.geteuid():
        return "a host in a container needs root"
    needed = [n for n in ("mmdebstrap", "systemd-nspawn", "unshare", "nsenter", "ip") if shutil.which(n) is None]
    return f"a host in a container needs {' and '.join(needed)} (see .ci/packages)" if needed else None


@cache
def image(more: tuple[str, ...] = ()) -> Path:
    """The folder of the container's Debian: systemd, what networkd needs and `more`, made once for this recipe."""
    packages = (*PACKAGES, *more)
    folder, partial = kept("box-debian", _CUSTOMIZE + " ".join(packages))
    if not folder.exists():
        suite, sources = suite_and_sources()
        checked(
            [
                *("mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", f"--include={','.join(packages)}"),
                *("--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none"),
                *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
                *("--dpkgopt=path-exclude=/usr/share/locale/*", f"--customize-hook={_CUSTOMIZE}"),
                *(suite, str(partial), *sources),
            ]
        )
        partial.rename(folder)
    return folder


@cache
def site() -> Path:
    """The packages of the lock for the container's Python: this environment's own where the versions agree."""
    version = next((image() / "usr/lib").glob("python3.*")).name.removeprefix("python")
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sysconfig.get_path("purelib"))
    folder, partial = kept("box-site", fingerprint() + version)
    if not folder.exists():
        options = ["--quiet", "--no-deps", "--no-index", f"--find-links={wheels()}", "--only-binary=:all:"]
        requirements = ["--require-hashes", "-r", str(LOCK)]
        target = ["--target", str(partial), f"--python-version={version}", "--implementation=cp"]
        checked([*pip(), "install", *options, *target, *requirements])
        partial.rename(folder)
    return folder


Begun = Callable[[], bool]
"""Whether a command that was begun has ended."""


class Host(Protocol):
    """A booted host that is no part of this machine's own system: `Box` or `guest.Guest`."""

    def boot(self) -> None: ...
    def power_cut(self) -> None: ...
    def run(
        self, *argv: str, check: bool = True, timeout: float = 60, input: str | None = None
    ) -> subprocess.CompletedProcess[str]: ...
    def onsite(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]: ...
    def begin(self, *argv: str) -> Begun: ...
    def write(self, path: str, text: str, mode: int = 0o644) -> None: ...
    def read(self, path: str) -> str | None: ...
    def remove(self, *paths: str) -> None: ...
    def files(self, *folders: str) -> dict[str, str]: ...
    def kernel(self) -> Kernel: ...
    def networkctl(self, link: str) -> dict[str, Any]: ...


def install(root: Path) -> None:
    """The project's units into a tree, enabled where they want to be."""
    for unit in (CODE / "assets/units").glob("*.*"):
        # consoles need a tty; the agent has tests of its own; where the target goes there is a link of systemd's
        if unit.is_dir() or unit.suffix == ".target" or unit.name == "onsite-agent.service":
            continue
        shutil.copy(unit, root / "usr/lib/systemd/system" / unit.name)
        if "\n[Install]" in unit.read_text():
            checked(["systemctl", "--quiet", f"--root={root}", "enable", unit.name])


class Box:
    """One container. Use as a context manager; `power_cut` and `boot` may be repeated in between.

    Args:
        more: packages of the distribution beside the usual ones.
    """

    def __init__(self, more: tuple[str, ...] = ()) -> None:
        self.more = more
        self._stack = contextlib.ExitStack()
        self.leader = 0
        self.nspawn: subprocess.Popen[str] | None = None
        self.peers: subprocess.Popen[str] | None = None

    def __enter__(self) -> Box:
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="onsite-box-"))
            self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            for name in ("upper", "work", "root", "cgroup"):
                (self.folder / name).mkdir()
            layers = f"lowerdir={image(self.more)},upperdir={self.folder}/upper,workdir={self.folder}/work"
            checked(["mount", "-t", "overlay", "overlay", "-o", layers, str(self.root)])
            self._stack.callback(checked, ["umount", "-l", str(self.root)])
            install(self.root)
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.power_cut()
        finally:
            self._stack.close()

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def boot(self, *, wait: bool = True) -> None:
        """Peers, links, systemd; returns when every unit of the boot has ended or runs, or at once."""
        self.peers = peers = self._begin(
            [sys.executable, "-m", "agent.practice.peers", str(self.folder / "hub")], stdin=subprocess.PIPE
        )
        _expect(peers, "ready")
        nspawn = [
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe"),
            *("-D", str(self.root), f"--machine=onsite-{os.getpid()}-{id(self) % 10000}"),
            *("--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--resolv-conf=off", "--timezone=off"),
            *(f"--bind-ro={CODE}:/opt/onsite/code", f"--bind-ro={site()}:/opt/onsite/site"),
        ]
        enter = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", _ENTER]
        self.nspawn = nspawned = self._begin(
            [*enter, str(self.folder / "cgroup"), str(self.folder / "console"), *nspawn], stdin=subprocess.PIPE
        )
        _expect(nspawned, "ready")
        for cable in CABLES:
            near = ["link", "add", cable.name, "index", str(cable.index), "address", cable.mac, "netns"]
            far = ["name", cable.peer, "index", str(cable.index), "address", cable.peer_mac, "netns", str(peers.pid)]
            checked(["ip", *near, str(nspawned.pid), "type", "veth", "peer", *far])
        for process in (peers, nspawned):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        _expect(peers, "ready")
        wait_for("systemd in the container", self.up if wait else self._begun, 60)

    def up(self) -> bool:
        """The boot is over."""
        if not self._begun():
            return False
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def _begun(self) -> bool:
        assert self.nspawn is not None
        if self.nspawn.poll() is not None:
            raise RuntimeError(self.console()[-1500:])
        children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        if not children:
            return False
        self.leader = int(children[0])
        return True

    def _begin(self, command: list[str], **more: Any) -> subprocess.Popen[str]:
        environment = {k: v for k, v in outside().items() if not k.startswith("SYSTEMD_")}
        environment |= {"PYTHONPATH": str(CODE), "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}
        with (self.folder / "console").open("a") as errors:
            return subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=CODE, env=environment, **more
            )

    def power_cut(self) -> None:
        """SIGKILL to the container's first process, which takes all others with it; its links are gone too."""
        if self.leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
            self.leader = 0
        for process in (self.nspawn, self.peers):
            if process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1 if process is self.nspawn else 0)
                process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    assert pipe is not None
                    pipe.close()
        self.nspawn = self.peers = None

    def run(
        self, *argv: str, check: bool = True, timeout: float = 60, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root, in namespaces of the container but outside its units."""
        return subprocess.run(
            self.inside(*argv), text=True, capture_output=True, check=check, timeout=timeout, input=input
        )

    def inside(self, *argv: str) -> list[str]:
        """The command that runs `argv` inside; for Popen."""
        environment = ["env", "-i", f"PATH={_PATH}", "LC_ALL=C.UTF-8", "HOME=/root", "TERM=vt220"]
        return ["nsenter", "-t", str(self.leader), "--all", *environment, *argv]

    def onsite(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run("onsite", *arguments, **more)

    def begin(self, *argv: str) -> Begun:
        """Start a command inside and go on; its output goes nowhere."""
        began = subprocess.Popen(self.inside(*argv), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._stack.callback(began.wait)  # a power cut ends it
        return lambda: began.poll() is not None

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        where = self.root / path.lstrip("/")
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)
        where.chmod(mode)

    def read(self, path: str) -> str | None:
        """The text of a file; None if there is none."""
        where = self.root / path.lstrip("/")
        return where.read_text() if where.exists() else None

    def remove(self, *paths: str) -> None:
        """Files and links that may be there."""
        for path in paths:
            (self.root / path.lstrip("/")).unlink(missing_ok=True)

    def files(self, *folders: str) -> dict[str, str]:
        """Every file below those folders that is text, by its path without the first slash."""
        found = [f for folder in folders for f in sorted((self.root / folder.lstrip("/")).rglob("*")) if f.is_file()]
        return {str(f.relative_to(self.root)): f.read_text(errors="replace") for f in found}

    def kernel(self) -> Kernel:
        """Links, addresses and routes by iproute2, which shares no code with what is tested."""
        links = json.loads(self.run("ip", "-json", "-details", "address").stdout)
        routes = json.loads(self.run("ip", "-json", "-4", "route").stdout or "[]")
        routes += json.loads(self.run("ip", "-json", "-6", "route").stdout or "[]")
        return Kernel(links, routes)

    def networkctl(self, link: str) -> dict[str, Any]:
        """What systemd-networkd itself says of a link."""
        said: dict[str, Any] = json.loads(self.run("networkctl", "--json=short", "status", link).stdout)
        return said

    def console(self) -> str:
        return (self.folder / "console").read_text(errors="replace")


def wait_for(what: str, true: Callable[[], object], seconds: float = 30) -> None:
    """Look again and again until it is so.

    Raises:
        AssertionError: it did not become so in time.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not seen within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def _expect(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    if said != word:
        raise RuntimeError(f"{process.args!r} said {said!r}, not {word!r}")
