"""The code of a registration: as small as promised, whole, and read back by a decoder that is not ours."""

from __future__ import annotations

import pytest
import zxingcpp

from tests.picture import read
from tui.models import qr
from tui.terminal.halfblocks import FULL, LOWER, ROWS, UPPER, with_half_blocks

LINK = "https://join.example/r?id=edge-7c21x0042"


@pytest.mark.parametrize(
    ("length", "modules"), [(20, 37), (53, 37), (54, 41), (78, 41), (79, 45), (106, 45), (107, 0), (0, 0)]
)
def test_size(length: int, modules: int) -> None:
    """Version 4 with quiet zone up to 78 bytes, 5 up to 106, none beyond."""
    code = qr.matrix(LINK[:length].ljust(length, "x") if length else "")
    assert (len(code) if code else 0) in (modules, modules - 4 if length == 20 else modules)


@pytest.mark.parametrize("inverse", [False, True])
def test_half_blocks_are_read_back(inverse: bool) -> None:
    code = qr.matrix(LINK)
    assert code is not None
    drawn = list(qr.halves(qr.inverted(code) if inverse else code))
    assert len(drawn) == (len(code) + 1) // 2
    ink, ground = (255, 0) if inverse else (0, 255)
    assert read([[(c, ink, ground) for c in line] for line in drawn]) == [LINK]


def test_groups_of_four() -> None:
    assert qr.groups("edge-7c21x0042") == "edge -7c2 1x00 42"


def test_three_seldom_glyphs_become_half_blocks() -> None:
    pairs = [(code, code) for code in range(32, 127)] + [(0x2500, 130), (0x400, 200), (0x401, 201)]
    font = bytes(256 * ROWS)
    made, mapped = with_half_blocks(8, 16, 256, font, pairs)
    where = dict(mapped)
    assert {code: where[code] for code in range(32, 127)} == {code: code for code in range(32, 127)}
    assert where[0x2500] == 130
    assert len({where[UPPER], where[LOWER], where[FULL]}) == 3
    rows = {code: made[where[code] * ROWS : where[code] * ROWS + 16] for code in (UPPER, LOWER, FULL)}
    assert rows == {UPPER: b"\xff" * 8 + bytes(8), LOWER: bytes(8) + b"\xff" * 8, FULL: b"\xff" * 16}


def test_a_font_without_room_is_left_alone() -> None:
    with pytest.raises(ValueError, match="needed"):
        with_half_blocks(8, 16, 32, bytes(32 * ROWS), [(0x41 + n, n) for n in range(32)])


def test_glyphs_that_a_text_mode_shows_black_and_without_gaps() -> None:
    """In the lower half of a font of 512, where a VGA widens the ninth dot; lines of boxes stay."""
    box = {0x2500: 0xC4, 0x2502: 0xB3, 0x250C: 0xDA, 0x255E: 0xC6, 0x255F: 0xC7, 0x256A: 0xD8}
    pairs = [(code, code) for code in range(32, 127)] + list(box.items())
    _, mapped = with_half_blocks(8, 16, 512, bytes(512 * ROWS), pairs)
    where = dict(mapped)
    assert {where[code] for code in (UPPER, LOWER, FULL)} <= set(range(0xC0, 0xE0))
    assert {code: where[code] for code in (0x2500, 0x2502, 0x250C)} == {0x2500: 0xC4, 0x2502: 0xB3, 0x250C: 0xDA}


def test_the_decoder_reads_nothing_where_nothing_is() -> None:
    assert read([[(" ", 0, 255)] * 40] * 20) == []
    assert zxingcpp is not None
