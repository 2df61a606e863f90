"""What a cluster is: state, nodes, packs, certificates."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from tui.models.contract.base import Operation, Wire
from tui.models.contract.common import Accepted, ArchType, Condition, Health, MetaData
from tui.models.contract.definition import Variable
from tui.models.contract.host import Nic

State: TypeAlias = Literal["", "Provisioning", "Running", "Deleting", "Error"]


class Cluster(Wire):
    metadata: MetaData | None = None
    spec: ClusterSpec | None = None
    status: ClusterStatus | None = None


class ClusterSpec(Wire):
    host_ids: list[str] = Field([], validation_alias="hostIDs", serialization_alias="hostIDs")
    node_pools: list[ClusterNodePoolSpec] = []
    ntp_servers: list[str] = []
    overlay_cidr: str = Field("", validation_alias="overlayCIDR", serialization_alias="overlayCIDR")
    ssh_keys: list[str] = []
    vip: str = ""


class ClusterStatus(Wire):
    agent_version: str = ""
    cluster_conditions: list[Condition] = []
    cluster_state: State = ""
    cluster_state_reason: str = ""
    health: Health | None = None
    is_reboot_pending: bool = False
    k8s_version: str = ""
    kubeconfig: str = Field("", repr=False)
    node_pools: list[ClusterNodePoolStatus] = []
    ntp_servers_applied: bool = False
    services: list[ClusterService] = []
    ssh_keys_applied: bool = False


class ClusterNodePool(Wire):
    arch_type: ArchType = "amd64"
    is_control_plane: bool = False
    name: str = ""


class ClusterNodePoolSpec(Wire):
    hosts: list[ClusterHost] = []
    pool: ClusterNodePool | None = None


class ClusterHost(Wire):
    host_address: str = ""
    host_id: str = Field("", validation_alias="hostID", serialization_alias="hostID")
    host_name: str = ""
    nic: list[Nic] = []


class ClusterNodePoolStatus(Wire):
    nodes: list[ClusterNodeStatus] = []
    pool: ClusterNodePool | None = None


class ClusterNodeStatus(Wire):
    age: str = ""
    architecture: str = ""
    health: Health | None = None
    ipv4: str = ""
    k8s_version: str = ""
    node_name: str = ""
    node_state: State = ""


class ClusterService(Wire):
    host: str = ""
    name: str = ""
    ports: list[ServicePort] = []


class ServicePort(Wire):
    app_protocol: str = ""
    name: str = ""
    node_port: int = 0
    port: int = 0
    protocol: str = ""
    target_port: str = ""
    """Number or name."""


class ClusterNodes(Wire):
    nodes: list[ClusterNode] = []


class ClusterNode(Wire):
    age: str = ""
    architecture: str = ""
    edge_host_id: str = Field("", validation_alias="edgeHostID", serialization_alias="edgeHostID")
    ipv4: str = ""
    kernel_version: str = ""
    kubelet_version: str = ""
    node_health: list[ClusterNodeCondition] = []
    node_name: str = ""
    node_status: ClusterNodeCondition | None = None
    operating_system: str = ""
    os_image: str = ""


class ClusterNodeCondition(Wire):
    condition_type: str = ""
    message: str = ""
    reason: str = ""
    status: str = ""


class Applications(Wire):
    cluster_profile_templates: list[AppliedProfile] = []


class AppliedProfile(Wire):
    description: str = ""
    name: str = ""
    packs: list[AppliedPack] = []
    type: str = ""
    uid: str = ""
    variables: list[Variable] = []
    version: str = ""


class AppliedPack(Wire):
    conditions: list[PackCondition] = []
    contents: list[PackContent] = []
    end_time: str = ""
    layer: str = ""
    logo: str = ""
    name: str = ""
    start_time: str = ""
    status: str = ""
    type: str = ""
    values: str = ""
    version: str = ""


class PackCondition(Wire):
    message: str = ""
    reason: str = ""
    status: str = ""
    type: str = ""


class PackContent(Wire):
    content_type: Literal["", "image", "artifact", "chart"] = ""
    name: str = ""
    sync_msg: str = ""
    sync_status: str = ""


class CertificateDetails(Wire):
    certificates: list[Authority] = []
    earliest_auto_renewal_time: str = ""
    needs_renewal: bool = False


class Authority(Wire):
    child_certs: list[ChildCertificate] = []
    expiration_date: str = ""
    issue_date: str = ""
    name: str = ""


class ChildCertificate(Wire):
    expiration_date: str = ""
    issue_date: str = ""
    name: str = ""
    node_name: str = ""


APPLICATIONS: Operation[Applications] = Operation(
    "v1ClusterApplications", "GET", "/v1/edge-mgmt/cluster/applications", Applications, may_be_absent=True
)
CERTIFICATES: Operation[CertificateDetails] = Operation(
    "v1CertificateDetails", "GET", "/v1/edge-mgmt/cluster/certificates", CertificateDetails, may_be_absent=True
)
DETAILS: Operation[Cluster] = Operation(
    "v1ClusterGet", "GET", "/v1/edge-mgmt/cluster/details", Cluster, may_be_absent=True
)
RENEW_CERTIFICATES: Operation[Accepted] = Operation(
    "v1RenewCerts", "POST", "/v1/edge-mgmt/cluster/renew-certificates", Accepted, good=201
)
NODES: Operation[ClusterNodes] = Operation(
    "v1ClusterNodes", "GET", "/v1/edge-mgmt/clusters/current/nodes", ClusterNodes
)
