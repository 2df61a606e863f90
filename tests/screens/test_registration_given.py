"""What installer and site have given for the registration: it stands in the editor, and the place says who wins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen
from tests.screens.machine import machine, session_on
from tests.screens.paths import walk
from tui.models.facts import FileFact
from tui.services import registration

FACTORY = "#cloud-config\nstylus: {site: {paletteEndpoint: api.example.com}}\n"
SITE = """#cloud-config
stylus: {site: {paletteEndpoint: 'https://manage.example', projectName: stores-north, edgeHostToken: Zm9vYmFyc2Vj}}
"""
SET = {"endpoint": "manage.example", "project": "stores-south", "token": "tok-3f9c0ffee"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host that its installer and its site have given something."""
    (tmp_path / "oem").mkdir()
    (tmp_path / "oem/90_custom.yaml").write_text(FACTORY)
    (tmp_path / "oem/user-data").write_text(SITE)
    return tmp_path


@pytest.mark.parametrize("kept", [None, SET], ids=["nothing-set", "set-here"])
async def test_place(kept: dict[str, str] | None, opened: Opened, root: Path, snapshot: SnapshotAssertion) -> None:
    files = (FileFact(registration.KEPT, text=json.dumps(kept), mode=0o600),) if kept else ()
    session = session_on(replace(machine(), files=files), root)
    async with opened((), of=session) as pilot:
        await walk(pilot, ((("6",), "/oem/user-data says"),))
        shown = grid(pilot.app)
        assert ("here counts." in shown, "Enter takes" in shown) == (kept is not None, kept is None)
        assert ("says endpoint" in shown) == (kept is None), "it says the same as what is set"
        assert grid(pilot.app) == snapshot


async def test_the_editor_begins_with_what_was_given(opened: Opened, root: Path) -> None:
    session = session_on(machine(), root)
    async with opened((), of=session) as pilot:
        await walk(pilot, ((("6",), "takes it over"), (("enter",), "[ Done ]")))
        await seen(pilot, "manage.example")
        assert "stores-north" in grid(pilot.app)
