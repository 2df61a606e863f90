"""What we read of a real kernel, beside what iproute2 says of it, in namespaces of their own."""

from __future__ import annotations

import json
import sys

import pytest

from tests.practice import PracticeHost

MANY = 1200
_COMPARE = """
import json, subprocess, sys, time
from tests import iproute
from tui.services.facts import rtnl

def ip(*words):
    return json.loads(subprocess.run(["ip", "-j", *words], capture_output=True, check=True).stdout or b"[]")

def said():
    return iproute.said(ip("-d", "address"), *ip("-4", "route"), *ip("-6", "route"))

subprocess.run(["ip", "-batch", "-"], input=sys.stdin.read(), text=True, check=True)
for _ in range(100):
    before, links, after = said(), rtnl.links(), said()
    if before == after:  # nothing moved while we looked
        break
    time.sleep(0.1)
ours = iproute.read(links)
print(json.dumps({
    "links": len(links), "routes": sum(len(x.routes) for x in links), "stable": before == after,
    "differ": [[n, ours.get(n), after.get(n)] for n in {*ours, *after} if ours.get(n) != after.get(n)][:3],
    "speeds": {x.name: x.speed_mbps for x in links if x.admin_up and x.carrier and x.kind == "veth"},
}))
"""


def compared(practice: PracticeHost, *commands: str) -> dict[str, object]:
    """Run ip commands in a network namespace of its own, below the practice host's, and compare."""
    ended = practice.run(
        "unshare", "-n", sys.executable, "-c", _COMPARE, input="\n".join(commands), timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, object] = json.loads(ended.stdout)
    return found


def test_every_kind_of_address_and_route(practice: PracticeHost) -> None:
    found = compared(
        practice,
        "link set lo up",
        "link add lan0 address 00:00:5e:00:53:01 type veth peer name far0",
        "link add lan1 type veth peer name far1",
        "link set far0 up",
        "link set lan0 mtu 1400 up",
        "address add 192.0.2.10/24 brd + dev lan0",
        "address add 192.0.2.11/24 dev lan0 valid_lft 3600 preferred_lft 1800",
        "address add 198.51.100.1/32 peer 198.51.100.9/32 dev lan0",
        "address add 2001:db8:1::10/64 dev lan0 nodad",
        "address add 2001:db8:1::11/64 dev lan0 nodad valid_lft 7200 preferred_lft 3600",
        "route add default via 192.0.2.1 dev lan0 proto static metric 50",
        "route add default via 192.0.2.2 dev lan0 proto dhcp metric 1024 src 192.0.2.11",
        "route add 10.8.0.0/16 via 10.77.0.1 dev lan0 onlink",
        "route add 10.6.0.0/16 via inet6 fe80::1 dev lan0",
        "route add 10.7.0.0/16 nexthop via 192.0.2.3 dev lan0 weight 1 nexthop via 192.0.2.4 dev lan0 weight 2",
        "route add blackhole 10.5.0.0/16",
        "route add 10.4.0.0/16 via 192.0.2.4 dev lan0 table 100",
        "route add default via fe80::1 dev lan0 proto ra metric 512",
        "route add 2001:db8:9::/48 via 2001:db8:1::1 dev lan0",
    )
    assert found["stable"]
    assert found["differ"] == []
    assert found["links"] == 5
    assert found["speeds"] == {"lan0": 10000, "far0": 10000}


def test_a_thousand_links(practice: PracticeHost) -> None:
    pairs = range(MANY // 2)
    found = compared(
        practice,
        *(f"link add a{n} type veth peer name b{n}" for n in pairs),
        *(f"address add 10.{n // 250}.{n % 250}.1/30 dev a{n}" for n in pairs),
    )
    assert found["stable"]
    assert found["differ"] == []
    assert found["links"] == MANY + 1


def test_events_are_heard(practice: PracticeHost) -> None:
    program = """
import select, subprocess
from tui.services.facts import rtnl
with rtnl.listen() as sock:
    for words in (["link", "set", "lo", "mtu", "60000"], ["address", "add", "127.0.0.9/8", "dev", "lo"]):
        subprocess.run(["ip", *words], check=True)
        assert select.select([sock], [], [], 10)[0], words
        while select.select([sock], [], [], 0.2)[0]:
            sock.recv(65536)
print("heard")
"""
    assert practice.run("unshare", "-n", sys.executable, "-c", program).stdout == "heard\n"


@pytest.mark.parametrize("name", ["lan0", "lan1", "lan2", "lan3"])
def test_the_practice_host_has_its_links(practice: PracticeHost, name: str) -> None:
    facts = json.loads(practice.onsite("facts", "--json").stdout)
    link = next(link for link in facts["links"] if link["name"] == name)
    said = practice.kernel().link(name)
    assert link["mac"] == said["address"]
    assert link["carrier"] == ("LOWER_UP" in said["flags"])
    assert {a["address"] for a in link["addresses"] if a["origin"] != "kernel"} == practice.kernel().addresses(name)
