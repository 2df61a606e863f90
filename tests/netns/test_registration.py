"""Registering on real links: from key press to "in use" by each of three ways, a sign-in page, and the air gap.

`make soak` holds the air gap for five minutes and for an hour, and writes docs/measured/air-gap.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.practice.hub import TOKEN
from tests.netns.test_console import Screen
from tests.practice import CODE, PracticeHost, control, practice_host

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
UID = "edge-eb100-000053"
NETWORK = """\
version: 1
links:
  - mac: 00:00:5e:00:53:10
    name: lan0
    ipv4: {method: static, addresses: [192.0.2.10/24], gateway: 192.0.2.1}
    ipv6: {method: "off"}
    nameservers: [192.0.2.1]
"""
_LONG, _FAST = ("300", "12") if os.environ.get("CI") else ("30", "120")
SECONDS = float(os.environ.get("ONSITE_AIRGAP_SECONDS", _LONG))
PACE = float(os.environ.get("ONSITE_AIRGAP_PACE", _FAST))
"""So many times faster the agent's timers run: an hour of them either way."""
CAPTURE = """
import collections, ipaddress, json, select, socket, struct, sys, time
tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
inside = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "127.0.0.0/8", "::1/128", "fe80::/10")]
found, seen, end = collections.Counter(), 0, time.monotonic() + float(sys.argv[1])
print("ready", flush=True)
while (left := end - time.monotonic()) > 0:
    if not select.select([tap], [], [], left)[0]:
        break
    data, (link, kind, direction, *_) = tap.recvfrom(65535)
    if direction != socket.PACKET_OUTGOING or kind not in (0x0800, 0x86DD):
        continue
    four = kind == 0x0800
    to = ipaddress.ip_address(data[16:20] if four else data[24:40])
    protocol, head = (data[9], (data[0] & 15) * 4) if four else (data[6], 40)
    port = int.from_bytes(data[head + 2:head + 4]) if protocol in (6, 17) else 0
    seen += 1
    if to.is_multicast and protocol in (0, 1, 2, 58):
        continue  # neighbour discovery and group membership of the kernel: never routed
    if port == 53 or not any(to in n for n in inside):
        found[f"{link} {to} protocol {protocol} port {port}"] += 1
print(json.dumps({"seen": seen, "outside": found}))
"""
PLACES = {
    "2": "Interface", "3": "Proxy of this host", "4": "", "5": "", "6": "Managed here", "7": "", "8": "", "9": "",
    "0": "", "v": "", "l": "", "1": "Steps",
}  # fmt: skip


@contextmanager
def paced(pace: float) -> Iterator[PracticeHost]:
    """A practice host with an address, whose agent's timers are so much faster."""
    os.environ["ONSITE_PACE"] = str(pace)
    try:
        with practice_host() as made:
            document = made.folder / "root/network.yaml"
            document.write_text(NETWORK)
            made.onsite("apply", str(document), "--yes-warnings")
            made.onsite("keep")
            yield made
    except subprocess.CalledProcessError as error:
        if error.returncode != 3:
            raise AssertionError(f"{error}\n{error.stdout}\n{error.stderr}") from error
        pytest.skip(f"no namespaces here: {error.stderr.strip()}")
    finally:
        os.environ.pop("ONSITE_PACE", None)


@pytest.fixture
def host() -> Iterator[PracticeHost]:
    with paced(20) as made:
        yield made


def order(host: PracticeHost, *words: str) -> None:
    control(host.folder, "--hub", *words)


def keep(screen: Screen, then: str) -> None:
    screen.press("a", then="Keep this change?")
    screen.press("k", then="Kept.")
    screen.press("Enter", then="Home")
    screen.press("6", then=then)


def test_from_key_press_to_in_use(host: PracticeHost) -> None:
    """By token; then another network's sign-in page in between; then by hand, and by the page of the code."""
    screen = Screen(host)
    try:
        screen.until("Steps")
        screen.press("6", then="Not set up yet")
        screen.press("Enter", then="[ Done ]")
        screen.press("Down", then="> Endpoint")
        screen.type("hub.site.example")
        screen.press("Down", "Down", then="> Token")
        screen._tmux("send-keys", "-l", TOKEN)
        screen.until("*" * len(TOKEN))
        screen.press("C-x", then="another ***")
        keep(screen, "Registered and paired.")
        order(host, "assign")
        screen.until("in use by a cluster.")
        order(host, "portal")
        screen.press("t", then="R125 A page at portal.guest.example")
        order(host, "none", "forget")
        screen.press("t", then="Registered and paired.")

        screen.press("Enter", then="[ Done ]")
        screen.press("Down", "Down", "Right", then="Pairing key")
        screen.press("C-x", then="by token -> by hand")
        keep(screen, "Registered and paired.")
        order(host, "forget")
        screen.until("R130")
        host.python(ENTER, host.folder.as_posix(), UID)
        screen.until("Registered and paired.")
        order(host, "assign")
        screen.until("in use by a cluster.")
        assert TOKEN not in host.log()
        assert TOKEN not in screen.text()
    finally:
        screen.leave("q", "y")


ENTER = """
import httpx, ssl, sys
known = ssl.create_default_context(cafile=f"{sys.argv[1]}/hub/authority.crt")
print(httpx.get(f"https://hub.site.example/r?id={sys.argv[2]}", verify=known, trust_env=False).raise_for_status().text)
"""
"""What a phone does that has scanned the code."""


@pytest.mark.timeout(SECONDS + 300)
def test_in_the_air_gap_not_one_packet_goes_outside(capsys: pytest.CaptureFixture[str]) -> None:
    with paced(PACE) as host:
        document = host.folder / "root/local.yaml"
        document.write_text("version: 1\nregistration: {mode: local}\n")
        host.onsite("apply", str(document), "--yes-warnings")
        host.onsite("keep")
        tap = subprocess.Popen(
            host.inside([sys.executable, "-c", CAPTURE, str(SECONDS)]), cwd=CODE, env=host.environment, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert tap.stdout is not None
        assert tap.stdout.readline() == "ready\n"
        screen, slowest = Screen(host), 0.0
        try:
            screen.until("Steps")
            for key, words in PLACES.items():
                began = time.monotonic()
                screen.press(key, then=words or f"*{key}")
                slowest = max(slowest, time.monotonic() - began)
            told = tap.communicate(timeout=SECONDS + 60)[0]
        finally:
            screen.leave("q", "y")
    found = json.loads(told)
    outside = sum(found["outside"].values())
    with capsys.disabled():
        print(
            f"\nair gap: {SECONDS:.0f} s with timers {PACE:.0f} x faster on every interface: {found['seen']} packets,"
            f" {outside} to the outside or to a name server; slowest place {slowest:.1f} s"
        )
    if "ONSITE_AIRGAP_SECONDS" in os.environ:
        write_down(f"| {SECONDS:.0f} s | {PACE:.0f} x |", f" {found['seen']} | {outside} | {slowest:.1f} s |")
    assert found["outside"] == {}
    assert slowest < 5, "a place that waits for a packet waits longer"


def write_down(run: str, figures: str) -> None:
    """The line of this run in the table of `make soak`, in the place of its former one."""
    path = Path(CODE) / "docs/measured/air-gap.md"
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=CODE, text=True).strip()
    former = [line for line in path.read_text().splitlines() if line.startswith("| ") and "x |" in line]
    rows = [line for line in former if not line.startswith(run)]
    rows.append(f"{run}{figures} {commit} | {datetime.now(UTC):%Y-%m-%d} |")
    head = path.read_text().partition("| --- |")[0].rstrip("\n")
    path.write_text("\n".join([head, "| --- | --- | --- | --- | --- | --- | --- |", *sorted(rows), ""]))
