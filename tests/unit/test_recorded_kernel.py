"""The kernel of a replayed host: in memory, but with the consequences that a real one has."""

from __future__ import annotations

import asyncio
import errno

import pytest

from tui.models.facts import Address, Facts, Link, Route
from tui.services.network.reconcile import Operation
from tui.services.network.recorded import RecordedKernel

LINK = Link(2, "lan0", "00:00:5e:00:53:10", admin_up=True, carrier=True, operstate="up")


def kernel(**more: object) -> RecordedKernel:
    return RecordedKernel(Facts(links=(LINK,)), **more)  # type: ignore[arg-type]  # keywords of one or the other kind


async def test_an_address_that_another_host_has_is_a_duplicate() -> None:
    here = kernel(taken=["2001:db8::1"])
    await here.change([Operation("add address", 2, a) for a in ("2001:db8::1/64", "2001:db8::2/64")])
    found = {a.address: a.duplicate for a in here.links()[0].addresses}
    assert found == {"2001:db8::1/64": True, "2001:db8::2/64": False}


async def test_an_address_is_tentative_while_it_is_checked() -> None:
    here = kernel(dad=0.05)
    changing = asyncio.create_task(here.change([Operation("add address", 2, "2001:db8::1/64")]))
    await asyncio.sleep(0)
    assert here.links()[0].addresses[0].flags & 0x40
    await changing
    assert not here.links()[0].addresses[0].flags & 0x40


async def test_down_takes_ipv6_addresses_and_routes_along() -> None:
    here = kernel()
    await here.change(
        [
            Operation("add address", 2, "2001:db8::1/64"),
            Operation("add address", 2, "192.0.2.1/24"),
            Operation("add route", 2, route=Route("default", "192.0.2.9")),
            Operation("up", 2, value=0),
        ]
    )
    link = here.links()[0]
    assert (link.addresses, link.routes, link.admin_up) == ((Address("192.0.2.1/24"),), (), False)


@pytest.mark.parametrize(
    ("operation", "number"),
    [
        (Operation("up", 9, value=1), errno.ENODEV),
        (Operation("mtu", 2, value=67), errno.EINVAL),
    ],
)
async def test_refuses_what_a_kernel_refuses(operation: Operation, number: int) -> None:
    with pytest.raises(OSError) as refused:
        await kernel().change([operation])
    assert refused.value.errno == number


async def test_changes_and_carrier_are_heard() -> None:
    here, heard = kernel(), asyncio.Queue[bool]()

    async def listen() -> None:
        async for _ in here.events():
            heard.put_nowait(here.links()[0].carrier)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await here.set_carrier("lan0", carrier=False)
    assert await asyncio.wait_for(heard.get(), 5) is False
    await here.set_carrier("lan0", carrier=True)
    assert await asyncio.wait_for(heard.get(), 5) is True
    listening.cancel()
