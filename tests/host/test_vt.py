"""The QR code on the screen of a machine: through the kernel's own fonts, read in the picture by another decoder.

One with a framebuffer (160x50), one in the text mode of a VGA (80x25), both polarities. Minutes of emulation, so only
with ONSITE_FULL=1.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp

from tests.host import box, image, vm
from tests.host.test_consoles import Line
from tests.host.vm import Machine
from tools.environment import ROOT
from tui.models.registration import RegistrationConfig
from tui.services import registration

WISH = RegistrationConfig(
    endpoint="manage.example", way="manual", registration_url="https://join.example/r",
    host_id_from="typed", host_id="edge-7c21x0042",
)  # fmt: skip
LINK = "https://join.example/r?id=edge-7c21x0042"
MODES = {"framebuffer": "", "text80x25": "nomodeset"}
"""What the kernel is told for each."""
GROUNDS = {"light on dark": "", "dark on light": r"\033[30;47m\033[8]"}
"""The colours that the console has by default, as setterm(1) stores them."""
pytestmark = [
    pytest.mark.skipif(
        os.environ.get("ONSITE_FULL") != "1", reason="minutes of emulation: python3 dev.py consoles-full"
    ),
    pytest.mark.timeout(3600),
]


def stand(machine: Machine) -> None:
    """Until the console on the screen knows the registration page."""
    box.wait_for("the guest agent", machine.up, 900)
    kept = f"umask 077; mkdir -p /etc/onsite; cat >{registration.KEPT} <<'X'\n{registration.text(WISH)}X\n"
    machine.run(kept + "systemctl stop serial-getty@ttyS0 onsite-agent; systemctl restart getty@tty1")
    machine.screen_shows("R QR code", seconds=900)


@pytest.fixture(scope="module", params=MODES)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    if reason := vm.missing() or box.missing():
        pytest.skip(reason)
    made, words = image.make(), MODES[request.param]
    with Machine(made, vm.moment(made, f"vt-{request.param}", stand, words), words) as found:
        yield found


def mode(machine: Machine) -> str:
    return next(name for name, words in MODES.items() if words == machine.words)


def _picture(machine: Machine, path: Path) -> memoryview:
    """The screen in greys, (height, width)."""
    machine.picture(path.with_suffix(".ppm"))
    data = path.with_suffix(".ppm").read_bytes()
    magic, width, height = data.split(maxsplit=3)[:3]
    assert magic == b"P6"
    greys = data[-3 * int(width) * int(height) :][1::3]  # the green of each pixel; a code is black on white
    return memoryview(greys).cast("B", (int(height), int(width)))


def _still(machine: Machine, path: Path) -> memoryview:
    """The screen once two looks in a row see the same."""
    before, seen = b"", _picture(machine, path)
    while bytes(seen) != before:
        before = bytes(seen)
        time.sleep(2)
        seen = _picture(machine, path)
    return seen


@pytest.mark.parametrize("colours", GROUNDS)
def test_read_back_from_a_screen(machine: Machine, colours: str, tmp_path: Path) -> None:
    machine.restore()
    machine.run(f"printf '{GROUNDS[colours]}' >/dev/tty1")
    machine.type("ctrl-l")
    machine.screen_shows("Steps")
    before = bytes(_still(machine, tmp_path / "before"))
    machine.type("r")
    machine.screen_shows("Scan it")
    seen = _still(machine, tmp_path / "code")
    found = [one.text for one in zxingcpp.read_barcodes(seen, formats=zxingcpp.BarcodeFormat.QRCode)]
    print(f"{seen.shape[1]}x{seen.shape[0]} pixels, {colours}: {found}")
    if not GROUNDS[colours]:
        machine.picture(ROOT / f"docs/pictures/vt-{mode(machine)}-code.png")
    assert found == [LINK]
    machine.type("enter")
    machine.screen_shows("Steps")
    assert bytes(_still(machine, tmp_path / "after")) == before, "the font that was lent is given back"


def test_pictures_of_the_guides(machine: Machine) -> None:
    """Home, Network and the editor of an interface, as docs/terminals.md shows them."""
    machine.restore()
    line = Line(machine, "tty1")
    machine.picture(ROOT / f"docs/pictures/vt-{mode(machine)}-home.png")
    line.log_in("root")
    line.shows("Interface")
    machine.picture(ROOT / f"docs/pictures/vt-{mode(machine)}-network.png")
    line.press("enter")
    line.shows("[ Done ]")
    machine.picture(ROOT / f"docs/pictures/vt-{mode(machine)}-editor.png")
