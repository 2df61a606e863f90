"""Every screen as a grid of text, at 80x24 and at 80x25."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.screens.conftest import Opened
from tests.screens.grid import SIZES, grid, seen

STATIC = ("2", "enter", "s")
REVIEW = (*STATIC, "ctrl+x")
SCREENS = {
    "home": ((), "Steps"),
    "places": (("left", "down"), ">2"),
    "network": (("2",), "Interface"),
    "network-owned": (("2", "down", "down", "down", "space"), "wlan0:"),
    "link-dhcp": (("2", "enter"), "[ Done ]"),
    "link-static": (STATIC, "192.0.2.10/24"),
    "link-wrong": ((*STATIC, "tab", "ctrl+u", "1", "0", ".", "1", "tab", "up"), "N120"),
    "link-why": ((*STATIC, "tab", "ctrl+y"), "Esc back"),
    "link-leave": ((*STATIC, "escape"), "Leave without"),
    "review": (REVIEW, "nothing is written yet"),
    "review-files": ((*REVIEW, "f"), "/etc/onsite/links"),
    "review-empty": (("3",), "Nothing waits"),
    "history-empty": (("3", "h"), "No change has been made"),
    "log-empty": (("4",), "Nothing has been changed"),
    "help": (("2", "question_mark"), "Keys in Network"),
    "help-code": (("5", "c", *"n207", "enter"), "The gateway is in another network"),
    "quit": (("q",), "Quit the console?"),
}


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "80x25"])
@pytest.mark.parametrize("name", SCREENS)
async def test_grid(name: str, size: tuple[int, int], opened: Opened, snapshot: SnapshotAssertion) -> None:
    keys, words = SCREENS[name]
    async with opened(keys, size) as pilot:
        await seen(pilot, words)
        assert grid(pilot.app) == snapshot
