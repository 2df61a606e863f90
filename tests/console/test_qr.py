"""The QR code on real terminals: drawn through our driver, read back from a picture by a decoder that is not ours."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp

from bench.terminal import Program
from tests.console.console_tty import Console, free_number
from tests.picture import Cell, read
from tests.screens.machine import machine
from tui.models.host import HostConfig
from tui.models.registration import RegistrationConfig
from tui.services import registration
from tui.services.change import planner
from tui.terminal import halfblocks

LINK = "https://join.example/r?id=edge-7c21x0042"
CODE = Path(__file__).resolve().parents[2]
GREYS = {"black": 0, "000000": 0, "white": 229, "e5e5e5": 229, "brightwhite": 255, "ffffff": 255}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recorded host with a registration page."""
    wish = RegistrationConfig.model_validate(
        {"endpoint": "manage.example", "way": "manual", "registration_url": "https://join.example/r"}
    )
    (step,) = planner.plan(HostConfig(registration=wish), machine(), {}).steps
    content = (step.image.content or b"").decode()
    facts = machine().to_dict()
    facts["files"] = [{"path": registration.KEPT, "sha256": step.image.sha256, "text": content, "mode": 0o600}]
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(facts))
    return path


def console(recording: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "tui", "demo", "--machine", str(recording), *options]


def environ(term: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/tmp", "TERM": term, "PYTHONPATH": str(CODE), "LANG": "C.UTF-8"}


def picture(program: Program, ink: int, ground: int) -> list[list[Cell]]:
    """What pyte has on its screen, on a terminal with this ink and this ground."""
    screen = program.model.screen
    made = []
    for y in range(screen.lines):
        row: list[Cell] = []
        for x in range(screen.columns):
            cell = screen.buffer[y][x]
            colours = GREYS.get(cell.fg, ink), GREYS.get(cell.bg, ground)
            assert cell.fg == "default" or cell.fg in GREYS or cell.data == " " or x > 45, cell
            front, back = reversed(colours) if cell.reverse else colours
            row.append((cell.data, front, back))
        made.append(row)
    return made


@pytest.mark.parametrize("ground", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
def test_read_back_from_xterm(size: tuple[int, int], ground: str, recording: Path) -> None:
    with Program(console(recording), "xterm", size=size, environ=environ("xterm-256color")) as program:
        program.expect("R QR code")
        program.press("r")
        program.expect("Scan it")
        program.settle(0.5, 1.0)
        ink, back = (229, 0) if ground == "dark" else (0, 255)
        assert read(picture(program, ink, back)) == [LINK]


@pytest.mark.parametrize("term", ["vt100", "vt220"])
def test_words_in_groups_where_no_code_can_be(term: str, recording: Path) -> None:
    with Program(console(recording), term, environ=environ(term)) as program:
        program.expect("R QR code")
        program.press("r")
        program.expect("This terminal cannot show a code")
        assert "edge -7c2 1x00 42" in "\n".join(program.model.text())


def test_a_large_vt100_shows_it_in_reverse_video(recording: Path) -> None:
    with Program(console(recording), "vt100", size=(132, 43), environ=environ("vt100")) as program:
        program.expect("R QR code")
        program.press("r")
        program.expect("Scan it")
        program.settle(0.5, 1.0)
        assert read(picture(program, 200, 0)) == [LINK]


LUMA = [0, 60, 110, 140, 40, 80, 130, 170, 85, 120, 190, 210, 100, 140, 220, 255]
"""Greys of the VGA's sixteen colours, blue first."""


def by_characters(tty: Console) -> list[str]:
    """What is read where the kernel tells characters and colours of the screen, and no bitmaps."""
    rows, _ = tty.glyphs()
    lines = [line.ljust(len(rows[0])) for line in tty.text()]
    cells = [
        [(c, LUMA[a & 15], LUMA[a >> 4 & 7]) for c, (_, a) in zip(line, row, strict=True)]
        for line, row in zip(lines, rows, strict=True)
    ]
    return read(cells)


def by_bitmaps(tty: Console) -> list[str]:
    """What is read in the picture that the kernel puts on the monitor: its font's bitmaps where its screen has them."""
    width, height, _, bitmaps = halfblocks.glyphs_of(tty.fd)
    rows, _ = tty.glyphs()
    pitch = (width + 7) // 8
    made = bytearray()
    for row in rows:
        for y in range(height):
            for position, attribute in row:
                ink, ground = LUMA[attribute & 15], LUMA[attribute >> 4 & 7]
                start = (position * halfblocks.ROWS + y) * pitch
                bits = int.from_bytes(bitmaps[start : start + pitch]) >> (pitch * 8 - width)
                made += bytes(ink if bits >> (width - 1 - x) & 1 else ground for x in range(width))
    picture = memoryview(bytes(made)).cast("B", (len(rows) * height, len(rows[0]) * width))
    return [c.text for c in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]


@pytest.fixture
def tty(recording: Path) -> Iterator[Console]:
    number = free_number()
    if number is None:
        pytest.skip("no unused virtual terminal that this test may use")
    made = Console(number, console(recording), environ("linux"))
    yield made
    made.close()


def test_read_back_from_a_linux_console(tty: Console) -> None:
    tty.expect("q quit")
    tty.type(b"r")
    tty.expect("Scan it")
    until = time.monotonic() + 10
    while by_characters(tty) != [LINK]:
        assert time.monotonic() < until, "\n".join(tty.text())
        time.sleep(0.1)


def test_read_back_from_a_linux_console_whose_font_has_no_half_blocks(tty: Console) -> None:
    try:
        before = halfblocks.glyphs_of(tty.fd), halfblocks.pairs_of(tty.fd)
    except OSError as error:
        pytest.skip(f"this kernel's console has no font that can be read: {error.strerror}")
    poor = [pair for pair in before[1] if pair[0] not in (halfblocks.UPPER, halfblocks.LOWER, halfblocks.FULL)]
    try:
        halfblocks.put(tty.fd, *before[0], poor)
        tty.expect("q quit")
        tty.type(b"r")
        tty.expect("Scan it")
        until = time.monotonic() + 10
        while by_bitmaps(tty) != [LINK]:
            assert time.monotonic() < until, "\n".join(tty.text())
            time.sleep(0.1)
        tty.type(b"\r")
        tty.expect("q quit")
        assert (halfblocks.glyphs_of(tty.fd), sorted(halfblocks.pairs_of(tty.fd))) == (before[0], sorted(poor))
    finally:
        halfblocks.put(tty.fd, *before[0], before[1])
