"""What the kernel says of a VLAN, a bond or a bridge: the nested attributes of IFLA_LINKINFO (linux/if_link.h).

Links name each other by index there; `named` puts names in their place once all are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tui.models.facts import Layer, Link
from tui.services.facts.netlink import attributes, number, text

MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
HASHES = ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac")
RATES = ("slow", "fast")
_INFO_DATA, _SLAVE_KIND, _SLAVE_DATA = 2, 4, 5
_PERM_HWADDR = 4


def layer(kind: str, info: dict[int, bytes], below: int) -> Layer | None:
    """The layer of a link; names of other links are still their indexes.

    Args:
        below: IFLA_LINK.
    """
    data = attributes(info.get(_INFO_DATA, b""), 0)
    if kind == "vlan":
        return Layer("vlan", parent=str(below), vlan=number(data.get(1)))
    if kind == "bridge":
        return Layer("bridge", stp=number(data.get(5)) > 0)
    if kind != "bond":
        return None
    mode = _word(MODES, number(data.get(1)))
    return Layer(
        "bond",
        mode=mode,
        lacp_rate=_word(RATES, number(data.get(21))) if mode == "802.3ad" else "",
        hash=_word(HASHES, number(data.get(14))) if mode in ("802.3ad", "balance-xor") else "",
        monitor=number(data.get(3)),
        primary=str(number(data[11])) if mode == "active-backup" and 11 in data and number(data[11]) else "",
    )


def partner(kind: str, info: dict[int, bytes]) -> str:
    """MAC of the LACP partner of a bond (IFLA_BOND_AD_INFO); "" where none has answered."""
    if kind != "bond":
        return ""
    raw = attributes(attributes(info.get(_INFO_DATA, b""), 0).get(23, b""), 0).get(5, b"")
    return raw.hex(":") if any(raw) and len(raw) == 6 else ""


def own_mac(info: dict[int, bytes]) -> str:
    """The MAC that a port had before its bond gave it another; "" for what is no port of a bond."""
    if text(info.get(_SLAVE_KIND)) != "bond":
        return ""
    raw = attributes(info.get(_SLAVE_DATA, b""), 0).get(_PERM_HWADDR, b"")
    return raw.hex(":") if any(raw) and len(raw) == 6 else ""


def named(links: Iterable[Link]) -> Iterator[Link]:
    """The links with names where the kernel has indexes; a parent in another namespace has none."""
    found = list(links)
    names = {str(link.index): link.name for link in found}
    for link in found:
        master, made = names.get(link.master, ""), link.layer
        if made is not None and (made.parent or made.primary):
            made = replace(made, parent=names.get(made.parent, ""), primary=names.get(made.primary, ""))
        yield link if (master, made) == (link.master, link.layer) else replace(link, master=master, layer=made)


def _word(words: tuple[str, ...], value: int) -> str:
    return words[value] if value < len(words) else ""
