"""A hundred generated inputs in the editor, by keystroke and by paste: the text is kept, the sentence stands at the
field, nothing is raised. What is right and what is wrong is the parse function's word (see tests/unit/test_values).
"""

from __future__ import annotations

import random

import pytest
from textual import events

from tests.screens.conftest import Opened
from tests.screens.grid import grid
from tui.models.form import LINK_FORM
from tui.models.values import Wrong, parse
from tui.widgets.form import FormView, TextField

PRINTABLE = "0123456789./:,; abcdefxyzABCDEF%[]-_\\\"'!?*()&$#@~|<>{}^`+="
STRANGE = "\x00\x01\x07\x1b\x7f\x9b\u00e9\u0660\u200b\u202e\u3002\uff11\U0001f600\u0301\t"
KNOWN = (
    "192.0.2.10/24", "192.0.2.10", "192.0.2.10/255.255.255.0", "192.0.2.010/24", "192.0.2.0/24", "256.1.1.1/24",
    "192.0.2.10/33", "2001:db8::10/64", "fe80::1%lan0", "::ffff:192.0.2.1/96", "http://192.0.2.1", "router",
    "192,0,2,10/24", "1500", "0", "-1", "1e3", "99999999999999999999", "a" * 300, "site.example", "-bad-.example",
    "x" * 64 + ".example", "[2001:db8::1]:53", "192.0.2.53:53", "....", "/", "%", ",,,", " 192.0.2.10/24 ",
)  # fmt: skip


def generated(seed: int, count: int) -> list[str]:
    """Texts from a seed: known troubles, mutations of them, and noise."""
    dice = random.Random(seed)
    texts = list(KNOWN)
    while len(texts) < count:
        text = dice.choice(KNOWN)[:60]
        if dice.random() < 0.5:
            text = "".join(dice.choice(PRINTABLE) for _ in range(dice.randint(1, 40)))
        at = dice.randrange(len(text) + 1)
        if dice.random() < 0.5:
            text = text[:at] + dice.choice(PRINTABLE + STRANGE) + text[at + 1 :]
        texts.append(text)
    return texts[:count]


def wrong_code(kind: str, text: str) -> str:
    """What the parse function says of it: a code, or "" where it is a value or blank."""
    try:
        if text.strip():
            parse(kind, text)
    except Wrong as wrong:
        return wrong.issue.code
    return ""


@pytest.mark.parametrize("way", ["keys", "paste"])
async def test_whatever_is_typed_is_kept_and_answered(way: str, opened: Opened) -> None:
    seen: dict[str, int] = {}
    async with opened(("2", "enter", "s", "down", "down", "down", "s")) as pilot:
        form = pilot.app.screen.query_one(FormView)
        fields = [f for f in LINK_FORM.fields if not f.choices]
        for number, text in enumerate(generated(seed=2026, count=50)):
            field = fields[number % len(fields)]
            widget = form.fields[field.path]
            assert isinstance(widget, TextField)
            widget.focus()
            await pilot.pause()
            await pilot.press("end", "ctrl+u")
            if way == "keys":
                text = "".join(c for c in text if c.isprintable())[:40]
                for character in text:
                    pilot.app.post_message(events.Key("", character))
            else:
                widget.post_message(events.Paste(text))
            await pilot.pause()
            assert widget.value == " ".join(text.splitlines())
            await pilot.press("tab")
            await pilot.pause()
            code = wrong_code(field.kind, widget.value)
            issue = form.issues.get(field.path)
            assert (issue.code if issue else "") == code, text
            assert widget.value == " ".join(text.splitlines()), "the text is kept as it was typed"
            if code:
                widget.focus()
                await pilot.pause()
                assert f"x {code} " in grid(pilot.app)
            seen[code] = seen.get(code, 0) + 1
        assert pilot.app.is_running
    assert len(seen) > 8, f"too few kinds of mistakes were made: {seen}"


async def test_done_goes_to_the_first_wrong_field_and_writes_nothing(opened: Opened) -> None:
    async with opened(("2", "enter", "s", "tab", "ctrl+u", "tab", "ctrl+u", "x", "ctrl+x")) as pilot:
        await pilot.pause()
        form = pilot.app.screen.query_one(FormView)
        assert form.at == "ipv4.addresses"
        assert {path: issue.code for path, issue in form.issues.items()} == {
            "ipv4.addresses": "N117",
            "ipv4.gateway": wrong_code("gateway4", "x"),
        }
        assert pilot.app.session.draft is None  # type: ignore[attr-defined]  # the app is ours


async def test_an_address_that_cannot_be_is_refused_at_its_field(opened: Opened) -> None:
    typed = ("ctrl+u", *"192.0.2.255/24", "ctrl+x")
    async with opened(("2", "enter", "s", "tab", *typed)) as pilot:
        form = pilot.app.screen.query_one(FormView)
        assert form.issues["ipv4.addresses"].code == "N202"
        assert "x N202 " in grid(pilot.app)


async def test_going_static_takes_over_what_the_lease_gave(opened: Opened) -> None:
    async with opened(("2", "enter")) as pilot:
        form = pilot.app.screen.query_one(FormView)
        assert (form.texts["nameservers"], form.texts["search_domains"]) == ("", "")
        await pilot.press("s")
        await pilot.pause()
        assert form.texts["ipv4.addresses"] == "192.0.2.10/24"
        assert form.texts["ipv4.gateway"] == "192.0.2.1"
        assert form.texts["nameservers"] == "192.0.2.53"
        assert form.texts["search_domains"] == "site.example"


async def test_a_field_and_the_form_can_be_put_back(opened: Opened) -> None:
    async with opened(("2", "enter", "s", "tab", "ctrl+u", "7")) as pilot:
        form = pilot.app.screen.query_one(FormView)
        assert form.texts["ipv4.addresses"] == "7"
        await pilot.press("ctrl+r")
        assert form.texts["ipv4.addresses"] == "192.0.2.10/24"
        await pilot.press("ctrl+u", "7", "shift+tab", "d", "ctrl+t", "enter")
        await pilot.pause()
        assert form.texts["ipv4.method"] == "dhcp"
        assert form.texts["ipv4.addresses"] == "192.0.2.10/24"
        assert not form.dirty


async def test_esc_asks_only_when_something_was_typed(opened: Opened) -> None:
    async with opened(("2", "enter", "escape")) as pilot:
        assert "Interface" in grid(pilot.app)
        await pilot.press("enter", "s", "escape")
        await pilot.pause()
        assert "Leave without these changes?" in grid(pilot.app)
        await pilot.press("escape")
        await pilot.pause()
        assert "[ Done ]" in grid(pilot.app)
        await pilot.press("escape", "y")
        await pilot.pause()
        assert "Interface" in grid(pilot.app)
        assert pilot.app.session.draft is None  # type: ignore[attr-defined]  # the app is ours
