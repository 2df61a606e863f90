"""A line of Watch has room for what it has to say at 80 columns, with the longest label and times."""

from __future__ import annotations

import pytest

from screens.cluster_watch import line
from tui.services.cluster.steps import Step

WIDTH = 61
"""Columns of a page at 80x24, beside the places."""
LABEL = "n2 joins as control plane, in full"


@pytest.mark.parametrize("spent", [5.0, 59.0, 299.0, 3599.0, 86400.0], ids=str)
def test_a_step_that_takes_longer_than_before_says_both_times(spent: float) -> None:
    row = line(Step("join n2", LABEL, "", "!", spent, spent / 3), WIDTH)
    words = "".join(piece if isinstance(piece, str) else piece[0] for piece in row.parts)
    assert " (before: " in words
    assert not words.rstrip().endswith("..")
