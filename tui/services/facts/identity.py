"""Who this host is: name, operating system, and the box it runs on."""

from __future__ import annotations

import os

from tui.models.facts import Machine
from tui.services import reading
from tui.services.host import Host

_DMI = "/sys/class/dmi/id"
_PLACEHOLDERS = {"", "none", "default string", "to be filled by o.e.m.", "system serial number", "not specified", "0"}
"""What board makers leave in the DMI table where a value belongs."""


def hostname(host: Host) -> str:
    """The name in force on a real host; on a practice host the one in its files."""
    if host.kind == "real":
        return os.uname().nodename
    return reading.line(host, "/etc/hostname")


def os_name(host: Host) -> str:
    """PRETTY_NAME of os-release(5)."""
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        for line in (reading.text(host, path) or "").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "PRETTY_NAME":
                return value.strip().strip("\"'")
    return ""


def machine(host: Host) -> Machine:
    """Vendor, product and serial number; the serial number is readable by root only."""
    return Machine(*(_dmi(host, name) for name in ("sys_vendor", "product_name", "product_serial")))


def _dmi(host: Host, name: str) -> str:
    value = (reading.text(host, f"{_DMI}/{name}") or "").strip()
    return "" if value.lower() in _PLACEHOLDERS else value
