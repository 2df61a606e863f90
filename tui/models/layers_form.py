"""The form of what sits on other links: a VLAN, a bond, a bridge. Which ports, how together, which VLAN, which address.

Ports and parents are choices that a host gives, so the form is made for one host.
"""

from __future__ import annotations

from dataclasses import replace

from tui.models.form import LINK_FORM, MANAGEMENT, Field, Form

Choices = tuple[tuple[str, str], ...]
"""(identity, name) of each link that may be chosen."""

MODES = {
    "active-backup": "One port works, the next takes over when its cable fails. Needs nothing at the switch.",
    "802.3ad": "All ports work at once. The switch needs the same ports in one LACP group (802.3ad).",
    "balance-xor": "All ports work at once. The switch needs a fixed group of these ports, without LACP.",
    "balance-alb": "All ports work at once, shared out by this host. Needs nothing at the switch.",
}
"""What each mode of a bond means for the person who chooses it."""
KINDS = {
    "bond": "Bond: two or more cables work as one, and one may fail.",
    "vlan": "VLAN: a network of its own on a cable that carries several, with a number on each frame.",
    "bridge": "Bridge: a switch inside this host, for virtual machines or for a second device on its cable.",
}

MODE_WORDS = {"active-backup": "backup", "802.3ad": "LACP", "balance-xor": "XOR", "balance-alb": "ALB"}
_KIND = Field(
    "kind", "choice", "Make", choices=(("bond", "Bond"), ("vlan", "VLAN"), ("bridge", "Bridge")),
    help="A bond joins cables, a VLAN parts one, a bridge is a switch inside this host.",
)  # fmt: skip
_BOND, _VLAN, _BRIDGE = (("kind", (kind,)) for kind in ("bond", "vlan", "bridge"))
_FIRST = (
    Field(
        "vlan.parent", "choice", "On", shown_when=_VLAN,
        help="The interface whose cable carries this VLAN: a port, a bond or a bridge.",
    ),
    Field(
        "vlan.id", "vlan_id", "VLAN", "20", needed=True, shown_when=_VLAN,
        help="Its number, 1 to 4094, as the network plan or the switch port has it.",
    ),
    Field("bond.ports", "several", "Ports", shown_when=_BOND, help="Space takes a port in or out."),
    Field(
        "bond.mode", "choice", "How", shown_when=_BOND, help="What happens with several cables.",
        choices=(("active-backup", "Backup"), ("802.3ad", "LACP"), ("balance-xor", "XOR"), ("balance-alb", "ALB")),
    ),
    Field(
        "bond.lacp_rate", "choice", "LACP rate", shown_when=("bond.mode", ("802.3ad",)),
        choices=(("slow", "Slow"), ("fast", "Fast")),
        help="Slow asks the other end every 30 seconds, fast every second. Take what the switch has.",
    ),
    Field(
        "bond.hash", "choice", "Shared by", shown_when=("bond.mode", ("802.3ad", "balance-xor")),
        choices=(("layer2", "MAC"), ("layer2+3", "Address"), ("layer3+4", "Connection")),
        help="What decides which cable a packet takes: MAC (layer2), addresses (layer2+3), connections (layer3+4).",
    ),
    Field("bridge.ports", "several", "Ports", shown_when=_BRIDGE, help="Space takes a port in or out."),
    Field(
        "bridge.stp", "flag", "Spanning tree", shown_when=_BRIDGE, choices=(("yes", "Yes"), ("no", "No")),
        help="Keeps two cables between the same switches from making a circle. Yes, unless IT says no.",
    ),
)  # fmt: skip
_TAG = Field(
    "tag", "vlan_tag", "VLAN", "20", shown_when=_BOND,
    help="The number of a VLAN on this bond, which then has the address. Empty: the switch sends no tags.",
)  # fmt: skip
_LAST = (
    Field("name", "linkname", "Name", "bond0", needed=True, help="What this host calls it. The one here will do."),
    Field(
        "bond.primary", "choice", "Preferred", shown_when=("bond.mode", ("active-backup",)),
        help="The port that works whenever it has a cable.",
    ),
    Field(
        "bond.monitor", "monitor", "Link check", "100", needed=True, shown_when=_BOND,
        help="Milliseconds between two looks at each cable.",
    ),
)  # fmt: skip
NO_PORT = ("", "none")


def layers_form(bond: Choices, bridge: Choices, parents: Choices, *, new: bool) -> Form:
    """The form for one host.

    Args:
        bond: what may be a port of a bond.
        bridge: what may be a port of a bridge.
        parents: what a VLAN may be on.
        new: something is made, so it is asked what, and a bond may get its VLAN at once.
    """
    given = {
        "vlan.parent": parents, "bond.ports": bond, "bridge.ports": bridge, "bond.primary": (NO_PORT, *bond),
    }  # fmt: skip
    kinds = replace(_KIND, choices=tuple((kind, word) for kind, word in _KIND.choices if {
        "bond": bond, "vlan": parents, "bridge": bridge,
    }[kind]))  # fmt: skip
    fields = (kinds, *_FIRST, *((_TAG,) if new else ()), *LINK_FORM.fields, MANAGEMENT, *_LAST)
    return Form("layers", "Interface", tuple(replace(f, choices=given.get(f.path, f.choices)) for f in fields))
