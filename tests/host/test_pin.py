"""Cards of a machine change places between two boots: the configured one keeps its name and its address.

The kernel of User Mode Linux calls cards vec0 and vec1 in the order of its command line, so the two names change places
with them: what udev alone refuses ("File exists"). `ONSITE_FULL=1` (`make host-full`) tries every manager, and none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from tests.host import guest
from tests.host.box import wait_for
from tests.host.guest import Guest
from tests.host.managers import MANAGERS, boot, use

FULL = bool(os.environ.get("ONSITE_FULL"))
pytestmark = pytest.mark.timeout(1200)
OURS, OTHER = "52:54:00:00:00:0a", "52:54:00:00:00:0b"
ADDRESS = "192.0.2.10/24"
FILE = "etc/systemd/network/05-onsite-52-54-00-00-00-0a.link"
VOLATILE = "run/systemd/network/04-onsite-52-54-00-00-00-0a.link"
FOREIGN = "etc/systemd/network/10-by-hand.link"
WISH = {"mac": OURS, "ipv4": {"method": "static", "addresses": [ADDRESS]}, "ipv6": {"method": "off"}}
_NONE = "systemd-networkd.service", "systemd-networkd.socket"


@pytest.fixture
def machine() -> Iterator[Guest]:
    if why := guest.missing():
        pytest.skip(why)
    with Guest(cards=(OURS, OTHER)) as booted:
        yield booted


def as_wished(machine: Guest, name: str, kept: str) -> None:
    """The card of that MAC has its name, the other one has the other name, and the address is on ours."""

    def so() -> bool:
        links = {link["ifname"]: link for link in machine.kernel().links}
        there = {n: x["address"] for n, x in links.items() if n.startswith("vec")}
        return there == {"vec0": OURS, "vec1": OTHER} and machine.kernel().addresses("vec0") == {ADDRESS}

    try:
        wait_for(f"{name}: vec0 is the card {OURS} with {ADDRESS}", so, 60)
    except AssertionError as error:
        told = machine.run("sh", "-c", "ip address; journalctl -b -u systemd-udevd -u 'onsite*' | tail -n 40").stdout
        raise AssertionError(f"{error}\n{told}") from None
    assert machine.read(kept) is not None


def apply(machine: Guest, **wish: object) -> str:
    machine.write("/root/wish.yaml", json.dumps({"version": 1, "links": [wish]}))
    told = machine.onsite("plan", "/root/wish.yaml", check=False)
    done = machine.onsite(
        "apply", "/root/wish.yaml", "--keep-within", "300", "--yes-warnings", check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return told.stdout + told.stderr


@pytest.mark.parametrize("name", [*MANAGERS, "none"] if FULL else ["networkd"])
def test_cards_change_places(machine: Guest, name: str) -> None:
    manager = MANAGERS.get(name, MANAGERS["networkd"])
    use(machine, manager)
    if name == "none":
        machine.run("systemctl", "mask", *_NONE)
        machine.run("sync")
        boot(machine, manager)
    by_link = "netplan" not in name
    kept = FILE if by_link else manager.kept

    plan = apply(machine, **WISH)
    assert not by_link or f"MAC {OURS}" in plan, plan
    assert (machine.read(FILE), machine.read(VOLATILE) is not None) == (None, by_link), "not under /etc before Keep"
    machine.onsite("revert", timeout=200)
    assert (machine.read(FILE), machine.read(VOLATILE)) == (None, None)
    apply(machine, **WISH)
    machine.onsite("keep", timeout=200)
    assert (machine.read(FILE) is not None, machine.read(VOLATILE)) == (by_link, None)

    tried = 0
    for order in ((OTHER, OURS), (OURS, OTHER)) if FULL else ((OTHER, OURS),):
        machine.cards = order
        boot(machine, manager)
        as_wished(machine, name, kept)
        tried += 1
    print(f"pin, {name}: boots {tried}, of these in another order 1, name and address as before {tried}")
    if FULL and name == "networkd":
        _the_file_of_somebody_else_counts(machine)


def _the_file_of_somebody_else_counts(machine: Guest) -> None:
    machine.remove(FILE)
    machine.write(FOREIGN, f"[Match]\nPermanentMACAddress={OURS}\n[Link]\nWakeOnLan=off\n")
    boot(machine, MANAGERS["networkd"])
    plan = apply(machine, **WISH | {"mtu": 1400})
    assert FOREIGN in plan, plan
    machine.onsite("keep", timeout=200)
    assert (machine.read(FILE), machine.read(VOLATILE)) == (None, None)
