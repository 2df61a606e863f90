"""The parent's side of the parser child: bytes in, JSON out, and an end to it in any case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SECONDS = 15.0
"""From the start of the child to its end; a slow box needs two for the imports."""
LARGEST_ANSWER = 4 << 20
_CODE = Path(__file__).resolve().parents[3]


class ParserFailed(Exception):
    """The child did not answer: it was killed at a limit, or what it said makes no sense. Never says what it read."""


def parse(what: str, data: bytes, **details: Any) -> dict[str, Any]:
    """What a reader of the child makes of these bytes. Blocks; from a coroutine call it in a thread.

    Args:
        what: the name of the reader, such as "certificates".
        details: more that the reader wants to know, as JSON; secrets travel here and never in arguments.

    Raises:
        ParserFailed: no answer.
    """
    # A file in memory has no writer that could block while nobody reads.
    source = os.memfd_create("onsite-foreign", os.MFD_CLOEXEC)
    try:
        with open(source, "wb", closefd=False) as file:
            file.write(json.dumps({"what": what, **details}).encode() + b"\n" + data)
        os.lseek(source, 0, os.SEEK_SET)
        said = _answer(source, what)
    except OSError as error:
        raise ParserFailed(f"could not be started: {error.strerror}") from error
    finally:
        os.close(source)
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError) as error:
        raise ParserFailed("gave no answer") from error
    if not isinstance(answer, dict) or "failed" in answer:
        raise ParserFailed("could not cope with it")
    return answer


def _answer(source: int, what: str) -> bytes:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(_CODE), "PYTHONHASHSEED": "0"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-m", "tui.services.parser", what]
    with subprocess.Popen(
        command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env=environment
    ) as child:
        timer = threading.Timer(SECONDS, child.kill)
        timer.start()
        try:
            said = child.stdout.read(LARGEST_ANSWER + 1) if child.stdout else b""
        finally:
            timer.cancel()
            child.kill()
    return said if len(said) <= LARGEST_ANSWER else b""
