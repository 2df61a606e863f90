"""The `direct` backend: no manager runs, Onsite sets the link by netlink itself and again at every boot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.models.change import FileImage
from tui.models.facts import Facts, Link, LinkState, Origin
from tui.services.host import Host
from tui.services.network import dhcp, linkfiles, making, pin, resolv
from tui.services.network.reconcile import Operation, reconcile
from tui.services.network.stack import ALONE, Place
from tui.services.network.wanted import spelled, wanted, with_routes

if TYPE_CHECKING:
    from tui.models.link import LinkConfig

_LEASE_AFTER_REVERT = 3600
"""Seconds for a leased address whose client is not ours: that client sets the true lifetime at its next renewal."""


class Direct:
    name = "direct"

    def kept(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        content = linkfiles.render(with_routes(config, link))
        return FileImage(linkfiles.path(linkfiles.KEPT, link.identity), content)

    def volatile(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        content = linkfiles.render(with_routes(config, link))
        return FileImage(linkfiles.path(linkfiles.VOLATILE, link.identity), content)

    def device(self, config: LinkConfig, link: Link, facts: Facts, place: Place) -> None:
        """The wish in the one file says it."""

    def pin(self, link: Link, facts: Facts) -> tuple[FileImage, FileImage] | None:
        return pin.images(link, facts)

    def without(self, link: Link, facts: Facts) -> tuple[FileImage, ...]:
        return (FileImage(linkfiles.path(linkfiles.KEPT, link.identity)),)

    def extra(self, configs: Iterable[LinkConfig], facts: Facts) -> tuple[FileImage, ...]:
        return resolv.link_to_it(facts) if any(True for _ in configs) else ()

    def wanted(self, config: LinkConfig, link: Link, facts: Facts) -> LinkState:
        return wanted(config, link)

    async def preflight(self, host: Host, images: Iterable[FileImage]) -> None:
        """Nobody else reads these files."""

    async def derive(self, host: Host) -> None:
        """Links come up from the files themselves."""

    async def reload(self, host: Host, identities: Iterable[str]) -> None:
        """Make those links follow their files; a link without a file stays as it is, but a client of ours ends.

        Raises:
            OSError: the kernel refused, or a file cannot be used.
        """
        wishes = {identity: linkfiles.effective(host, identity) for identity in identities}
        for identity in sorted(wishes, key=lambda i: _depth(i, wishes)):
            config = wishes[identity]
            if config is not None and config.made:
                await _make(host, config)
            link = linkfiles.find(host.kernel.links(), identity, config.name if config else "")
            if link is None:
                continue
            if config is None:
                await dhcp.stop(host, link.name)
            else:
                said = config.model_copy(update={"routes": config.routes or ()})  # the file says all there is
                await self._follow(host, link, config, wanted(said, link))
        await resolv.write(host, host.kernel.links())

    async def unmake(self, host: Host, name: str) -> None:
        """Raises `OSError` where the kernel refused."""
        await dhcp.stop(host, name)
        await making.away(host, name)

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


def _depth(identity: str, wishes: dict[str, LinkConfig | None]) -> int:
    """How many of these links lie below one: those come first."""
    wish, seen = wishes.get(identity), {identity}
    return 0 if wish is None or not wish.made else 1 + max((_below(i, wishes, seen) for i in wish.lower), default=0)


def _below(identity: str, wishes: dict[str, LinkConfig | None], seen: set[str]) -> int:
    wish = wishes.get(identity)
    if wish is None or not wish.made or identity in seen:
        return 0
    return 1 + max((_below(i, wishes, seen | {identity}) for i in wish.lower), default=0)


async def _make(host: Host, config: LinkConfig) -> None:
    from tui.models import layers
    from tui.models.host import HostConfig
    from tui.services.network.stack import place

    facts = Facts(links=host.kernel.links())
    draft = HostConfig(links=(config,))
    where = place(config.identity, layers.of(draft, facts), facts)
    assert where.layer is not None, "a made link has a layer"  # noqa: S101
    await making.made(host, config.name, where.layer, [x.name for x in where.ports])


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
    listed = {spelled(a): n for n, a in enumerate((*config.ipv4.addresses, *config.ipv6.addresses))}
    return replace(wanted, addresses=tuple(sorted(wanted.addresses, key=lambda a: listed.get(a, len(listed)))))
