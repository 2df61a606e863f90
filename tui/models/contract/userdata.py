"""User data: what a site tells a host about itself, in the words of the contract."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tui.models.contract.base import Operation, Wire
from tui.models.contract.common import Accepted


class CloudInit(Wire):
    host_name: str = ""
    """Optional."""
    network: NetworkConfig | None = None
    registry_credentials: RegistryCredentials | None = None
    stages: str = ""
    """Cloud-init stages: YAML, base64-encoded."""
    tags: dict[str, Any] = {}
    management: Management | None = Field(None, validation_alias="v1Management", serialization_alias="v1Management")


class Management(Wire):
    edge_host_token: str = Field("", repr=False)
    """Needed for type remote."""
    insecure: bool = False
    """Optional."""
    palette_endpoint: str = ""
    """Optional."""
    project_name: str = ""
    """Optional."""
    type: Literal["", "local", "remote"]


class NetworkConfig(Wire):
    ca_certs: list[str] = []
    http_proxy: str = ""
    https_proxy: str = ""
    interfaces: dict[str, NetworkInterface] = {}
    """Keyed by interface name."""
    no_proxy: str = ""


class NetworkInterface(Wire):
    gateway: str = ""
    ip_address: str = ""
    nameserver: list[str] = []
    type: Literal["", "static", "dhcp"]


class RegistryCredentials(Wire):
    certificates: list[str] = []
    domain: str = ""
    """Optional."""
    encoded_password: bool = False
    """Optional, false when left out."""
    insecure: bool = False
    """Optional."""
    password: str = Field("", repr=False)
    """Masked in responses."""
    repository_name: str = ""
    """Optional."""
    username: str = ""
    """Optional."""


GET: Operation[CloudInit] = Operation(
    "v1GetEdgeHostUserdata", "GET", "/v1/edge-mgmt/edgehosts/current/userdata", CloudInit
)
PUT: Operation[Accepted] = Operation(
    "v1PutEdgeHostUserdata", "PUT", "/v1/edge-mgmt/edgehosts/current/userdata", Accepted, CloudInit
)
POST: Operation[Accepted] = Operation(
    "v1PostEdgeHostUserdata", "POST", "/v1/edge-mgmt/edgehosts/current/userdata", Accepted, CloudInit, good=201
)
