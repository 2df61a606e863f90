"""Cases of the `direct` backend beyond the contract, run inside a practice host: `python -m tests.netns.direct_cases`.

Each has a cable of its own, near0, whose far end does as it is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from tests.backend_contract import DHCP, FIRST, Case
from tui.services import facts
from tui.services.host import Host, Kind
from tui.services.network import dhcp, leases, linkfiles
from tui.services.network.direct import Direct
from tui.services.network.kernel import NetlinkKernel
from tui.services.network.reconcile import Operation

AUTO = {"ipv4": {"method": "off"}, "ipv6": {"method": "auto"}}
STATIC6 = {
    "ipv4": {"method": "off"},
    "ipv6": {"method": "static", "addresses": ["2001:db8:0:9::5/64"], "gateway": "2001:db8:0:9::1"},
}


class Cable(Case):
    far: subprocess.Popen[str]

    async def tell(self, word: str) -> None:
        await asyncio.to_thread(self.say, word)

    def say(self, word: str) -> None:
        assert self.far.stdin is not None
        assert self.far.stdout is not None
        self.far.stdin.write(word + "\n")
        self.far.stdin.flush()
        assert self.far.stdout.readline().strip() == "ok", f"the far end did not take {word!r}"

    def dynamic(self) -> tuple[str, ...]:
        return self.link.state.dynamic

    def gateways(self) -> tuple[str, ...]:
        return self.link.default_gateways

    @property
    def resolv(self) -> str:
        return self.host.path("/run/onsite/resolv.conf").read_text()

    @property
    def client(self) -> int:
        return int(self.host.path(f"{dhcp.FOLDER}/{self.name}.pid").read_text())

    async def leased(self) -> tuple[str, ...]:
        await self.until("a lease and its route", lambda: self.dynamic() and self.gateways())
        return self.dynamic()


async def router_advertisements_go_with_static_and_come_back(cable: Cable) -> None:
    """The router keeps silent unless it is asked: coming back proves that we ask."""
    await cable.tell("router")
    await cable.put("volatile", AUTO)
    await cable.until("an address of the router's", lambda: cable.dynamic())
    assert any(r.protocol == 9 for r in cable.link.routes), cable.link.routes
    await cable.put("volatile", STATIC6)
    await cable.shows(STATIC6)
    assert not cable.dynamic(), cable.dynamic()
    assert cable.gateways() == ("2001:db8:0:9::1",), cable.link.routes
    assert any(a.link_local for a in cable.link.addresses), "the link-local address is the way in for a technician"
    await cable.put("volatile", {**AUTO, "ipv6": {"method": "off"}})
    assert not cable.gateways()
    assert not cable.dynamic()
    assert any(a.link_local for a in cable.link.addresses), cable.link.addresses
    await cable.put("volatile", AUTO)
    await cable.until("an address of the router's again", lambda: cable.dynamic())


async def advertised_gateway_made_static(cable: Cable) -> None:
    """The same next hop as the router announced: the route must not run out with the advertisement."""
    await cable.tell("router")
    await cable.put("volatile", AUTO)
    await cable.until("a route of the router's", lambda: cable.gateways())
    (gateway,) = cable.gateways()
    (address,) = cable.dynamic()
    wish = {**STATIC6, "ipv6": {"method": "static", "addresses": [address], "gateway": gateway}}
    await cable.put("volatile", wish)
    await cable.shows(wish)
    assert [r.protocol for r in cable.link.routes if r.destination == "default"] == [4], cable.link.routes
    assert [a.valid_seconds for a in cable.link.addresses if a.address == address] == [None], cable.link.addresses


async def lease_in_kernel_files_and_resolver(cable: Cable) -> None:
    await cable.tell("odd")
    await cable.put("kept", DHCP)
    (address,) = await cable.leased()
    await cable.until("the resolver has it", lambda: "nameserver 192.0.2.1" in cable.resolv)
    assert "search site.example" in cable.resolv
    lease = leases.read(cable.host, cable.name)
    assert lease is not None
    assert (lease.address, lease.gateway, lease.server, lease.seconds) == (address, "192.0.2.1", "192.0.2.1", 3600)
    (found,) = (a for a in cable.link.addresses if a.address == address)
    assert found.valid_seconds is not None
    assert 3500 < found.valid_seconds <= 3600
    (route,) = (r for r in cable.link.routes if r.destination == "default")
    assert (route.gateway, route.protocol, route.source) == ("192.0.2.1", 16, address.partition("/")[0])
    client = cable.client
    await cable.put("kept", {**DHCP, "nameservers": ["192.0.2.99"]})
    assert cable.client == client, "a name server is no reason to begin DHCP anew"
    assert "nameserver 192.0.2.99" in cable.resolv
    assert "192.0.2.1\n" not in cable.resolv


async def no_answer_then_one(cable: Cable) -> None:
    await cable.put("kept", DHCP)
    await asyncio.sleep(3)
    used = _cpu_seconds(cable.client)
    await asyncio.sleep(3)
    assert _cpu_seconds(cable.client) - used < 0.2, "it waits, it does not spin"
    assert not cable.dynamic()
    await cable.tell("lease")
    await cable.leased()


async def carrier_lost_and_back_in_another_network(cable: Cable) -> None:
    await cable.tell("lease")
    await cable.put("kept", DHCP)
    (before,) = await cable.leased()
    await cable.tell("down")
    await cable.until("no carrier", lambda: not cable.link.carrier)
    cable.say("nak")  # a server that does not know the former address refuses it and gives another
    await cable.tell("up")
    await cable.until("asked anew", lambda: cable.link.carrier and cable.link.state.dynamic)
    await cable.leased()
    assert dhcp.running(cable.host, cable.name)
    assert len(cable.dynamic()) == 1, (before, cable.dynamic())


async def killed_client_is_replaced(cable: Cable) -> None:
    await cable.tell("lease")
    await cable.put("kept", DHCP)
    before = await cable.leased()
    first = cable.client
    os.kill(first, signal.SIGKILL)
    await cable.until("it is gone", lambda: not dhcp.running(cable.host, cable.name))
    assert cable.dynamic() == before, "the address stays for its lifetime"
    await cable.put("kept", DHCP)
    assert dhcp.running(cable.host, cable.name)
    assert cable.client != first
    assert await cable.leased() == before
    await cable.put("kept", None)
    assert not dhcp.running(cable.host, cable.name)
    assert cable.dynamic() == ()
    assert not cable.gateways()
    assert not leases.path(cable.host, cable.name).exists()


async def terminated_client_leaves_nothing(cable: Cable) -> None:
    await cable.tell("lease")
    await cable.put("kept", DHCP)
    await cable.leased()
    os.kill(cable.client, signal.SIGTERM)
    await cable.until("it is gone", lambda: not dhcp.running(cable.host, cable.name))
    assert not cable.dynamic()
    assert not cable.gateways()
    assert "nameserver" not in cable.resolv


async def second_default_route_of_another_link(cable: Cable) -> None:
    other = Case(cable.host, cable.backend, "lan0")
    before = other.link.state
    await other.put("volatile", FIRST)
    wish = {
        "ipv4": {"method": "static", "addresses": ["198.51.100.7/24"], "gateway": "198.51.100.1"},
        "ipv6": {"method": "static", "addresses": ["2001:db8:0:9::7/64"], "gateway": "2001:db8:0:9::1"},
    }
    await cable.put("volatile", wish)
    await cable.shows(wish)
    await other.shows(FIRST)
    await other.put("volatile", None)
    await other.backend.restore(other.host, other.link.identity, before)
    await cable.shows(wish)


async def network_up_at_boot(cable: Cable) -> None:
    """A file that cannot be read and a link that is not there do not keep the others down."""
    kept = cable.host.path(linkfiles.KEPT)
    image = cable.backend.kept(cable.config(FIRST), cable.link, facts.read(cable.host))
    kept.mkdir(parents=True, exist_ok=True)
    assert image.content is not None
    cable.host.path(image.path).write_bytes(image.content)
    (kept / "00-00-5e-00-53-a1.yaml").write_text("mac: [")
    (kept / "00-00-5e-00-53-a2.yaml").write_bytes(image.content.replace(b"53:f0", b"53:a2"))
    (kept / ".half.yaml.12.onsite.tmp").write_text("half")
    words = [sys.executable, "-m", "tui", "--root", str(cable.host.root), "network", "up"]
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    assert "00:00:5e:00:53:a1" in done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    await cable.shows(FIRST)
    (kept / "00-00-5e-00-53-a1.yaml").unlink()
    again = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    (kept / "00-00-5e-00-53-a2.yaml").unlink()


class Dying(NetlinkKernel):
    """Carries out the first `left` operations; then the process is no more."""

    left = 0

    async def change(self, operations: Sequence[Operation]) -> None:
        await super().change(operations[: self.left])
        if len(operations) > self.left:
            raise InterruptedError


async def killed_at_any_operation_the_next_reload_finishes(cable: Cable) -> None:
    """Also the worst: DHCP with a lease to static with the leased address among the new ones, and back."""
    await cable.tell("lease")
    whole, dying, tried = cable.host, Host(cable.host.root, Dying(), cable.host.kind), 0
    for left in range(20):
        Dying.left = left
        await cable.put("volatile", DHCP)
        (leased,) = await cable.leased()
        wish = {**FIRST, "ipv4": {**FIRST["ipv4"], "addresses": ["192.0.2.240/24", leased]}}
        cable.host = dying
        try:
            await cable.put("volatile", wish)
        except InterruptedError:
            tried += 1
        cable.host = whole
        await cable.put("volatile", wish)
        assert cable.link.state == cable.wanted(wish), (left, cable.link)
        cable.host = dying
        with contextlib.suppress(InterruptedError):
            await cable.put("volatile", DHCP)
        cable.host = whole
        if tried <= left:
            break
    assert tried >= 6, f"{tried} interruptions of a change of more operations"


async def events_are_heard_once_a_burst(cable: Cable) -> None:
    heard = 0

    async def listen() -> None:
        nonlocal heard
        async for _ in cable.host.kernel.events():
            heard += 1

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.5)
    quiet = heard
    await cable.put("volatile", {**FIRST, "ipv6": {"method": "off"}})
    await cable.until("one event", lambda: heard > quiet)
    await asyncio.sleep(0.5)
    assert heard - quiet <= 2, f"{heard - quiet} events for one change"
    await cable.tell("down")
    before = heard
    await cable.until("an event of the carrier", lambda: heard > before)
    listening.cancel()


CASES: dict[str, Callable[[Cable], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        router_advertisements_go_with_static_and_come_back, advertised_gateway_made_static,
        lease_in_kernel_files_and_resolver, no_answer_then_one, carrier_lost_and_back_in_another_network,
        killed_client_is_replaced, terminated_client_leaves_nothing, second_default_route_of_another_link,
        network_up_at_boot, killed_at_any_operation_the_next_reload_finishes, events_are_heard_once_a_burst,
    )
}  # fmt: skip


@contextlib.contextmanager
def far_end() -> Iterator[subprocess.Popen[str]]:
    """The cable, up at both ends."""
    far = subprocess.Popen(
        [sys.executable, "-m", "tests.netns.far_end"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert far.stdout is not None
    try:
        assert far.stdout.readline().strip() == "ready"
        peer = f"type veth peer name far0 netns {far.pid}"
        for words in (f"link add near0 address 00:00:5e:00:53:f0 {peer}", "link set near0 up"):
            subprocess.run(["ip", *words.split()], check=True)
        yield far
    finally:
        far.kill()
        far.wait()
        for pipe in (far.stdin, far.stdout):
            if pipe:
                pipe.close()


async def run(host: Host, far: subprocess.Popen[str], case: str) -> None:
    cable = Cable(host, Direct(), "near0")
    cable.far = far
    await cable.tell("")
    await cable.until("carrier and a link-local address", lambda: _ready(cable))
    await CASES[case](cable)
    for layer in ("volatile", "kept"):
        await cable.put(layer, None)


def _ready(cable: Cable) -> bool:
    return cable.link.carrier and any(a.link_local and not a.flags & 0x40 for a in cable.link.addresses)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(kind: Kind, root: str, case: str) -> None:
    host = Host(Path(root), NetlinkKernel(), kind)
    with far_end() as far:
        asyncio.run(run(host, far, case))
    end = time.monotonic() + 10
    while any(link.name == "near0" for link in host.kernel.links()):
        assert time.monotonic() < end, "the cable goes with its far end"
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]  # the words of a command line
