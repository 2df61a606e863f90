"""The Debian that every node of the rig starts from: what a technician finds on a fresh server, made once a machine.

What is named `sandbox-quirks` exists only because a node is a container on a machine with few rights; nothing under
test may write or rely on it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.dev.container import checked, kept, suite_and_sources

PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "containerd", "runc", "containernetworking-plugins", "iptables", "ebtables",
    "conntrack", "ethtool", "socat", "iproute2", "iputils-ping", "kmod", "procps", "ca-certificates", "openssl", "curl",
    "python3", "tzdata", "keepalived", "chrony",
)  # fmt: skip
_QUIRKS = {
    # cgroup controllers are handed to the node read-only; engines make groups of their own
    "etc/systemd/system/sandbox-quirks.service": (
        0o644,
        """\
[Unit]
Description=Test sandbox quirks (not configuration of a product)
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/sandbox-quirks/boot
""",
    ),
    "usr/lib/sandbox-quirks/boot": (
        0o755,
        """\
#!/bin/sh
while read -r _ path type _; do
    case $type in cgroup|cgroup2) mount -o remount,bind,rw "$path" ;; esac
done < /proc/mounts
exit 0
""",
    ),
    # Without CAP_SYS_RESOURCE nobody may lower oom_score_adj, and runc would refuse every sandbox. A wrapper, because
    # it has to hold whatever containerd configuration is under test.
    "etc/systemd/system/containerd.service.d/sandbox-quirks.conf": (
        0o644,
        "[Service]\nEnvironment=PATH=/usr/lib/sandbox-quirks:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
    ),
    "usr/lib/sandbox-quirks/runc": (
        0o755,
        """\
#!/bin/sh
case " $* " in *" create "*|*" run "*)
    bundle=. before=
    for arg; do
        case $before in --bundle|-b) bundle=$arg ;; esac
        case $arg in --bundle=*) bundle=${arg#*=} ;; esac
        before=$arg
    done
    [ -f "$bundle/config.json" ] &&
        sed -i 's/"oomScoreAdj": *-[0-9][0-9]*/"oomScoreAdj":0/' "$bundle/config.json" ;;
esac
exec /usr/sbin/runc "$@"
""",
    ),
}


@cache
def root() -> Path:
    """The folder; nodes never write to it."""
    folder, partial = kept("cluster-debian", repr((PACKAGES, _QUIRKS)))
    if folder.exists():
        return folder
    suite, sources = suite_and_sources()
    checked(
        [
            *("mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", f"--include={','.join(PACKAGES)}"),
            *("--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none"),
            *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
            *("--dpkgopt=path-exclude=/usr/share/locale/*", suite, str(partial), *sources),
        ]
    )
    for path, (mode, text) in _QUIRKS.items():
        target = partial / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
    wants = partial / "etc/systemd/system/sysinit.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "sandbox-quirks.service").symlink_to("/etc/systemd/system/sandbox-quirks.service")
    units = partial / "etc/systemd/system"
    for unit in ("console-getty.service", "apt-daily.timer", "apt-daily-upgrade.timer", "fstrim.timer"):
        (units / unit).symlink_to("/dev/null")
    (partial / "etc/resolv.conf").unlink(missing_ok=True)
    (partial / "etc/resolv.conf").write_text("# no name server in this network\n")
    (partial / "usr/lib/python3/dist-packages/onsite.pth").write_text("/opt/onsite/code\n/opt/onsite/site\n")
    (partial / "etc/systemd/system/multi-user.target.wants/keepalived.service").unlink(missing_ok=True)
    partial.rename(folder)
    return folder
