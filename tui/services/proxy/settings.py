"""The values that every consumer spells: URLs put together from their parts, and what goes without the proxy."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from tui.models.proxy import ProxyConfig, Upstream

SMALL = 8
"""Addresses in a network that is also listed one by one, for programs that know no networks."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What to tell a consumer; all empty where there is no proxy.

    Attributes:
        http, https: URLs with user and password, percent-encoded (RFC 3986 section 3.2.1).
        bare_http, bare_https: the same without the password, for what others can read.
        exceptions: as in `ProxyConfig`.
    """

    http: str = field(default="", repr=False)
    https: str = field(default="", repr=False)
    bare_http: str = ""
    bare_https: str = ""
    exceptions: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: ProxyConfig) -> Settings:
        http, https = config.upstreams
        if http is None or https is None:
            return cls()
        return cls(url(http), url(https), url(http, bare=True), url(https, bare=True), config.exceptions)

    @property
    def secret(self) -> bool:
        """A file with the URLs must not be read by everybody."""
        return (self.http, self.https) != (self.bare_http, self.bare_https)

    @property
    def mode(self) -> int:
        return 0o600 if self.secret else 0o644

    def variables(self, *, bare: bool, ipv6_networks: bool) -> dict[str, str]:
        """The environment in both spellings: curl reads lower case only, some programs upper case only.

        Args:
            bare: without the password.
            ipv6_networks: Go reads them; httpx up to 0.28 does not even start where one is listed.
        """
        if not self.http:
            return {}
        http, https = (self.bare_http, self.bare_https) if bare else (self.http, self.https)
        without = ",".join(listed(self.exceptions, ipv6_networks=ipv6_networks))
        values = {"http_proxy": http, "https_proxy": https, "no_proxy": without}
        values = {name: value for name, value in values.items() if value}
        return {n: value for name, value in values.items() for n in (name, name.upper())}


def url(upstream: Upstream, *, bare: bool = False) -> str:
    """`http://user:password@host:port`, every sign of user and password that is not a letter or digit encoded."""
    from tui.models.proxy import bracketed

    login = quote(upstream.user, safe="")
    if upstream.secret and not bare:
        login += ":" + quote(upstream.secret, safe="")
    return f"{upstream.scheme}://{login + '@' if login else ''}{bracketed(upstream.host)}:{upstream.port}"


def listed(exceptions: tuple[str, ...], *, ipv6_networks: bool) -> list[str]:
    """The list for NO_PROXY: no blanks, small networks also as their addresses."""
    found: list[str] = []
    for entry in exceptions:
        net = network(entry)
        if net is None or net.version == 4 or ipv6_networks:
            found.append(entry)
        if net is not None and net.num_addresses <= SMALL:
            found += [str(address) for address in net]
    return list(dict.fromkeys(found))


def network(entry: str) -> IPv4Network | IPv6Network | None:
    """The network that an exception names; None for names and single addresses."""
    return ip_network(entry) if "/" in entry else None
