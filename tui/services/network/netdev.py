"""The .netdev files of systemd-networkd (systemd.netdev(5)): what makes a VLAN, a bond or a bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.models.facts import Layer, Link
from tui.services.network.wanted import FORWARD_DELAY

if TYPE_CHECKING:
    from tui.models.link import LinkConfig


def render(config: LinkConfig, link: Link, layer: Layer, mac: str) -> bytes:
    """The same bytes for the same wish.

    A bond or bridge gets the MAC of its first port, so that a lease stays what it was; networkd would make one up.
    """
    device = [("Name", link.name), ("Kind", layer.kind)]
    if mac:
        device.append(("MACAddress", mac))
    if config.mtu is not None:
        device.append(("MTUBytes", str(config.mtu)))
    kinds = {"vlan": ("VLAN", _vlan), "bond": ("Bond", _bond), "bridge": ("Bridge", _bridge)}
    name, keys = kinds[layer.kind]
    header = f"# {link.name}: written by Onsite. Edits by hand are noticed, and shown before they are overwritten."
    parts = [("NetDev", device), (name, keys(layer))]
    text = "\n".join(f"\n[{name}]\n" + "\n".join(f"{key}={value}" for key, value in keys) for name, keys in parts)
    return f"{header}\n{text}\n".encode()


def _vlan(layer: Layer) -> list[tuple[str, str]]:
    return [("Id", str(layer.vlan))]


def _bond(layer: Layer) -> list[tuple[str, str]]:
    keys = [("Mode", layer.mode), ("MIIMonitorSec", f"{layer.monitor}ms")]
    if layer.lacp_rate:
        keys.append(("LACPTransmitRate", layer.lacp_rate))
    if layer.hash:
        keys.append(("TransmitHashPolicy", layer.hash))
    return keys


def _bridge(layer: Layer) -> list[tuple[str, str]]:
    keys = [("STP", "yes" if layer.stp else "no")]
    return [*keys, ("ForwardDelaySec", str(FORWARD_DELAY))] if layer.stp else keys
