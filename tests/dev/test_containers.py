"""Line by line what `dev.py` gets where things are missing or refused; the long table is `make dev-table`."""

from __future__ import annotations

import pytest

from tests.dev import cases, container

REFUSED = container.missing()
pytestmark = [pytest.mark.skipif(REFUSED is not None, reason=REFUSED or ""), pytest.mark.timeout(900)]
QUICK = [case for case in cases.CASES if case.quick]


@pytest.mark.parametrize("case", QUICK, ids=[case.about for case in QUICK])
def test_finds_its_way(case: cases.Case) -> None:
    got = cases.try_out(case)
    assert (got.way, got.host) == (case.way, case.host), got.said
    if case.way == cases.NOTHING:
        assert got.status == 2
        (sentence,) = [line for line in got.said.splitlines() if "install" in line]
        assert "`python3-venv`" in sentence
        assert "Traceback" not in got.said
    else:
        assert got.status == 0, got.said
