"""Who reads a proxy on this host, and where: found by the files that their packages bring, without asking anybody."""

from __future__ import annotations

import os

from tui.services.host import Host

KEPT = "/etc/onsite/proxy.json"
ENVIRONMENT = "/etc/onsite/proxy.env"
PAM = "/etc/environment"
SHELL = "/etc/profile.d/50-onsite-proxy.sh"
MANAGER = "/etc/systemd/system.conf.d/50-onsite-proxy.conf"
APT = "/etc/apt/apt.conf.d/95onsite-proxy"
DNF = "/etc/dnf/dnf.conf"
DOCKER = "/etc/docker/daemon.json"
UNITS = (
    "containerd", "docker", "k3s", "k3s-agent", "rke2-server", "rke2-agent", "k0scontroller", "k0sworker", "kubelet",
    "onsite-agent", "snapd",
)  # fmt: skip
"""Services that reach out. Each reads one file by a drop-in of its own, so no password is in a unit or in D-Bus."""
_FOLDERS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_MARKS = {"shell": "/etc/profile.d", "systemd": "/etc/systemd", "apt": "/etc/apt", "dnf": DNF}
"""Consumers that are no service: there where this is there."""
FOLDERS = ("shell", "systemd", "apt")
"""Those of them whose mark is a folder."""


def drop_in(unit: str) -> str:
    return f"/etc/systemd/system/{unit}.service.d/50-onsite-proxy.conf"


def consumers(host: Host) -> tuple[str, ...]:
    """Names of the consumers on this host, in the order of the screens."""
    found = [name for name, mark in _MARKS.items() if _there(host, mark)]
    if "systemd" in found:
        found += [unit for unit in UNITS if any(_there(host, f"{folder}/{unit}.service") for folder in _FOLDERS)]
    return tuple(found)


def mark(consumer: str) -> str:
    """The path that makes `consumers` find this one: what a replayed host has to have."""
    return _MARKS.get(consumer) or f"{_FOLDERS[2]}/{consumer}.service"


def paths(host: Host, found: tuple[str, ...]) -> list[str]:
    """Every file that a plan may rewrite, or that decides against it."""
    candidates = [KEPT, ENVIRONMENT, PAM, SHELL, MANAGER, APT, DNF, DOCKER, *(drop_in(u) for u in UNITS if u in found)]
    return [path for path in candidates if _there(host, path)]


def _there(host: Host, path: str) -> bool:
    return os.path.lexists(host.path(path))
