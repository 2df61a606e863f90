"""What this host is made of, from /sys and /proc, in the words of the contract."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui.services import reading
from tui.services.host import Host

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_VIRTUAL = re.compile(r"(loop|ram|zram|dm-|md|sr|fd|nbd)\d*")
_CONTROLLERS = {"nvme": "NVMe", "vd": "virtio", "mmcblk": "MMC", "xvd": "Xen", "sd": "SCSI", "hd": "IDE"}
_MAKERS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel", "0x1a03": "ASPEED", "0x1234": "QEMU"}
_DISPLAY = "0x03"
"""First byte of the PCI class of display controllers; 0x0302 is a GPU without a screen."""
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_LARGEST = 2**31 - 1


def described(host: Host) -> dict[str, Any]:
    """`v1HardwareSpec`. What is not known is left out."""
    release = dict(assignments(reading.text(host, "/etc/os-release") or ""))
    found: dict[str, Any] = {
        "cpu": {"cores": os.cpu_count() or 0},
        "memory": {"sizeInMB": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20},
        "os": {
            "family": release.get("ID", ""),
            "version": release.get("VERSION_ID", ""),
            "kernel": platform.system(),
            "kernelVersion": platform.release(),
        },
        "disks": list(_disks(host)),
        "gpus": list(_gpus(host)),
    }
    if architecture := _ARCHITECTURES.get(platform.machine()):
        found["archType"] = architecture
    return found


def secure_boot(host: Host) -> bool | None:
    """Whether the firmware checked what it started; None where it has no such switch (UEFI 2.10, 3.3)."""
    try:
        return host.path(_SECURE_BOOT).read_bytes()[-1:] == b"\1"
    except OSError:
        return None


def assignments(text: str) -> list[tuple[str, str]]:
    """KEY=value lines, as of os-release(5)."""
    lines = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return [(key.strip(), value.strip().strip("\"'")) for key, _, value in lines]


def _disks(host: Host) -> Iterator[dict[str, Any]]:
    mounted = _mounted(host)
    for name in reading.names(host, "/sys/block"):
        sectors = reading.line(host, f"/sys/block/{name}/size")
        if _VIRTUAL.fullmatch(name) or not sectors.isdigit() or sectors == "0":
            continue
        folder = f"/sys/block/{name}"
        vendor = reading.line(host, f"{folder}/device/vendor") or reading.line(host, f"{folder}/device/model")
        kind = next((words for start, words in _CONTROLLERS.items() if name.startswith(start)), "")
        parts = [name, *(p for p in reading.names(host, folder) if reading.present(host, f"{folder}/{p}/partition"))]
        yield {
            "controller": kind,
            "vendor": "" if vendor.startswith("0x") else vendor,
            "size": min(int(sectors) * 512 // 10**9, _LARGEST),
            "partitions": [p for part in parts for p in mounted.get(part, ())],
        }


def _mounted(host: Host) -> dict[str, list[dict[str, Any]]]:
    """By the name of the device: the first place where each file system is mounted, in MiB (mountinfo of proc(5))."""
    found: dict[str, list[dict[str, Any]]] = {}
    seen = set()
    for line in (reading.text(host, "/proc/self/mountinfo") or "").splitlines():
        fields, _, rest = line.partition(" - ")
        words, more = fields.split(), rest.split()
        if len(words) < 5 or len(more) < 2 or not more[1].startswith("/dev/") or more[1] in seen:
            continue
        seen.add(more[1])
        place = words[4].encode().decode("unicode_escape", "replace")
        try:
            status = os.statvfs(host.path(place))
        except OSError:
            continue
        size, free = status.f_blocks * status.f_frsize >> 20, status.f_bavail * status.f_frsize >> 20
        used = (status.f_blocks - status.f_bfree) * status.f_frsize >> 20
        name = Path(os.path.realpath(more[1])).name
        found.setdefault(name, []).append(
            {
                "mountPoint": place,
                "fileSystemType": more[0],
                "totalSpace": min(size, _LARGEST),
                "usedSpace": min(used, _LARGEST),
                "freeSpace": min(free, _LARGEST),
            }
        )
    return found


def _gpus(host: Host) -> Iterator[dict[str, Any]]:
    for address in reading.names(host, "/sys/bus/pci/devices"):
        folder = f"/sys/bus/pci/devices/{address}"
        if not reading.line(host, f"{folder}/class").startswith(_DISPLAY):
            continue
        vendor, device = (reading.line(host, f"{folder}/{name}") for name in ("vendor", "device"))
        yield {
            "vendor": _MAKERS.get(vendor, vendor),
            "model": reading.line(host, f"{folder}/label") or device,
            "addresses": {address: re.sub(r"[^0-9a-f]", "_", address)},
        }
