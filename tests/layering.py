"""A bridge made of a port that has the host's address: made, edited, taken back, removed; on any host.

What is there is asked of iproute2. A bridge is what every kernel has; VLANs and bonds go the same way, and are tried
in virtual machines (tests/host/test_layers_vm.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from agent.practice.cables import HEALTHY, SILENT
from tests.host.box import wait_for
from tests.practice import Kernel

OFF = {"method": "off"}
STATIC = {"method": "static", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"}
PORT = {"mac": HEALTHY.mac, "name": HEALTHY.name, "ipv4": STATIC, "ipv6": OFF}
BRIDGE = {"name": "br0", "bridge": {"ports": [HEALTHY.mac], "stp": False}, "ipv4": STATIC, "ipv6": OFF}
EDITED = BRIDGE | {"bridge": {"ports": [HEALTHY.mac, SILENT.mac], "stp": True}, "mtu": 1400}


def document(*links: dict[str, Any], **more: Any) -> str:
    return json.dumps({"version": 1, "links": list(links), **more})


def ports(kernel: Kernel, master: str = "br0") -> set[str]:
    return {link["ifname"] for link in kernel.links if link.get("master") == master}


def there(kernel: Kernel, wish: dict[str, Any], names: set[str]) -> bool:
    """The bridge is as wished, with the address on it, the way out by it, and nothing on its ports."""
    if not any(link["ifname"] == "br0" for link in kernel.links):
        return False
    link = kernel.link("br0")
    return (
        ports(kernel) == names
        and bool(link["linkinfo"]["info_data"]["stp_state"]) is wish["bridge"]["stp"]
        and kernel.addresses("br0") == {"192.0.2.10/24"}
        and kernel.gateways("br0") == {"192.0.2.1"}
        and not any(kernel.addresses(name) for name in names)
        and link["mtu"] == wish.get("mtu", 1500)
        and all(kernel.link(name)["mtu"] >= link["mtu"] for name in names)
    )


def plain(kernel: Kernel) -> bool:
    """As before the bridge: none there, no port in anything, the address on the port."""
    return (
        not any(link["ifname"].startswith("br") for link in kernel.links)
        and not any(link.get("master") for link in kernel.links)
        and kernel.addresses("lan0") == {"192.0.2.10/24"}
        and kernel.gateways("lan0") == {"192.0.2.1"}
    )


def walk(
    apply: Callable[[str], object],
    verb: Callable[[str], object],
    kernel: Callable[[], Kernel],
    boot: Callable[[], object],
) -> int:
    """The whole way; returns how many states were looked at.

    Args:
        apply: `onsite apply` of a document, which waits for its Keep afterwards.
        verb: `onsite keep` or `onsite revert`.
        boot: without a shutdown.
    """
    seen = 0

    def so(what: str, true: Callable[[Kernel], bool]) -> None:
        nonlocal seen
        last: list[Kernel] = []
        try:
            wait_for(what, lambda: true(_kept(last, kernel())), 30)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{_short(last[-1])}") from None
        seen += 1

    apply(document(PORT))
    verb("keep")
    so("the address on the port", plain)
    apply(document(BRIDGE))
    so("the bridge while it waits", lambda k: there(k, BRIDGE, {"lan0"}))
    verb("revert")
    so("no bridge after Revert", plain)
    apply(document(BRIDGE))
    boot()
    so("no bridge after a power cut before Keep", plain)
    apply(document(BRIDGE))
    verb("keep")
    so("the bridge kept", lambda k: there(k, BRIDGE, {"lan0"}))
    boot()
    so("the bridge after a restart", lambda k: there(k, BRIDGE, {"lan0"}))
    apply(document(EDITED))
    so("the bridge edited", lambda k: there(k, EDITED, {"lan0", "lan1"}))
    verb("revert")
    so("the bridge as before the edit", lambda k: there(k, BRIDGE, {"lan0"}))
    apply(document(EDITED))
    verb("keep")
    so("the edit kept", lambda k: there(k, EDITED, {"lan0", "lan1"}))
    boot()
    so("the edit after a restart", lambda k: there(k, EDITED, {"lan0", "lan1"}))
    apply(document(PORT, removed=["br0"]))
    so("the bridge removed", plain)
    verb("revert")
    so("the bridge back", lambda k: there(k, EDITED, {"lan0", "lan1"}))
    apply(document(PORT, removed=["br0"]))
    verb("keep")
    so("the bridge gone for good", plain)
    boot()
    so("no bridge after a restart", plain)
    return seen


def _kept(last: list[Kernel], now: Kernel) -> Kernel:
    last[:] = [now]
    return now


def _short(kernel: Kernel) -> str:
    """What a failure is understood by."""
    keys = ("ifname", "mtu", "master", "operstate", "flags")
    links = [{k: x.get(k) for k in keys} | {"info": x.get("linkinfo", {}).get("info_kind")} for x in kernel.links]
    words = [f"{x} {sorted(kernel.addresses(str(x['ifname'])))}" for x in links]
    return "\n".join([*words, *map(str, kernel.routes)])
