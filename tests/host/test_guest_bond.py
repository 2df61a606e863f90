"""A machine loses its power at moments of a change that makes a bond, or removes it: all old or all new at boot.

As test_guest.py for an address; the kernel of a container may have no bonding. The address of a port moves to a bond of
two, over a switch, and back. A bond that is removed leaves the kept files at once, so there more is to be put back. A
cut and a boot take half a minute: `ONSITE_FULL=1` (`make host-full`), its table is in docs/measured/host-managers.md.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.host import look
from tests.host.box import wait_for
from tests.host.guest import Guest
from tests.host.managers import MANAGERS, Manager, boot, files, use
from tests.host.test_layers_vm import CASES, FORMER, former, left, wished
from tests.host.test_power_cut import CALLS, TRACE, _cut_at, _numbered, _onsite, _points, _stopped

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not os.environ.get("ONSITE_FULL"), reason="long: make host-full"),
]
MOMENTS = {"apply": 4, "keep": 4, "recovery": 3}
"""Cuts in each phase, spread over all its moments, beside the last one."""
CASE = CASES["bond, active-backup"]
WITHOUT: dict[str, Any] = {"version": 1, "links": FORMER, "removed": ["bond0"]}
WITH: dict[str, Any] = {"version": 1, "links": list(CASE.links)}
APPLY = _onsite("apply", "/root/wish.yaml", "--keep-within", "300", "--yes-warnings")
KEEP, RECOVER = _onsite("keep"), _onsite("recover", "--boot")
SCRIPT, ONCE = "root/recover.sh", "root/once"
DROP_IN = "etc/systemd/system/onsite-recover.service.d/50-strace.conf"
_RECOVER = """if [ -e /{once} ]; then exec {words}; fi
touch /{once} && sync
exec strace -qq -o /{trace} {strace} {words}
"""
"""The first boot is watched, or stopped; the next is as shipped."""


def write(machine: Guest, wish: dict[str, Any]) -> None:
    machine.write("/root/wish.yaml", json.dumps(wish))


def judged(machine: Guest, manager: Manager) -> str:
    """After a boot: "without" the bond or "with" it, in kernel and files, or what is wrong."""
    seen: list[str] = []

    def settled() -> bool:
        kernel = machine.kernel()
        seen[:] = ["without"] if former(kernel) else ["with"] if wished(kernel, CASE) else []
        return bool(seen)

    try:
        wait_for("all of one of the two", settled, 60)
    except AssertionError:
        return (
            f"neither: {machine.run('ip', 'address').stdout}{machine.run('journalctl', '-b', '-u', 'onsite*').stdout}"
        )
    if remains := left(machine, manager):
        return f"left: {remains}"
    in_files = "bond0" in "".join(f"{path}\n{text}" for path, text in files(machine, manager).items())
    return seen[0] if in_files == (seen[0] == "with") else f"file and kernel differ: {seen[0]}"


def standing(machine: Guest, now: str, wanted: str) -> str:
    """Keep the one that the next change begins from, unless it is there already; what is there then."""
    if now != wanted:
        write(machine, WITH if wanted == "with" else WITHOUT)
        machine.run(*APPLY, timeout=200)
        machine.run(*KEEP, timeout=200)

        def there() -> bool:
            kernel = machine.kernel()
            return former(kernel) if wanted == "without" else wished(kernel, CASE)

        wait_for(f"{wanted} a bond", there, 60)
    return wanted


def some(points: list[tuple[str, int]], phase: str) -> list[tuple[str, int]]:
    """The last one too: of Keep it is the one after which all is new."""
    return list(dict.fromkeys([*points[:: -(-len(points) // MOMENTS[phase])], points[-1]]))


@pytest.mark.parametrize("change", ["made", "removed"])
@pytest.mark.parametrize("name", MANAGERS)
def test_power_cut(machine: Guest, name: str, change: str) -> None:
    manager = MANAGERS[name]
    old, new = ("without", "with") if change == "made" else ("with", "without")
    wish = WITH if change == "made" else WITHOUT
    use(machine, manager)
    write(machine, {"version": 1, "links": FORMER})
    machine.run(*APPLY, timeout=200)
    machine.run(*KEEP, timeout=200)
    wait_for("the former addresses", lambda: former(machine.kernel()), 60)
    now = "without"
    tally: Counter[str] = Counter()

    def waiting() -> None:
        nonlocal now
        now = standing(machine, now, old)
        write(machine, wish)
        machine.run(*APPLY, timeout=200)

    def judge(phase: str, point: object) -> None:
        nonlocal now
        now = judged(machine, manager)
        assert now in (old, new), f"{phase} {point}: {now}"
        tally["old" if now == old else "new"] += 1
        print(f"bond {change}, {name}: {phase} {point}: {now}", flush=True)

    waiting()
    boot(machine, manager)
    judge("window", "")
    assert look.history(machine)[-1]["result"] == "reverted"
    for phase, command in (("apply", APPLY), ("keep", KEEP)):
        now = standing(machine, now, old)
        write(machine, wish)
        if phase == "keep":
            waiting()
        points = _points(machine, command)
        if phase == "apply":
            machine.onsite("revert", timeout=200)
        else:
            now = new
        for point in some(points, phase):
            now = standing(machine, now, old)
            write(machine, wish)
            if phase == "keep":
                waiting()
            assert _cut_at(machine, point, command), f"{phase} {point}: it did not come to that"
            boot(machine, manager)
            judge(phase, point)
        assert phase == "keep" or not tally["new"], "nobody said Keep"
    _while_recovering(machine, manager, waiting, judge)
    print(f"power cut, bond {change}, {name}: moments {tally.total()}, old {tally['old']}, new {tally['new']}")
    assert tally.total() > 10


def _while_recovering(
    machine: Guest, manager: Manager, waiting: Callable[[], None], judge: Callable[[str, object], None]
) -> None:
    """The boot after a cut in the middle of Keep loses its power too, and the next one does it all."""

    def half_kept(strace: str) -> None:
        waiting()
        machine.remove(ONCE, TRACE)
        machine.write(SCRIPT, _RECOVER.format(once=ONCE, trace=TRACE, strace=strace, words=" ".join(RECOVER)))
        machine.write(DROP_IN, f"[Service]\nExecStart=\nExecStart=/bin/sh /{SCRIPT}\n")
        assert _cut_at(machine, ("rename", 1), KEEP)

    half_kept(f"-e signal=none -e trace={','.join(CALLS)}")
    boot(machine, manager)
    points = _numbered(machine)
    judge("recovery", "whole")
    assert len(points) > 3
    for call, number in some(points, "recovery"):
        half_kept(f"-e trace={call} -e inject={call}:signal=SIGSTOP:when={number}")
        machine.boot(wait=False)
        wait_for("recovery stopped, or the boot went on", lambda: _stopped(machine) or machine.up(), 120)
        assert _stopped(machine), (call, number)
        machine.power_cut()
        boot(machine, manager)
        judge("recovery", (call, number))
    machine.remove(DROP_IN)
