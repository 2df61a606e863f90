"""A power cut at the moments of a change under netplan and NetworkManager, then a boot: all old or all new.

As test_power_cut.py, which tries networkd. Only one cut while the change waits is tried each time; moments
of Apply and of Keep with ONSITE_FULL=1 (`make host-full`).
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

from tests.host import look
from tests.host.box import Box, Host, wait_for
from tests.host.managers import MANAGERS, Manager, boot, use
from tests.host.test_managers import STATIC, State, apply, document, left, shows, state, whole
from tests.host.test_power_cut import APPLY, _cut_at, _onsite, _points

OTHER: dict[str, Any] = STATIC | {
    "ipv4": {"method": "static", "addresses": ["192.0.2.20/24"], "gateway": "192.0.2.1"},
    "nameservers": ["192.0.2.53"],
}
NEWER = [name for name in MANAGERS if name != "networkd"]
PHASES = [(name, phase) for name in NEWER for phase in ("window", "apply", "keep")]
SOME = PHASES if os.environ.get("ONSITE_FULL") else [("netplan, networkd", "window")]
MOMENTS = 6
"""Cuts in each phase with each manager, spread over all its moments: a cut and a boot take ten seconds and more."""
pytestmark = pytest.mark.timeout(1800)


def judged(box: Host, manager: Manager) -> str:
    """After a boot: "old", "new", or what is wrong."""
    boot(box, manager)
    seen: list[State] = []

    def settled() -> bool:
        seen[:] = [state(box, manager)]
        return whole(seen[0], STATIC) or whole(seen[0], OTHER)

    try:
        wait_for("the old or the new configuration", settled, 30)
    except AssertionError:
        return f"neither: {seen[0]}"
    if remains := left(box, manager):
        return f"left: {remains}"
    new = whole(seen[0], OTHER)
    in_file = "192.0.2.20/24" in seen[0].files[manager.kept]
    return "new" if new and in_file else "old" if not new and not in_file else f"file and kernel differ: {seen[0]}"


def again(box: Host, manager: Manager) -> None:
    """Keep the old wish, whichever is kept now, and write the new one down."""
    if not whole(state(box, manager), STATIC):
        apply(box, STATIC)
        box.onsite("keep")
        shows(box, manager, STATIC, "the old wish")
    box.write("/root/wish.yaml", document(OTHER))


@pytest.mark.parametrize(("name", "phase"), SOME)
def test_power_cut(box: Box, name: str, phase: str) -> None:
    manager = MANAGERS[name]
    use(box, manager)
    again(box, manager)
    if phase == "window":
        box.run(*APPLY)
        shows(box, manager, OTHER, "the new wish waits")
        assert judged(box, manager) == "old"
        assert look.history(box)[-1]["result"] == "reverted"
        return
    command = APPLY if phase == "apply" else _onsite("keep")
    if phase == "keep":
        box.run(*APPLY)
    points = _points(box, command)
    if phase == "apply":
        box.onsite("revert")
    tally: Counter[str] = Counter()
    some = points[:: -(-len(points) // MOMENTS)]
    for point in some:
        again(box, manager)
        if phase == "keep":
            box.run(*APPLY)
        tally["hit"] += _cut_at(box, point, command)
        found = judged(box, manager)
        tally[found if found in ("old", "new") else f"{point}: {found}"] += 1
    print(f"power cut in {phase}, {name}: points {len(points)}, tried {len(some)}, {dict(tally)}")
    assert set(tally) <= {"hit", "old", "new"}, tally
    assert tally["hit"] == len(some) > 3
    assert phase == "keep" or not tally["new"], "nobody said Keep"
