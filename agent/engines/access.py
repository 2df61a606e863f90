"""What a cluster gives its hosts beside the engine: keys of people who may log in, and time servers."""

from __future__ import annotations

from agent.engines.engine import Spec
from agent.engines.machine import Machine
from tui.models.change import FileImage
from tui.services.change import files

KEYS = "/root/.ssh/authorized_keys"
_BEGIN, _END = "# keys of the cluster: begin", "# keys of the cluster: end"
_TIME = (("/etc/chrony/chrony.conf", "/etc/chrony/sources.d/60-onsite-cluster.sources", "chrony.service"),)
TIMESYNCD = "/etc/systemd/timesyncd.conf.d/60-onsite-cluster.conf"


def ssh_keys(machine: Machine, keys: tuple[str, ...]) -> None:
    """A marked part of root's file; what others wrote there stays.

    Raises:
        OSError: it cannot be written.
    """
    before = files.read_image(machine.host, KEYS)
    text = (before.content or b"").decode("utf-8", "replace")
    head, mark, rest = text.partition(f"{_BEGIN}\n")
    tail = rest.partition(f"{_END}\n")[2] if mark else ""
    if head and not head.endswith("\n"):
        head += "\n"
    part = "".join(f"{line}\n" for line in (_BEGIN, *keys, _END)) if keys else ""
    wanted = head + part + tail
    if wanted == text:
        return
    content = wanted.encode() if wanted or not before.absent else None
    files.make_folder(machine.host.path("/root/.ssh"), 0o700)
    files.write_image(machine.host, FileImage(KEYS, content, 0o600))


async def time_servers(machine: Machine, spec: Spec) -> None:
    """For the time service that is here; the host's own servers stay beside them.

    Raises:
        Refused: the disk does not take the file.
    """
    for program, path, unit in _TIME:
        if machine.there(program):
            text = "".join(f"server {name} iburst\n" for name in spec.ntp_servers)
            await _follow(machine, path, text if spec.ntp_servers else "", unit)
            return
    text = f"[Time]\nNTP={' '.join(spec.ntp_servers)}\n" if spec.ntp_servers else ""
    await _follow(machine, TIMESYNCD, text, "systemd-timesyncd.service")


async def _follow(machine: Machine, path: str, text: str, unit: str) -> None:
    if machine.text(path) == text:
        return
    machine.write([FileImage(path, text.encode() if text else None)])
    await machine.run("systemctl", "try-reload-or-restart", unit)
