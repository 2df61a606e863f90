"""Who sits at the console of a node in tests/cluster: what is typed is seen, a secret as stars alone."""

from __future__ import annotations

import sys

import pytest

from tests.cluster import rig
from tests.cluster.desk import Desk, _Recorded

FIELD = """
import os, sys, tty
tty.setraw(0)
os.write(1, b"ready: ")
while sign := os.read(0, 1):
    os.write(1, sign if sys.argv[1] == "shown" else b"*")
"""


@pytest.mark.parametrize(
    ("field", "secret", "seen"), [("shown", False, True), ("stars", True, True), ("shown", True, False)]
)
def test_typed_is_seen(field: str, secret: bool, seen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.cluster.desk.PATIENCE", 3.0)
    desk = Desk(rig.Node(rig.Rig(), 1))
    desk.program = _Recorded([sys.executable, "-c", FIELD, field])
    try:
        desk.program.expect("ready:")
        if seen:
            desk.type("four grey lorries", secret=secret)
            assert desk.keys == 17
        else:
            with pytest.raises(AssertionError):
                desk.type("four grey lorries", secret=secret)
    finally:
        desk.program.close()
