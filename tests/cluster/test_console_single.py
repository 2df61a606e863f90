"""One host at its own console: content from a stick, a cluster along the guided path, and its end. Only keys.

Part of `make console-cluster`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cluster import errands, rig
from tests.cluster.asking import STICK, Agent, stick_for
from tests.cluster.console_report import LINE_1, Tally
from tests.cluster.desk import Desk
from tests.cluster.reach import PAYLOAD

FOLDER = rig.payload()
PAGES = {
    "Nodes": " n1 ", "Pools": "control-plane: ", "Packs": "greeting ", "Events": " events",
    "Certificates": "apiserver ", "Services": "Services", "Kubeconfig": "To a file of this host",
    "Update": "no other definition", "Settings": "SSH keys",
}  # fmt: skip
"""The lines of Cluster that open a page, and words of each."""
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
    tally = Tally([desk], LINE_1)
    with tally.part("one host: content imported from the stick"):
        errands.bring(desk, "engine.tar.zst", "shop.tgz")
    with tally.part("one host: the guided path, up to the agent's yes"):
        errands.draft(desk, "shop", desk.node.address)
        errands.make(desk, "shop")
    with tally.part("one host: made, healthy after the probe", engine=True):
        errands.watched(desk, "shop")
        desk.press("escape")
        desk.shows("1 of 1 ready")
    assert desk.node.run("kubectl --kubeconfig=/etc/kubernetes/admin.conf get node n1 --no-headers").ok
    with tally.part("one host: every page of the cluster opened"):
        for page, shown in PAGES.items():
            errands.looked_into(desk, page, shown)
    with tally.part("one host: deleted", engine=True):
        errands.delete(desk, "shop")
    assert not desk.node.run("test -e /etc/kubernetes/admin.conf").ok
    tally.in_all("one host, in all")
