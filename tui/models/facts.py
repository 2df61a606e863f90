"""What was read of a host: its links, files and identity, as plain data.

Facts are never typed by anybody, so they are standard-library dataclasses: `onsite status`
and the first screen read them and may not pay for a validation library. The same data
written as JSON (`onsite facts --json`) replays a host in tests and in `onsite demo --machine`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from itertools import chain
from typing import Any, Literal

Origin = Literal["dhcp", "ra", "kernel", "factory", "site", "console", "management", "program", "other"]
"""Where a value comes from, in the words of the screens. program: no file, lease or router gave it, so a running
program has set it, such as the virtual address of a control plane."""

OperState = Literal["up", "down", "dormant", "lowerlayerdown", "notpresent", "testing", "unknown"]


@dataclass(frozen=True, slots=True)
class Address:
    """One address on a link, as the kernel has it.

    Attributes:
        address: with its prefix length, such as "192.0.2.10/24".
        flags: IFA_F_* bits (if_addr.h); 0x40 tentative, 0x08 DAD failed, 0x80 permanent.
        valid_seconds: lifetime left; None for ever.
    """

    address: str
    origin: Origin = "other"
    flags: int = 0x80
    valid_seconds: int | None = None

    @property
    def family(self) -> Literal[4, 6]:
        return 6 if ":" in self.address else 4

    @property
    def link_local(self) -> bool:
        return self.address.lower().startswith("fe80:")

    @property
    def duplicate(self) -> bool:
        """The kernel's duplicate address detection found another holder (IPv6 only)."""
        return bool(self.flags & 0x08)


@dataclass(frozen=True, slots=True)
class Route:
    """One route that leaves by a link. `destination` is "default" or a prefix; `gateway` is its next hop."""

    destination: str
    gateway: str = ""
    metric: int = 0
    table: int = 254
    protocol: int = 4
    """RTPROT_* of rtnetlink(7): 2 kernel, 3 boot, 4 static, 9 ra, 16 dhcp."""
    on_link: bool = False
    family: Literal[4, 6] = 4
    source: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a DHCP server gave: the values a static form is prefilled from."""

    address: str
    gateway: str = ""
    nameservers: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()
    server: str = ""
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Owner:
    """Who configures a link.

    Attributes:
        backend: "direct", "networkd", or the name of a manager that Onsite cannot write for.
        writable: Onsite can change this link.
        reason: one sentence; why it cannot be changed here, or what owning it means.
        config: path of the file that decides, "" where none does.
    """

    backend: str = "direct"
    writable: bool = True
    reason: str = ""
    config: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a VLAN, bond or bridge is, without its ports: the part of a link that exists only because it was made.

    What the mode does not use is empty, so that equal layers compare equal.

    Attributes:
        parent: name of the link that a VLAN is on.
        vlan: id of a VLAN, 1 to 4094.
        mode: of a bond, as bonding calls it.
        monitor: milliseconds between two looks at the carrier of a bond's ports.
        primary: name of the port that an active-backup bond prefers.
        stp: a bridge takes part in spanning tree.
    """

    kind: Literal["vlan", "bond", "bridge"]
    parent: str = ""
    vlan: int = 0
    mode: str = ""
    lacp_rate: str = ""
    hash: str = ""
    monitor: int = 0
    primary: str = ""
    stp: bool = False


MADE = ("vlan", "bond", "bridge")
"""Kinds of links that Onsite makes; such a link is identified by its name."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """The part of a link that a change sets and a revert has to bring back; compared, never shown.

    Link-local addresses and routes that the kernel makes by itself are left out. What a lease or a
    router advertisement gave is in `dynamic`, because its lifetimes move on while we look.

    Attributes:
        there: the link exists; all else says nothing where it does not.
        master: name of the bond or bridge that it is a port of.
    """

    up: bool
    mtu: int
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    dynamic: tuple[str, ...] = ()
    there: bool = True
    master: str = ""
    layer: Layer | None = None


ABSENT = LinkState(False, 0, there=False)
"""A link that is not there yet, or no more."""


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface: three different facts (admin state, operstate, carrier), never one "status"."""

    index: int
    name: str
    mac: str = ""
    permanent_mac: str = ""
    kind: str = "ethernet"
    driver: str = ""
    admin_up: bool = False
    operstate: OperState = "unknown"
    carrier: bool = False
    mtu: int = 1500
    min_mtu: int = 68
    max_mtu: int = 65535
    speed_mbps: int | None = None
    duplex: str = ""
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    nameservers: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()
    lease: Lease | None = None
    owner: Owner = Owner()
    method4: Literal["", "dhcp", "static", "off"] = ""
    """What the kept configuration says; "" where nobody configured the link."""
    method6: Literal["", "auto", "static", "off"] = ""
    origin: Origin = "other"
    """Who set the kept configuration: console, factory, site or other."""
    master: str = ""
    """Name of the bond or bridge that it is a port of."""
    layer: Layer | None = None
    """What it is, where it was made: a VLAN, a bond, a bridge."""
    partner: str = ""
    """MAC of the switch that a bond with LACP has agreed with; "" for none."""
    named_by: str = ""
    """Path of the .link file by which udev has set this card up; "" where there is none."""

    @property
    def made(self) -> bool:
        """It exists because somebody made it on top of other links; it shares their MAC, so its name names it."""
        return self.kind in MADE

    @property
    def identity(self) -> str:
        """What names this link for good: its name where it was made, else its permanent MAC, else its MAC."""
        return self.name if self.made else self.permanent_mac or self.mac

    @property
    def default_gateways(self) -> tuple[str, ...]:
        return tuple(r.gateway for r in self.routes if r.destination == "default" and r.gateway)

    @property
    def state(self) -> LinkState:
        lasting = sorted(a.address for a in self.addresses if not a.link_local and a.origin not in ("dhcp", "ra"))
        dynamic = sorted(a.address for a in self.addresses if not a.link_local and a.origin in ("dhcp", "ra"))
        routes = sorted(
            (r for r in self.routes if r.protocol not in (2, 9, 16) and r.table == 254),
            key=lambda r: (r.family, r.destination, r.gateway, r.metric),
        )
        return LinkState(
            self.admin_up, self.mtu, tuple(lasting), tuple(routes), tuple(dynamic), True, self.master, self.layer
        )


@dataclass(frozen=True, slots=True)
class FileFact:
    """A file that a plan may rewrite, as it was when the facts were read. `text` is None where it is absent."""

    path: str
    sha256: str = ""
    text: str | None = field(default=None, repr=False)  # may hold a password
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""
    """Where it points, if it is a symbolic link."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Where this host keeps the authorities that it trusts; the files themselves are among `Facts.files`.

    Attributes:
        store: family of the trust store: "debian", "redhat" or "suse"; "" for none that we know.
        registries: folders of container registries, such as /etc/containerd/certs.d/registry.example:5000.
        own_rules: those among them where a hosts.toml decides.
        daemons: running services that read the trust store when they start and never again.
        time: the host's clock, up to the next full hour, in seconds since the epoch: what is judged by date.
    """

    store: str = ""
    registries: tuple[str, ...] = ()
    own_rules: tuple[str, ...] = ()
    daemons: tuple[str, ...] = ()
    time: float = 0


@dataclass(frozen=True, slots=True)
class Machine:
    """The box itself, from DMI (sysfs class/dmi/id)."""

    vendor: str = ""
    product: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Setters:
    """What sets name, time and keyboard on this host.

    Attributes:
        time: "timesyncd", "chrony", or the name of a time service that Onsite cannot write for; "" for none.
        keyboard: the file that has the layout of the console's keyboard; "" where there is none.
        cloud_init: it runs here at boot, and would set the name again.
    """

    time: str = ""
    keyboard: str = ""
    cloud_init: bool = False


def main_address(link: Link) -> str:
    """The first address that others can reach, IPv4 before IPv6; "" where there is none."""
    usable = [a.address for a in link.addresses if not a.link_local and not a.address.startswith(("127.", "::1/"))]
    return min(usable, key=lambda a: ":" in a, default="")


@dataclass(frozen=True, slots=True)
class Given:
    """One value that installer or site gave this host, in a file that Onsite reads and never writes.

    Attributes:
        key: "mode", "endpoint", "token", "name", "time", "proxy.https", "links.NAME.address", "file" and so on.
        value: of a token only "set"; of a file its path.
        path: the file that says so.
    """

    key: str
    value: str
    origin: Origin
    path: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was read of one host at one moment."""

    hostname: str = ""
    os_name: str = ""
    machine: Machine = Machine()
    boot_id: str = ""
    links: tuple[Link, ...] = ()
    files: tuple[FileFact, ...] = ()
    managers: tuple[str, ...] = ()
    """Network managers that run here, such as "networkd" or "NetworkManager"."""
    cluster_ranges: tuple[str, ...] = ()
    """Pod and service ranges in use or by default of an engine found here."""
    cluster_uses_address: bool = False
    session_address: str = ""
    """The local address that the SSH session of this process came in by; "" on a console."""
    consumers: tuple[str, ...] = ()
    """Programs found here that have to be told of a proxy, such as "apt" or "containerd"."""
    trust: Trust = Trust()
    setters: Setters = Setters()
    given: tuple[Given, ...] = ()
    """In the order in which they count: the last one of a key wins."""
    management: str = ""
    """Identity of the link whose address this host and its agent speak from; "" where nobody chose one."""
    version: int = 1

    def link(self, identity: str) -> Link | None:
        """The link of that identity; failing that of that name, failing that of that MAC, which several may share."""
        if not identity:
            return None
        by_name = (x for x in self.links if x.name == identity)
        by_mac = (x for x in self.links if x.mac == identity)
        return next(chain((x for x in self.links if x.identity == identity), by_name, by_mac), None)

    @property
    def speaking(self) -> Link | None:
        """The link whose address this host is known by: the chosen one, else the way out, else the first with one."""
        chosen = self.link(self.management)
        if chosen is not None and main_address(chosen):
            return chosen
        addressed = [x for x in self.links if x.kind != "loopback" and main_address(x)]
        return next((x for x in addressed if x.default_gateways), next(iter(addressed), None))

    def file(self, path: str) -> FileFact:
        return next((f for f in self.files if f.path == path), FileFact(path))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Facts:
        """The inverse of `to_dict`.

        Raises:
            ValueError: a key that facts do not have, or a value of another shape.
        """
        try:
            facts: Facts = _build(cls, data)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not facts of this version: {error}") from error
        return facts


_MANY: dict[str, type] = {"addresses": Address, "routes": Route, "links": Link, "files": FileFact, "given": Given}
_ONE: dict[str, type] = {
    "lease": Lease, "owner": Owner, "machine": Machine, "setters": Setters, "trust": Trust, "layer": Layer,
}  # fmt: skip


def _build(cls: type, data: dict[str, Any]) -> Any:
    known = {f.name for f in fields(cls)}
    if unknown := set(data) - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key in _MANY and cls is not LinkState:
            values[key] = tuple(_build(_MANY[key], item) for item in value)
        elif key in _ONE:
            values[key] = None if value is None else _build(_ONE[key], value)
        else:
            values[key] = tuple(value) if isinstance(value, list) else value
    return cls(**values)


def link_state_from_dict(data: dict[str, Any]) -> LinkState:
    """A `LinkState` back from the JSON of a journal."""
    return LinkState(
        up=data["up"],
        mtu=data["mtu"],
        addresses=tuple(data["addresses"]),
        routes=tuple(Route(**r) for r in data["routes"]),
        dynamic=tuple(data["dynamic"]),
        there=data.get("there", True),  # journals of versions that made no links have neither of these
        master=data.get("master", ""),
        layer=Layer(**data["layer"]) if data.get("layer") else None,
    )


__all__ = [
    "ABSENT", "MADE", "Address", "Facts", "FileFact", "Given", "Layer", "Lease", "Link", "LinkState", "Machine",
    "OperState", "Origin", "Owner", "Route", "Setters", "Trust", "link_state_from_dict",
]  # fmt: skip
