"""Let the lamp of a port blink, where its driver can (ETHTOOL_PHYS_ID of linux/ethtool.h).

The call blinks for whole seconds and comes back after them, so it is made in a thread, one second at a time: whoever
leaves waits for the rest of one second, and the lamp is what it was. Carrier and traffic go on meanwhile.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
import struct
from array import array

from tui.models.change import Issue, Refused
from tui.services.host import Host

_SIOCETHTOOL, _PHYS_ID = 0x8946, 0x1C
SECONDS = 20
"""Long enough to walk around a rack; it can be asked for again."""


async def blink(host: Host, name: str, seconds: int = SECONDS) -> None:
    """Blink for so long, or until cancelled.

    Raises:
        Refused: N313, this port cannot.
    """
    if host.kind == "recorded":
        raise Refused(_issue(name, "This host is a recording, so there is no lamp to see."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        for _ in range(seconds):
            turn = asyncio.ensure_future(asyncio.to_thread(_once, sock, name))
            try:
                await asyncio.shield(turn)
            except asyncio.CancelledError:
                await asyncio.wait([turn])  # the lamp goes out before anything else is done
                raise
            except OSError as error:
                raise Refused(_issue(name, _reason(error, name))) from error


def _once(sock: socket.socket, name: str) -> None:
    value = array("B", struct.pack("=II", _PHYS_ID, 1))  # struct ethtool_value: for one second
    fcntl.ioctl(sock, _SIOCETHTOOL, struct.pack("16sP", os.fsencode(name), value.buffer_info()[0]).ljust(40, b"\0"))


def _reason(error: OSError, name: str) -> str:
    match error.errno:
        case errno.EOPNOTSUPP:
            return f"The driver of {name} cannot blink its lamp."
        case errno.EPERM:
            return f"Onsite may not ask {name} to blink; run it as root."
        case errno.EBUSY:
            return f"{name} blinks already, on somebody else's request."
        case errno.ENODEV:
            return f"{name} is gone."
    return f"{name} does not blink: {error.strerror}."


def _issue(name: str, text: str) -> Issue:
    return Issue("N313", "note", name, text, "Pull its cable or plug one in instead: the list says which port it was.")
