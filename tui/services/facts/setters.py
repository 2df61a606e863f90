"""What sets name, time and keyboard here, and the files that a plan for them may rewrite. Files only, no process."""

from __future__ import annotations

import os

from tui.models.facts import Setters
from tui.services import reading
from tui.services.host import Host

HOSTNAME, HOSTS, CLOUD = "/etc/hostname", "/etc/hosts", "/etc/cloud/cloud.cfg.d/99-onsite-name.cfg"
CLOUD_NETWORK = "/etc/cloud/cloud.cfg.d/99-onsite-network.cfg"
LOCALTIME, TIMEZONE = "/etc/localtime", "/etc/timezone"
TIMESYNCD, TIMESYNCD_MAIN = "/etc/systemd/timesyncd.conf.d/50-onsite.conf", "/etc/systemd/timesyncd.conf"
CHRONY_MAIN = ("/etc/chrony/chrony.conf", "/etc/chrony.conf")
CHRONY = "onsite.sources"
"""In the first folder of the host's own `sourcedir` lines."""
KEYBOARD = ("/etc/default/keyboard", "/etc/vconsole.conf")
_SHARED = (HOSTNAME, HOSTS, TIMEZONE)
"""Files that an immutable system or a container may have as links to elsewhere."""
_UNITS = {
    "chrony": ("chrony", "chronyd"), "timesyncd": ("systemd-timesyncd",), "ntpsec": ("ntpsec",),
    "ntpd": ("ntp", "ntpd"), "openntpd": ("openntpd",),
}  # fmt: skip
_PROGRAMS = {"chrony": "/usr/sbin/chronyd", "timesyncd": "/usr/lib/systemd/systemd-timesyncd"}
_OTHER = "/lib/systemd/systemd-timesyncd"
_CLOUD, _CLOUD_OFF = "/etc/cloud/cloud.cfg", "/etc/cloud/cloud-init.disabled"
_VCONSOLE = "/usr/lib/systemd/systemd-vconsole-setup"


def read(host: Host) -> Setters:
    return Setters(
        time=_time(host),
        keyboard=next(
            (path for path in KEYBOARD if reading.present(host, path)),
            KEYBOARD[1] if reading.present(host, _VCONSOLE) else "",
        ),
        cloud_init=reading.present(host, _CLOUD) and not reading.present(host, _CLOUD_OFF),
    )


def paths(host: Host) -> tuple[str, ...]:
    """Every file that a plan for name, time and keyboard may rewrite, with what links lead to."""
    shared = [step for path in _SHARED for step in _way(host, path)]
    folder = sources(next((t for p in CHRONY_MAIN if (t := reading.text(host, p)) is not None), ""))
    chrony = [*CHRONY_MAIN, f"{folder}/{CHRONY}"] if folder else list(CHRONY_MAIN)
    return (*shared, CLOUD, CLOUD_NETWORK, LOCALTIME, TIMESYNCD, TIMESYNCD_MAIN, *chrony, *KEYBOARD)


def sources(conf: str) -> str:
    """The folder below /etc where this chrony.conf takes files with servers from; "" where it names none."""
    for line in conf.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "sourcedir" and words[1].startswith("/etc/"):
            return words[1].rstrip("/")
    return ""


def lay_out(setters: Setters) -> dict[str, str]:
    """The files that make `read` find these: what a replayed host has to have."""
    files = {_CLOUD: "# recorded"} if setters.cloud_init else {}
    if setters.time:
        unit = _UNITS.get(setters.time, (setters.time,))[0]
        files[f"/run/systemd/units/invocation:{unit}.service"] = ""
    if setters.keyboard:
        files[_VCONSOLE] = "# recorded"
    return files


def _time(host: Host) -> str:
    """The service that runs, else one that is installed; Debian and Red Hat let only one of them be there."""
    for name, units in _UNITS.items():
        if any(os.path.lexists(host.path(f"/run/systemd/units/invocation:{unit}.service")) for unit in units):
            return name
    if reading.present(host, _OTHER):
        return "timesyncd"
    return next((name for name, program in _PROGRAMS.items() if reading.present(host, program)), "")


def _way(host: Host, path: str) -> list[str]:
    """The path, and where each link on the way leads."""
    found = [path]
    for _ in range(4):
        try:
            target = os.readlink(host.path(found[-1]))  # noqa: PTH115 - a Path would cost more than the reading
        except OSError:
            break
        found.append(os.path.normpath(os.path.join(os.path.dirname(found[-1]), target)))  # noqa: PTH118, PTH120
    return found
