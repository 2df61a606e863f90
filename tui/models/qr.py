"""A QR code that fits a text screen and that phones read: small versions, error correction L, a quiet zone of four.

78 bytes are what version 4-L holds (ISO/IEC 18004, table 7): with its quiet zone 41 modules, 21 lines of half blocks.
Version 5-L holds 106 bytes in 45 modules, 23 lines. What is longer is not drawn: half a code is none.
"""

from __future__ import annotations

from collections.abc import Iterator

SMALL, LONGEST = 78, 106
"""Bytes: what keeps a code at version 4, and what there is a code for at all."""
QUIET = 4

Matrix = tuple[tuple[bool, ...], ...]
"""Rows of modules, True for a dark one, with the quiet zone around them."""


def matrix(text: str) -> Matrix | None:
    """The code of a text; None where it is too long for one."""
    data = text.encode()
    if not data or len(data) > LONGEST:
        return None
    import qrcode
    from qrcode.util import MODE_8BIT_BYTE, QRData

    made = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=QUIET)
    made.add_data(QRData(data, mode=MODE_8BIT_BYTE), optimize=0)
    made.make(fit=True)
    return tuple(tuple(map(bool, row)) for row in made.get_matrix())


def halves(code: Matrix) -> Iterator[str]:
    """Two rows of modules in a line: dark where there is ink. A last half line is light."""
    light = (False,) * len(code[0])
    for above in range(0, len(code), 2):
        lower = code[above + 1] if above + 1 < len(code) else light
        yield "".join(_HALF[pair] for pair in zip(code[above], lower, strict=True))


_HALF = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def inverted(code: Matrix) -> Matrix:
    """Ink where the code is light, for terminals that show light letters on a dark ground."""
    return tuple(tuple(not module for module in row) for row in code)


def groups(text: str) -> str:
    """A text to read out, in groups of four."""
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))
