"""Install, upgrade, back, uninstall on a bare Debian with no pip and no route to anything; and no trace remains."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

import tui
from tests.dev import container
from tests.packaging import wheel
from tests.surroundings import outside
from tools import dist

OLD, NEW = tui.__version__, "99.1.0"
ENTER = """
set -e
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount --bind "$2/mnt" "$2/root/mnt"
mount -t proc proc "$2/root/proc"
exec chroot "$2/root" /bin/sh -ec "$3"
"""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this version and a newer one, unpacked as a site would."""
    if reason := container.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("archives")
    ours = wheel.build(folder)[1]
    names = {name.replace("-", "_") for name in dist.needed()}
    wheels = [x for x in container.wheels().glob("*.whl") if x.name.split("-")[0].lower() in names]
    assert len(wheels) == len(names)
    (folder / "mnt").mkdir()
    for version, built in ((OLD, ours), (NEW, newer(ours, folder))):
        path = dist.pack(folder, "amd64", [built, *wheels])
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
        (folder / f"onsite-{tui.__version__}-linux-amd64").rename(folder / "mnt" / version)
    return folder


def newer(wheel: Path, folder: Path) -> Path:
    """The same wheel under another version."""
    path = folder / wheel.name.replace(OLD, NEW)
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name in ("tui/__init__.py", f"onsite-{OLD}.dist-info/METADATA"):
                data = data.replace(OLD.encode(), NEW.encode())
            target.writestr(name.replace(f"onsite-{OLD}", f"onsite-{NEW}"), data)
    return path


class Bare:
    """A bare Debian without pip; what one command leaves there the next one finds."""

    def __init__(self, folder: Path, archives: Path) -> None:
        self.folder = folder
        for name in ("upper", "work", "root"):
            (folder / name).mkdir()
        (folder / "mnt").symlink_to(archives / "mnt")
        self.run(
            "rm -rf /usr/lib/python3/dist-packages/pip /usr/bin/pip* /usr/lib/python3*/ensurepip; ! python3 -m pip"
        )

    def run(self, script: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh"]
        environment = outside() | {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(
            [*unshare, str(container.debian()), str(self.folder), script],
            capture_output=True, text=True, timeout=240, env=environment | {"LC_ALL": "C.UTF-8", "HOME": "/root"},
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def files(self) -> dict[str, list[object]]:
        """Everything that differs from the Debian below: the overlay's upper layer, copied folders left out."""
        found: dict[str, list[object]] = {}
        upper = self.folder / "upper"
        for path in sorted(upper.rglob("*")):
            name, status = f"/{path.relative_to(upper)}", path.lstat()
            content: object = status.st_rdev  # 0, or a whiteout: something of the Debian that is gone
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            elif path.is_dir():
                below = container.debian() / name[1:]
                if below.is_dir() and _rights(below.lstat()) == _rights(status):
                    continue
            found[name] = [*_rights(status), content]
        return found


def _rights(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mode, status.st_uid, status.st_gid


@pytest.fixture
def bare(archives: Path, tmp_path: Path) -> Bare:
    return Bare(tmp_path, archives)


def test_install_upgrade_back_uninstall_without_a_trace(bare: Bare) -> None:
    bare.run("mkdir -p /etc/systemd/network && echo >/etc/systemd/network/10-dmz.link")
    before = bare.files()
    assert bare.run("ip route; ip -6 route").stdout.strip() == "", "no route to anything"
    bare.run(f"/mnt/{OLD}/install")
    assert bare.run("onsite --version").stdout == f"onsite {OLD}\n"
    assert json.loads(bare.run("cd /tmp && onsite status --json").stdout)
    installed = bare.files()
    for path in (
        "/etc/systemd/system/onsite-recover.service",
        "/etc/systemd/system/sysinit.target.wants/onsite-recover.service",
        "/etc/systemd/system/sysinit.target.wants/onsite-names.service",
        "/etc/systemd/system/multi-user.target.wants/onsite-agent.service",
        "/etc/systemd/system/getty@tty1.service.d/50-onsite.conf",
        "/etc/systemd/system/serial-getty@.service.d/50-onsite.conf",
        "/etc/udev/rules.d/90-onsite-network.rules",
        "/etc/pam.d/onsite",
    ):
        assert path in installed
    debian = container.debian()
    touched = {
        p for p in installed.keys() - before.keys() if (debian / p[1:]).is_symlink() or (debian / p[1:]).exists()
    }
    assert touched == set(), "not one file of the host was changed"

    bare.run(f"/mnt/{NEW}/install")
    assert bare.run("onsite --version").stdout == f"onsite {NEW}\n"
    assert bare.run("onsite install").stdout.split() == [OLD, "the", "one", "before", NEW, "runs", "now"]
    bare.run("onsite install --back")
    assert bare.run("onsite --version").stdout == f"onsite {OLD}\n"
    bare.run(f"/mnt/{OLD}/install")
    assert bare.run("onsite --version").stdout == f"onsite {OLD}\n", "twice is once"

    bare.run("echo >/etc/systemd/network/05-onsite-52-54-00-00-00-01.link")  # a name that is bound to a card
    bare.run("onsite uninstall --yes")
    assert bare.files() == before


def test_uninstall_asks_and_waits_for_a_change_to_be_decided(bare: Bare) -> None:
    bare.run(f"/mnt/{OLD}/install")
    assert bare.run("echo no | onsite uninstall", check=False).returncode == 1
    bare.run("mkdir -p /var/lib/onsite; echo {} >/var/lib/onsite/pending.json")
    for command in ("onsite uninstall --yes", "onsite install --back", f"/mnt/{OLD}/install"):
        done = bare.run(command, check=False)
        assert done.returncode != 0, command
        assert "I10" in done.stderr, command
    assert bare.run("onsite --version").stdout == f"onsite {OLD}\n"


@pytest.mark.parametrize("broken", ["a byte", "a wheel is missing", "no wheel for this Python", "the disk is full"])
def test_what_cannot_be_installed_leaves_nothing(broken: str, bare: Bare) -> None:
    before = bare.files()
    bare.run(f"mkdir /tmp/x && cp -r /mnt/{OLD}/. /tmp/x")
    spoil = {
        "a byte": "printf x | dd of=$(ls /tmp/x/wheels/textual*) bs=1 seek=500 conv=notrunc 2>/dev/null",
        "a wheel is missing": "rm /tmp/x/wheels/textual*",
        "no wheel for this Python": "cd /tmp/x && sed -i s/cp311-cp311/cp315-cp315/ SHA256SUMS && "
        "for x in wheels/*cp311-cp311*; do mv $x $(echo $x | sed s/cp311-cp311/cp315-cp315/); done",
        "the disk is full": "true",
    }[broken]
    full = "mount -t tmpfs -o size=4m tmpfs /opt &&" if broken == "the disk is full" else ""
    done = bare.run(f"({spoil}); {full} /tmp/x/install", check=False)
    assert done.returncode != 0
    assert done.stderr.startswith("onsite: "), done.stderr
    assert "Traceback" not in done.stderr
    bare.run("rm -r /tmp/x; rm -rf /run/mount")  # mount(8) leaves the latter
    assert bare.files() == before
