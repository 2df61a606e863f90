"""The certificate of this host in every state at 80x24: none, one, from a folder with its key, refused, made anew."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from syrupy.assertion import SnapshotAssertion

from tests.certificates import issued, server
from tests.screens.conftest import Opened
from tests.screens.grid import grid
from tests.screens.machine import NOON, machine, session_on
from tests.screens.paths import Step, walk
from tests.screens.test_reach import SIZES, focusable, round_trip
from tui.services.trust.server import CERTIFICATE, KEY
from tui.session import Session

DAY = datetime.datetime.fromtimestamp(NOON, datetime.UTC)
SPAN = {"begins": DAY - datetime.timedelta(days=10)}
NONE: tuple[Step, ...] = ((("4",), "no trust store"), (("h",), "None yet"))
SHOWN: tuple[Step, ...] = ((("4",), "no trust store"), (("h",), "Certificate of this host"), ((), "For edge-7c21"))
FILES: tuple[Step, ...] = (
    *SHOWN, (("i",), "no stick"), (("enter",), "Folder or file [/mnt"), (("enter",), "lone.pem"),
)  # fmt: skip
STATES: dict[str, tuple[Step, ...]] = {
    "shown": SHOWN,
    "sources": FILES[:4],
    "files": FILES,
    "fits": (*FILES, (("down", "enter"), "belong together")),
    "review": (*FILES, (("down", "enter"), "belong together"), (("enter",), "nothing is written yet")),
    "review-files": (
        *FILES, (("down", "enter"), "belong together"), (("enter",), "nothing is written yet"),
        (("f",), "server.key"),
    ),
    "review-then-page": (
        *FILES, (("down", "enter"), "belong together"), (("enter",), "nothing is written yet"),
        (("4", "h"), "see Review"),
    ),
    "another-key": (*FILES, (("end", "enter"), "S170")),
    "another-key-why": (*FILES, (("end", "enter"), "S170"), (("enter",), "What to do")),
    "passphrase": (*FILES, (("down", "down", "down", "enter"), "Passphrase     [")),
    "passphrase-wrong": (
        *FILES, (("down", "down", "down", "enter"), "Passphrase     ["), ((*"wrong", "enter"), "Passphrase     ["),
        (("escape",), "does not open"),
    ),
    "passphrase-right": (
        *FILES, (("down", "down", "down", "enter"), "Passphrase     ["), ((*"S3cret", "enter"), "belong together"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def material() -> dict[str, bytes]:
    """What lies on the stick, by its name."""
    root = issued("Example Root CA", **SPAN)
    middle = issued("Example Issuing CA", root, **SPAN)
    ends = DAY + datetime.timedelta(days=400)
    names = (x509.DNSName("edge-7c21.site.example"), x509.DNSName("edge-7c21"))
    more = {"ca": False, "usage": ("digital_signature",), "names": names, "ends": ends, **SPAN}
    one, two = (issued(f"edge-7c21.{part}.example", middle, **more) for part in ("site", "lab"))
    lone, before = server(middle, "lone.example", **SPAN), issued("edge-7c21", **more)
    locked = two.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"S3cret"))
    return {
        "c-edge.key": one.key_pem, "a-root.crt": root.pem, "b-edge.crt": one.pem + middle.pem,
        "c-locked.pem": two.pem + locked, "lone.pem": lone.pem, "before.crt": before.pem, "before.key": before.key_pem,
    }  # fmt: skip


@pytest.fixture
def session(tmp_path: Path, material: dict[str, bytes]) -> Session:
    """A host with a certificate, and a mounted stick with others."""
    made = session_on(machine(), tmp_path)
    for path in (made.host.path(CERTIFICATE), made.host.path(KEY), tmp_path / "mnt" / "x"):
        path.parent.mkdir(exist_ok=True)
    made.host.path(CERTIFICATE).write_bytes(material["before.crt"])
    made.host.path(KEY).write_bytes(material["before.key"])
    for name, data in material.items():
        if not name.startswith("before"):
            (tmp_path / "mnt" / name).write_bytes(data)
    made.read()
    return made


def steady(text: str) -> str:
    """The screen without digits of fingerprints and sizes, which differ in each run."""
    text = re.sub(r"[0-9A-F]{4}(?= [0-9A-F]{4}|\.\.)|(?<=[0-9A-F]{4} )[0-9A-F]{4}", "FFFF", text)
    text = re.sub(r"(?m)(?<=[+-])[A-Za-z0-9+/=]{40,}(\.\.)?$", "MII..", text)
    if "@@" in text:  # a signature has a byte more or less, and so a line
        text = text.partition("/etc/onsite/server.crt")[0]
    return re.sub(r" +\d+ B$", "   N B", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", STATES)
async def test_state(name: str, opened: Opened, session: Session, snapshot: SnapshotAssertion) -> None:
    if name.startswith("another-key"):  # a locked one could be the right one
        session.host.path("/mnt/c-locked.pem").unlink()
    async with opened((), of=session) as pilot:
        await walk(pilot, STATES[name])
        for line in session.host.path("/mnt/c-edge.key").read_text().splitlines()[1:]:
            assert line[:20] not in grid(pilot.app)
        assert steady(grid(pilot.app)) == snapshot


async def test_none_then_made(opened: Opened, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    (tmp_path / "new").mkdir()
    session = session_on(machine(), tmp_path / "new")
    async with opened((), of=session) as pilot:
        await walk(pilot, NONE)
        assert grid(pilot.app) == snapshot(name="none")
        await walk(pilot, ((("n",), "nothing is written yet"),))
        assert steady(grid(pilot.app)) == snapshot(name="made")
        await walk(pilot, ((("a",), "Keep this change?"), (("k",), "Kept.")))
    assert session.host.path(KEY).stat().st_mode & 0o777 == 0o600
    pair = await session.server_certificate()
    assert pair.usable
    assert not pair.issues


@pytest.mark.parametrize("size", SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
async def test_every_widget_is_reached(size: tuple[int, int], opened: Opened, session: Session) -> None:
    async with opened((), size, of=session) as pilot:
        await walk(pilot, SHOWN, look=size[0] >= 80)
        assert set(await round_trip(pilot, "tab")) == focusable(pilot.app)
