"""The host of a practice host: the process whose namespaces consoles enter.

It makes the host's ends of the cables, then does nothing but be there. When the holder is gone it
ends everything that lives in its network namespace, so nothing is left behind.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
from pathlib import Path

from agent.practice.cables import CABLES
from agent.practice.power import cut
from agent.practice.state import cause
from tui import namespaces


def main(root: Path) -> str:
    """Run until standard input ends. Returns why it could not begin, or ""."""
    try:
        namespaces.unshare(namespaces.NET | namespaces.MOUNT | namespaces.UTS)
        namespaces.mount("none", "/", "none", namespaces.MS_REC | namespaces.MS_SLAVE)
    except OSError as error:
        return f"network, mount and host-name namespaces were refused ({cause(error)})"
    socket.sethostname((root / "etc/hostname").read_text().strip())
    _show_sysfs(root)
    _show_resolver(root)
    from pyroute2 import IPRoute, NetlinkError  # after unshare(2), while the peers get ready

    peers = sys.stdin.readline().strip()
    with contextlib.closing(IPRoute()) as kernel:
        step = "a network link"
        try:
            _plug_in(kernel, f"/proc/{peers}/ns/net")
            step = "an address on a network link"
            kernel.addr("add", index=CABLES[0].index, address="192.0.2.254", prefixlen=32)
            kernel.addr("delete", index=CABLES[0].index, address="192.0.2.254", prefixlen=32)
            _settle(kernel)
        except (OSError, NetlinkError) as error:
            return f"making {step} was refused ({os.strerror(getattr(error, 'code', 0) or getattr(error, 'errno', 0))})"
    print("ready", flush=True)
    sys.stdin.read()
    cut(namespaces.identity("self", "net"), spare=os.getpid())
    return ""


def _plug_in(kernel: object, peers: str) -> None:
    call = kernel.link  # type: ignore[attr-defined] # pyroute2 is untyped
    far = os.open(peers, os.O_RDONLY | os.O_CLOEXEC)
    call("set", index=1, state="up")
    for cable in CABLES:
        call(
            "add", ifname=cable.name, index=cable.index, kind="veth", address=cable.mac,
            peer={"ifname": cable.peer, "index": cable.index, "address": cable.peer_mac, "net_ns_fd": far},
        )  # fmt: skip
        call("set", index=cable.index, state="up")
    os.close(far)


def _settle(kernel: object, seconds: float = 2) -> None:
    """Wait until the kernel has noticed which links have a carrier: it takes up to a second over it, newer kernels
    (rtnl_getlink of 6.8) only until asked for one link."""
    end = time.monotonic() + seconds
    for cable in CABLES:
        while _unsettled(kernel, cable.index) and time.monotonic() < end:
            time.sleep(0.01)


def _unsettled(kernel: object, index: int) -> bool:
    (link,) = kernel.link("get", index=index)  # type: ignore[attr-defined] # pyroute2 is untyped
    return bool(link.get("operstate") == "UNKNOWN")


def _show_sysfs(root: Path) -> None:
    """Let /sys/class/net, also below the sandbox, show the links of this namespace; some containers refuse it."""
    shown = root / "sys/class/net"
    shown.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        namespaces.mount("sysfs", "/sys", "sysfs")
        shown.symlink_to("/sys/class/net")


def _show_resolver(root: Path, seconds: float = 0.3) -> None:
    """Let programs here ask the name servers of this host: a copy of its resolv.conf, for the file itself is renamed
    over at each change and would leave the mount. Where a container refuses the mount, names are the machine's."""
    shown, source = root / "run/resolv.conf", root / "etc/resolv.conf"
    shown.touch()
    try:
        namespaces.mount(str(shown), str(Path("/etc/resolv.conf").resolve()), "none", namespaces.MS_BIND)
    except OSError:
        return

    def follow() -> None:
        before = ""
        while True:
            with contextlib.suppress(OSError):
                if (now := source.read_text()) != before:
                    before = now
                    shown.write_text(now)
            time.sleep(seconds)

    threading.Thread(target=follow, daemon=True).start()


if __name__ == "__main__":
    if reason := main(Path(sys.argv[1])):
        print(f"refused: {reason}", flush=True)
