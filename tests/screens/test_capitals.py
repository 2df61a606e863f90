"""With Caps Lock on, or typed as the last line spells it, a key does the same; what is typed into a field stays."""

from __future__ import annotations

from tests.screens.conftest import Opened
from tests.screens.grid import seen
from tests.screens.paths import REVIEW, walk


async def test_a_change_is_applied_and_kept_in_capitals(opened: Opened) -> None:
    async with opened() as pilot:
        await walk(pilot, (*REVIEW, (("A",), "Keep this change?"), (("K",), "Kept.")))


async def test_places_and_their_keys_in_capitals(opened: Opened) -> None:
    async with opened() as pilot:
        await walk(pilot, ((("L",), "*l Log"), (("S",), "Support bundle: what leaves"), (("escape", "P"), "*p Power")))


async def test_a_capital_in_a_field_is_typed(opened: Opened) -> None:
    async with opened() as pilot:
        await walk(pilot, ((("5",), "*5"), (("enter",), "[ Done ]"), (("ctrl+u", *"ShopL"), "ShopL")))
        await pilot.press("Q")
        await seen(pilot, "ShopLQ")
