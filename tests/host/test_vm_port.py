"""Find the port on a machine with the distribution's kernel: cables that QEMU pulls, a lamp that blinks, real bonds.

Minutes of emulation, so only with ONSITE_FULL=1; one boot. What a namespace cannot show is here: cards whose carrier is
hardware, a driver that has a lamp (e1000e), and the kernel's own bonding, which speaks LACP.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator

import pytest

from tests.host import box, image, vm
from tests.host.test_consoles import Line
from tests.host.vm import Machine

pytestmark = [
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="minutes of emulation: ONSITE_FULL=1"),
    pytest.mark.timeout(3600),
]
LIMIT = 2.0
"""Seconds until a cable that moved is on the screen."""
PULLS = 5
PLUGGED, OTHER, LAMP = "enp0s17", "enp0s18", "enp0s19"
BOND = "ip link add {name} type bond mode 802.3ad lacp_rate fast miimon 100; ip link set {port} down; "
BOND += "ip link set {port} master {name}; ip link set {name} up"


class Rack(Machine):
    """With one card more, whose driver can blink a lamp; nothing is at its other end but a live hub."""

    def command(self) -> list[str]:
        card = "e1000e,netdev=n3,mac=52:54:00:12:34:04,romfile=,addr=0x13"
        # A bond takes a card whose speed is unknown for one of half duplex, and speaks no LACP there.
        usual = [x.replace("virtio-net-pci,", "virtio-net-pci,speed=1000,duplex=full,") for x in super().command()]
        return [*usual, "-netdev", "hubport,id=n3,hubid=3", "-device", card]


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    """The serial line, at Find the port, with all cards on; the other console and the agent rest meanwhile."""
    if reason := vm.missing() or box.missing():
        pytest.skip(reason)
    with Rack(image.make()) as machine:
        box.wait_for("the guest agent", machine.up, 900)
        machine.run("systemctl stop getty@tty1 onsite-agent")
        for name in (PLUGGED, OTHER, LAMP):  # udev names them late on a slow machine
            machine.run(f"until ip link set {name} up; do sleep 1; done")
        found = Line(machine, "ttyS0")
        found.shows("Steps", 900)
        found.log_in("root")
        found.shows("Interface")
        found.press("f")
        found.shows("At the other end")
        machine.quiet(5)
        yield found


def moved(line: Line, up: bool) -> float:
    """Seconds from pulling or plugging the cable until it stands on the serial line."""
    words = f"{PLUGGED} {'plugged in' if up else 'unplugged'} just now"
    begun = time.monotonic()
    line.machine.qmp("set_link", name="n1", up=up)
    while words not in line.text():
        assert time.monotonic() - begun < 60, line.text()
        time.sleep(0.02)
    return time.monotonic() - begun


def test_a_cable_that_is_pulled_and_plugged_in_is_seen_in_time(line: Line) -> None:
    seconds = []
    try:
        for _ in range(PULLS):
            for up in (False, True):
                seconds.append(moved(line, up))
                line.machine.quiet(1)
    finally:
        line.machine.qmp("set_link", name="n1", up=True)
    middle = sorted(seconds)[len(seconds) // 2]
    print(
        f"cable moved {len(seconds)} times, on the line after {min(seconds):.2f} to {max(seconds):.2f} s, half of them"
    )
    print(f"within {middle:.2f} s (limit {LIMIT}); the kernel itself tells of a cable that goes once a second at most")
    assert middle < LIMIT  # an emulated processor on a busy machine has seconds of its own


def choose(line: Line, name: str) -> None:
    """Put the mark at a port; their order is the kernel's."""
    line.press(*("up",) * 8)
    for _ in range(8):
        line.machine.quiet(1)
        if re.search(rf"> +\S+ +{name} ", line.text()):
            return
        line.press("down")
    raise AssertionError(f"no {name} in\n{line.text()}")


def test_a_lamp_blinks_where_the_driver_can_and_stops_when_told(line: Line) -> None:
    choose(line, LAMP)
    line.press("l")
    line.shows(f"The lamp of {LAMP} blinks for 20 s", 30)
    time.sleep(4)  # a driver that cannot says so at once
    assert "N313" not in line.text()
    assert "L stops it" in line.text()
    line.press("l")
    box.wait_for("the lamp to stop", lambda: "L stops it" not in line.text(), 15)
    assert "N313" not in line.text()
    choose(line, OTHER)
    line.press("l")
    line.shows(f"N313 The driver of {OTHER} cannot blink its lamp.", 30)


def test_lacp_of_a_real_bond_at_a_single_link_then_between_two_and_one_that_nobody_answers(line: Line) -> None:
    machine = line.machine
    machine.run(f"modprobe bonding max_bonds=0; ip netns add switch; ip link set {PLUGGED} netns switch")
    machine.run(f"ip netns exec switch sh -c '{BOND.format(name='bond9', port=PLUGGED)}'")
    line.shows(f"N311 The switch takes {OTHER} for a bundle", 60)
    machine.run(BOND.format(name="bond0", port=OTHER))
    partner = "ip -d -o link show bond0 | grep -o 'ad_partner_mac [0-9a-f:]*'"
    box.wait_for("a partner", lambda: "00:00:00" not in machine.run(partner), 60)
    box.wait_for("N311 to go", lambda: "N311" not in line.text(), 30)
    time.sleep(12)  # longer than one waits with a bond that has no partner
    assert "N312" not in line.text()
    machine.run(BOND.format(name="bond1", port=LAMP))
    line.shows("N312 bond1 waits for a partner (802.3ad)", 60)
    assert f"speaks LACP at {LAMP}" in " ".join(line.text().split())
