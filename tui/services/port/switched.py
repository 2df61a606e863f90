"""Ports that are switched off notice no cable: have them on while somebody looks for one, and off again afterwards.

That is no configuration: nothing is written, and a restart forgets it. A port that is on this way takes no address
from a router, and asks no DHCP server. One that was given an address meanwhile stays on: somebody uses it. A port that
was on is not touched at all. A console that is killed leaves them on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tui.models.change import Issue, Refused
from tui.models.facts import Link
from tui.services.host import Host

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
"""SIOCGIFFLAGS and SIOCSIFFLAGS of netdevice(7): they are done when they return, also while a console ends."""
_CONF6 = Path("/proc/sys/net/ipv6/conf")


@contextmanager
def on(host: Host, links: Sequence[Link]) -> Iterator[None]:
    """Those of `links` that are off are on for as long as the block lasts.

    Raises:
        Refused: N315, the system does not let us.
    """
    asleep = [link for link in links if not link.admin_up]
    with contextlib.ExitStack() as afterwards:
        for link in asleep:
            try:
                afterwards.enter_context(_on(host, link))
            except OSError as error:
                text = f"{link.name} cannot be switched on: {error.strerror}."
                raise Refused(Issue("N315", "note", link.name, text, "Run onsite as root.")) from error
        yield


@contextmanager
def _on(host: Host, link: Link) -> Iterator[None]:
    accepts = _CONF6 / link.name / "accept_ra"
    former = accepts.read_text() if accepts.exists() else None  # without IPv6 there is nothing to take
    if former is not None:
        accepts.write_text("0")
    try:
        switch(link.name, True)
        yield
    finally:
        with contextlib.suppress(OSError):  # gone meanwhile: then there is nothing to put back
            now = next((x for x in host.kernel.links() if x.index == link.index), None)
            if now is not None and all(a.link_local for a in now.addresses):
                switch(now.name, False)
            if former is not None:
                accepts.write_text(former)


def switch(name: str, up: bool) -> None:
    """Have a link of this network namespace up or down.

    Raises:
        OSError: no such link, or CAP_NET_ADMIN is missing.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        asked = struct.pack("16sH", os.fsencode(name), 0).ljust(40, b"\0")
        (flags,) = struct.unpack_from("H", fcntl.ioctl(sock, _GET_FLAGS, asked), 16)
        flags = flags | _UP if up else flags & ~_UP
        fcntl.ioctl(sock, _SET_FLAGS, struct.pack("16sH", os.fsencode(name), flags).ljust(40, b"\0"))
