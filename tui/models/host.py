"""`HostConfig`: the one document that is the draft, the site file, the input of apply and the output of export."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from tui.models.link import LinkConfig, Part


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class HostConfig(Part):
    """What a person wants of this host. A link that is not listed stays as it is."""

    version: Literal[1] = 1
    links: Annotated[tuple[LinkConfig, ...], BeforeValidator(_tuple)] = ()

    def link(self, mac: str) -> LinkConfig | None:
        return next((x for x in self.links if x.mac == mac), None)

    def with_link(self, link: LinkConfig) -> HostConfig:
        others = tuple(x for x in self.links if x.mac != link.mac)
        return HostConfig(links=(*others, link))

    def without_link(self, mac: str) -> HostConfig:
        return HostConfig(links=tuple(x for x in self.links if x.mac != mac))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for YAML and JSON."""
        return self.model_dump(mode="json", exclude_none=True)
