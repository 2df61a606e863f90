"""Driver, speed and duplex of a link by SIOCETHTOOL (linux/ethtool.h).

The ioctl answers for the network namespace of its socket; /sys may show the links of another one.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from array import array
from dataclasses import replace

from tui.models.facts import Link
from tui.services.facts.netlink import number, text

_SIOCETHTOOL, _ETHTOOL_GSET, _ETHTOOL_GDRVINFO = 0x8946, 0x1, 0x3
_DUPLEX = {0: "half", 1: "full"}


def with_hardware(sock: socket.socket, link: Link) -> Link:
    """The link with its driver, and with speed and duplex while it has carrier.

    Args:
        sock: any socket of the link's namespace.
    """
    if link.kind == "loopback":
        return link
    about = _ask(sock, link.name, _ETHTOOL_GDRVINFO, 196)  # struct ethtool_drvinfo
    settings = _ask(sock, link.name, _ETHTOOL_GSET, 44) if link.admin_up and link.carrier else b""  # ethtool_cmd
    speed, duplex = None, ""
    if settings:
        mbps = number(settings[12:14]) | number(settings[28:30]) << 16
        if 0 < mbps < 0x7FFFFFFF:  # SPEED_UNKNOWN is -1; some drivers say 0
            speed, duplex = mbps, _DUPLEX.get(settings[14], "")
    return replace(link, driver=text(about[4:36]), speed_mbps=speed, duplex=duplex)


def _ask(sock: socket.socket, name: str, command: int, size: int) -> bytes:
    """The structure that the driver fills in; empty where it does not answer."""
    buffer = array("B", struct.pack("=I", command) + bytes(size - 4))
    request = struct.pack("16sP", os.fsencode(name), buffer.buffer_info()[0]).ljust(40, b"\0")
    try:
        fcntl.ioctl(sock, _SIOCETHTOOL, request)
    except OSError:
        return b""
    return buffer.tobytes()
