"""Inside a `Guest`: the other ends of its cables, in namespaces, until it is told to end.

lan0 to lan3 lead to the practice host's peers; lan4 and lan5 to a switch that bundles them with LACP (IEEE 802.1AX, by
the kernel's bonding), 198.51.100.1 untagged and 203.0.113.1 in VLAN 20.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

CODE, SITE = "/opt/onsite/code", "/opt/onsite/site"
sys.path[:0] = [CODE, SITE]

from agent.practice.cables import CABLES  # noqa: E402  (the path is set above)

PORTS = (("lan4", "00:00:5e:00:53:14", 6), ("lan5", "00:00:5e:00:53:15", 7))
SWITCH = "198.51.100.1/24"
TAGGED, TAGGED_ADDRESS = 20, "203.0.113.1/24"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def switch() -> None:
    ip("netns", "add", "switch")
    for name, mac, index in PORTS:
        near = ["link", "add", name, "index", str(index), "address", mac, "type", "veth"]
        ip(*near, "peer", "name", f"far{name}", "index", str(index), "netns", "switch")
    inside = ("-n", "switch")
    # fast: a partner that is missed after three seconds, not ninety
    bond = ("bond0", "type", "bond", "mode", "802.3ad", "lacp_rate", "fast", "miimon", "100")
    ip(*inside, "link", "add", *bond)
    for name, _, _ in PORTS:
        ip(*inside, "link", "set", f"far{name}", "master", "bond0")
    ip(*inside, "link", "set", "bond0", "up")
    ip(*inside, "address", "add", SWITCH, "dev", "bond0")
    ip(*inside, "link", "add", "link", "bond0", "name", "tagged", "type", "vlan", "id", str(TAGGED))
    ip(*inside, "link", "set", "tagged", "up")
    ip(*inside, "address", "add", TAGGED_ADDRESS, "dev", "tagged")


def peers() -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{CODE}:{SITE}"}
    began = subprocess.Popen(
        [sys.executable, "-m", "agent.practice.peers", "/run/hub"], cwd=CODE, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert began.stdin is not None
    assert began.stdout is not None
    assert began.stdout.readline().strip() == "ready"
    for cable in CABLES:
        near = ["link", "add", cable.name, "index", str(cable.index), "address", cable.mac, "type", "veth", "peer"]
        ip(*near, "name", cable.peer, "index", str(cable.index), "address", cable.peer_mac, "netns", str(began.pid))
    began.stdin.write("\n")
    began.stdin.flush()
    assert began.stdout.readline().strip() == "ready"
    return began


def main() -> None:
    for module in ("veth", "bonding", "8021q"):
        subprocess.run(["modprobe", module], check=True)
    began = peers()
    switch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    signal.sigwait({signal.SIGTERM})
    began.kill()


if __name__ == "__main__":
    main()
