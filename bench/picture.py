"""Pictures of a real Linux virtual terminal: `python -m bench.picture FOLDER`, as root, where one is unused.

The console runs there; glyphs, colours and cursor are read back from the kernel (`/dev/vcsa`): what the font lacks or
the colours lose is seen. Only the shapes of the letters are those of the viewer.
"""

import os
import sys
import time
from html import escape
from pathlib import Path

from bench.scenes import MACHINE, ROOT
from tests.console.console_tty import Console, free_number
from tui.terminal.palette import SIXTEEN

WIDTH, HEIGHT = 9, 18
SCENES = {
    "home": b"",
    "network": b"2",
    "editor": b"\r\t",
    "dialog": b"x\x1b",
}


def colour(attribute: int) -> str:
    """A VGA colour number as SVG has it; the VGA counts blue first, ANSI red."""
    ansi = attribute & 0b1010 | (attribute & 1) << 2 | (attribute & 4) >> 2
    return f"#{SIXTEEN[ansi]:06x}"


def svg(console: Console, cursor: bool) -> str:
    """What is on the screen. Whether the cursor is hidden the kernel does not tell."""
    rows, (x, y) = console.glyphs()
    lines = [line.ljust(len(rows[0])) for line in console.text()]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(rows[0]) * WIDTH}" height="{len(rows) * HEIGHT}" '
        f'font-family="monospace" font-size="15" xml:space="preserve"><rect width="100%" height="100%" fill="#000"/>'
    ]
    for row, (line, cells) in enumerate(zip(lines, rows, strict=True)):
        for column, (character, (_, attribute)) in enumerate(zip(line, cells, strict=True)):
            left, top = column * WIDTH, row * HEIGHT
            if attribute >> 4 & 7:
                fill = colour(attribute >> 4 & 7)
                parts.append(f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="{fill}"/>')
            if character != " ":
                fill = colour(attribute & 15)
                parts.append(f'<text x="{left}" y="{top + 14}" fill="{fill}">{escape(character)}</text>')
    if cursor:
        parts.append(f'<rect x="{x * WIDTH}" y="{(y + 1) * HEIGHT - 3}" width="{WIDTH}" height="3" fill="#fff"/>')
    return "\n".join(parts) + "</svg>\n"


def main(folder: Path) -> int:
    """Draw every scene."""
    number = free_number()
    if number is None:
        print("There is no unused virtual terminal here, or no right to use it.", file=sys.stderr)
        return 1
    environ = {"PATH": os.environ["PATH"], "HOME": "/tmp", "TERM": "linux", "PYTHONPATH": str(ROOT)}  # noqa: S108
    console = Console(number, [sys.executable, "-m", "tui", "demo", "--machine", str(MACHINE)], environ)
    try:
        console.expect("q quit")
        for name, keys in SCENES.items():
            for key in keys:
                console.type(bytes([key]))
                time.sleep(0.6)
            time.sleep(0.6)
            path = folder / f"linux-console-{name}.svg"
            path.write_text(svg(console, name == "editor"), "utf-8")
            print(path)
    finally:
        console.close()
    return 0


if __name__ == "__main__" and len(sys.argv) > 1:
    sys.exit(main(Path(sys.argv[1])))
