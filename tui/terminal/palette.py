"""The sixteen colours.

The Linux console's own blue and red can hardly be read on black, so the console gets a palette of ours for as long as
we run (ESC ] P, console_codes(4)); ESC ] R gives it back.
"""

VGA: tuple[int, ...] = (
    0x000000, 0xAA0000, 0x00AA00, 0xAA5500, 0x0000AA, 0xAA00AA, 0x00AAAA, 0xAAAAAA,
    0x555555, 0xFF5555, 0x55FF55, 0xFFFF55, 0x5555FF, 0xFF55FF, 0x55FFFF, 0xFFFFFF,
)  # fmt: skip

OURS: dict[int, int] = {1: 0xD75F5F, 3: 0xD7AF5F, 4: 0x2F5FAF, 8: 0x808080}
"""The colours that are changed; the others are good as they are and cost no bytes."""

SIXTEEN: tuple[int, ...] = tuple(OURS.get(n, colour) for n, colour in enumerate(VGA))

SET = b"".join(b"\x1b]P%X%06X" % (n, colour) for n, colour in OURS.items())
RESET = b"\x1b]R"
