"""The one way in which Onsite itself speaks HTTP with others: its own proxy rules, and the authorities of the host.

httpx would read the environment (an IPv6 network in NO_PROXY makes its constructor raise, an IPv4 one is ignored) and
trust the list that comes with certifi, which no operator can add to. So `trust_env` is off everywhere.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tui.services.host import Host
from tui.services.proxy import kept
from tui.services.proxy.exceptions import bypasses

if TYPE_CHECKING:
    from tui.models.proxy import ProxyConfig, Upstream

STORES = (
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/cert.pem",
)  # fmt: skip
"""Bundles of authorities: Debian, Red Hat, SUSE (two), others."""
SECONDS = 20.0


def trust(host: Host) -> ssl.SSLContext:
    """What this host trusts: its bundle, and nothing where it has none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if (file := bundle(host)) is not None:
        context.load_verify_locations(file)
    return context


def bundle(host: Host) -> Path | None:
    """The file of all authorities that the host trusts."""
    return next((path for name in STORES if (path := host.path(name)).is_file()), None)


def client(host: Host, config: ProxyConfig | None = None, *, seconds: float = SECONDS) -> httpx.AsyncClient:
    """A client that goes by the proxy of `config`, or by the one that was kept on the host.

    Args:
        seconds: for each of connecting, writing and reading.

    Raises:
        ssl.SSLError: the host's bundle of authorities is damaged.
    """
    wish = kept.of(host) if config is None else config
    return httpx.AsyncClient(transport=Routed(wish, trust(host)), trust_env=False, timeout=seconds)


class Routed(httpx.AsyncBaseTransport):
    """Direct, or by one of two proxies: decided by each request's scheme and host."""

    def __init__(self, config: ProxyConfig | None, context: ssl.SSLContext) -> None:
        http, https = (None, None) if config is None else config.upstreams
        self.exceptions: Sequence[str] = () if config is None else config.exceptions
        self.direct = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
        self.by_scheme = {"http": self._via(http, context), "https": self._via(https, context)}

    def _via(self, upstream: Upstream | None, context: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
        if upstream is None:
            return self.direct
        from tui.models.proxy import bracketed

        url = f"{upstream.scheme}://{bracketed(upstream.host)}:{upstream.port}"
        login = (upstream.user, upstream.secret) if upstream.user else None
        own = context if upstream.scheme == "https" else None
        proxy = httpx.Proxy(url, auth=login, ssl_context=own)
        return httpx.AsyncHTTPTransport(verify=context, trust_env=False, proxy=proxy)

    def route(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        return self.direct if bypasses(url.host, self.exceptions) else self.by_scheme.get(url.scheme, self.direct)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.route(request.url).handle_async_request(request)

    async def aclose(self) -> None:
        for transport in {self.direct, *self.by_scheme.values()}:
            await transport.aclose()
