"""What one port hears of its neighbour: LLDP, CDP and LACP, by packet sockets that take nothing else.

It only listens. The card is told to hand over the groups that these protocols have; nobody's traffic is looked at, and
a flood of frames is looked at fifty times a second at most. Needs CAP_NET_RAW.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tui.models.facts import Link
from tui.services.checks import wire
from tui.services.port.protocol import CDP_GROUP, LLC, LLDP, LLDP_GROUPS, SLOW, SLOW_GROUP

_PROTOCOLS = ((LLDP, LLDP_GROUPS), (SLOW, (SLOW_GROUP,)), (LLC, (CDP_GROUP,)))
_OUTGOING = 4
"""PACKET_OUTGOING: what this host, or a bond of it, says itself."""
_ENOUGH = 50
_LONGEST = 1600
"""Bytes that are read of a frame; no protocol here has longer ones."""


@contextmanager
def listening(link: Link, hear: Callable[[bytes], None]) -> Iterator[None]:
    """Call `hear` with every frame of a neighbour, for as long as the block lasts. The link need not be up.

    Raises:
        OSError: the link is gone, or CAP_NET_RAW is missing (PermissionError).
    """

    def take(port: socket.socket) -> None:
        frame, address = port.recvfrom(_LONGEST)
        if address[2] != _OUTGOING:
            hear(frame)

    with contextlib.ExitStack() as open_ports:
        for protocol, groups in _PROTOCOLS:
            port = open_ports.enter_context(wire.open_port(link, protocol))
            for group in groups:
                wire.join(port, link, wire.GROUP, group)
            open_ports.enter_context(wire.reading(port, take, pause_after=_ENOUGH))
        yield
