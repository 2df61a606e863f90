"""The folder that stands for "/": what a fresh box has in it, and what a boot does to it."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from agent.practice import hub_certs

_FRESH = {
    "etc/hostname": "practice\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 practice\n::1 localhost ip6-localhost ip6-loopback\n",
    "etc/os-release": 'NAME="Onsite practice host"\nID=onsite-practice\nVERSION_ID="1"\n'
    'PRETTY_NAME="Onsite practice host 1"\n',
    "etc/resolv.conf": "",
    "etc/ca-certificates.conf": "",
    "sys/class/dmi/id/sys_vendor": "Example Devices\n",
    "sys/class/dmi/id/product_name": "Edge Box 100\n",
    "sys/class/dmi/id/product_serial": "EB100-000053\n",
    "sys/class/dmi/id/product_uuid": "6f6e7369-7465-4000-8000-00005e005310\n",
}
_FOLDERS = (
    "etc/onsite", "etc/systemd/network", "run/onsite", "var/lib/onsite", "var/log", "sys/class/dmi/id", "etc/ssl/certs",
    "usr/share/ca-certificates", "usr/local/share/ca-certificates",
)  # fmt: skip


def fresh(root: Path, hub: Path) -> bool:
    """Fill `root` as a box fresh from the factory, unless it is one already; tell whether it was filled.

    It trusts the authority of the practice hub, whose folder is `hub`.
    """
    if (root / "etc/hostname").exists():
        return False
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name, content in {**_FRESH, "etc/machine-id": uuid.uuid4().hex + "\n"}.items():
        (root / name).write_text(content)
    hub.mkdir(parents=True, exist_ok=True)
    (root / "etc/ssl/certs/ca-certificates.crt").write_text(hub_certs.make(hub))
    return True


def power_on(root: Path) -> None:
    """What a boot does to files: /run is empty and the boot has a new id."""
    shutil.rmtree(root / "run", ignore_errors=True)
    (root / "run/onsite").mkdir(parents=True)
    boot_id = root / "proc/sys/kernel/random/boot_id"
    boot_id.parent.mkdir(parents=True, exist_ok=True)
    boot_id.write_text(f"{uuid.uuid4()}\n")
