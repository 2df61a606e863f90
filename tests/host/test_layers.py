"""A bridge with every manager of a network: kept and there after a restart, not kept and none left over.

VLANs and bonds need a kernel that has them: test_layers_vm.py. Every manager only with `ONSITE_FULL=1`
(`make layers-full`).
"""

from __future__ import annotations

import os

import pytest

from tests.host.box import Box
from tests.host.managers import MANAGERS, boot, files, use
from tests.host.test_managers import left
from tests.layering import walk

pytestmark = pytest.mark.timeout(900)
TRIED = list(MANAGERS) if os.environ.get("ONSITE_FULL") else ["NetworkManager"]


@pytest.mark.parametrize("name", TRIED)
def test_a_bridge_made_edited_taken_back_and_removed(box: Box, name: str) -> None:
    manager = MANAGERS[name]
    use(box, manager)

    def apply(text: str) -> None:
        box.write("/root/wish.yaml", text)
        done = box.onsite("apply", "/root/wish.yaml", "--keep-within", "60", "--yes-warnings", check=False)
        assert done.returncode == 0, done.stdout + done.stderr + _more(box)

    def verb(word: str) -> None:
        done = box.onsite(word, check=False)
        assert done.returncode == 0, done.stdout + done.stderr + _more(box)
        assert left(box, manager) == []

    seen = walk(apply, verb, box.kernel, lambda: boot(box, manager))
    assert "br0" not in "".join([*files(box, manager), *files(box, manager).values()])
    print(f"layers, {name}: {seen} states as wished")


def _more(box: Box) -> str:
    """What a failure is understood by."""
    return box.run("sh", "-c", "ip -d link; ip addr; ip route; journalctl -n 80 --no-pager", check=False).stdout
