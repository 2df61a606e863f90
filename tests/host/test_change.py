"""Line 4 of the promise, without a power cut: kept, not kept, more time, under the real systemd and networkd."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.host import look
from tests.host.box import Box, wait_for

STEP = ("python3", "-m", "tests.host.steps")
FORMER = {
    "no file": "",
    "static": "Address=192.0.2.50/24\nGateway=192.0.2.1\nDNS=192.0.2.9\n",
    "a lease": "DHCP=ipv4\n",
}
"""What another hand had configured before Onsite came, in 10-other.network."""


@pytest.fixture
def clean(box: Box) -> Iterator[Box]:
    """The container with no configuration of its links at all."""
    yield box
    box.run(
        "sh", "-c", "rm -f /etc/systemd/network/* && networkctl reload && ip link set lan0 down && ip addr flush lan0"
    )


def _configured_by_another(box: Box, text: str) -> look.State:
    if text:
        file = f"[Match]\nName=lan0\n[Network]\nIPv6AcceptRA=no\n{text}"
        box.write("/etc/systemd/network/10-other.network", file)
        box.run("networkctl", "reload")
        wait_for("the former configuration", lambda: look.state(box).gateways)
    return look.settled(box)


def _apply(box: Box, last: int, seconds: float) -> str:
    box.write("/root/wish.yaml", look.document(last))
    return box.run(*STEP, "apply", "/root/wish.yaml", str(seconds)).stdout.strip()


def test_kept_and_there_after_a_restart(clean: Box) -> None:
    box = clean
    box.write("/root/wish.yaml", look.document(20))
    before = look.state(box)
    applied = box.onsite("apply", "/root/wish.yaml", "--keep-within", "60")
    assert "keep" in applied.stdout
    assert dict(look.state(box).files) == dict(before.files), "nothing is kept before Keep"
    assert look.state(box).managed == ("configured", f"/{look.VOLATILE}")
    box.onsite("keep")
    kept = look.settled(box)
    assert look.whole(20, kept), kept
    assert look.leftovers(box) == []
    assert look.timers(box) == []

    box.power_cut()
    box.boot()
    wait_for("the kept addresses", lambda: look.whole(20, look.state(box)))
    assert look.state(box) == kept
    link = next(x for x in json.loads(box.onsite("facts", "--json").stdout)["links"] if x["name"] == look.LINK)
    assert (link["owner"]["backend"], link["method4"], link["method6"], link["origin"]) == (
        "networkd", "static", "static", "console",
    )  # fmt: skip
    assert {a["origin"] for a in link["addresses"] if not a["address"].startswith("fe80")} == {"console"}


@pytest.mark.parametrize("former", FORMER)
def test_not_kept_is_taken_back_by_the_timer(clean: Box, former: str) -> None:
    box = clean
    before = _configured_by_another(box, FORMER[former])
    change = _apply(box, 30, 5)
    assert look.state(box).addresses == {"192.0.2.30/24", "2001:db8:0:1::30/64"}
    assert look.timers(box) != []
    wait_for("the dead-man", lambda: not look.pending(box), 40)
    assert look.settled(box) == before
    last = look.history(box)[-1]
    assert (last["change"], last["result"]) == (change, "reverted"), last
    assert look.leftovers(box) == []
    wait_for("no timer of the change", lambda: not look.timers(box), 10)


def test_more_time_moves_the_timer(clean: Box) -> None:
    box = clean
    before = look.settled(box)
    _apply(box, 31, 5)
    box.run(*STEP, "more", "12")
    told = time.monotonic()
    fired = len(look.timers(box))
    assert fired >= 2, "the former timer runs on and must do no harm"
    wait_for("the former timer", lambda: len(look.timers(box)) < fired, 10)
    assert look.pending(box)
    wait_for("the dead-man", lambda: not look.pending(box), 40)
    assert 11 < time.monotonic() - told < 20
    assert look.settled(box) == before


def test_timer_outlives_the_unit_of_the_console(clean: Box) -> None:
    """Stopping a unit kills its whole control group: a child of the console would be gone with it."""
    box = clean
    before = look.settled(box)
    box.write("/root/wish.yaml", look.document(32))
    apply = "python3 -m tests.host.steps apply /root/wish.yaml 5 && sleep 1000"
    box.run("systemd-run", "--unit=console", "--collect", "sh", "-c", apply)
    wait_for("the change waits", lambda: look.pending(box) and '"waiting"' in (box.root / look.JOURNAL).read_text())
    box.run("systemctl", "kill", "--signal=KILL", "console.service")
    wait_for("the dead-man", lambda: not look.pending(box), 40)
    assert look.settled(box) == before
    assert look.leftovers(box) == []


def test_address_of_a_neighbour_is_taken_back(clean: Box) -> None:
    """Duplicate address detection of the kernel, after the probes were passed by: the change never waits for a Keep."""
    box = clean
    before = look.settled(box)
    box.write("/root/wish.yaml", look.document(77))
    refused = box.run(*STEP, "apply", "/root/wish.yaml", "5", check=False)
    assert refused.returncode != 0
    assert "N305" in refused.stderr, refused.stderr
    assert look.settled(box) == before
    assert look.history(box)[-1]["result"] == "reverted"
    assert look.leftovers(box) == []


def test_without_resolved_name_servers_are_in_resolv_conf(clean: Box) -> None:
    box = clean
    conf = box.root / "etc/resolv.conf"
    target = conf.readlink()
    box.run("sh", "-c", "rm /etc/resolv.conf && echo nameserver 198.51.100.53 >/etc/resolv.conf")
    try:
        before = conf.read_text()
        _apply(box, 33, 5)
        assert [x for x in conf.read_text().splitlines() if x.startswith("nameserver")] == [
            "nameserver 192.0.2.1",
            "nameserver 2001:db8:0:1::1",
        ]
        wait_for("the dead-man", lambda: not look.pending(box), 40)
        assert conf.read_text() == before
    finally:
        conf.unlink()
        conf.symlink_to(target)
