"""`HostConfig`: the one document that is the draft, the site file, the input of apply and the output of export."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from tui.models.clock import ClockConfig
from tui.models.identity import IdentityConfig
from tui.models.link import LinkConfig, LinkName, Part, Reference
from tui.models.proxy import ProxyConfig
from tui.models.registration import RegistrationConfig
from tui.models.server import ServerConfig
from tui.models.trust import TrustConfig


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class HostConfig(Part):
    """What a person wants of this host. A link that is not listed stays as it is.

    Attributes:
        removed: names of VLANs, bonds and bridges that shall no longer be there.
        management: the link whose address the host and its agent speak from; "" for none in particular, None as it is.
    """

    version: Literal[1] = 1
    links: Annotated[tuple[LinkConfig, ...], BeforeValidator(_tuple)] = ()
    removed: Annotated[tuple[LinkName, ...], BeforeValidator(_tuple)] = ()
    management: Reference | None = None
    proxy: ProxyConfig | None = None
    trust: TrustConfig | None = None
    server: ServerConfig | None = None
    identity: IdentityConfig | None = None
    clock: ClockConfig | None = None
    registration: RegistrationConfig | None = None

    def link(self, identity: str) -> LinkConfig | None:
        return next((x for x in self.links if x.identity == identity), None)

    def with_link(self, link: LinkConfig) -> HostConfig:
        others = tuple(x for x in self.links if x.identity != link.identity)
        stay = tuple(name for name in self.removed if name != link.identity)
        return self.model_copy(update={"links": (*others, link), "removed": stay})

    def without_link(self, identity: str) -> HostConfig:
        return self.model_copy(update={"links": tuple(x for x in self.links if x.identity != identity)})

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for YAML and JSON."""
        data: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        if not self.removed:
            del data["removed"]
        for link in data["links"]:
            if not link["mac"]:
                del link["mac"]
        return data
