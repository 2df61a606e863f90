"""Four hosts at their own consoles, and nothing but keys: linked by the code on the screen, content from a stick, three
control planes, a worker, an update, the end. Part of `make console-cluster`.

Writes the first table of docs/measured/console-cluster.md, and a recording of each console to docs/recordings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.cluster import errands, other_content, rig
from tests.cluster.asking import STICK, Agent, stick_for
from tests.cluster.console_report import LINE_1, Tally
from tests.cluster.desk import Desk
from tests.cluster.reach import PAYLOAD

FOLDER = rig.payload()
RECORDINGS = rig.CODE / "docs/recordings"
VIP = "10.66.0.100"
KUBECTL = "kubectl --kubeconfig=/etc/kubernetes/admin.conf"
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make console-cluster"),
    pytest.mark.timeout(3000),
]


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    if why := rig.missing():
        pytest.skip(why)
    assert FOLDER is not None
    with ExitStack() as stack:
        stick = stack.enter_context(stick_for(FOLDER))
        other_content.definition(stick, "shop-1.1", other_content.newer)
        lab = stack.enter_context(rig.Rig({FOLDER: PAYLOAD, stick: STICK}))
        nodes = [lab.node(number) for number in (1, 2, 3, 4)]
        for node in nodes:
            Agent(node)
        yield [stack.enter_context(Desk(node)) for node in nodes]


class Visit:
    """Four desks and what they spent; `n2 = visit.desks[1]`."""

    def __init__(self, desks: list[Desk]) -> None:
        self.desks = desks
        self.first = desks[0]
        self.tally = Tally(desks, LINE_1)
        self.part = self.tally.part

    def link(self, follower: Desk) -> None:
        errands.follow(follower, self.first.node.address, errands.lead(self.first))
        self.first.shows(f"{follower.node.name} ", 30)


def linked(visit: Visit) -> None:
    with visit.part("three hosts linked by the code on the screen"):
        visit.link(visit.desks[1])
        visit.link(visit.desks[2])
        visit.first.press("s")


def content(visit: Visit) -> None:
    with visit.part("content imported from the stick"):
        errands.bring(visit.first, "engine.tar.zst", "shop.tgz")
    with visit.part("the same content on the followers, seen at Hosts"):
        errands.synced(visit.first, "n2", "n3")


def created(visit: Visit) -> None:
    with visit.part("the guided path, up to the agent's yes"):
        errands.draft(visit.first, "shop", VIP, planes=("n2", "n3"))
        errands.make(visit.first, "shop")
    with visit.part("three control planes made, healthy after the probe", engine=True):
        errands.watched(visit.first, "shop")
        visit.first.press("escape")
        visit.first.shows("3 of 3 ready", 60)


def grown(visit: Visit) -> None:
    with visit.part("a fourth host linked, content on it"):
        visit.link(visit.desks[3])
        visit.first.press("s")
        errands.synced(visit.first, "n4")
    with visit.part("it is put into the pool of workers"):
        errands.add_worker(visit.first, "n4")
    with visit.part("it joins, up to the probe", engine=True):
        errands.changed(visit.first)
        visit.first.shows("4 of 4 ready", 60)


def updated(visit: Visit) -> None:
    with visit.part("a newer definition imported"):
        errands.bring(visit.first, "shop-1.1.tgz")
    with visit.part("every change of it looked at"):
        errands.update(visit.first, "shop", "base 1.1.0")
    with visit.part("updated to it, up to the probe", engine=True):
        errands.changed(visit.first)
    told = visit.first.node.must(f"{KUBECTL} get configmap greeting -o jsonpath={{.data}}")
    assert '"words":"Welcome"' in told, told
    assert '"site":"0042"' in told, told


def ended(visit: Visit) -> None:
    with visit.part("deleted, nothing left on any host", engine=True):
        errands.delete(visit.first, "shop")
    for desk in visit.desks:
        assert not desk.node.run("test -e /etc/kubernetes/admin.conf").ok
        assert desk.node.must("ctr -n k8s.io containers ls -q").split() == []
    visit.tally.in_all("four hosts, in all")
    RECORDINGS.mkdir(exist_ok=True)
    for desk in visit.desks:
        desk.cast(RECORDINGS / f"console-cluster-{desk.node.name}.cast", f"Onsite on {desk.node.name}")
    if any(row[0].startswith("one host") for row in LINE_1.rows):  # a part must not take the place of the whole
        LINE_1.write()


PARTS = (linked, content, created, grown, updated, ended)


def test_a_cluster_from_link_to_delete_by_keys_alone(desks: list[Desk]) -> None:
    visit = Visit(desks)
    for part in PARTS:
        part(visit)
