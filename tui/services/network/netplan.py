"""The `netplan` backend: YAML is the source, and systemd-networkd or NetworkManager follow what is made from it.

netplan adds up what several files say about a link, so a second file never replaces the first: for a link that a file
defines Onsite changes that definition, in a file of the same name under /run while nobody has said Keep (which hides
the one under /etc), and in the file itself afterwards. A link that no file mentions gets Onsite's own file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.models.change import FileImage, Issue, Refused
from tui.models.facts import Facts, Link, LinkState
from tui.services import reading
from tui.services.host import Host
from tui.services.network import cloud_init, making, netplan_files, netplan_generator, networkd, networkmanager
from tui.services.network.netplan_files import KEPT, OWN, VOLATILE
from tui.services.network.netplan_yaml import HEADER, LAYERS, Definition, body, definitions, edited, removed, routes
from tui.services.network.stack import ALONE, Place
from tui.services.network.wanted import wanted

if TYPE_CHECKING:
    from tui.models.link import LinkConfig

_NETWORK = "/run/systemd/network/10-netplan-{}.network"
_NETDEV = "/run/systemd/network/10-netplan-{}.netdev"
_PROFILE = "/run/NetworkManager/system-connections/netplan-{}.nmconnection"


class Netplan:
    name = "netplan"

    def kept(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        return _image(KEPT, config, link, facts, place)

    def volatile(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        return _image(VOLATILE, config, link, facts, place)

    def device(self, config: LinkConfig, link: Link, facts: Facts, place: Place) -> None:
        """The definition itself makes it."""

    def pin(self, link: Link, facts: Facts) -> None:
        """A definition of ours says `set-name`; the generator makes the file of it."""

    def without(self, link: Link, facts: Facts) -> tuple[FileImage, ...]:
        name, text, former = _former(link, facts)
        if former is None:
            return ()
        file = facts.file(f"{KEPT}/{name}")
        content = removed(text, former.kind, former.name).encode()
        return (FileImage(f"{KEPT}/{name}", content, file.mode if file.sha256 else 0o600, file.uid, file.gid),)

    def extra(self, configs: Iterable[LinkConfig], facts: Facts) -> tuple[FileImage, ...]:
        return cloud_init.told([link for c in configs if (link := facts.link(c.identity))], facts)

    def wanted(self, config: LinkConfig, link: Link, facts: Facts) -> LinkState:
        """Routes to somewhere else than out stay in the file, so they stay in the kernel."""
        state = wanted(config, link)
        _, _, former = _former(link, facts)
        if config.routes is not None:
            return state
        state = replace(state, routes=tuple(r for r in state.routes if r.destination == "default"))
        return replace(state, routes=(*state.routes, *routes(former.body if former else {})))

    async def preflight(self, host: Host, images: Iterable[FileImage]) -> None:
        """Raises `Refused` where the generator cannot read these files beside all others."""
        try:
            await netplan_generator.output(host, images)
        except OSError as error:
            text = f"netplan could not read its files with this change: {error.strerror}."
            remedy = "Nothing was changed. Have that file repaired, or undo what was changed in it by hand."
            raise Refused(Issue("M101", "error", "", text, remedy)) from error

    async def derive(self, host: Host) -> None:
        if netplan_files.generator(host):
            await netplan_generator.derive(host)

    async def reload(self, host: Host, identities: Iterable[str]) -> None:
        """Generate, and let the manager of each link read what is new.

        Raises:
            OSError: the generator cannot read the files, or a manager does not follow.
        """
        changed = await netplan_generator.derive(host)
        if any(path.startswith("/run/systemd/network/") for path in changed):
            await networkd.networkctl(host, "reload")
        if any(path.startswith("/run/NetworkManager/") for path in changed):
            await networkmanager.nmcli(host, "connection", "reload")
        wanted = list(identities)
        found = {link.identity: link for link in host.kernel.links()}
        for identity in wanted:
            if identity not in found and ":" not in identity and (kind := _made(host, identity)):
                coming = Link(0, identity, kind=kind)
                if reading.present(host, _NETDEV.format(identity)):
                    coming = await making.appeared(host, identity) or coming
                found[identity] = coming
        for some in _in_order([found[i] for i in wanted if i in found]):
            await _settle(host, some)

    async def unmake(self, host: Host, name: str) -> None:
        """Raises `OSError` where the kernel or the manager refused."""
        by_profile = reading.present(host, _PROFILE.format(name))
        await (networkmanager if by_profile else networkd).take_away(host, name)

    async def restore(self, host: Host, identity: str, before: LinkState) -> None:
        """Files first; then what no file said, by the kernel.

        Raises:
            OSError: a manager or the kernel refused, or the link is gone (ENODEV).
        """
        await self.reload(host, [identity])
        link = next((x for x in host.kernel.links() if x.identity == identity), None)
        by_profile = link is not None and reading.present(host, _PROFILE.format(_definition(host, link)))
        await (networkmanager if by_profile else networkd).put_back(host, identity, before)


def _in_order(links: list[Link]) -> list[Link]:
    """Bonds and bridges, their ports, VLANs."""
    return sorted(links, key=lambda x: {"bond": 0, "bridge": 0, "vlan": 2}.get(x.kind, 1))


def _made(host: Host, name: str) -> str:
    """The kind of a link that the files make; "" where they do not."""
    kinds = {mapping: kind for kind, mapping in LAYERS.items()}
    found = [d.kind for d in definitions(netplan_files.texts(host), Link(0, name)) if d.kind in kinds]
    return kinds[found[-1]] if found else ""


async def _settle(host: Host, link: Link) -> None:
    name = _definition(host, link)
    profile, network = _PROFILE.format(name), _NETWORK.format(name)
    if name and reading.present(host, profile):
        await networkmanager.follow(host, link, profile)
    else:
        expected = network if name and reading.present(host, network) else ""
        await networkd.settle(host, link, expected, "-netplan-")


def _definition(host: Host, link: Link) -> str:
    """The name of the definition that the files have for this link; "" for none."""
    found = [d.name for d in definitions(netplan_files.texts(host), link)]
    return found[-1] if found else ""


def _former(link: Link, facts: Facts) -> tuple[str, str, Definition | None]:
    """Name and text of the file that a change of this link goes into, and the definition in it."""
    name = os.path.basename(link.owner.config) or OWN  # noqa: PTH119
    text = facts.file(f"{KEPT}/{name}").text or facts.file(link.owner.config).text or ""
    return name, text, next(definitions({name: text}, link), None)


def _image(folder: str, config: LinkConfig, link: Link, facts: Facts, place: Place) -> FileImage:
    name, text, former = _former(link, facts)
    fresh = LAYERS[place.layer.kind] if place.layer else "ethernets"
    kind, key = (former.kind, former.name) if former else (fresh, link.name)
    new = body(config, link, former, place, _names(place, facts), profiles=_profiles(facts))
    content = edited(text or HEADER, kind, key, new).encode()
    file = facts.file(f"{KEPT}/{name}")
    if not file.sha256:
        return FileImage(f"{folder}/{name}", content, 0o600)
    return FileImage(f"{folder}/{name}", content, file.mode, file.uid, file.gid)


def _profiles(facts: Facts) -> bool:
    """Whether NetworkManager follows the files."""
    plans = [f.text or "" for f in facts.files if f.path.endswith(".yaml") and "/netplan/" in f.path]
    return any("renderer: NetworkManager" in text for text in plans)


def _names(place: Place, facts: Facts) -> dict[str, str]:
    """The names of the definitions of ports and parent; netplan speaks of definitions, not of links."""
    below = [*place.ports, *((parent,) if place.layer and (parent := facts.link(place.layer.parent)) else ())]
    return {link.name: former.name for link in below if (former := _former(link, facts)[2]) is not None}
