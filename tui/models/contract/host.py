"""This host: identity, hardware, network, modes, proxy and certificate authorities, power."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from tui.models.contract.base import Int32, Operation, Wire
from tui.models.contract.common import Accepted, ArchType, ManagementMode, MetaData, NodeRole

ConnectionMode: TypeAlias = Literal["", "connected", "airgap"]
ConfigurationState: TypeAlias = Literal["", "pending", "inprogress", "configured"]


class EdgeHostInfo(Wire):
    metadata: MetaData | None = None
    spec: EdgeHostSpec | None = None
    status: EdgeHostStatus | None = None


class EdgeHostSpec(Wire):
    connection_mode: ConnectionMode = ""
    hardware_spec: HardwareSpec | None = None
    host_info: HostInfo | None = None
    management_mode: ManagementMode = ""
    network_info: list[Nic] = []
    node_role: NodeRole = ""
    palette_endpoint_url: str = Field(
        "", validation_alias="paletteEndpointURL", serialization_alias="paletteEndpointURL"
    )


class EdgeHostStatus(Wire):
    agent_version: str = ""
    configuration_status: ConfigurationState = ""
    dns: Dns | None = None
    host_name: str = ""
    is_cluster_phase: bool = False
    ntp: Ntp | None = None


class HardwareSpec(Wire):
    arch_type: ArchType = "amd64"
    cpu: Cpu | None = None
    disks: list[Disk] = []
    gpus: list[Gpu] = []
    memory: Memory | None = None
    os: Os | None = None


class Cpu(Wire):
    cores: Int32 = 0


class Memory(Wire):
    size_in_mb: int = Field(0, validation_alias="sizeInMB", serialization_alias="sizeInMB")
    """The source prose says bytes, the name says MB."""


class Os(Wire):
    family: str = ""
    kernel: str = ""
    kernel_version: str = ""
    version: str = ""


class Disk(Wire):
    controller: str = ""
    partitions: list[Partition] = []
    size: Int32 = 0
    """GB."""
    vendor: str = ""


class Partition(Wire):
    file_system_type: str = ""
    free_space: Int32 = 0
    mount_point: str = ""
    total_space: Int32 = 0
    used_space: Int32 = 0


class Gpu(Wire):
    addresses: dict[str, str] = {}
    """PCI device entry name to bus/device/function address, hex, underscores."""
    model: str = ""
    vendor: str = ""


class HostInfo(Wire):
    host_state: str = ""
    host_type: str = ""
    secure_boot: bool = False


class Nic(Wire):
    dns: list[str] = []
    gateway: str = ""
    ip: str = ""
    is_default: bool = False
    mac_addr: str = ""
    nic_name: str = ""
    subnet: str = ""


class Dns(Wire):
    nameservers: list[str] = []
    options: list[str] = []
    search_domains: list[str] = []


class Ntp(Wire):
    connection_retry_sec: str = ""
    fallback_ntp_servers: list[str] = []
    ntp_servers: list[str] = []
    poll_interval_max_sec: str = ""
    poll_interval_min_sec: str = ""
    root_distance_max_sec: str = ""
    save_interval_sec: str = ""


class Settings(Wire):
    feature_flags: dict[str, bool] = {}
    installation_mode: Literal["", "airgap", "connected"] = ""
    management_mode: ManagementMode = ""


class Configurations(Wire):
    ca_certs: list[str] = []
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""


class ConfigurationsStatus(Wire):
    error_message: str = ""
    state: Literal["", "Not Configured", "In Progress", "Configured", "Failed"] = ""


class Pong(Wire):
    msg: str = ""


INFO: Operation[EdgeHostInfo] = Operation("v1EdgeHostInfo", "GET", "/v1/edge-mgmt/edgehosts/current", EdgeHostInfo)
REBOOT: Operation[Accepted] = Operation(
    "v1EdgeHostActionReboot", "POST", "/v1/edge-mgmt/edgehosts/current/actions/reboot", Accepted, good=202
)
RESET: Operation[Accepted] = Operation(
    "v1EdgeHostActionReset", "POST", "/v1/edge-mgmt/edgehosts/current/actions/reset", Accepted, good=202
)
SHUTDOWN: Operation[Accepted] = Operation(
    "v1EdgeHostActionShutdown", "POST", "/v1/edge-mgmt/edgehosts/current/actions/shutdown", Accepted, good=202
)
CONFIGURATIONS: Operation[Configurations] = Operation(
    "V1EdgeHostConfigurationsGet", "GET", "/v1/edge-mgmt/edgehosts/current/configurations", Configurations
)
CONFIGURE: Operation[Accepted] = Operation(
    "V1EdgeHostConfigurationsUpdate", "PUT", "/v1/edge-mgmt/edgehosts/current/configurations", Accepted, Configurations
)
CONFIGURATIONS_STATUS: Operation[ConfigurationsStatus] = Operation(
    "v1EdgeHostConfigurationStatus",
    "GET",
    "/v1/edge-mgmt/edgehosts/current/configurations/status",
    ConfigurationsStatus,
)
SETTINGS: Operation[Settings] = Operation("v1Settings", "GET", "/v1/edge-mgmt/settings", Settings)
PING: Operation[Pong] = Operation("V1Ping", "GET", "/v1/ping", Pong)
