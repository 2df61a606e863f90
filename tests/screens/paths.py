"""The way to every screen: keys to press, and words to wait for before the next key."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from tests.screens.grid import seen, until

Step = tuple[tuple[str, ...], str]
"""Keys, and the words that stand on the screen when all of them have been handled."""

STATIC: tuple[Step, ...] = ((("2",), "Interface"), (("enter",), "[ Done ]"), (("s",), "192.0.2.10/24"))
REVIEW: tuple[Step, ...] = (*STATIC, (("ctrl+x",), "nothing is written yet"))
KEEP: tuple[Step, ...] = (*REVIEW, (("a",), "Keep this change?"))
KEPT: tuple[Step, ...] = (*KEEP, (("k",), "Kept."))
REVERTED: tuple[Step, ...] = (*KEEP, (("r",), "(verified)"))

SCREENS: dict[str, tuple[Step, ...]] = {
    "home": (((), "Steps"),),
    "places": ((("left", "down"), ">2"),),
    "network": ((("2",), "Interface"),),
    "network-owned": ((("2",), "Interface"), (("down", "down", "down", "space"), "wlan0:")),
    "link-dhcp": STATIC[:2],
    "link-static": STATIC,
    "link-wrong": (*STATIC, (("tab", "ctrl+u", "1", "0", ".", "1", "tab", "up"), "N120")),
    "link-why": (*STATIC, (("tab", "ctrl+y"), "Esc back")),
    "link-leave": (*STATIC, (("escape",), "Leave without")),
    "review": REVIEW,
    "review-files": (*REVIEW, (("f",), "/etc/onsite/links")),
    "review-discard": (*REVIEW, (("d",), "Discard the changes?")),
    "review-empty": ((("v",), "Nothing waits"),),
    "keep": KEEP,
    "kept": KEPT,
    "reverted": REVERTED,
    "history": (*KEPT, (("enter", "v", "h"), "newest first")),
    "log": (*REVERTED, (("enter", "l"), "taken back (verified)")),
    "log-empty": ((("l",), "Nothing has been changed"),),
    "help": ((("2",), "Interface"), (("question_mark",), "Keys in Network")),
    "help-code": ((("question_mark",), "Everywhere"), (("c", *"n207", "enter"), "The gateway is in another network")),
    "quit": ((("q",), "Quit the console?"),),
}


async def walk(pilot: Pilot[Any], steps: tuple[Step, ...], *, look: bool = True) -> None:
    """Press the keys of each step; with `look` wait for its words, which a screen that is too small may not show."""
    for keys, words in steps:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if look:
            await seen(pilot, words)
        else:
            await until(pilot, lambda: all(worker.group == "kernel" for worker in pilot.app.workers))
