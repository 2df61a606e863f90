"""Practice hosts for tests of real kernel links."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.practice import PracticeHost, practice_host


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeHost]:
    """One practice host for the tests of a module; a test that wants a fresh kernel calls `practice.reboot()`."""
    try:
        with practice_host() as host:
            yield host
    except subprocess.CalledProcessError as error:
        if error.returncode != 3:
            raise
        pytest.skip(f"no namespaces here: {error.stderr.strip()}")
