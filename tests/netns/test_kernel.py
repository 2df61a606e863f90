"""`NetlinkKernel` with real links; each case runs inside a practice host."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.practice import PracticeHost
from tui.models.facts import Link, Route
from tui.services.facts import rtnl
from tui.services.network.kernel import DEBOUNCE, NetlinkKernel
from tui.services.network.reconcile import Operation

GATEWAY = Route("default", "192.0.2.1")
KERNEL = NetlinkKernel()


def lan0() -> Link:
    return next(link for link in KERNEL.links() if link.name == "lan0")


async def what_is_so_already_is_no_error() -> None:
    index = lan0().index
    make = [
        Operation("up", index, value=1),
        Operation("add address", index, "192.0.2.10/24"),
        Operation("add address", index, "2001:db8:0:1::10/64"),
        Operation("add route", index, route=GATEWAY),
        Operation("add route", index, route=Route("default", "2001:db8:0:1::1", 1024, family=6)),
    ]
    await KERNEL.change(make)
    state = lan0().state
    await KERNEL.change(make)
    assert lan0().state == state
    assert state.addresses == ("192.0.2.10/24", "2001:db8:0:1::10/64")
    assert len(state.routes) == 2
    undo = [
        Operation("delete route", index, route=GATEWAY),
        Operation("delete route", index, route=Route("default", "2001:db8:0:1::1", 1024, family=6)),
        Operation("delete address", index, "192.0.2.10/24"),
        Operation("delete address", index, "2001:db8:0:1::10/64"),
    ]
    await KERNEL.change(undo)
    await KERNEL.change(undo)
    assert lan0().state.addresses == ()
    assert lan0().state.routes == ()


async def refusals_carry_number_and_cause() -> None:
    index = lan0().index
    with pytest.raises(OSError) as refused:
        await KERNEL.change([Operation("add route", index, route=Route("default", "203.0.113.1"))])
    assert refused.value.errno in (errno.ENETUNREACH, errno.EINVAL)
    assert refused.value.strerror
    with pytest.raises(OSError) as refused:
        await KERNEL.change([Operation("mtu", index, value=1)])
    assert refused.value.errno == errno.EINVAL
    with pytest.raises(OSError) as refused:
        await KERNEL.change([Operation("up", 4242, value=1)])
    assert refused.value.errno == errno.ENODEV


async def operations_before_a_refusal_are_done() -> None:
    index = lan0().index
    with pytest.raises(OSError):
        await KERNEL.change([Operation("add address", index, "192.0.2.11/24"), Operation("mtu", index, value=1)])
    assert "192.0.2.11/24" in lan0().state.addresses
    await KERNEL.change([Operation("delete address", index, "192.0.2.11/24")])


async def leased_address_has_a_lifetime_and_an_origin() -> None:
    index = lan0().index
    await KERNEL.change([Operation("add address", index, "192.0.2.12/24", seconds=100, origin="dhcp")])
    (address,) = (a for a in lan0().addresses if a.address == "192.0.2.12/24")
    assert (address.origin, address.valid_seconds in range(95, 101)) == ("dhcp", True)
    await KERNEL.change([Operation("add address", index, "192.0.2.12/24")])
    (address,) = (a for a in lan0().addresses if a.address == "192.0.2.12/24")
    assert (address.origin, address.valid_seconds) == ("other", None)
    await KERNEL.change([Operation("delete address", index, "192.0.2.12/24")])


async def gateway_on_the_link() -> None:
    index, route = lan0().index, Route("default", "198.51.100.1", on_link=True)
    address = Operation("add address", index, "192.0.2.13/32")
    await KERNEL.change([address, Operation("add route", index, route=route)])
    assert route in lan0().routes
    await KERNEL.change(
        [Operation("delete route", index, route=route), Operation("delete address", index, "192.0.2.13/32")]
    )


async def overflow_counts_as_an_event_and_listening_goes_on() -> None:
    """A socket too small for a storm: the kernel drops messages and says ENOBUFS once."""
    made = rtnl.listen
    ready = asyncio.Event()

    def listen() -> socket.socket:
        small = made()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        ready.set()
        return small

    rtnl.listen = listen  # the very socket that events() opens
    heard: asyncio.Queue[float] = asyncio.Queue()

    async def listening() -> None:
        async for _ in KERNEL.events():
            heard.put_nowait(time.monotonic())

    task = asyncio.create_task(listening())
    await ready.wait()
    index = lan0().index
    add = [Operation("add address", index, f"192.0.2.{n}/24") for n in range(20, 60)]
    _storm(add)
    await asyncio.wait_for(heard.get(), 10)
    await KERNEL.change([Operation("delete address", index, operation.address) for operation in add])
    await asyncio.wait_for(heard.get(), 10)
    assert heard.qsize() <= 4, f"{heard.qsize()} more events; a burst ends after {DEBOUNCE} s of quiet"
    assert not task.done()
    task.cancel()


def _storm(operations: list[Operation]) -> None:
    """In a loop of its own, so that the listener cannot drain its socket meanwhile."""
    import threading

    thread = threading.Thread(target=lambda: asyncio.run(KERNEL.change(operations)))
    thread.start()
    thread.join()


CASES: dict[str, Callable[[], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        what_is_so_already_is_no_error, refusals_carry_number_and_cause, operations_before_a_refusal_are_done,
        leased_address_has_a_lifetime_and_an_origin, gateway_on_the_link,
        overflow_counts_as_an_event_and_listening_goes_on,
    )
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_kernel(practice: PracticeHost, case: str) -> None:
    done = practice.run(sys.executable, "-W", "error", "-m", "tests.netns.test_kernel", case, check=False)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    asyncio.run(CASES[sys.argv[1]]())  # type: ignore[arg-type]  # every case is a coroutine function
