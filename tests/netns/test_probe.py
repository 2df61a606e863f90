"""Probes on real links: each fault is named, a healthy link never raises an alarm, nothing is left open."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.practice import PracticeHost
from tui.models import codes

LAN0, LAN1, LAN2, LAN3 = (f"00:00:5e:00:53:1{n}" for n in range(4))
EXTRA = "00:00:5e:00:53:1a"
HEALTHY4, HEALTHY6 = "192.0.2.10/24 192.0.2.1", "2001:db8:0:1::10/64 2001:db8:0:1::1"
DROP_NET_RAW = "import ctypes,os,sys; ctypes.CDLL(None).prctl(24, 13, 0, 0, 0); os.execv(sys.executable, sys.argv[1:])"
"""PR_CAPBSET_DROP of prctl(2), CAP_NET_RAW of capabilities(7): whatever is executed then has it no more."""
Issues = list[dict[str, str]]


def static(mac: str, four: str = HEALTHY4, six: str = HEALTHY6) -> dict[str, Any]:
    """A static link; each family is "ADDRESS/PREFIX GATEWAY", "ADDRESS/PREFIX" or "" for off."""
    link: dict[str, Any] = {"mac": mac}
    for family, text in (("ipv4", four), ("ipv6", six)):
        address, _, gateway = text.partition(" ")
        link[family] = {"method": "static", "addresses": [address], "gateway": gateway or None}
        if not text:
            link[family] = {"method": "off"}
    return link


def probe(practice: PracticeHost, *links: dict[str, Any], runs: int = 1, wrap: tuple[str, ...] = ()) -> list[Issues]:
    """The issues of each run. Whatever is found has a page and a remedy, and does not block."""
    asked = json.dumps({"links": links})
    done = practice.run(
        *wrap, sys.executable, "-m", "tests.netns.probing", str(runs), input=asked, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == runs
    # Four seconds by design; two busy cores may add to it.
    assert max(a["seconds"] for a in answers) < 6
    for issue in (i for a in answers for i in a["issues"]):
        assert issue["code"] in codes.TITLES
        assert issue["severity"] in ("warning", "note")
        assert issue["remedy"].endswith(".")
    return [a["issues"] for a in answers]


def found(issues: Issues) -> dict[str, str]:
    """The code at each field; the link itself is ""."""
    return {i["field"].removeprefix("links.")[len(LAN0) + 1 :]: i["code"] for i in issues}


@pytest.fixture(scope="module", autouse=True)
def cables_up(practice: PracticeHost) -> None:
    for n in range(4):
        practice.run("ip", "link", "set", f"lan{n}", "up")


@contextmanager
def stranger(practice: PracticeHost, kind: str) -> Iterator[None]:
    """One more link, with somebody odd at its other end."""
    practice.run("ip", "link", "add", "odd0", "address", EXTRA, "type", "veth", "peer", "name", "odd1")
    try:
        for name in ("odd0", "odd1"):
            practice.run("ip", "link", "set", name, "addrgenmode", "none", "up")
        command = practice.inside([sys.executable, "-m", "tests.netns.strangers", "odd1", kind])
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=practice.environment
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
            process.stdin.close()
    finally:
        practice.run("ip", "link", "delete", "odd0")


def test_no_alarm_on_a_healthy_link_in_50_runs(practice: PracticeHost) -> None:
    runs = probe(practice, static(LAN0), runs=50)
    print(f"probes of the healthy link: {len(runs)} runs, {sum(map(len, runs))} alarms")
    assert runs == [[]] * 50


@pytest.mark.parametrize(
    "link",
    [
        static(LAN0, "192.0.2.11/24 192.0.2.1", ""),
        static(LAN0, ""),
        static(LAN0, "", "fe80::99/64"),
        static(LAN0, "192.0.2.8/31", ""),
        {"mac": LAN0, "ipv4": {"method": "off"}, "ipv6": {"method": "auto"}},
        {"mac": LAN0, "ipv4": {"method": "dhcp"}},
        {"mac": LAN1, "ipv4": {"method": "off"}, "ipv6": {"method": "off"}},
        {"mac": "00:00:5e:00:53:aa"},
    ],
    ids=["IPv4 only", "IPv6 only", "link-local", "two hosts", "automatic", "DHCP", "off", "no such link"],
)
def test_nothing_to_say(practice: PracticeHost, link: dict[str, Any]) -> None:
    assert probe(practice, link) == [[]]


def test_duplicate_addresses(practice: PracticeHost) -> None:
    (issues,) = probe(practice, static(LAN0, "192.0.2.77/24 192.0.2.1", "2001:db8:0:1::77/64 2001:db8:0:1::1"))
    assert found(issues) == {"ipv4.addresses": "N301", "ipv6.addresses": "N305"}
    assert all("00:00:5e:00:53:77" in i["text"] for i in issues)


def test_gateway_that_is_not_there(practice: PracticeHost) -> None:
    (issues,) = probe(practice, static(LAN0, "192.0.2.10/24 192.0.2.254", "2001:db8:0:1::10/64 fe80::bad"))
    assert found(issues) == {"ipv4.gateway": "N302", "ipv6.gateway": "N302"}


def test_silent_port(practice: PracticeHost) -> None:
    (issues,) = probe(practice, static(LAN1))
    assert found(issues) == {"ipv4.gateway": "N302", "ipv6.gateway": "N302"}


def test_port_without_carrier(practice: PracticeHost) -> None:
    (issues,) = probe(practice, static(LAN2))
    assert [(i["code"], i["severity"]) for i in issues] == [("N304", "warning")]


@pytest.mark.parametrize("ipv4", [None, {"method": "dhcp"}], ids=["static", "DHCP"])
def test_port_that_speaks_with_tags_only(practice: PracticeHost, ipv4: dict[str, Any] | None) -> None:
    (issues,) = probe(practice, static(LAN3) if ipv4 is None else {"mac": LAN3, "ipv4": ipv4})
    assert found(issues) == {"ipv4.gateway" if ipv4 is None else "ipv4.method": "N303"}
    assert "VLAN 20" in issues[0]["text"]
    assert "untagged" in issues[0]["remedy"]


def test_all_faults_at_once(practice: PracticeHost) -> None:
    """Links are probed side by side: four of them take no longer than the slowest."""
    links = [static(mac, f"10.0.{n}.9/24 10.0.{n}.1", "") for n, mac in enumerate((LAN0, LAN1, LAN2, LAN3))]
    (issues,) = probe(practice, *links)
    assert [i["code"] for i in issues] == ["N302", "N302", "N304", "N303"]


def test_link_that_is_switched_off(practice: PracticeHost) -> None:
    practice.run("ip", "link", "set", "lan1", "down")
    try:
        (issues,) = probe(practice, static(LAN1))
        state = practice.kernel().link("lan1")["flags"]
    finally:
        practice.run("ip", "link", "set", "lan1", "up")
    assert [(i["code"], i["severity"]) for i in issues] == [("N304", "note")]
    assert "UP" not in state, "a probe never switches a link on"


def test_router_that_answers_for_everybody(practice: PracticeHost) -> None:
    with stranger(practice, "proxy"):
        (issues,) = probe(practice, static(EXTRA, "198.51.100.10/24 198.51.100.1", ""))
    assert found(issues) == {"ipv4.addresses": "N306"}
    assert issues[0]["severity"] == "note"


def test_silent_gateway_among_frames_of_both_kinds(practice: PracticeHost) -> None:
    with stranger(practice, "mixed"):
        (issues,) = probe(practice, static(EXTRA, "198.51.100.10/24 198.51.100.1", ""))
    assert found(issues) == {"ipv4.gateway": "N302"}


def test_without_the_right_to_ask(practice: PracticeHost) -> None:
    (issues,) = probe(practice, static(LAN0), wrap=(sys.executable, "-c", DROP_NET_RAW))
    assert [(i["code"], i["severity"]) for i in issues] == [("N307", "note")]


@pytest.mark.parametrize(
    ("name", "address", "answers"),
    [
        ("lan0", "192.0.2.1", True),
        ("lan0", "2001:db8:0:1::1", True),
        ("lan0", "192.0.2.254", False),
        ("lan1", "2001:db8:0:1::1", False),
    ],
)
def test_gateway_answers(practice: PracticeHost, name: str, address: str, answers: bool) -> None:
    program = """
import asyncio, ipaddress, sys
from tui.services.checks.probe import gateway
from tui.services.facts import rtnl
link = next(x for x in rtnl.links() if x.name == sys.argv[1])
print(asyncio.run(gateway(link, ipaddress.ip_address(sys.argv[2]))))
"""
    assert practice.python(program, name, address).stdout == f"{answers}\n"


def test_cancelled_probe_leaves_nothing_open(practice: PracticeHost) -> None:
    program = """
import asyncio, os, pathlib
from tui.models.facts import Facts
from tui.models.host import HostConfig
from tui.services.checks.probe import probe
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

async def main():
    host = Host(pathlib.Path("/"), NetlinkKernel())
    four = {"method": "static", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"}
    config = HostConfig.model_validate({"links": [{"mac": "00:00:5e:00:53:13", "ipv4": four}]})
    before = os.listdir("/proc/self/fd")
    task = asyncio.create_task(probe(host, config, Facts(links=host.kernel.links())))
    await asyncio.sleep(1.5)  # in the middle: it listens for tags by then
    during = os.listdir("/proc/self/fd")
    task.cancel()
    begun = asyncio.get_running_loop().time()
    result = (await asyncio.gather(task, return_exceptions=True))[0]
    quick = asyncio.get_running_loop().time() - begun < 0.5
    print(type(result).__name__, quick, len(during) - len(before), os.listdir("/proc/self/fd") == before)

asyncio.run(main())
"""
    assert practice.python(program).stdout == "CancelledError True 3 True\n"
