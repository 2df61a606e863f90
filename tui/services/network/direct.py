"""The `direct` backend: no manager runs, Onsite sets the link by netlink itself and again at every boot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING

from tui.models.change import FileImage
from tui.models.facts import Facts, Link, LinkState, Origin, Route
from tui.services.host import Host
from tui.services.network import dhcp, linkfiles, resolv
from tui.services.network.reconcile import Operation, reconcile

if TYPE_CHECKING:
    from tui.models.link import LinkConfig

METRIC6 = 1024
"""What the kernel gives an IPv6 route without a metric (IP6_RT_PRIO_USER)."""
_LEASE_AFTER_REVERT = 3600
"""Seconds for a leased address whose client is not ours: that client sets the true lifetime at its next renewal."""


class Direct:
    name = "direct"

    def kept(self, config: LinkConfig, link: Link) -> FileImage:
        return FileImage(linkfiles.path(linkfiles.KEPT, link.identity), linkfiles.render(config))

    def volatile(self, config: LinkConfig, link: Link) -> FileImage:
        return FileImage(linkfiles.path(linkfiles.VOLATILE, link.identity), linkfiles.render(config))

    def extra(self, configs: Iterable[LinkConfig], facts: Facts) -> tuple[FileImage, ...]:
        return resolv.link_to_it(facts) if any(True for _ in configs) else ()

    def wanted(self, config: LinkConfig, link: Link) -> LinkState:
        config = config.pruned()
        addresses = [_text(a) for a in (*config.ipv4.addresses, *config.ipv6.addresses)]
        gateways = [str(g) for g in (config.ipv4.gateway, config.ipv6.gateway) if g is not None]
        routes = [_default(gateway, addresses) for gateway in gateways]
        return LinkState(True, config.mtu or link.mtu, tuple(sorted(addresses)), tuple(routes))

    async def reload(self, host: Host, identities: Iterable[str]) -> None:
        """Make those links follow their files; a link without a file stays as it is, but a client of ours ends.

        Raises:
            OSError: the kernel refused, or a file cannot be used.
        """
        links = host.kernel.links()
        for identity in identities:
            config = linkfiles.effective(host, identity)
            link = linkfiles.find(links, identity, config.name if config else "")
            if link is None:
                continue
            if config is None:
                await dhcp.stop(host, link.name)
            else:
                await self._follow(host, link, config, self.wanted(config, link))
        await resolv.write(host, links)

    async def restore(self, host: Host, identity: str, before: LinkState) -> None:
        """Exactly the state before: also where nobody had configured the link. A link that is gone has none.

        Raises:
            OSError: the kernel refused, or a file cannot be used.
        """
        config = linkfiles.effective(host, identity)
        links = host.kernel.links()
        link = linkfiles.find(links, identity, config.name if config else "")
        if link is None:
            return
        if config is not None:
            await self._follow(host, link, config, before)
        else:
            await dhcp.stop(host, link.name)
            now = linkfiles.find(host.kernel.links(), identity)
            await host.kernel.change(_bare(now or link, before))
        await resolv.write(host, links)

    async def _follow(self, host: Host, link: Link, config: LinkConfig, wanted: LinkState) -> None:
        leased, automatic = config.ipv4.method == "dhcp", config.ipv6.method == "auto"
        if not leased:
            # The address stays until the static one is there, which may be the same: no gap, no broken session.
            await dhcp.stop(host, link.name, leave=True)
        keep: set[Origin] = {origin for origin, wish in (("dhcp", leased), ("ra", automatic)) if wish}  # type: ignore[misc]  # literals in a tuple
        operations = [Operation("router advertisements", link.index, value=int(automatic))]
        operations += reconcile(link, _in_order(wanted, config), keep=keep)
        if automatic and link.admin_up and not any(a.origin == "ra" for a in link.addresses):
            operations.append(Operation("solicit", link.index))
        await host.kernel.change(operations)
        if leased:
            await dhcp.start(host, link.name)


def _bare(link: Link, before: LinkState) -> list[Operation]:
    """Back to a link that nobody configures, or whose lease some other client keeps alive."""
    families: dict[Origin, bool] = {
        "ra": any(":" in a for a in before.dynamic), "dhcp": any(":" not in a for a in before.dynamic),
    }  # fmt: skip
    have = {a.address for a in link.addresses}
    operations = [Operation("router advertisements", link.index, value=1)]  # the kernel's default
    operations += reconcile(link, before, keep=[origin for origin, there in families.items() if there])
    operations += [
        Operation("add address", link.index, address, seconds=_LEASE_AFTER_REVERT, origin="dhcp")
        for address in before.dynamic
        if ":" not in address and address not in have
    ]
    if families["ra"]:
        operations.append(Operation("solicit", link.index))
    return operations


def _in_order(wanted: LinkState, config: LinkConfig) -> LinkState:
    """The first address that a person lists becomes the one that connections leave from."""
    listed = {_text(a): n for n, a in enumerate((*config.ipv4.addresses, *config.ipv6.addresses))}
    return replace(wanted, addresses=tuple(sorted(wanted.addresses, key=lambda a: listed.get(a, len(listed)))))


def _text(address: object) -> str:
    """As the kernel's dump spells it (inet_ntop): differs from `ipaddress` for IPv4-mapped addresses."""
    import socket

    host, _, prefix = str(address).partition("/")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return f"{socket.inet_ntop(family, socket.inet_pton(family, host))}/{prefix}"


def _default(gateway: str, addresses: list[str]) -> Route:
    """A gateway outside every prefix of the link is reached on the link itself: providers do that with /32."""
    to = ip_address(gateway)
    inside = to.is_link_local or any(to in ip_interface(a).network for a in addresses)
    family: int = to.version
    return Route("default", gateway, METRIC6 if family == 6 else 0, on_link=not inside, family=6 if family == 6 else 4)
