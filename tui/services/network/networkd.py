"""The `networkd` backend: systemd-networkd configures the link, and Onsite writes the file that it reads.

The kept file and the volatile one have different names, because of two files of one name systemd-networkd takes the
one under /etc and never sees the one under /run (systemd.network(5)). Of all names that match a link the first in
sorted order wins, so 04-… under /run beats 05-… under /etc while it is there, and both beat what an installer or
netplan writes (10-…).
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING

from tui.models.change import FileImage
from tui.models.facts import Facts, Link, LinkState
from tui.services import reading
from tui.services.host import Host
from tui.services.network import making, netdev, pin
from tui.services.network.netif import KEPT, MARK, VOLATILE, State, our_file, state
from tui.services.network.stack import ALONE, Place
from tui.services.network.wanted import outside, wanted, with_routes

if TYPE_CHECKING:
    from tui.models.link import LinkConfig

SETTLE = 10.0
"""Seconds that networkd gets to take a file up."""
LEASE = 5.0
"""The same for a file that asks for a lease: an answering server takes one second, a silent one is no failure."""
_STEP = 0.1
_RESOLV = "/etc/resolv.conf"


class Networkd:
    name = "networkd"

    def kept(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        return FileImage(f"{KEPT}/05{MARK}{_stem(link)}.network", render(config, link, place))

    def volatile(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        return FileImage(f"{VOLATILE}/04{MARK}{_stem(link)}.network", render(config, link, place))

    def device(self, config: LinkConfig, link: Link, facts: Facts, place: Place) -> tuple[FileImage, FileImage] | None:
        if place.layer is None:
            return None
        content = netdev.render(config, link, place.layer, place.mac)
        paths = (f"{KEPT}/05{MARK}{link.name}.netdev", f"{VOLATILE}/04{MARK}{link.name}.netdev")
        return FileImage(paths[0], content), FileImage(paths[1], content)

    def pin(self, link: Link, facts: Facts) -> tuple[FileImage, FileImage] | None:
        return pin.images(link, facts)

    def without(self, link: Link, facts: Facts) -> tuple[FileImage, ...]:
        """Also files of others with the device in them: as long as they are there networkd makes it anew."""
        ours = (f"{KEPT}/05{MARK}{_stem(link)}.network", f"{KEPT}/05{MARK}{link.name}.netdev")
        return tuple(FileImage(path) for path in ours)

    def extra(self, configs: Iterable[LinkConfig], facts: Facts) -> tuple[FileImage, ...]:
        """Name servers go to systemd-resolved by networkd itself; without it nobody else writes /etc/resolv.conf."""
        wishes = {config.identity: config for config in configs}
        if "systemd/resolve" in facts.file(_RESOLV).target or not any(c.nameservers for c in wishes.values()):
            return ()
        servers: list[str] = []
        domains: list[str] = []
        for link in facts.links:
            wish = wishes.get(link.identity)
            servers += [str(s) for s in wish.nameservers] if wish and wish.nameservers else link.nameservers
            domains += wish.search_domains if wish and wish.search_domains else link.search_domains
        lines = ["# Written by Onsite.", *(f"nameserver {s}" for s in list(dict.fromkeys(servers))[:3])]
        if domains:
            lines.append(f"search {' '.join(dict.fromkeys(domains))}")
        return (FileImage(_RESOLV, "\n".join([*lines, ""]).encode()),)

    def wanted(self, config: LinkConfig, link: Link, facts: Facts) -> LinkState:
        return wanted(config, link)

    async def preflight(self, host: Host, images: Iterable[FileImage]) -> None:
        """networkd ignores a line that it cannot read, and leaves all other files alone."""

    async def derive(self, host: Host) -> None:
        """networkd reads the files themselves."""

    async def reload(self, host: Host, identities: Iterable[str]) -> None:
        """Let networkd read its files again and wait until it follows them, `SETTLE` seconds at most.

        Raises:
            OSError: networkd does not answer, another file than ours wins, or it could not configure the link.
        """
        await networkctl(host, "reload")
        wanted = list(identities)
        for identity in wanted:
            if any(reading.present(host, f"{f}{MARK}{identity}.netdev") for f in (f"{VOLATILE}/04", f"{KEPT}/05")):
                await making.appeared(host, identity)
        links = {link.identity: link for link in host.kernel.links()}
        await asyncio.gather(*(settle(host, links[i], our_file(host, links[i])) for i in wanted if i in links))

    async def unmake(self, host: Host, name: str) -> None:
        """Deleted, and seen by networkd to be gone: else it would take it for one that is there still."""
        await take_away(host, name)

    async def restore(self, host: Host, identity: str, before: LinkState) -> None:
        """Files first; then what networkd left on a link that it no longer has, and what no file said, by the kernel.

        Raises:
            OSError: networkd or the kernel refused, or the link is gone (ENODEV).
        """
        await self.reload(host, [identity])
        await put_back(host, identity, before)


async def take_away(host: Host, name: str) -> None:
    """Delete a made link and wait until networkd has forgotten it.

    Raises:
        OSError: the kernel refused.
    """
    link = making.of(host, name)
    if link is None:
        return
    await making.away(host, name)
    for _ in range(int(SETTLE / _STEP)):
        if not state(host, link.index).admin:
            return
        await asyncio.sleep(_STEP)


async def put_back(host: Host, identity: str, before: LinkState) -> None:
    """After networkd has read its files again: the rest of the former state of a link.

    Raises:
        OSError: the kernel refused, or the link is gone (ENODEV).
    """
    link = next((x for x in host.kernel.links() if x.identity == identity), None)
    if link is None:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    from tui.services.network.reconcile import Operation, reconcile

    if state(host, link.index).managed:
        await host.kernel.change(reconcile(link, before, keep=("dhcp", "ra")))
        return
    # networkd has switched the kernel's own router advertisements off, and nobody else switches them on again.
    routed = any(":" in a for a in before.dynamic)
    operations = [Operation("router advertisements", link.index, value=1)]
    operations += [
        o for o in reconcile(link, before, keep=("ra",) if routed else ()) if o.address not in before.dynamic
    ]
    if routed:
        operations.append(Operation("solicit", link.index))
    await host.kernel.change(operations)


def render(config: LinkConfig, link: Link, place: Place = ALONE) -> bytes:
    """The .network file of a wish (systemd.network(5)); the same bytes for the same wish.

    It matches by permanent MAC, which VLANs and bonds on top do not share. A link without one (veth and other
    virtual links) is matched by its MAC and name. The IPv6 link-local address is always on: it is the way in when
    everything else is wrong. The lease is not given back when networkd reads its files again, so that Keep gets
    the same address once more.

    Two settings are left out on purpose (measured with 252, docs/decisions/networkd-backend.md):
    DuplicateAddressDetection=ipv4 leaves the link without its IPv4 addresses for six seconds at every reload, also at
    Keep, and we probe before applying; KeepConfiguration=static leaves the former addresses for ever.
    """
    config = with_routes(config.pruned(), link)
    match = {"PermanentMACAddress": link.permanent_mac}
    if not link.permanent_mac:
        by_name = link.made or not link.mac or link.master or place.master  # a bond gives its ports another MAC
        match = {"Name": link.name} if by_name else {"MACAddress": link.mac, "Name": link.name}
    automatic, leased = config.ipv6.method == "auto", config.ipv4.method == "dhcp"
    network: list[tuple[str, str]] = [
        ("DHCP", "ipv4" if leased else "no"),
        ("LinkLocalAddressing", "no" if place.master else "ipv6"),
        ("IPv6AcceptRA", "yes" if automatic else "no"),
        *(("DNS", str(server)) for server in config.nameservers),
    ]
    if config.search_domains:
        network.append(("Domains", " ".join(config.search_domains)))
    if place.master:
        network.append(("Bond" if place.kind == "bond" else "Bridge", place.master))
    if place.primary:
        network.append(("PrimarySlave", "yes"))
    network += [("VLAN", name) for name in place.vlans]
    if place.layer is not None or place.master:
        network.append(("ConfigureWithoutCarrier", "yes"))  # a bond has none until a port is in it
    sections = [("Match", list(match.items()))]
    if config.mtu is not None:
        sections.append(("Link", [("MTUBytes", str(config.mtu))]))
    sections.append(("Network", network))
    for part in (config.ipv4, config.ipv6):
        sections += [("Address", _address(address)) for address in part.addresses]
        if part.gateway is not None:
            route = [("Gateway", str(part.gateway))]
            if outside(part.gateway, part.addresses):
                route.append(("GatewayOnLink", "yes"))
            sections.append(("Route", route))
    for static in config.routes or ():
        keys = [("Destination", str(static.to))]
        keys += [("Gateway", str(static.via))] if static.via is not None else []
        sections.append(("Route", keys + ([("Metric", str(static.metric))] if static.metric is not None else [])))
    given = [("UseDNS", "no")] if config.nameservers else []
    given += [("UseDomains", "no" if config.search_domains else "yes")]
    if leased:
        sections.append(("DHCPv4", [("SendRelease", "no"), *given]))
    if automatic:
        sections += [("DHCPv6", given), ("IPv6AcceptRA", given)]
    text = "\n".join(f"\n[{name}]\n" + "\n".join(f"{key}={value}" for key, value in keys) for name, keys in sections)
    header = f"# {link.name}: written by Onsite. Edits by hand are noticed, and shown before they are overwritten."
    return f"{header}\n{text}\n".encode()


def _address(address: IPv4Interface | IPv6Interface) -> list[tuple[str, str]]:
    """Without Broadcast=, networkd (252) takes an IPv4 address away and sets it again whenever it reads the file."""
    keys = [("Address", str(address))]
    if isinstance(address, IPv4Interface) and address.network.prefixlen < 31:
        keys.append(("Broadcast", str(address.network.broadcast_address)))
    return keys


def _stem(link: Link) -> str:
    """The name in the file name. A link that was renamed since keeps the file that it has."""
    _, mark, stem = os.path.basename(link.owner.config).partition(MARK)  # noqa: PTH119
    return stem.removesuffix(".network") if mark else link.name


async def settle(host: Host, link: Link, expected: str, mark: str = MARK) -> None:
    """Wait until networkd has taken that file up and is done with the link, `SETTLE` seconds at most.

    Args:
        expected: the file that has to win; "" where none whose name has `mark` may.

    Raises:
        OSError: another file wins, or it could not configure the link.
    """
    text = reading.text(host, expected) or "" if expected else ""
    limit = LEASE if "\nDHCP=ipv4\n" in text or "\nDHCP=yes\n" in text else SETTLE
    now = await _watched(host, link, expected, mark, limit, ("configured", "unmanaged", "failed", "linger", ""))
    if now.admin == "failed":  # it does not try again by itself
        await networkctl(host, "reconfigure", link.name)
        now = await _watched(host, link, expected, mark, limit, ("configured",))
    if not _followed(now, expected, mark):
        cause = f"{now.file} decides" if now.file else "systemd-networkd ignores the file"
        raise OSError(errno.EBUSY, f"{cause} for {link.name}")
    if now.admin == "failed":
        raise OSError(errno.EIO, f"systemd-networkd could not configure {link.name}")


async def _watched(host: Host, link: Link, expected: str, mark: str, limit: float, ends: tuple[str, ...]) -> State:
    """The state once networkd has taken the right file up and is done, or cannot be (no carrier), or at the limit."""
    end, calm = time.monotonic() + limit, 0
    while True:
        now = state(host, link.index)
        done = now.admin in ends or now.carrier == "no-carrier"
        # The state file lags behind by an event or two: twice the same counts.
        calm = calm + 1 if done and _followed(now, expected, mark) else 0
        if calm > 1 or time.monotonic() > end:
            return now
        await asyncio.sleep(_STEP)


def _followed(now: State, expected: str, mark: str) -> bool:
    return now.file == expected if expected else mark not in now.file


async def networkctl(host: Host, *arguments: str) -> None:
    """networkctl(1) of this host.

    Raises:
        OSError: not the real host (ENOTSUP), networkctl is missing, or it failed; the text is its own.
    """
    if host.kind != "real":
        raise OSError(errno.ENOTSUP, "there is no systemd-networkd on a practice host")
    process = await asyncio.create_subprocess_exec(
        "networkctl", "--no-pager", *arguments, env=os.environ | {"LC_ALL": "C"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            _, complaint = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise OSError(errno.ETIMEDOUT, f"networkctl {arguments[0]} did not end") from None
    if process.returncode:
        raise OSError(errno.EIO, complaint.decode(errors="replace").strip() or f"networkctl {arguments[0]} failed")
