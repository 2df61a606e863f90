"""A booted host with systemd for the tests of a module, and a whole machine for one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.host import box as boxes
from tests.host import guest
from tests.host.box import Box
from tests.host.guest import Guest


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """One container for the tests of a module; each leaves its links without configuration."""
    if why := boxes.missing():
        pytest.skip(why)
    with Box() as host:
        yield host


@pytest.fixture
def machine() -> Iterator[Guest]:
    """A machine with a kernel and a disk of its own, whose power can be cut."""
    if why := guest.missing():
        pytest.skip(why)
    with Guest() as booted:
        yield booted
