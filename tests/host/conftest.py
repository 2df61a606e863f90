"""A booted host with systemd for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.host import box as boxes
from tests.host.box import Box


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """One container for the tests of a module; each leaves its links without configuration."""
    if why := boxes.missing():
        pytest.skip(why)
    with Box() as host:
        yield host
