"""What a frame of a switch means for the set-up of this host: bundles that do not meet. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tui.models.change import Issue
from tui.models.port import Bond, Bundle, Carrier

DYNAMIC = "802.3ad"
"""The mode that speaks LACP."""
PATIENCE = 10.0
"""Seconds of listening before silence means something: a switch without a partner asks every second (802.1AX 6.4)."""


def hints(
    carriers: Mapping[int, Carrier], bundles: Mapping[int, Bundle], bonds: Collection[Bond], listened: float
) -> dict[int, Issue]:
    """What is wrong, by the index of the port or bond.

    Args:
        bundles: who speaks LACP at which port.
        listened: for how many seconds all ports were listened on.
    """
    return {
        **dict(_unwanted(carriers, bundles, bonds)),
        **(dict(_alone(carriers, bundles, bonds)) if listened >= PATIENCE else {}),
    }


def _unwanted(
    carriers: Mapping[int, Carrier], bundles: Mapping[int, Bundle], bonds: Collection[Bond]
) -> Iterator[tuple[int, Issue]]:
    """Ports at which a switch speaks LACP and nobody here answers."""
    answered = {member for bond in bonds if bond.mode == DYNAMIC for member in bond.members}
    others = {member: bond.name for bond in bonds if bond.mode != DYNAMIC for member in bond.members}
    for index, bundle in bundles.items():
        if index in answered or index not in carriers:
            continue
        name = carriers[index].name
        same = [i for i, b in bundles.items() if i in carriers and (b.system, b.key) == (bundle.system, bundle.key)]
        names = _and(sorted(carriers[i].name for i in same))
        text = f"The switch takes {names} for a bundle (LACP), and this host has no such bond."
        if index in others:
            text = f"The switch speaks LACP at {name}, and {others[index]}, which has it, does not."
        remedy = "Make a bond in the mode 802.3ad of it, or ask IT to take the port out of its bundle."
        yield index, Issue("N311", "warning", name, text, remedy)


def _alone(
    carriers: Mapping[int, Carrier], bundles: Mapping[int, Bundle], bonds: Collection[Bond]
) -> Iterator[tuple[int, Issue]]:
    """Bonds in the mode 802.3ad that no switch answers."""
    for bond in bonds:
        up = [i for i in bond.members if i in carriers and carriers[i].carrier]
        if bond.mode == DYNAMIC and up and not bond.partner and not any(i in bundles for i in bond.members):
            ports = _and([carriers[i].name for i in up])
            text = f"{bond.name} waits for a partner (802.3ad), and no switch speaks LACP at {ports}."
            remedy = "Ask IT for LACP on these switch ports, in one group; or use the mode active-backup."
            issue = Issue("N312", "warning", bond.name, text, remedy)
            yield bond.index, issue
            yield from ((member, issue) for member in up)


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
