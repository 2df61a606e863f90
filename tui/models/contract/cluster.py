"""What a cluster shall be: its configuration and the ways to change it."""

from __future__ import annotations

from tui.models.contract.base import Operation, Wire
from tui.models.contract.common import Accepted, MetaData, ObjectMeta, Patch
from tui.models.contract.pools import MachinePool


class ClusterConfigurationSpec(Wire):
    archive_upload_path: str = ""
    cloud_config: CloudConfig | None = None
    profile_variables: list[ProfileVariable] = []
    schedule_at: str = ""


class ClusterConfiguration(Wire):
    metadata: MetaData | None = None
    spec: ClusterConfigurationSpec | None = None


class ProfileVariable(Wire):
    name: str = ""
    profile_uid: str = ""
    value: str = ""


class CloudConfig(Wire):
    metadata: ObjectMeta | None = None
    spec: CloudConfigSpec | None = None


class CloudConfigSpec(Wire):
    cluster_config: ClusterConfig
    machine_pool_config: list[MachinePool]


class ClusterConfig(Wire):
    control_plane_endpoint: ControlPlaneEndpoint | None = None
    ntp_servers: list[str] = []
    overlay_network_configuration: Overlay | None = None
    ssh_keys: list[str] = []
    static_ip: bool = False
    """True: hosts keep static addresses; otherwise DHCP."""


class ControlPlaneEndpoint(Wire):
    ddns_search_domain: str = ""
    """Only for type DDNS, appended to the generated host name."""
    host: str = ""
    """IP address, or FQDN for DDNS."""
    type: str = ""
    """VIP or DDNS (documented in prose, not as an enum)."""


class Overlay(Wire):
    cidr: str = ""
    enable: bool = False


class ClusterSettings(Wire):
    ntp_servers: list[str] = []
    ssh_keys: list[str] = []


class ClusterPatch(Wire):
    cluster_config_patches: list[Patch] = []


class ProfileConfigurationSpec(Wire):
    archive_upload_path: str = ""


class ProfileConfiguration(Wire):
    metadata: MetaData | None = None
    spec: ProfileConfigurationSpec | None = None


CONFIGURATION: Operation[ClusterConfiguration] = Operation(
    "v1ClusterConfig", "GET", "/v1/edge-mgmt/cluster", ClusterConfiguration, may_be_absent=True
)
CREATE: Operation[Accepted] = Operation(
    "v1CreateCluster", "POST", "/v1/edge-mgmt/cluster", Accepted, ClusterConfiguration, good=202
)
DELETE: Operation[Accepted] = Operation("v1DeleteCluster", "DELETE", "/v1/edge-mgmt/cluster", Accepted, good=202)
PATCH_DEPRECATED: Operation[Accepted] = Operation(
    "v1PatchCluster", "PATCH", "/v1/edge-mgmt/cluster", Accepted, ClusterConfiguration, good=202
)
UPDATE_PROFILES: Operation[Accepted] = Operation(
    "v1UpdateClusterProfiles", "PUT", "/v1/edge-mgmt/cluster/profiles", Accepted, ProfileConfiguration, good=202
)
SETTINGS: Operation[Accepted] = Operation(
    "v1EdgeNativeClusterSettings", "PUT", "/v1/edge-mgmt/cluster/settings", Accepted, ClusterSettings, good=202
)
REPLACE: Operation[Accepted] = Operation(
    "v1UpdateClusterConfig", "PUT", "/v1/edge-mgmt/cluster/{clusterName}", Accepted, ClusterConfiguration, good=202
)
PATCH: Operation[Accepted] = Operation(
    "v1PatchClusterConfig", "PATCH", "/v1/edge-mgmt/cluster/{clusterName}", Accepted, ClusterPatch, good=202
)
