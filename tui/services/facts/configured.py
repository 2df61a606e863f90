"""Beside the kernel's links: what was set for them, what a lease gave, and the files that say so."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from tui.models.facts import FileFact, Lease, Link, Origin
from tui.services import reading
from tui.services.facts import linkfile, management, networkd, networkmanager
from tui.services.host import Host
from tui.services.network import netif, netplan_files, netplan_yaml

Method4 = Literal["", "dhcp", "static", "off"]
Method6 = Literal["", "auto", "static", "off"]
_KEPT, _VOLATILE, _LEASES = "/etc/onsite/links", "/run/onsite/links", "/run/onsite/leases"
_NETWORKD = "/etc/systemd/network"
_KEYFILES = "/etc/NetworkManager/system-connections"
_RESOLV = "/etc/resolv.conf"
_METHODS4: dict[str, Method4] = {"dhcp": "dhcp", "static": "static", "off": "off"}
_METHODS6: dict[str, Method6] = {"auto": "auto", "static": "static", "off": "off"}


class Layers:
    """What files say about links, read once for all of them.

    Attributes:
        wishes: by identity; the volatile file wins over the kept one.
        leases: by name of the link.
        resolv: the name servers of the host as a whole, where they say more than "ask the stub".
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.wishes: dict[str, dict[str, Any]] = {}
        self.leases: dict[str, Lease] = {}
        self.resolv = _servers(reading.text(host, _RESOLV) or "")
        for folder in (_KEPT, _VOLATILE):
            for name in reading.names(host, folder, ".yaml"):
                wish = linkfile.parse(reading.text(host, f"{folder}/{name}") or "")
                stem = name.removesuffix(".yaml")
                self.wishes[stem.replace("-", ":") if len(stem) == 17 else stem] = wish
        for name in reading.names(host, _LEASES, ".json"):
            lease = _lease(reading.text(host, f"{_LEASES}/{name}") or "")
            if lease:
                self.leases[name.removesuffix(".json")] = lease

    def applied_to(self, link: Link) -> Link:
        if self.host.kind != "recorded":
            if link.owner.backend == "networkd":
                return networkd.described(link, self.host)
            if link.owner.backend == "NetworkManager":
                return networkmanager.described(link, self.host)
            if link.owner.backend == "netplan":
                by_networkd = netif.state(self.host, link.index).managed
                said = networkd.described(link, self.host) if by_networkd else networkmanager.described(link, self.host)
                return _as_planned(said, reading.text(self.host, link.owner.config) or "")
        wish = self.wishes.get(link.identity) or (None if link.made else self.wishes.get(link.mac))
        lease = self.leases.get(link.name)
        if wish:
            return _as_wished(link, wish, lease)
        if self.host.kind == "recorded":
            return link
        servers = lease.nameservers if lease else self.resolv if link.default_gateways else ()
        return replace(
            link,
            addresses=tuple(replace(a, origin=_origin(a.address, a.origin, (), lease)) for a in link.addresses),
            lease=lease,
            nameservers=servers,
            search_domains=lease.search_domains if lease else (),
        )


def _as_wished(link: Link, wish: dict[str, Any], lease: Lease | None) -> Link:
    four, six = _part(wish, "ipv4"), _part(wish, "ipv6")
    method4: Method4 = _METHODS4.get(str(four.get("method", "dhcp")), "")
    method6: Method6 = _METHODS6.get(str(six.get("method", "auto")), "")
    lease = (lease or link.lease) if method4 == "dhcp" else None
    given = (*linkfile.texts(four.get("addresses")), *linkfile.texts(six.get("addresses")))
    return replace(
        link,
        addresses=tuple(replace(a, origin=_origin(a.address, a.origin, given, lease)) for a in link.addresses),
        lease=lease,
        nameservers=linkfile.texts(wish.get("nameservers")) or (lease.nameservers if lease else ()),
        search_domains=linkfile.texts(wish.get("search_domains")) or (lease.search_domains if lease else ()),
        method4=method4,
        method6=method6,
        origin="console",
    )


def _as_planned(link: Link, plan: str) -> Link:
    """The origin is told by the file of netplan; what the manager reads is made from it."""
    if not netplan_yaml.set_by_onsite(plan, link.name):
        return link
    addresses = tuple(replace(a, origin="console") if a.origin == "other" else a for a in link.addresses)
    return replace(link, addresses=addresses, origin="console")


def _part(wish: dict[str, Any], key: str) -> dict[str, Any]:
    part = wish.get(key)
    return part if isinstance(part, dict) else {}


def _origin(address: str, kernel: Origin, given: tuple[str, ...], lease: Lease | None) -> Origin:
    """What was typed counts before what the kernel marks; IPv6 has many spellings of one address."""
    if address in given or (":" in address and address in map(_canonical, given)):
        return "console"
    return "dhcp" if lease and address == lease.address else kernel


def _canonical(address: str) -> str:
    import socket

    ip, slash, prefix = address.partition("/")
    try:
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, ip)) + slash + prefix
    except OSError:
        return address


def _lease(text: str) -> Lease | None:
    import json

    try:
        data = json.loads(text)
        seconds = int(data.get("seconds") or 0)
        server, gateway = str(data.get("server") or ""), str(data.get("gateway") or "")
        address = str(data["address"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    servers, domains = linkfile.texts(data.get("nameservers")), linkfile.texts(data.get("search_domains"))
    return Lease(address, gateway, servers, domains, server, seconds)


def _servers(resolv: str) -> tuple[str, ...]:
    lines = (line.split() for line in resolv.splitlines())
    found = (words[1] for words in lines if len(words) > 1 and words[0] == "nameserver")
    return tuple(server for server in found if not server.startswith("127."))


def files(host: Host) -> tuple[FileFact, ...]:
    """The files that a plan may rewrite; those that are absent need no entry."""
    paths = [f"{_KEPT}/{name}" for name in reading.names(host, _KEPT, ".yaml")]
    paths += [f"{_NETWORKD}/{name}" for name in reading.names(host, _NETWORKD) if "onsite" in name]
    paths += [f"{_KEYFILES}/{name}" for name in reading.names(host, _KEYFILES) if name.startswith("onsite-")]
    paths.append(management.PATH)
    for folder in netplan_files.FOLDERS[:-1]:
        paths += [f"{folder}/{name}" for name in reading.names(host, folder, ".yaml")]
    return of(host, [*paths, _RESOLV])


def of(host: Host, paths: Iterable[str]) -> tuple[FileFact, ...]:
    """The files among these that are there and can be read."""
    facts = (_file(host, path) for path in paths)
    return tuple(fact for fact in facts if fact is not None)


def _file(host: Host, path: str) -> FileFact | None:
    import hashlib
    import stat

    where = host.path(path)
    try:
        status = os.lstat(where)
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(where)  # noqa: PTH115
            return FileFact(path, hashlib.sha256(b"symlink:" + target.encode()).hexdigest(), target=target)
        if not stat.S_ISREG(status.st_mode) or status.st_size > reading.LARGEST:
            return None
        content = where.read_bytes()
    except OSError:
        return None
    return FileFact(
        path,
        hashlib.sha256(content).hexdigest(),
        content.decode("utf-8", "replace"),
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
    )


def masked(file: FileFact) -> FileFact:
    """The same fact without secrets; its hash is then that of the masked text, which is no oracle for guessing."""
    import hashlib

    from tui.models.masking import masked as without

    if file.text is None or (text := without(file.text)) == file.text:
        return file
    return replace(file, text=text, sha256=hashlib.sha256(text.encode()).hexdigest())
