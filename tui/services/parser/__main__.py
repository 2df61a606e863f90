"""The child: import, give up all rights, read standard input, answer on standard output.

The one argument names the reader, so that only what that one needs is imported.
Imports come first, for afterwards no file can be opened. Whatever goes wrong is one word: nothing of a foreign file,
and no passphrase, may travel in an error text.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys

from tui.services.parser.confine import confine

READERS = ("certificates", "manifest", "pair", "pattern", "sshkeys", "userdata")
"""Modules of this package with `warm_up()` and `read(data, details)`."""
LARGEST = 16 << 20
"""Bytes that are read at all; each reader has a tighter limit of its own."""


def main() -> int:
    for codec in ("utf-16", "utf-16-le", "utf-16-be", "latin-1", "idna", "ascii"):
        with contextlib.suppress(UnicodeError):
            "a".encode(codec)
    name = sys.argv[1] if sys.argv[1:2] and sys.argv[1] in READERS else "certificates"
    reader = importlib.import_module(f"tui.services.parser.{name}")
    reader.warm_up()
    confine()
    with contextlib.suppress(OSError):
        os.close(2)
    try:
        header, _, data = sys.stdin.buffer.read(LARGEST).partition(b"\n")
        details = json.loads(header)
        answer = reader.read(data, details) if details.pop("what") == name else {"failed": True}
    except Exception:  # noqa: BLE001 - the parent must hear that it failed, and nothing about what was read
        answer = {"failed": True}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
