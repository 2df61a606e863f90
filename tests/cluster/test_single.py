"""One host becomes a cluster that works, ends as a plain host, and becomes one again: real kubeadm on a real node."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.engines.engine import Event
from agent.engines.forming import Forming
from tests.cluster import rig
from tests.cluster.reach import PAYLOAD, RigHost, spec

FOLDER = rig.payload()
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.timeout(1200),
]


@pytest.fixture(scope="module")
def node() -> Iterator[rig.Node]:
    if why := rig.missing():
        pytest.skip(why)
    with rig.Rig({FOLDER or Path(): PAYLOAD}) as lab:
        yield lab.node(1)


class Seen:
    """Events as they come, with when."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        print(
            f"{time.monotonic() - self.began:6.1f} s {event.node} {event.step} {event.mark}: {event.text}", flush=True
        )


async def test_create_delete_create(node: rig.Node) -> None:
    cluster = spec([node], 1)
    for number in (1, 2):
        seen = Seen()
        forming = Forming(cluster, {node.name: RigHost(node)}, seen)
        found = await forming.preflight()
        assert [i for i in found["n1"] if i.severity == "error"] == []
        await forming.create()
        state = await RigHost(node).call("status", {"engine": "kubeadm"}, seen)
        assert (state["word"], [n["name"] for n in state["nodes"]]) == ("ready", ["n1"])
        left = await forming.delete(purge=number == 1)
        assert left == {"n1": []}
        assert not node.run("test -e /etc/kubernetes/admin.conf").ok
