"""The practice host: its links, its peers, its power switch, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest

from agent.practice import power
from tests.practice import CODE, PracticeHost, control, practice_host
from tui import namespaces

LAN = ("lan0", "lan1", "lan2", "lan3")
PROBE = """
import select, sys, time
from agent.practice import frames, wire
from agent.practice.cables import CABLES
link, target, vlan = sys.argv[1], sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else None
own = frames.mac(next(c.mac for c in CABLES if c.name == link))
port = wire.open_wire(link)
wire.send(port, frames.ethernet(frames.BROADCAST, own, frames.ARP, frames.arp_request(own, "0.0.0.0", target), vlan))
end = time.monotonic() + 1.5
while (left := end - time.monotonic()) > 0:
    if select.select([port], [], [], left)[0] and (got := wire.receive(port)):
        frame, tag = got
        if frame[12:14] == b"\\x08\\x06" and frame[20:22] == b"\\0\\2":
            print(frame[22:28].hex(":"), tag)
            break
"""


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for it; fail when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def arp(practice: PracticeHost, link: str, target: str, vlan: str = "") -> str:
    """Who answers an ARP probe for `target` on `link`: "MAC VLAN" or ""."""
    return practice.python(PROBE, link, target, *([vlan] if vlan else [])).stdout.strip()


# --- the links ---


def test_a_fresh_host_has_four_links_and_no_addresses(practice: PracticeHost) -> None:
    kernel = practice.kernel()
    assert [link["ifname"] for link in kernel.links] == ["lo", *LAN]
    assert {link["address"] for link in kernel.links[1:]} == {f"00:00:5e:00:53:1{n}" for n in range(4)}
    assert [name for name in LAN if kernel.addresses(name)] == []
    assert [r for r in kernel.routes if r["dst"] == "default"] == []
    assert all("UP" in link["flags"] for link in kernel.links)
    assert {link["ifname"]: link["operstate"] for link in kernel.links[1:]} == {
        "lan0": "UP", "lan1": "UP", "lan2": "DOWN", "lan3": "UP",
    }  # fmt: skip


def test_the_sandbox_shows_a_fresh_box(practice: PracticeHost) -> None:
    root = practice.root
    assert (root / "etc/hostname").read_text() == "practice\n"
    assert practice.run("hostname").stdout == "practice\n"
    assert socket.gethostname() != "practice"
    assert (root / "sys/class/dmi/id/product_serial").read_text().strip() == "EB100-000053"
    assert sorted(practice.run("ls", f"{root}/sys/class/net").stdout.split()) == [*LAN, "lo"]
    assert (practice.folder.stat().st_mode & 0o777) == 0o700


# --- the peers ---


def test_gateway_and_neighbour_answer_arp_and_nobody_else_does(practice: PracticeHost) -> None:
    assert arp(practice, "lan0", "192.0.2.1") == "00:00:5e:00:53:01 None"
    assert arp(practice, "lan0", "192.0.2.77") == "00:00:5e:00:53:77 None"
    assert arp(practice, "lan0", "192.0.2.50") == ""


def test_the_silent_link_answers_nothing(practice: PracticeHost) -> None:
    assert arp(practice, "lan1", "192.0.2.1") == ""
    assert arp(practice, "lan1", "192.0.2.77") == ""


def test_the_gateway_answers_ping_in_both_families(practice: PracticeHost) -> None:
    practice.reboot()
    practice.run("ip", "address", "add", "192.0.2.10/24", "dev", "lan0")
    practice.run("ip", "address", "add", "2001:db8:0:1::10/64", "dev", "lan0", "nodad")
    echo = """
import socket, struct, sys
four = "." in sys.argv[1]
ping = socket.socket(socket.AF_INET if four else socket.AF_INET6, socket.SOCK_RAW, 1 if four else 58)
ping.settimeout(5)
ping.connect((sys.argv[1], 0))
body = struct.pack("!HH", 1, 1) + b"practice"
words = struct.unpack("!6H", body)
total = 0x0800 + sum(words)
total = (total & 0xFFFF) + (total >> 16)
total = (total & 0xFFFF) + (total >> 16)
ping.send(struct.pack("!BBH", 8 if four else 128, 0, ~total & 0xFFFF if four else 0) + body)
while True:
    data = ping.recv(200)
    data = data[20:] if four else data
    if data[0] == (0 if four else 129):
        print(data[8:].decode())
        break
"""
    assert practice.python(echo, "192.0.2.1").stdout == "practice\n"
    assert practice.python(echo, "2001:db8:0:1::1").stdout == "practice\n"


def test_the_kernel_finds_the_duplicate_ipv6_address(practice: PracticeHost) -> None:
    practice.reboot()
    for address in ("2001:db8:0:1::77/64", "2001:db8:0:1::78/64"):
        practice.run("ip", "address", "add", address, "dev", "lan0")

    def found() -> dict[str, bool]:
        known = practice.kernel().link("lan0")["addr_info"]
        return {a["local"]: "dadfailed" in a for a in known if not a.get("tentative") or "dadfailed" in a}

    until(lambda: {"2001:db8:0:1::77", "2001:db8:0:1::78"} <= set(found()))
    assert found()["2001:db8:0:1::77"] is True
    assert found()["2001:db8:0:1::78"] is False


def test_dhcp_gives_a_lease_to_a_client_that_shares_no_code_with_the_server(practice: PracticeHost) -> None:
    practice.reboot()
    client = """
import asyncio, json
from pyroute2.dhcp.client import AsyncDHCPClient, ClientConfig
async def main():
    async with AsyncDHCPClient(ClientConfig(interface="lan0", lease_type=Lease)) as client:
        await client.bootstrap()
        await client.wait_for_state(State.BOUND, timeout=20)
        print(json.dumps({k: client.lease.ack[k] if k in client.lease.ack else client.lease.ack["options"][k]
              for k in ("yiaddr", "server_id", "lease_time", "subnet_mask", "router", "name_server")}))
from pyroute2.dhcp.fsm import State
from pyroute2.dhcp.leases import Lease
class Lease(Lease):
    def dump(self): pass
    @classmethod
    def load(cls, interface): return None
asyncio.run(main())
"""
    lease = json.loads(practice.python(client).stdout)
    assert lease == {
        "yiaddr": "192.0.2.100", "server_id": "192.0.2.1", "lease_time": 3600, "subnet_mask": "255.255.255.0",
        "router": ["192.0.2.1"], "name_server": ["192.0.2.1"],
    }  # fmt: skip


@pytest.mark.parametrize("server", ["192.0.2.1", "2001:db8:0:1::1"])
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_dns_answers_in_both_families_by_udp_and_tcp(practice: PracticeHost, server: str, kind: int) -> None:
    practice.run("ip", "address", "replace", "192.0.2.10/24", "dev", "lan0")
    practice.run("ip", "address", "replace", "2001:db8:0:1::10/64", "dev", "lan0", "nodad")
    ask = """
import socket, struct, sys
server, kind, name, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
query = struct.pack("!6H", 0x4242, 0x100, 1, 0, 0, 0)
query += b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + struct.pack("!BHH", 0, wanted, 1)
asker = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, kind)
asker.settimeout(5)
asker.connect((server, 53))
asker.send(query if kind == socket.SOCK_DGRAM else len(query).to_bytes(2, "big") + query)
stream = asker.makefile("rb")
said = asker.recv(4096) if kind == socket.SOCK_DGRAM else stream.read(int.from_bytes(stream.read(2), "big"))
ident, flags, _, answers, _, _ = struct.unpack_from("!6H", said)
print(ident == 0x4242, flags & 15, answers, said[len(query) + 12:].hex() if answers else "")
"""

    def answer(name: str, wanted: int) -> str:
        return practice.python(ask, server, str(int(kind)), name, str(wanted)).stdout.strip()

    assert answer("printer.site.example", 1) == f"True 0 1 {socket.inet_aton('192.0.2.77').hex()}"
    assert answer("PRINTER.site.example", 28).endswith(socket.inet_pton(socket.AF_INET6, "2001:db8:0:1::77").hex())
    assert answer("77.2.0.192.in-addr.arpa", 12).startswith("True 0 1 ")
    assert answer("nobody.site.example", 1) == "True 3 0"


def test_the_trunk_speaks_only_tagged(practice: PracticeHost) -> None:
    assert arp(practice, "lan3", "198.51.100.1") == ""
    assert arp(practice, "lan3", "198.51.100.1", "20") == "00:00:5e:00:53:04 20"
    assert arp(practice, "lan3", "198.51.100.1", "21") == ""
    listen = """
import select, time
from agent.practice import wire
port, seen, end = wire.open_wire("lan3"), set(), time.monotonic() + 10
while len(seen) < 2 and time.monotonic() < end:
    if select.select([port], [], [], 1)[0] and (got := wire.receive(port)):
        frame, tag = got
        seen.add((frame[12:14].hex(), tag))
print(sorted(seen, key=str))
"""
    assert practice.python(listen).stdout.strip() == "[('0806', 20), ('88cc', None)]"


def test_the_agent_answers_on_the_socket_of_the_host(practice: PracticeHost) -> None:
    knock = socket.socket(socket.AF_UNIX)
    with knock, knock.makefile("rb") as said:
        knock.connect(str(practice.root / "run/onsite/agent.sock"))
        knock.sendall(b"GET /v1/edge-mgmt/edgehosts/current HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n")
        head, _, body = said.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), practice.log()
    shown = json.loads(body)
    assert shown["status"]["hostName"] == "practice"
    assert [(nic["nicName"], nic["macAddr"]) for nic in shown["spec"]["networkInfo"]] == [
        (name, f"00:00:5e:00:53:1{n}") for n, name in enumerate(LAN)
    ]


# --- the power switch ---


def test_a_reboot_throws_kernel_state_and_run_away_and_keeps_files(practice: PracticeHost) -> None:
    practice.run("ip", "address", "replace", "192.0.2.200/24", "dev", "lan0")
    (practice.root / "run/volatile").write_text("gone\n")
    (practice.root / "etc/onsite/kept").write_text("here\n")
    boot_id = practice.root / "proc/sys/kernel/random/boot_id"
    before, first = boot_id.read_text(), practice.pid
    lives_on = subprocess.Popen(practice.inside(["sleep", "1000"]), start_new_session=True)
    until(lambda: namespaces.identity(lives_on.pid, "net") == namespaces.identity(first, "net"))

    practice.reboot()

    assert lives_on.wait(5) == -signal.SIGKILL
    assert practice.pid != first
    assert boot_id.read_text() != before
    assert not (practice.root / "run/volatile").exists()
    assert (practice.root / "etc/onsite/kept").read_text() == "here\n"
    assert [name for name in LAN if practice.kernel().addresses(name)] == []


def test_a_boot_runs_recover_and_then_brings_the_network_up(practice: PracticeHost) -> None:
    practice.reboot()
    last_boot = [line for line in practice.log().splitlines() if " boot: " in line][-2:]
    assert ["recover" in last_boot[0], "network up" in last_boot[1]] == [True, True]


def test_attaching_finds_the_running_one(practice: PracticeHost) -> None:
    assert json.loads(control(practice.folder).stdout) == practice.state


# --- what it leaves behind ---


def traces(folder: Path) -> tuple[list[str], list[str]]:
    """Processes that know the folder, and mounts below it; without ourselves."""
    processes = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in words:
                processes.append(entry.name)
    return processes, [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(folder) in line]


def holds_nothing(folder: Path, namespace: tuple[int, int]) -> bool:
    return traces(folder) == ([], []) and not power.inhabitants(namespace)


def test_stop_leaves_nothing() -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    with practice_host() as host:
        folder, namespace = host.folder, namespaces.identity(host.pid, "net")
        assert len(traces(folder)[0]) >= 4  # holder, host, peers, agent
        detached = subprocess.Popen(host.inside(["sleep", "1000"]), env=host.environment, start_new_session=True)
        until(lambda: detached.pid in power.inhabitants(namespace))
    assert detached.wait(5) == -signal.SIGKILL
    until(lambda: holds_nothing(folder, namespace))
    assert not folder.exists()
    assert Path("/proc/self/mountinfo").read_text() == mounts


@pytest.mark.parametrize("victim", ["holder", "host"])
def test_a_killed_part_leaves_nothing_either(victim: str) -> None:
    with practice_host() as host:
        folder, namespace = host.folder, namespaces.identity(host.pid, "net")
        os.kill(host.state[victim], signal.SIGKILL)
        if victim == "holder":
            until(lambda: holds_nothing(folder, namespace))
            assert (folder / "lock").exists()
    until(lambda: holds_nothing(folder, namespace))
    assert not folder.exists()


def test_after_the_holder_was_killed_it_starts_again_with_its_files() -> None:
    with practice_host() as host:
        (host.root / "etc/onsite/kept").write_text("here\n")
        namespace = namespaces.identity(host.pid, "net")
        os.kill(host.state["holder"], signal.SIGKILL)
        until(lambda: not power.inhabitants(namespace))
        host.state = json.loads(control(host.folder).stdout)
        assert (host.root / "etc/onsite/kept").read_text() == "here\n"
        assert len(host.kernel().links) == 5


def test_two_live_side_by_side(practice: PracticeHost) -> None:
    with practice_host() as other:
        practice.run("ip", "address", "replace", "192.0.2.10/24", "dev", "lan0")
        assert "192.0.2.10/24" in practice.kernel().addresses("lan0")
        assert other.kernel().addresses("lan0") == set()
        assert other.root != practice.root
    assert len(practice.kernel().links) == 5


def test_five_starts_at_once_make_one_host() -> None:
    folder = Path(mkdtemp(prefix="onsite-practice-"))
    command = [sys.executable, "-m", "agent.practice", "--state", str(folder)]
    try:
        starting = [subprocess.Popen(command, cwd=CODE, stdout=subprocess.PIPE, text=True) for _ in range(5)]
        answers = {child.communicate(timeout=60)[0] for child in starting}
        assert [child.returncode for child in starting] == [0] * 5
        assert len(answers) == 1
    finally:
        control(folder, "--stop")


# --- which kind it is ---


def test_a_folder_that_others_can_look_into_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir(mode=0o755)
    refused = control(folder, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is not a folder of this user alone" in refused.stderr
    assert list(folder.iterdir()) == []


OFF = "switched off or used up here: user.max_*_namespaces"
NO_USER_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
DEMO = """
import os, sys
from tui import demo
def run(arguments):
    links = sorted(os.listdir("/sys/class/net"))
    print(arguments, os.environ.get("ONSITE_PRACTICE_WHY"), "textual" in sys.modules, links)
    return 7
sys.exit(demo.main(sys.argv[1:], run))
"""


def demo(folder: Path, *arguments: str, wrapped: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*wrapped, sys.executable, "-c", DEMO, *arguments], cwd=CODE, text=True, capture_output=True, timeout=60,
        env={**os.environ, "ONSITE_PRACTICE": str(folder)},
    )  # fmt: skip


@pytest.fixture
def folder() -> Path:
    return Path(mkdtemp(prefix="onsite-practice-"))


def test_demo_starts_one_and_runs_the_command_inside(folder: Path) -> None:
    ran = demo(folder, "--clock", "2026-01-02T03:04:05", "--", "status", "--json")
    root = str(folder / "root")
    arguments = ["--root", root, "--practice", "user", "--clock", "2026-01-02T03:04:05", "status", "--json"]
    assert ran.stdout == f"{arguments}  False {[*LAN, 'lo']}\n", ran.stderr
    assert ran.returncode == 7
    assert demo(folder, "--reboot").returncode == 0
    assert demo(folder).stdout == f"{['--root', root, '--practice', 'user']}  False {[*LAN, 'lo']}\n"
    assert demo(folder, "--stop").returncode == 0
    assert not folder.exists()


def test_where_user_namespaces_are_off_root_makes_a_network_namespace(folder: Path) -> None:
    # Root of a nested user namespace whose own budget of user namespaces is none: that is how such a machine looks.
    wrapped = ("unshare", "--user", "--map-root-user", "sh", "-c", NO_USER_NAMESPACES, "sh")
    ran = demo(folder, wrapped=wrapped)
    assert ran.returncode == 7, ran.stderr
    why = f"a user namespace was refused ({OFF})"
    assert f"'--practice', 'network'] {why} False {[*LAN, 'lo']}" in ran.stdout
    assert ran.stderr == f"Practice in a network namespace of root: {why}.\n"
    demo(folder, "--stop")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("limits", "privileges", "reasons"),
    [
        ("net", [], [f"a network namespace was refused ({OFF})"] * 2),
        (
            "user",
            ["setpriv", "--bounding-set=-sys_admin,-net_admin", "--inh-caps=-all"],
            [f"a user namespace was refused ({OFF})", "a network namespace was refused (Operation not permitted)"],
        ),
        (
            "user",
            ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all"],
            [f"a user namespace was refused ({OFF})", "making a network link was refused (Operation not permitted)"],
        ),
    ],
)
def test_where_nothing_works_it_says_why_of_each(
    folder: Path, limits: str, privileges: list[str], reasons: list[str]
) -> None:
    refuse = f'echo 0 > /proc/sys/user/max_{limits}_namespaces && exec "$@"'
    wrapped = ["unshare", "--user", "--map-root-user", "sh", "-c", refuse, "sh", *privileges]
    command = [*wrapped, sys.executable, "-m", "agent.practice", "--state", str(folder)]
    ran = subprocess.run(command, cwd=CODE, text=True, capture_output=True, timeout=60)
    assert (ran.returncode, ran.stderr.splitlines()) == (3, reasons)
    assert not folder.exists()


def test_a_recorded_host_gets_an_empty_root_that_is_thrown_away(folder: Path) -> None:
    machine = folder / "machine.json"
    ran = demo(folder, "--machine", str(machine), "--play", "keys", "--", "status")
    assert ran.returncode == 7
    assert f"'--practice', 'recorded', '--machine', '{machine}', '--play', 'keys', 'status']" in ran.stdout
    root = Path(ran.stdout.partition("'--root', '")[2].partition("'")[0])
    assert root.name.startswith("onsite-recorded-")
    assert not root.exists()
    assert list(folder.iterdir()) == []
    folder.rmdir()


def test_what_a_killed_demo_left_is_cleared_away_at_the_next_start(folder: Path, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, alive, foreign, linked = (
        tmp_path / f"onsite-recorded-{name}" for name in (f"{gone.pid}-a", f"{os.getpid()}-b", "x-c", f"{gone.pid}-d")
    )
    for path in (dead, alive, foreign):
        (path / "etc").mkdir(parents=True)
    linked.symlink_to(alive)
    ran = subprocess.run(
        [sys.executable, "-c", DEMO, "--machine", "any"], cwd=CODE, text=True, capture_output=True, timeout=60,
        env={**os.environ, "ONSITE_PRACTICE": str(folder), "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert ran.returncode == 7, ran.stderr
    assert set(tmp_path.iterdir()) == {alive, foreign, linked}
    folder.rmdir()


# --- entering ---


def test_entering_with_a_thread_running_is_refused(practice: PracticeHost) -> None:
    program = """
import sys, threading
from tui import namespaces
threading.Thread(target=threading.Event().wait, daemon=True).start()
try:
    namespaces.enter(int(sys.argv[1]))
except RuntimeError as error:
    print(error)
"""
    command = [sys.executable, "-c", program, str(practice.pid)]
    ended = subprocess.run(command, cwd=CODE, text=True, capture_output=True, timeout=20, check=True)
    assert "before any thread" in ended.stdout


def test_entering_keeps_the_working_folder_and_imports_little(practice: PracticeHost, tmp_path: Path) -> None:
    program = """
import os, sys
from tui import namespaces
namespaces.enter(int(sys.argv[1]))
print(os.getcwd(), sorted(os.listdir("/sys/class/net")), {"asyncio", "json", "pyroute2", "textual"} & set(sys.modules))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(practice.pid)], cwd=tmp_path, text=True, capture_output=True, timeout=20,
        env={**os.environ, "PYTHONPATH": str(CODE)}, check=True,
    )  # fmt: skip
    assert ended.stdout == f"{tmp_path} {[*LAN, 'lo']} set()\n"
