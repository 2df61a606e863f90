"""The place of certificates in every state at 80x24, and that nothing secret reaches any screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual import events

from screens.trust_judged import JudgedScreen
from screens.trust_paste import PasteBox
from tests.certificates import issued
from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen, until
from tests.screens.machine import machine, session_on
from tests.screens.paths import Step, walk
from tui.models.facts import FileFact, Trust
from tui.services.trust.reading import fingerprints
from tui.session import Session

DATA = Path(__file__).with_name("data")
FOLDER = "/usr/local/share/ca-certificates"
LIST: tuple[Step, ...] = ((("4",), "Authorities (CA)"),)
NONE: tuple[Step, ...] = ((("4",), "none; I imports"),)
SOURCES: tuple[Step, ...] = (*NONE, (("i",), "no stick"))
FILES: tuple[Step, ...] = (*SOURCES, (("enter",), "Folder or file [/mnt"), (("enter",), "chain.pem"))
STATES: dict[str, tuple[Step, ...]] = {
    "none": NONE,
    "sources": SOURCES,
    "folder": FILES[:-1],
    "folder-missing": (*FILES[:-1], ((*"/nowhere", "enter"), "S141")),
    "files": FILES,
    "chain": (*FILES, (("enter",), "Example Issuing CA 2")),
    "lax": (*FILES, (("down", "down", "enter"), "S129")),
    "key": (*FILES, (("down", "enter"), "S111")),
    "key-why": (*FILES, (("down", "enter"), "S111"), (("enter",), "has no place here")),
    "passphrase": (*FILES, (("down", "down", "down", "enter"), "Passphrase")),
    "passphrase-wrong": (
        *FILES, (("down", "down", "down", "enter"), "Passphrase     ["), ((*"wrong", "enter"), "Passphrase     ["),
        (("escape",), "does not open it"),
    ),
    "root": (*FILES, (("down", "down", "down", "down", "enter"), "Key     EC 256")),
    "review": (*FILES, (("down", "down", "down", "down", "enter"), "Key     EC 256"), (("enter",), "1 change;")),
    "url-wrong": (*SOURCES, (("down", "enter"), "URL            ["), ((*"ca.crt", "enter"), "S142")),
    "server": (*SOURCES, (("down", "down", "enter"), "Server         [")),
    "paste": (*SOURCES, (("down", "down", "down", "enter"), "0 lines")),
}  # fmt: skip
INSTALLED: dict[str, tuple[Step, ...]] = {
    "list": (*LIST, ((), "Old Proxy CA")),
    "details": (*LIST, ((), "Old Proxy CA"), (("down", "enter"), "Somebody else put it there")),
    "not-ours": (*LIST, ((), "Old Proxy CA"), (("down", "d"), "S157")),
    "removed": (*LIST, ((), "Old Proxy CA"), (("d",), "trusted -> not trusted")),
    "removed-list": (*LIST, ((), "Old Proxy CA"), (("d",), "trusted -> not trusted"), (("4",), "goes away")),
    "home": (((), "Old Proxy CA"),),
}


@pytest.fixture
def without(tmp_path: Path) -> Session:
    """A host with a trust store, and a mounted stick with every kind of file."""
    stick = tmp_path / "mnt"
    stick.mkdir()
    for name in ("chain.pem", "lax.pem", "root.p12", "root.pem"):
        (stick / name).write_bytes((DATA / name).read_bytes())
    (stick / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI\n-----END PRIVATE KEY-----\n")
    return session_on(replace(machine(), trust=Trust("debian")), tmp_path)


@pytest.fixture
def installed(tmp_path: Path) -> Session:
    """A host with an authority of ours that is fine, and one of somebody else that ends soon."""
    root, soon = (DATA / "root.pem").read_text(), (DATA / "soon.pem").read_text()
    name = next(iter(fingerprints(root.encode())))[:8]
    files = (FileFact(f"{FOLDER}/onsite-{name}.crt", text=root), FileFact(f"{FOLDER}/proxy.crt", text=soon))
    return session_on(replace(machine(), trust=Trust("debian"), files=files), tmp_path)


@pytest.mark.parametrize("name", STATES)
async def test_state(name: str, opened: Opened, without: Session, snapshot: SnapshotAssertion) -> None:
    async with opened((), of=without) as pilot:
        await walk(pilot, STATES[name])
        assert grid(pilot.app) == snapshot


@pytest.mark.parametrize("name", INSTALLED)
async def test_state_with_authorities(
    name: str, opened: Opened, installed: Session, snapshot: SnapshotAssertion
) -> None:
    async with opened((), of=installed) as pilot:
        await walk(pilot, INSTALLED[name])
        assert grid(pilot.app) == snapshot


async def test_no_trust_store(opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened(("4",)) as pilot:
        await seen(pilot, "no trust store")
        assert grid(pilot.app) == snapshot


async def test_what_came_by_network_is_compared_first(
    opened: Opened, without: Session, snapshot: SnapshotAssertion
) -> None:
    async with opened((), of=without) as pilot:
        await walk(pilot, SOURCES)
        data = (DATA / "chain.pem").read_bytes()
        await pilot.app.push_screen(JudgedScreen(without, "Presented by registry.example:443", data, compare=True))
        await seen(pilot, "compare the fingerprint")
        assert grid(pilot.app) == snapshot(name="judged")
        await pilot.press("enter")
        await seen(pilot, "Is the fingerprint the same?")
        assert grid(pilot.app) == snapshot(name="question")
        await pilot.press("n")
        await pilot.pause()
        assert without.draft is None
        await pilot.press("enter")
        await seen(pilot, "Is the fingerprint the same?")
        await pilot.press("y")
        await seen(pilot, "Example Issuing CA 2")
        await seen(pilot, "nothing is written yet")
        assert without.draft is not None
        assert without.draft.trust is not None
        assert len(without.draft.trust.authorities) == 1


PASTED: dict[str, Callable[[str], str]] = {
    "whole": lambda pem: pem,
    "crlf": lambda pem: pem.replace("\n", "\r\n"),
    "cut": lambda pem: pem[:300],
    "twice": lambda pem: pem + pem,
    "quoted": lambda pem: "".join(f"> {line}\n" for line in pem.splitlines()),
}


@pytest.mark.parametrize("name", PASTED)
async def test_pasted(name: str, opened: Opened, without: Session, snapshot: SnapshotAssertion) -> None:
    async with opened((), of=without) as pilot:
        await walk(pilot, STATES["paste"])
        text = PASTED[name]((DATA / "root.pem").read_text())
        pilot.app.screen.query_one(PasteBox).post_message(events.Paste(text))
        await seen(pilot, "BEGIN 2" if name == "twice" else "BEGIN 1")
        assert grid(pilot.app) == snapshot(name="counted")
        assert "MII" not in grid(pilot.app)
        await pilot.press("ctrl+x")
        await until(pilot, lambda: "Pasted" in grid(pilot.app) and "looking into" not in grid(pilot.app))
        assert grid(pilot.app) == snapshot(name="judged")


async def test_pasted_as_keys(opened: Opened, without: Session) -> None:
    """A line without bracketed paste: every character is a key, and none of them leads anywhere."""
    async with opened((), of=without) as pilot:
        await walk(pilot, STATES["paste"])
        for character in (DATA / "root.pem").read_text():
            pilot.app.post_message(events.Key("enter" if character == "\n" else character, character))
        await seen(pilot, "BEGIN 1   END 1")
        await pilot.press("ctrl+x")
        await seen(pilot, "Example Root CA (root)")


async def test_a_private_key_is_on_no_screen_and_in_no_memory(opened: Opened, without: Session) -> None:
    one = issued("Example")
    body = one.key_pem.decode().splitlines()[1]
    async with opened((), of=without) as pilot:
        await walk(pilot, STATES["paste"])
        pilot.app.screen.query_one(PasteBox).post_message(events.Paste((one.pem + one.key_pem).decode()))
        await seen(pilot, "BEGIN 2")
        shown = grid(pilot.app)
        await pilot.press("ctrl+x")
        await seen(pilot, "S111")
        shown += grid(pilot.app)
        assert body[:20] not in shown
        assert all(body not in str(vars(screen)) for screen in pilot.app.screen_stack)
        assert without.draft is None
