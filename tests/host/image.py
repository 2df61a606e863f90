"""The disk of a machine for `vm.py`: the distribution's kernel and packages, and Onsite installed from its archive."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from pathlib import Path

from tests.dev import container
from tests.dev.container import checked, kept, suite_and_sources
from tests.packaging import wheel
from tools import dist
from tools.environment import LOCK, ROOT

PACKAGES = (
    "linux-image-amd64", "initramfs-tools", "zstd", "systemd", "systemd-sysv", "udev", "dbus", "kmod", "libpam-systemd",
    "login", "passwd", "sudo", "iproute2", "python3", "kbd", "console-setup", "procps", "qemu-guest-agent",
    "iputils-ping", "curl", "ca-certificates", "openssl", "netplan.io", "network-manager",
)  # fmt: skip
PASSWORD = "four grey lorries"
"""Of root and of alice, who is in the group sudo; bob is in no group."""
_INITRD = r"""
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=zstd\n' >"$1/etc/initramfs-tools/conf.d/few"
printf '%s\n' virtio_pci virtio_blk ext4 >"$1/etc/initramfs-tools/modules"
"""
_CUSTOMIZE = rf"""
cd "$1"
: >etc/machine-id
echo edge-vm >etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 edge-vm\n' >etc/hosts
echo 'LABEL=root / ext4 errors=remount-ro 0 1' >etc/fstab
chroot . useradd -m -s /bin/bash -G sudo alice
chroot . useradd -m -s /bin/bash bob
printf '%s:{PASSWORD}\n' root alice bob | chroot . chpasswd
chroot . systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer fstrim.timer
chroot . systemctl --quiet mask e2scrub_reap.service e2scrub_all.timer dpkg-db-backup.timer
chroot . systemctl --quiet enable systemd-networkd.service
chroot . systemctl --quiet disable systemd-networkd-wait-online.service
chroot . systemctl --quiet disable NetworkManager.service NetworkManager-wait-online.service wpa_supplicant.service
printf '[main]\nno-auto-default=*\n' >etc/NetworkManager/conf.d/10-vm.conf
mv boot/vmlinuz-* vmlinuz
mv boot/initrd.img-* initrd.img
"""


def debian() -> Path:
    """The folder of that Debian, without Onsite; made once for this recipe, two minutes."""
    folder, partial = kept("vm-debian", _INITRD + _CUSTOMIZE + " ".join(PACKAGES))
    if not folder.exists():
        suite, sources = suite_and_sources()
        checked(
            [
                *("mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", f"--include={','.join(PACKAGES)}"),
                *("--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none"),
                *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
                *("--dpkgopt=path-exclude=/usr/share/locale/*", f"--essential-hook={_INITRD}"),
                *(f"--customize-hook={_CUSTOMIZE}", suite, str(partial), *sources),
            ]
        )
        partial.rename(folder)
    return folder


def make() -> Path:
    """An image with this tree's Onsite in it, installed by the archive's own `install`; made once for this tree."""
    base = debian()
    tree = hashlib.sha256(f"{base.name} {LOCK.read_text()}".encode())
    for name in sorted({*wheel.shipped(), "pyproject.toml", "tools/dist.py"}):
        tree.update(f"{name}\0".encode() + (ROOT / name).read_bytes())
    folder, partial = kept("vm-image", tree.hexdigest())
    if not folder.exists():
        partial.mkdir()
        _fill(partial, base)
        partial.rename(folder)
    return folder


def _fill(folder: Path, base: Path) -> None:
    root = folder / "root"
    with tempfile.TemporaryDirectory(prefix="onsite-vm-image-") as name:
        scratch = Path(name)
        ours = wheel.build(scratch)[1]
        names = {name.replace("-", "_") for name in dist.needed()}
        wheels = [x for x in container.wheels().glob("*.whl") if x.name.split("-")[0].lower() in names]
        with tarfile.open(dist.pack(scratch, "amd64", [ours, *wheels])) as archive:
            archive.extractall(scratch, filter="data")
        for part in ("upper", "work"):
            (scratch / part).mkdir()
        root.mkdir()
        layers = f"lowerdir={base},upperdir={scratch}/upper,workdir={scratch}/work"
        checked(["mount", "-t", "overlay", "overlay", "-o", layers, str(root)])
        try:
            archive_folder = next(scratch.glob("onsite-*-linux-amd64"))
            shutil.copytree(archive_folder, root / "mnt/onsite")
            checked(["chroot", str(root), "/mnt/onsite/install"])
            shutil.rmtree(root / "mnt/onsite")
            for file in ("vmlinuz", "initrd.img"):
                shutil.move(root / file, folder / file)
            disk = ["-d", str(root), str(folder / "root.ext4"), "3G"]
            checked(["mkfs.ext4", "-q", "-L", "root", "-E", "root_owner=0:0", *disk])
        finally:
            checked(["umount", "-l", str(root)])
    root.rmdir()
