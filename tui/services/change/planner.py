"""From a wish and what is there to a plan: what is written, in files and in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tui.models import layers
from tui.models.change import Difference, FileImage, Plan, Step
from tui.models.facts import ABSENT, Facts, FileFact, Link, LinkState
from tui.models.host import HostConfig
from tui.models.link import LinkConfig, static_routes
from tui.services.change.target import Part
from tui.services.checks import address
from tui.services.network import bystanders, cloud_init, made, pin, stack
from tui.services.network.backend import Backend

_ORIGINS = {
    "dhcp": "DHCP", "ra": "router", "kernel": "system", "factory": "factory", "site": "site", "console": "console",
    "management": "management", "program": "a program", "other": "",
}  # fmt: skip
_States = tuple[LinkState, LinkState | None]
"""All that the kernel shall show of a link, and what of it running programs have set."""
_METHODS = {"dhcp": "DHCP", "static": "static", "off": "off", "auto": "automatic", "": "not set"}


def plan(config: HostConfig, facts: Facts, backends: Mapping[str, Backend]) -> Plan:
    """The plan of a draft; empty when the files already say it."""
    links, states, network, touched = _network(config, facts, backends)
    parts = [network, *_other_parts(config, facts)]
    return Plan(
        config=config.to_dict(),
        links=tuple(links.items()),
        wanted=tuple((identity, wanted) for identity, (wanted, _) in states.items()),
        others=tuple((identity, others) for identity, (_, others) in states.items() if others is not None),
        steps=tuple(step for part in parts for step in part.steps),
        differences=tuple(difference for part in parts for difference in part.differences),
        lost=tuple(sentence for part in parts for sentence in part.lost),
        restarts=tuple(dict.fromkeys(service for part in parts for service in part.restarts)),
        cuts_session=_cuts(facts, {link.identity: wish for link, wish in touched}, _leaving(config, facts, backends)),
        issues=tuple(issue for part in parts for issue in part.issues),
    )


def _other_parts(config: HostConfig, facts: Facts) -> Iterator[Part]:
    """The nouns beside links; each is imported only where the draft speaks of it."""
    if config.proxy is not None:
        from tui.services.proxy import plan as proxy

        yield proxy.part(config, facts)
    if config.trust is not None:
        from tui.services.trust import part as trust

        yield trust.part(config, facts)
    if config.server is not None:
        from tui.services.trust import server

        yield server.part(config, facts)
    if config.identity is not None:
        from tui.services import identity, keyboard

        yield identity.part(config, facts)
        yield keyboard.part(config, facts)
    if config.clock is not None:
        from tui.services.timekeeping import plan as timekeeping

        yield timekeeping.part(config, facts)
    if config.registration is not None:
        from tui.services import registration

        yield registration.part(config, facts)
    if config.management is not None:
        from tui.services import management

        yield management.part(config, facts)


def _network(
    config: HostConfig, facts: Facts, backends: Mapping[str, Backend]
) -> tuple[dict[str, str], dict[str, _States], Part, list[tuple[Link, LinkConfig]]]:
    """The links that change, each with its backend; what the kernel shall show of them; what that adds to the plan.

    Where one file configures several links, each one is written into what the one before has left. Links come with
    what they are made of before them, those that are removed before all others.
    """
    whole, then = stack.expanded(config, facts), stack.foreseen(config, facts)
    picture = layers.of(whole, facts) if stack.layered(config, facts) else None
    files: dict[str, Step] = {}
    links: dict[str, str] = {}
    states: dict[str, _States] = {}
    written = facts
    touched: list[tuple[Link, LinkConfig]] = []
    words: list[Difference] = []
    for link in _leaving(config, facts, backends):
        for image in backends[link.owner.backend].without(link, written):
            before = facts.file(image.path).sha256
            if before != image.sha256:
                files[image.path] = Step(image, before, None, link.identity, link.owner.backend)
                written = _with(written, image)
        links[link.identity], states[link.identity] = link.owner.backend, (ABSENT, None)
        words.append(
            Difference(link.name, made.WORDS[link.kind], made.said(link.layer, made.ports(link, facts)), "removed")
        )
    moved = _made_anew(picture, then)
    for wish in whole.links:
        found = then.link(wish.identity)
        if found is None or not found.owner.writable or found.owner.backend not in backends:
            continue  # address.check says so, as an error
        backend, link = backends[found.owner.backend], found
        place = stack.place(link.identity, picture, then) if picture is not None else stack.ALONE
        pruned = made.sized(wish.pruned(), link, place, whole, then)
        kept = backend.kept(pruned, link, written, place)
        device = backend.device(pruned, link, facts, place)
        anew = bool(moved & {place.master, *_lower(picture, link)})
        same = written.file(kept.path).sha256 == kept.sha256
        if same and (device is None or written.file(device[0].path).sha256 == device[0].sha256) and not anew:
            continue
        if device is not None:
            before = facts.file(device[0].path).sha256
            files[device[0].path] = Step(device[0], before, device[1], link.identity, backend.name)
            written = _with(written, device[0])
        if (pinned := backend.pin(link, facts)) and written.file(pinned[0].path).sha256 != pinned[0].sha256:
            before = facts.file(pinned[0].path).sha256
            files[pinned[0].path] = Step(pinned[0], before, pinned[1], link.identity, backend.name)
            words.append(pin.difference(link))
        volatile, before = backend.volatile(pruned, link, written, place), facts.file(kept.path).sha256
        files[kept.path] = Step(kept, before, volatile, link.identity, backend.name)
        written = _with(written, kept)
        links[link.identity] = backend.name
        wanted = replace(backend.wanted(pruned, link, facts), master=place.master, layer=place.layer)
        others = bystanders.of(link, wanted) if not place.master else None
        states[link.identity] = bystanders.with_them(wanted, others), others
        touched.append((link, pruned))
        words += made.differences(link, place, facts)
    steps = [step for step in files.values() if step.volatile is not None or step.before_hash != step.image.sha256]
    for name in dict.fromkeys(links.values()):
        mine = [wish for (link, wish) in touched if link.owner.backend == name]
        steps += [
            Step(image, facts.file(image.path).sha256, reload=name, disruption="none")
            for image in backends[name].extra(mine, facts)
            if facts.file(image.path).sha256 != image.sha256
        ]
    words += [d for link, wish in touched for d in (*_taken_over(link), *_differences(link, wish))]
    words = [d for d in words if not _goes_without_saying(d, then)]
    wishes = [wish for _, wish in touched]
    gone = [s for link in _leaving(config, facts, backends) for s in _gone(link, wishes)]
    return (
        links,
        states,
        Part(
            steps=tuple(steps),
            differences=tuple(words),
            lost=(
                *gone,
                *(s for link, wish in touched if not states[link.identity][0].master for s in _lost(link, wish)),
            ),
            issues=(
                *address.check(config, facts),
                *cloud_init.notes([link for link, _ in touched], facts),
                *pin.notes(link for link, _ in touched),
            ),
        ),
        touched,
    )


def _leaving(config: HostConfig, facts: Facts, backends: Mapping[str, Backend]) -> list[Link]:
    """What the draft removes, upper links first."""
    if not config.removed:
        return []
    order = [node.identity for node in layers.of(config, facts).nodes]
    found = [x for x in facts.links if x.made and x.name in config.removed and x.owner.backend in backends]
    return sorted(found, key=lambda x: -order.index(x.identity))


def _made_anew(picture: layers.Layers | None, facts: Facts) -> set[str]:
    """Made links that have to go first and come back in another shape: ports and VLANs come back with them."""
    changed = [n for n in picture.nodes if n.state == "changed" and n.link and n.link.layer] if picture else []
    return {
        n.identity for n in changed
        if picture and n.link and stack.place(n.identity, picture, facts).layer != n.link.layer
    }  # fmt: skip


def _lower(picture: layers.Layers | None, link: Link) -> tuple[str, ...]:
    node = picture.node(link.identity) if picture is not None else None
    return node.lower if node is not None else ()


def _with(facts: Facts, image: FileImage) -> Facts:
    text = (image.content or b"").decode()
    file = FileFact(image.path, image.sha256, text, image.mode, image.uid, image.gid)
    return replace(facts, files=(*(f for f in facts.files if f.path != image.path), file))


def _taken_over(link: Link) -> Iterator[Difference]:
    """The first change of a link that nobody configured: from now on Onsite does, at every boot."""
    if link.owner.backend == "direct" and not link.method4 and not link.method6:
        yield Difference(link.name, "Configured by", "nobody", "Onsite")


def _differences(link: Link, wish: LinkConfig) -> Iterator[Difference]:
    for label, family, method, before in (
        ("IPv4", 4, wish.ipv4.method, link.method4),
        ("IPv6", 6, wish.ipv6.method, link.method6),
    ):
        part = wish.ipv4 if family == 4 else wish.ipv6
        if method != before:
            yield Difference(link.name, label, _METHODS[before], _METHODS[method])
        now = [a for a in link.addresses if a.family == family and not a.link_local]
        if method in ("static", "off"):
            after = ", ".join(str(a) for a in part.addresses) or "none"
            origin = _ORIGINS[now[0].origin] if now else ""
            yield from _differs(link, f"{label} address", ", ".join(a.address for a in now) or "none", after, origin)
            gateways = [r for r in link.routes if r.destination == "default" and r.family == family and r.gateway]
            gateway = ", ".join(r.gateway for r in gateways) or "none"
            origin = "DHCP" if any(r.protocol == 16 for r in gateways) else ""
            yield from _differs(link, f"{label} gateway", gateway, str(part.gateway or "none"), origin)
    static = wish.ipv4.method == "static" or wish.ipv6.method == "static"
    origin = "DHCP" if link.lease and link.nameservers == link.lease.nameservers else ""
    if static or wish.nameservers:
        servers = ", ".join(str(s) for s in wish.nameservers) or "none"
        yield from _differs(link, "Name servers", ", ".join(link.nameservers) or "none", servers, origin)
    if static or wish.search_domains:
        domains = ", ".join(wish.search_domains) or "none"
        yield from _differs(link, "Search domains", ", ".join(link.search_domains) or "none", domains, origin)
    if wish.mtu is not None and wish.mtu != link.mtu:
        yield Difference(link.name, "MTU", str(link.mtu), str(wish.mtu))
    if wish.routes is not None:
        now4 = ", ".join(map(str, static_routes(link))) or "none"
        yield from _differs(link, "Routes", now4, ", ".join(map(str, wish.routes)) or "none", "")


def _differs(link: Link, label: str, before: str, after: str, origin: str) -> Iterator[Difference]:
    if before != after:
        yield Difference(link.name, label, before, after, origin if before != "none" else "")


def _goes_without_saying(difference: Difference, facts: Facts) -> bool:
    """Of a link that is only made now, what it does not get, and whose it is."""
    link = facts.link(difference.subject)
    new = link is not None and link.index < 0
    return new and (difference.label == "Configured by" or difference.after == "off")


def _gone(link: Link, wishes: list[LinkConfig]) -> Iterator[str]:
    """The addresses of a link that is removed, unless another one gets them."""
    stays = {str(a) for wish in wishes for a in (*wish.ipv4.addresses, *wish.ipv6.addresses)}
    for found in link.addresses:
        if not found.link_local and found.address not in stays and found.origin in ("console", "other"):
            yield f"{link.name}: the address {found.address} goes away."


def _lost(link: Link, wish: LinkConfig) -> Iterator[str]:
    """Going static drops what the lease gave; TrueNAS built a call only to say this before it happens."""
    lease = link.lease
    if lease and wish.ipv4.method != "dhcp":
        if lease.gateway and wish.ipv4.gateway is None:
            yield f"{link.name}: the gateway {lease.gateway} that DHCP gave goes away, and no other is set."
        if lease.nameservers and not wish.nameservers:
            yield f"{link.name}: the name servers {', '.join(lease.nameservers)} that DHCP gave go away."
    if wish.ipv6.method != "auto":
        routed = [a.address for a in link.addresses if a.origin == "ra"]
        if routed:
            yield f"{link.name}: the address {', '.join(routed)} that the router announced goes away."


def _cuts(facts: Facts, wishes: Mapping[str, LinkConfig], leaving: list[Link]) -> str:
    """Whether the SSH session that asks comes in by an address that this change removes, or moves to another link.

    Args:
        wishes: of the links that change, by identity.
        leaving: links that are removed.
    """
    session = facts.session_address
    has = next((x for x in facts.links if session in {a.address.split("/")[0] for a in x.addresses}), None)
    if not session or has is None or (has.identity not in wishes and has not in leaving):
        return ""
    there = [
        w for w in wishes.values()
        if session in {str(a).partition("/")[0] for a in (*w.ipv4.addresses, *w.ipv6.addresses)}
    ]  # fmt: skip
    own = wishes.get(has.identity) if has not in leaving else None
    leased = own is not None and ":" not in session and has.method4 == own.ipv4.method == "dhcp"
    if leased or any(w is own for w in there):
        return ""
    if there:
        return (
            f"Your session comes in by {session}, which moves to {there[0].name}: it may hang or end. "
            "Connect again and keep the change there."
        )
    return f"Your session comes in by {session}, which goes away. Connect by the new address and keep the change there."
