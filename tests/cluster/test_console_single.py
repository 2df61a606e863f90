"""One host at its own console: content from a stick, a cluster along the guided path, and its end. Only keys.

Part of `make console-cluster`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cluster import errands, rig
from tests.cluster.asking import STICK, Agent, stick_for
from tests.cluster.desk import Desk
from tests.cluster.reach import PAYLOAD

FOLDER = rig.payload()
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make console-cluster"),
    pytest.mark.timeout(1200),
]


@pytest.fixture
def desk() -> Iterator[Desk]:
    if why := rig.missing():
        pytest.skip(why)
    assert FOLDER is not None
    with stick_for(FOLDER) as stick, rig.Rig({FOLDER: PAYLOAD, stick: STICK}) as lab:
        node = lab.node(1)
        Agent(node)
        with Desk(node) as made:
            yield made


def test_a_single_host_by_keys_alone(desk: Desk) -> None:
    errands.bring(desk, "engine.tar.zst", "shop.tgz")
    errands.draft(desk, "shop", desk.node.address)
    errands.make(desk, "shop")
    before = desk.waited
    errands.watched(desk, "shop")
    engine = desk.waited - before
    desk.press("escape")
    desk.shows("1 of 1 ready")
    assert desk.node.run("kubectl --kubeconfig=/etc/kubernetes/admin.conf get node n1 --no-headers").ok
    errands.delete(desk, "shop")
    assert not desk.node.run("test -e /etc/kubernetes/admin.conf").ok
    print(
        f"one host: {desk.keys} keys, {desk.hands:.0f} s pressing them, {engine:.0f} s making the cluster, "
        f"{desk.waited - engine:.0f} s other waiting"
    )
