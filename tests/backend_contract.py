"""What every network backend must do, as programs that run where the links are: `python -m tests.backend_contract`.

A practice host runs them for `direct`, a systemd container for `networkd`; neither needs pytest inside. Each case
gets a link without configuration whose network has a DHCP server, and leaves it so.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.models.facts import Facts, Link, LinkState
from tui.models.link import LinkConfig
from tui.services import facts
from tui.services.change import files
from tui.services.facts import rtnl
from tui.services.host import Host, Kind
from tui.services.network.backend import Backend

SETTLE = 20.0
_RTM_DELADDR, _ADDRESS_MESSAGE = 21, struct.Struct("=IH10x4xI")
"""Length and type of a netlink message, and the index of the link in one about an address (if_addr.h)."""
FIRST: dict[str, Any] = {
    "ipv4": {"method": "static", "addresses": ["192.0.2.210/24", "192.0.2.211/24"], "gateway": "192.0.2.1"},
    "ipv6": {
        "method": "static", "addresses": ["2001:db8:0:1::210/64", "2001:db8:0:2::210/64"], "gateway": "2001:db8:0:1::1",
    },
}  # fmt: skip
SECOND: dict[str, Any] = {
    "ipv4": {"method": "static", "addresses": ["192.0.2.220/24"], "gateway": "192.0.2.2"},
    "ipv6": {"method": "off"},
}
DHCP: dict[str, Any] = {"ipv4": {"method": "dhcp"}, "ipv6": {"method": "off"}}


@dataclass(slots=True)
class Case:
    host: Host
    backend: Backend
    name: str

    @property
    def link(self) -> Link:
        return next(link for link in self.host.kernel.links() if link.name == self.name)

    @property
    def facts(self) -> Facts:
        return facts.read(self.host)

    @property
    def owned(self) -> Link:
        """The link with who configures it."""
        return next(link for link in self.facts.links if link.name == self.name)

    def wanted(self, wish: dict[str, Any]) -> LinkState:
        return self.backend.wanted(self.config(wish), self.owned, self.facts)

    def config(self, wish: dict[str, Any]) -> LinkConfig:
        return LinkConfig.model_validate({"mac": self.link.identity, "name": self.name, **wish})

    async def put(self, layer: str, wish: dict[str, Any] | None) -> None:
        """Write or remove the file of a layer, and reload."""
        image = getattr(self.backend, layer)(self.config(wish or DHCP), self.owned, self.facts)
        if wish is None:
            files.remove(self.host, [image.path])
        else:
            files.write_image(self.host, image)
        await self.backend.reload(self.host, [self.link.identity])

    async def shows(self, wish: dict[str, Any]) -> None:
        wanted = self.wanted(wish)
        await self.until(f"the kernel shows {wanted}", lambda: _settled(self.link) and _like(self.link.state, wanted))

    async def until(self, what: str, true: Callable[[], object]) -> None:
        end = time.monotonic() + SETTLE
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"not seen: {what}\nlast seen: {self.link}")
            await asyncio.sleep(0.1)


async def static_both_families(case: Case) -> None:
    await case.put("volatile", FIRST)
    await case.shows(FIRST)
    removed = await _removed_addresses(case, lambda: case.put("volatile", SECOND))
    await case.shows(SECOND)
    assert removed >= 4 or case.backend.name != "direct", "the count of removed addresses counts nothing"


async def same_file_twice_changes_nothing(case: Case) -> None:
    await case.put("volatile", FIRST)
    await case.shows(FIRST)
    removed = await _removed_addresses(case, lambda: case.put("volatile", FIRST))
    assert not removed, f"{removed} addresses were taken away"
    await case.shows(FIRST)


async def dhcp_to_static_and_back(case: Case) -> None:
    await case.put("volatile", DHCP)
    await case.until("a leased address", lambda: case.link.state.dynamic and case.link.default_gateways)
    leased = case.link.state.dynamic
    await case.put("volatile", SECOND)
    await case.shows(SECOND)
    assert not case.link.state.dynamic, f"still there: {case.link.state.dynamic}"
    assert case.link.default_gateways == ("192.0.2.2",), f"gateways: {case.link.default_gateways}"
    await case.put("volatile", DHCP)
    await case.until("the same lease again", lambda: case.link.state.dynamic == leased)
    await case.until("only leased routes", lambda: not case.link.state.routes and case.link.default_gateways)
    assert case.link.state.addresses == (), f"still there: {case.link.state.addresses}"


async def leased_address_made_static(case: Case) -> None:
    """The commonest change of all: what DHCP gave, for good."""
    await case.put("volatile", DHCP)
    await case.until("a leased address", lambda: case.link.state.dynamic and case.link.default_gateways)
    (leased,) = (a for a in case.link.state.dynamic if ":" not in a)
    wish = {"ipv4": {"method": "static", "addresses": [leased], "gateway": "192.0.2.1"}, "ipv6": {"method": "off"}}
    await case.put("volatile", wish)
    await case.shows(wish)
    assert not case.link.state.dynamic, f"it would run out: {case.link.addresses}"


async def mtu(case: Case) -> None:
    await case.put("volatile", {**FIRST, "mtu": 1400})
    await case.shows({**FIRST, "mtu": 1400})
    await case.put("volatile", {**FIRST, "mtu": 1500})
    await case.shows({**FIRST, "mtu": 1500})


async def name_servers_alone(case: Case) -> None:
    await case.put("volatile", {**FIRST, "nameservers": ["192.0.2.53"]})
    await case.shows(FIRST)
    wish = {**FIRST, "nameservers": ["192.0.2.54"], "search_domains": ["site.example"]}
    removed = await _removed_addresses(case, lambda: case.put("volatile", wish))
    # NetworkManager (1.42) sets IPv6 addresses anew at any change, networkd (252) IPv4 addresses of netplan's output.
    anew = case.backend.name in ("NetworkManager", "netplan")
    assert not removed or anew, f"{removed} addresses were taken away for a name server"
    await case.shows(FIRST)


async def volatile_wins_over_kept(case: Case) -> None:
    await case.put("kept", SECOND)
    await case.shows(SECOND)
    await case.put("volatile", FIRST)
    await case.shows(FIRST)
    await case.put("volatile", None)
    await case.shows(SECOND)


async def restore_of_a_link_without_a_file(case: Case) -> None:
    before = case.link.state
    await case.put("volatile", FIRST)
    await case.shows(FIRST)
    await case.put("volatile", None)
    await case.backend.restore(case.host, case.link.identity, before)
    await case.until(f"the state before, {before}", lambda: _like(case.link.state, before))


async def restore_of_a_static_link(case: Case) -> None:
    await case.put("kept", FIRST)
    await case.shows(FIRST)
    before = case.link.state
    await case.put("volatile", {**SECOND, "mtu": 1400})
    await case.shows({**SECOND, "mtu": 1400})
    await case.put("volatile", None)
    await case.backend.restore(case.host, case.link.identity, before)
    await case.until(f"the state before, {before}", lambda: _like(case.link.state, before))


async def restore_of_a_leased_link(case: Case) -> None:
    await case.put("kept", DHCP)
    await case.until("a leased address", lambda: case.link.state.dynamic and case.link.default_gateways)
    before = case.link.state
    await case.put("volatile", FIRST)
    await case.shows(FIRST)
    await case.put("volatile", None)
    await case.backend.restore(case.host, case.link.identity, before)
    await case.until(f"the state before, {before}", lambda: _like(case.link.state, before))
    await case.until("the lease before", lambda: case.link.state.dynamic == before.dynamic)


CASES: dict[str, Callable[[Case], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        static_both_families, same_file_twice_changes_nothing, dhcp_to_static_and_back, leased_address_made_static,
        mtu, name_servers_alone, volatile_wins_over_kept, restore_of_a_link_without_a_file, restore_of_a_static_link,
        restore_of_a_leased_link,
    )
}  # fmt: skip


async def run(case: Case, name: str) -> None:
    """One case, and the link as it was afterwards."""
    before = case.link.state
    try:
        await CASES[name](case)
    finally:
        for layer in ("volatile", "kept"):
            await case.put(layer, None)
        await case.backend.restore(case.host, case.link.identity, before)
    await case.until(f"the link is free again, {before}", lambda: _like(case.link.state, before))


async def _removed_addresses(case: Case, act: Callable[[], Awaitable[None]]) -> int:
    """How many addresses the link lost meanwhile, even for an instant; a manager gets a second to do it late."""
    index = case.link.index
    with closing(rtnl.listen()) as heard:
        await act()
        await asyncio.sleep(1.0 if case.backend.name != "direct" else 0)
        removed = 0
        while True:
            try:
                data = heard.recv(1 << 16)
            except BlockingIOError:
                return removed
            while len(data) >= _ADDRESS_MESSAGE.size:
                length, kind, link = _ADDRESS_MESSAGE.unpack_from(data)
                removed += (kind, link) == (_RTM_DELADDR, index)
                data = data[(length + 3) & ~3 :]


def _settled(link: Link) -> bool:
    return not any(a.flags & 0x40 for a in link.addresses)


def _like(now: LinkState, then: LinkState) -> bool:
    """Equal but for what a backend may choose: metrics and protocols of routes, and the very lease."""
    return (now.up, now.mtu, now.addresses, _hops(now), bool(now.dynamic)) == (
        then.up, then.mtu, then.addresses, _hops(then), bool(then.dynamic),
    )  # fmt: skip


def _hops(state: LinkState) -> set[tuple[int, str, str]]:
    return {(r.family, r.destination, r.gateway) for r in state.routes}


def main(backend: str, kind: Kind, root: str, link: str, case: str) -> None:
    from tui.services.network import backends
    from tui.services.network.kernel import NetlinkKernel

    host = Host(Path(root), NetlinkKernel(), kind)
    asyncio.run(run(Case(host, backends()[backend], link), case))


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]  # the words of a command line
