"""A machine with a kernel and a disk of its own loses its power at moments of a change: all old or all new at boot.

As test_power_cut.py and test_managers_power_cut.py, where only the processes die; here what was not flushed is gone
too. One machine for each manager; a cut and a boot take half a minute, so few are tried without ONSITE_FULL=1
(`make host-full`); its table is in docs/measured/host-managers.md.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from tests.host import look
from tests.host.box import wait_for
from tests.host.guest import Guest
from tests.host.managers import MANAGERS, use
from tests.host.test_managers import shows
from tests.host.test_managers_power_cut import OTHER, again, judged
from tests.host.test_power_cut import APPLY, _cut_at, _onsite, _points

FULL = bool(os.environ.get("ONSITE_FULL"))
MOMENTS = {"apply": 5, "keep": 5} if FULL else {"apply": 1, "keep": 1}
"""Cuts in each phase beside one while the change waits, spread over all its moments."""
pytestmark = pytest.mark.timeout(1800)


_BUSY = 'while :; do mkdir -p "$1"; done'
"""A new process each time: one that begins while the others are being killed is in no list of them."""


def test_nothing_of_a_machine_goes_on_here(machine: Guest) -> None:
    """Its processes are ours, as root: a kernel that is killed before them lets them go."""
    folder = Path(tempfile.gettempdir(), f"onsite-escaped-{secrets.token_hex(8)}")
    for _ in range(4):
        machine.begin("sh", "-c", _BUSY, "sh", str(folder))
    wait_for("them", lambda: machine.run("test", "-d", str(folder), check=False).returncode == 0)
    machine.power_cut()
    assert not folder.exists()


@pytest.mark.parametrize("name", MANAGERS if FULL else ["networkd"])
def test_power_cut(machine: Guest, name: str) -> None:
    manager = MANAGERS[name]
    use(machine, manager)
    again(machine, manager)
    machine.run(*APPLY)
    shows(machine, manager, OTHER, "the new wish waits")
    tally: Counter[str] = Counter({judged(machine, manager): 1})
    assert tally == {"old": 1}, tally
    assert look.history(machine)[-1]["result"] == "reverted"
    for phase, command in (("apply", APPLY), ("keep", _onsite("keep"))):
        again(machine, manager)
        if phase == "keep":
            machine.run(*APPLY)
        points = _points(machine, command)
        if phase == "apply":
            machine.onsite("revert")
        some = points[:: -(-len(points) // MOMENTS[phase])]
        before = tally.total()
        for point in some:
            again(machine, manager)
            if phase == "keep":
                machine.run(*APPLY)
            hit = _cut_at(machine, point, command)
            found = judged(machine, manager)
            journal = "" if found in ("old", "new") else machine.run("journalctl", "-b", "-u", "onsite*").stdout[-3000:]
            assert (hit, journal) == (True, ""), f"{phase} {point}: {found}\n{journal}"
            tally[found] += 1
        assert phase == "keep" or not tally["new"], "nobody said Keep"
        assert tally.total() - before == len(some) > 0
    print(f"power cut of a machine, {name}: moments {tally.total()}, old {tally['old']}, new {tally['new']}")
    assert set(tally) <= {"old", "new"}, tally
