"""The boot after a power cut where netplan's generator does not do what it should: a change does not stay undecided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.host import look
from tests.host.box import Box
from tests.host.managers import MANAGERS, boot, use
from tests.host.test_managers import STATIC, shows
from tests.host.test_managers_power_cut import again, left
from tests.host.test_power_cut import APPLY, _cut_at, _onsite

MANAGER = MANAGERS["netplan, networkd"]
GENERATOR = "/usr/libexec/netplan/generate"
TRIED = "var/lib/tried"
_KILLED = """#!/bin/bash
if [ "$1" = --root-dir ]; then
    echo >>/{tried}
    [ "$(wc -l </{tried})" -le {times} ] && kill -9 $$
fi
exec -a "$0" {generator}.real "$@"
"""
"""What a host without memory does to the generator that Onsite runs. systemd's own run, before any unit, goes well."""
BROKEN = "etc/netplan/99-broken.yaml"
pytestmark = pytest.mark.timeout(600)


def half_kept(box: Box) -> None:
    """The power goes in the middle of Keep: the new file is under /etc/netplan, and the journal is there."""
    use(box, MANAGER)
    again(box, MANAGER)
    box.run(*APPLY)
    assert _cut_at(box, ("rename", 1), _onsite("keep"))
    assert look.pending(box)


@contextmanager
def killed(box: Box, times: int) -> Iterator[None]:
    """The generator does not get through that often."""
    real, aside = box.root / GENERATOR.lstrip("/"), box.root / f"{GENERATOR}.real".lstrip("/")
    real.rename(aside)
    box.write(GENERATOR, _KILLED.format(tried=TRIED, times=times, generator=GENERATOR), 0o755)
    try:
        yield
    finally:
        aside.replace(real)
        box.remove(TRIED)


def test_a_boot_tries_again(box: Box) -> None:
    half_kept(box)
    with killed(box, 4):  # three times in one run of the transaction
        boot(box, MANAGER)
        shows(box, MANAGER, STATIC, "the old wish")
        assert (box.read(TRIED) or "").count("\n") > 4
    assert look.history(box)[-1]["result"] == "reverted"
    assert left(box, MANAGER) == []


def test_what_the_boot_could_not_end_is_ended_later_with_all_that_came_up(box: Box) -> None:
    half_kept(box)
    with killed(box, 1000):
        boot(box, MANAGER)
        assert look.pending(box)
    box.onsite("recover")  # as the agent and every console do
    shows(box, MANAGER, STATIC, "the old wish")
    assert look.history(box)[-1]["result"] == "reverted"
    assert left(box, MANAGER) == []


def test_a_file_that_somebody_broke_meanwhile_leaves_no_change_undecided(box: Box) -> None:
    half_kept(box)
    box.write(BROKEN, "network: [\n", 0o600)
    boot(box, MANAGER)
    assert left(box, MANAGER) == []
    assert look.history(box)[-1]["result"] == "unverified"
    box.remove(BROKEN)
    boot(box, MANAGER)
    shows(box, MANAGER, STATIC, "the old wish, once that file is gone")
