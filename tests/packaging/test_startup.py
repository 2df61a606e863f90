"""Starting stays within its budget: the figures of `python -m bench.startup`, by what this machine can count."""

from __future__ import annotations

from bench import startup


def test_start_up_is_within_its_budget() -> None:
    count = startup.countable()
    found = startup.measure(count)
    over = {name: figures for name, figures in startup.verdicts(found, count).items() if figures[0] > figures[1]}
    assert over == {}, found
