"""`HostConfig`: the one document that is the draft, the site file, the input of apply and the output of export."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from tui.models.clock import ClockConfig
from tui.models.identity import IdentityConfig
from tui.models.link import LinkConfig, Part
from tui.models.proxy import ProxyConfig
from tui.models.registration import RegistrationConfig
from tui.models.server import ServerConfig
from tui.models.trust import TrustConfig


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class HostConfig(Part):
    """What a person wants of this host. A link that is not listed stays as it is."""

    version: Literal[1] = 1
    links: Annotated[tuple[LinkConfig, ...], BeforeValidator(_tuple)] = ()
    proxy: ProxyConfig | None = None
    trust: TrustConfig | None = None
    server: ServerConfig | None = None
    identity: IdentityConfig | None = None
    clock: ClockConfig | None = None
    registration: RegistrationConfig | None = None

    def link(self, mac: str) -> LinkConfig | None:
        return next((x for x in self.links if x.mac == mac), None)

    def with_link(self, link: LinkConfig) -> HostConfig:
        others = tuple(x for x in self.links if x.mac != link.mac)
        return self.model_copy(update={"links": (*others, link)})

    def without_link(self, mac: str) -> HostConfig:
        return self.model_copy(update={"links": tuple(x for x in self.links if x.mac != mac)})

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for YAML and JSON."""
        return self.model_dump(mode="json", exclude_none=True)
