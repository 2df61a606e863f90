"""Linking hosts to one another."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tui.models.contract.base import Operation, Wire
from tui.models.contract.common import Accepted, Health, NodeRole
from tui.models.contract.host import EdgeHostInfo


class LinkToken(Wire):
    interval: int = 0
    """Refresh interval, seconds."""
    remaining_time: int = 0
    """Validity left, seconds."""
    token: str = Field("", repr=False)
    """Base64."""


class LinkStatus(Wire):
    error_message: str = ""
    peers: list[LinkPeer] = []
    status: Literal["", "Pending", "InProgress", "Completed", "Failed"] = ""


class LinkPeer(Wire):
    config: EdgeHostInfo | None = None
    content_sync_status: str = ""
    health: Health | None = None
    id: str = ""
    ip: str = ""
    local_ui_port: str = Field("", validation_alias="localUIPort", serialization_alias="localUIPort")
    node_role: NodeRole = ""
    role: str = ""
    status: str = ""


LINK: Operation[LinkStatus] = Operation(
    "v1EdgeHostLink", "POST", "/v1/edge-mgmt/edgehosts/current/link", LinkStatus, LinkToken
)
GENERATE_TOKEN: Operation[LinkToken] = Operation(
    "v1EdgeHostLinkGenerateToken", "POST", "/v1/edge-mgmt/edgehosts/current/link/generate-token", LinkToken
)
STATUS: Operation[LinkStatus] = Operation(
    "v1EdgeHostLinkStatus", "GET", "/v1/edge-mgmt/edgehosts/current/link/status", LinkStatus, may_be_absent=True
)
UNLINK: Operation[Accepted] = Operation("v1EdgeHostUnlink", "POST", "/v1/edge-mgmt/edgehosts/current/unlink", Accepted)
