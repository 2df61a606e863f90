"""When the first member goes on alone: only where it was the only one before the last was let in.

An etcd without a majority that is started anew answers nobody, so nothing here has a program to ask: as on such a host.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.engines.kubeadm import etcd
from agent.engines.machine import Machine
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

OWN, NEW = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> list[Machine]:
    found: list[Machine] = []

    async def alone(machine: Machine) -> None:
        found.append(machine)

    monkeypatch.setattr(etcd, "alone", alone)
    return found


@pytest.mark.parametrize(
    ("before", "role", "goes_on_alone"),
    [
        ([OWN], "control-plane", True),
        ([], "control-plane", False),  # whoever was let in last is there: nobody is thrown out
        ([OWN, "192.0.2.3"], "control-plane", False),  # two of three are a majority without it
        ([OWN], "worker", False),  # a worker has no etcd
    ],
)
async def test_it_goes_on_alone(
    tmp_path: Path, forced: list[Machine], before: list[str], role: str, goes_on_alone: bool
) -> None:
    host = Host(tmp_path, NetlinkKernel(), "user")
    machine = Machine(host, search=str(tmp_path / "no-programs"))
    machine.record.members = before
    machine.save()
    if role == "control-plane":
        manifest = host.path(etcd.MANIFEST)
        manifest.parent.mkdir(parents=True)
        manifest.write_text("{}")
    again = Machine(host, search=machine.search)
    assert await etcd.remove(again, "n2", NEW) == goes_on_alone
    assert forced == ([again] if goes_on_alone else [])
