"""Folders of practice and recorded hosts whose process was killed: found; one that goes meanwhile is no fault."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tui import demo

PREFIX = "onsite-test-"


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def test_only_the_folder_of_a_process_that_is_gone_is_left_over(temp: Path, gone: int) -> None:
    for name in (f"{gone}-a", f"{os.getpid()}-b", "word-c", f"{10**30}-d"):
        (temp / f"{PREFIX}{name}").mkdir()
    (temp / f"{PREFIX}{gone}-file").touch()
    assert [folder.name for folder in demo.left_over(PREFIX)] == [f"{PREFIX}{gone}-a"]


def test_a_folder_that_goes_while_others_are_cleared_is_passed_over(temp: Path, gone: int) -> None:
    """Several test runs clear at once: what one lists, another removes."""
    for name in "abc":
        (temp / f"{PREFIX}{gone}-{name}").mkdir()
    found = demo.left_over(PREFIX)
    first = next(found)
    for folder in set(temp.iterdir()) - {first}:
        folder.rmdir()
    assert list(found) == []
