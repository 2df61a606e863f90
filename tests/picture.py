"""Pictures of a screen of cells, and what a decoder that is not ours reads in them."""

from __future__ import annotations

from collections.abc import Sequence

import zxingcpp

WIDTH, HEIGHT = 8, 16
"""Pixels of a cell, as of the common fonts."""
Cell = tuple[str, int, int]
"""Character, grey of its ink, grey of its ground."""


def pixels(screen: Sequence[Sequence[Cell]]) -> tuple[int, int, bytearray]:
    """(width, height, greys). Letters become a blot, for only blocks are read."""
    columns, half = max(map(len, screen)), HEIGHT // 2
    made = bytearray()
    for row in screen:
        upper, lower = bytearray(), bytearray()
        for character, ink, ground in row:
            inked = {" ": (False, False), "█": (True, True), "▀": (True, False), "▄": (False, True)}
            above, below = inked.get(character, (False, False))
            upper += bytes([ink if above else ground] * WIDTH)
            lower += bytes([ink if below else ground] * WIDTH)
        rest = bytes([row[-1][2] if row else 0] * (WIDTH * (columns - len(row))))
        made += (upper + rest) * half + (lower + rest) * half
    return columns * WIDTH, len(screen) * HEIGHT, made


def read(screen: Sequence[Sequence[Cell]]) -> list[str]:
    """The texts of the codes in the picture."""
    width, height, greys = pixels(screen)
    picture = memoryview(bytes(greys)).cast("B", (height, width))
    return [found.text for found in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]
