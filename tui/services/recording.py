"""A recorded host: the JSON of `onsite facts --json`, replayed with a folder for its files and a kernel in memory.

What the recording says of the host itself is laid out as the files that the facts are read from, so that a replay
goes through the same readers as a real host.
"""

from __future__ import annotations

import json
from pathlib import Path

from tui.models.facts import Facts
from tui.services.clock import Clock, FixedClock, SystemClock
from tui.services.facts import setters
from tui.services.host import Host
from tui.services.network.recorded import RecordedKernel
from tui.services.proxy import places
from tui.services.trust import stores

LARGEST = 64 << 20
"""Bytes. A recording of some thousand links has a few; the limit is for files that are something else."""


def load(path: Path) -> Facts:
    """The facts in a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no recording, or of another version.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError("too large for a recording")
    try:
        data = json.loads(path.read_text())
    except RecursionError as error:
        raise ValueError("nested too deeply for a recording") from error
    if not isinstance(data, dict):
        raise ValueError("not facts: no JSON object")  # noqa: TRY004 - one error for a bad file
    return Facts.from_dict(data)


def host(facts: Facts, root: Path, clock: Clock | None = None) -> Host:
    """The recorded host, its files below `root`.

    Raises:
        OSError: the files cannot be laid out.
        ValueError: a path in the recording leaves the root.
    """
    _lay_out(facts, root)
    return Host(root, RecordedKernel(facts), "recorded", clock or SystemClock())


def clock(text: str) -> FixedClock:
    """A clock that stands at a time: ISO 8601 (UTC where it names no zone) or seconds since the epoch.

    Raises:
        ValueError: neither of the two.
    """
    try:
        return FixedClock(float(text))
    except ValueError:
        from datetime import UTC, datetime

        time = datetime.fromisoformat(text)
        return FixedClock((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


def _lay_out(facts: Facts, root: Path) -> None:
    files = {
        "/etc/hostname": facts.hostname,
        "/etc/os-release": f'PRETTY_NAME="{facts.os_name}"',
        "/sys/class/dmi/id/sys_vendor": facts.machine.vendor,
        "/sys/class/dmi/id/product_name": facts.machine.product,
        "/sys/class/dmi/id/product_serial": facts.machine.serial,
        "/proc/sys/kernel/random/boot_id": facts.boot_id,
    }
    if facts.cluster_uses_address:
        files["/etc/kubernetes/kubelet.conf"] = "# recorded"
        flag = f"    - --cluster-cidr={','.join(facts.cluster_ranges)}" if facts.cluster_ranges else "# recorded"
        files["/etc/kubernetes/manifests/kube-controller-manager.yaml"] = flag
    files |= setters.lay_out(facts.setters)
    for path, text in files.items():
        _below(root, path).write_text(f"{text}\n")
    for manager in facts.managers:
        unit = _UNITS.get(manager, manager)
        _below(root, f"/run/systemd/units/invocation:{unit}.service").write_text("")
    if store := stores.by_family(facts.trust.store):
        _below(root, f"{store.folder}/.").mkdir(exist_ok=True)
        _below(root, f"{store.home[-1]}/.").mkdir(exist_ok=True)
    for consumer in facts.consumers:
        where = _below(root, places.mark(consumer))
        if consumer in places.FOLDERS:
            where.mkdir(exist_ok=True)
        else:
            where.write_text("# recorded\n")
    for file in facts.files:
        where = _below(root, file.path)
        if file.target:
            where.unlink(missing_ok=True)
            where.symlink_to(file.target)
        elif file.text is not None:
            where.write_text(file.text)
            where.chmod(file.mode)


_UNITS = {"networkd": "systemd-networkd", "wicked": "wickedd"}


def _below(root: Path, path: str) -> Path:
    if not path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path}: not a path of a host")
    where = root / path.lstrip("/")
    if not where.parent.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{path}: leads out of the recorded host")
    where.parent.mkdir(parents=True, exist_ok=True)
    return where
