"""Ten seconds of foreign bytes into the reader of certificates; `make fuzz` has ten minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_ten_seconds_of_foreign_bytes() -> None:
    """In a process of its own, so that its memory can be told."""
    command = [sys.executable, "-m", "tests.unit.certificate_fuzz", "10"]
    ended = subprocess.run(
        command, cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert int(ended.stdout.split()[0]) > 1000, ended.stdout
