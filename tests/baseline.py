"""Which Python and which textual drew the accepted snapshots. Another one may draw them differently.

Standard library only: dev.py asks before it starts anything.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

FILE = Path(__file__).parent / "snapshots-baseline.json"
PROBE = (
    "import importlib.metadata, json, sys;"
    "print(json.dumps({'python': '%d.%d' % sys.version_info[:2], 'textual': importlib.metadata.version('textual')}))"
)


def refusal(python: str) -> str | None:
    """Why the interpreter `python` may not draw new snapshots, or None where it is the baseline's."""
    accepted = json.loads(FILE.read_text(encoding="utf-8"))
    here = json.loads(subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=True).stdout)
    different = [
        f"{name} {accepted[name]} and this is {here[name]}" for name in accepted if accepted[name] != here[name]
    ]
    if not different:
        return None
    return (
        f"The snapshots were drawn with {' and with '.join(different)}: update them there, or change "
        f"tests/{FILE.name} first if every snapshot is meant to be drawn anew."
    )
