"""A form is data: fields with label, example and help, drawn by one widget for every noun.

Typed text stays text; `parse` of `tui.models.values` makes a value of it or says what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "choice", "text", "addresses4", "addresses6", "gateway4", "gateway6", "nameservers", "domains", "mtu", "flag",
    "host", "port", "user", "secret", "exceptions", "hostname", "timeservers", "zone", "moment", "keymap",
    "linkcode", "linktoken", "clustername", "sshkey", "vip", "overlay", "labels", "taints",
    "linkname", "vlan_id", "vlan_tag", "monitor", "routes", "several",
    "plane", "registration_secret", "project", "tags", "host_id", "page",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form.

    Attributes:
        path: where the value lives in the noun's part of HostConfig, such as "ipv4.gateway".
        shown_when: (path, values): shown only while that other field has one of these values.
        choices: (value, word on screen) of a choice; of the kind "several" any number of them may be taken.
    """

    path: str
    kind: Kind
    label: str
    example: str = ""
    help: str = ""
    needed: bool = False
    shown_when: tuple[str, tuple[str, ...]] | None = None
    secret: bool = False
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    noun: str
    title: str
    fields: tuple[Field, ...]

    def shown(self, texts: dict[str, str]) -> tuple[Field, ...]:
        """The fields that apply to what was chosen so far."""
        found: dict[str, Field] = {}
        asked = {field.path for field in self.fields}
        for field in self.fields:
            if field.shown_when is not None:
                path, wanted = field.shown_when
                if texts.get(path) not in wanted or (path in asked and path not in found):
                    continue  # also where what it depends on does not apply itself
            found[field.path] = field
        return tuple(found.values())


MANAGEMENT = Field(
    "management", "flag", "Management", choices=(("yes", "Yes"), ("no", "No")),
    help="Yes: this host and its agent speak from the address of this interface, and others find them there.",
)  # fmt: skip
"""Beside the form of any interface: which one it is stands in the host's part of the document."""

LINK_FORM = Form(
    "link",
    "Interface",
    (
        Field(
            "ipv4.method", "choice", "IPv4", choices=(("dhcp", "DHCP"), ("static", "Static"), ("off", "Off")),
            help="DHCP asks the network for an address. Static is an address that your network plan gives this box.",
        ),
        Field(
            "ipv4.addresses", "addresses4", "Address", "192.0.2.10/24", needed=True,
            shown_when=("ipv4.method", ("static",)),
            help="Address with prefix. Several: put a comma between them. A mask such as 255.255.255.0 works too.",
        ),
        Field(
            "ipv4.gateway", "gateway4", "Gateway", "192.0.2.1", shown_when=("ipv4.method", ("static",)),
            help="The router of this network. Leave it empty only where another interface has the way out.",
        ),
        Field(
            "ipv6.method", "choice", "IPv6", choices=(("auto", "Automatic"), ("static", "Static"), ("off", "Off")),
            help="Automatic takes what the router announces.",
        ),
        Field(
            "ipv6.addresses", "addresses6", "Address", "2001:db8:0:1::10/64", needed=True,
            shown_when=("ipv6.method", ("static",)), help="Address with prefix. Several: put a comma between them.",
        ),
        Field(
            "ipv6.gateway", "gateway6", "Gateway", "2001:db8:0:1::1", shown_when=("ipv6.method", ("static",)),
            help="The router of this network; may be its fe80:: address.",
        ),
        Field(
            "nameservers", "nameservers", "Name servers", "192.0.2.53, 198.51.100.53",
            help="Addresses of DNS servers, with commas. Empty: those that DHCP gives.",
        ),
        Field("search_domains", "domains", "Search domains", "site.example", help="Added to short names."),
        Field("mtu", "mtu", "MTU", "1500", help="Largest packet in bytes. Empty: leave as it is."),
        Field(
            "routes", "routes", "Routes", "198.51.100.0/24 via 192.0.2.254",
            help="Networks behind another router than the gateway; metric 50 after one makes it count before others. "
            "Several: put a comma between them.",
        ),
    ),
)  # fmt: skip
