"""HTTPS on every address of the host, where the settings switch it on; with a certificate of our own making until
somebody puts a better one there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from pathlib import Path

from tui.models.change import FileImage
from tui.services import facts
from tui.services.change import files
from tui.services.host import Host
from tui.services.trust import server
from tui.services.trust.server import CERTIFICATE, KEY

LOOK_AGAIN = 10.0
"""Seconds between looks at the two files: one that was replaced serves from then on, without a restart."""
_log = logging.getLogger("agent")


def listen(port: int) -> socket.socket:
    """A listening socket on all addresses, IPv6 and IPv4.

    Raises:
        OSError: the port is taken.
    """
    try:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError:
        if socket.has_ipv6 and Path("/proc/net/if_inet6").exists():
            raise
        listener = socket.create_server(("0.0.0.0", port))  # noqa: S104 - all addresses is what is wanted
    return listener


def context(host: Host) -> ssl.SSLContext:
    """TLS with the pair on the host, which is made where there is none.

    Raises:
        OSError, ssl.SSLError: it cannot be made or used.
    """
    if not (host.path(CERTIFICATE).exists() and host.path(KEY).exists()):
        make(host)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(host.path(CERTIFICATE), host.path(KEY))
    return made


async def follow(host: Host, serving: ssl.SSLContext) -> None:
    """Take up a pair that was replaced, for connections from then on. A pair that does not fit is logged and left."""
    known = _stamps(host)
    while True:
        await asyncio.sleep(LOOK_AGAIN)
        if (now := _stamps(host)) == known:
            continue
        known = now
        try:
            context(host)  # tried apart first, for a context keeps half of a pair that does not fit
            serving.load_cert_chain(host.path(CERTIFICATE), host.path(KEY))
        except (OSError, ssl.SSLError) as error:
            _log.error("the new certificate of the agent cannot be used: %s", error)


def _stamps(host: Host) -> list[int]:
    found = []
    for path in (CERTIFICATE, KEY):
        try:
            found.append(host.path(path).stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return found


def make(host: Host) -> None:
    """A key and a certificate that signs itself, for the names and addresses that the host has now.

    Raises:
        OSError: they cannot be written.
    """
    certificate, key = server.made(facts.read(host), host.clock.now())
    owner = (os.geteuid(), os.getegid())
    files.write_image(host, FileImage(KEY, key, 0o600, *owner))
    files.write_image(host, FileImage(CERTIFICATE, certificate, 0o644, *owner))
