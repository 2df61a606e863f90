"""Who configures the links of this host, and how Onsite writes for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.services.network.backend import Backend


def backends() -> dict[str, Backend]:
    """Every backend that can write, by the name that `Owner.backend` has."""
    from tui.services.network.direct import Direct
    from tui.services.network.netplan import Netplan
    from tui.services.network.networkd import Networkd
    from tui.services.network.networkmanager import NetworkManager

    found: tuple[Backend, ...] = (Direct(), Netplan(), Networkd(), NetworkManager())
    return {backend.name: backend for backend in found}
