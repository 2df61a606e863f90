"""TLS between linked hosts: whoever calls shows its certificate, and is known by it or is a stranger."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import ssl

import httpx
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.links.identity import Identity
from agent.links.peers import Peer, Peers

PORT = 5081
SECONDS = 5.0
"""For connecting, and for each answer of a peer."""
STRANGER = "stranger"
_KNOWN = "peer:"


class PeerTls(H11Protocol):
    """HTTP/1.1 whose `client` in the ASGI scope is who is at the other end: ("peer:FINGERPRINT" or "stranger", 0).

    The address of the other end is `request.state.address`.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        address = (self.client[0] if self.client else "").removeprefix("::ffff:")
        self.app_state = {**self.app_state, "address": address}
        self.client = (f"{_KNOWN}{hashlib.sha256(shown).hexdigest()}" if shown else STRANGER, 0)


def who(client: str) -> str:
    """The fingerprint of a caller, "" for a stranger."""
    return client.removeprefix(_KNOWN) if client.startswith(_KNOWN) else ""


def serving(identity: Identity, peers: Peers) -> ssl.SSLContext:
    """For the listener. A certificate that is no peer's ends the handshake; none at all is a stranger who may pair."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(identity.certificate, identity.key)
    context.verify_mode = ssl.CERT_OPTIONAL
    for each in peers.all:
        context.load_verify_locations(cadata=each.certificate)
    return context


def dialling(identity: Identity | None, certificate: str) -> ssl.SSLContext:
    """For calls to the host that has this certificate and to no other. `identity` None: as a stranger."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the certificate is pinned; addresses of hosts change
    context.load_verify_locations(cadata=certificate)
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


def client(identity: Identity | None, address: str, port: int, certificate: str) -> httpx.AsyncClient:
    """Calls to one host, straight: linked hosts are on one site, no proxy is between them."""
    host = f"[{address}]" if ":" in address else address
    return httpx.AsyncClient(
        base_url=f"https://{host}:{port}", verify=dialling(identity, certificate), trust_env=False, timeout=SECONDS
    )


def client_to(identity: Identity, peer: Peer) -> httpx.AsyncClient:
    return client(identity, peer.address, peer.port, peer.certificate)


async def presented(address: str, port: int) -> str:
    """The certificate that a host shows, in PEM. Nothing is sent and nothing is believed yet.

    Raises:
        OSError: nobody answers there (TimeoutError among them), or does not speak TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    async with asyncio.timeout(SECONDS):
        _, writer = await asyncio.open_connection(address, port, ssl=context)
    try:
        shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()
    return ssl.DER_cert_to_PEM_cert(shown)


def listening(port: int) -> socket.socket:
    """A socket for IPv6 and IPv4 on every address.

    Raises:
        OSError: the port is taken.
    """
    if not socket.has_dualstack_ipv6():
        return socket.create_server(("", port))
    return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
