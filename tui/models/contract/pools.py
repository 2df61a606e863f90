"""Node pools of a cluster and the hosts in them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tui.models.contract.base import Int32, Moment, Operation, Wire
from tui.models.contract.common import Accepted, ArchType, Condition, Health, Patch
from tui.models.contract.host import Nic


class MachinePool(Wire):
    additional_labels: dict[str, str] = {}
    additional_tags: dict[str, str] = {}
    hosts: list[PoolHost]
    is_control_plane: bool = False
    labels: list[str] = []
    machine_pool_properties: MachinePoolProperties | None = None
    max_size: Int32 = 0
    min_size: Int32 = 0
    name: str = ""
    node_repave_interval: Int32 = 0
    """Seconds."""
    os_type: str = ""
    size: Int32 = 0
    taints: list[Taint] = []
    update_strategy: UpdateStrategy | None = None
    use_control_plane_as_worker: bool = False


class PoolHost(Wire):
    is_candidate_caption: bool = Field(
        False, validation_alias="IsCandidateCaption", serialization_alias="IsCandidateCaption"
    )
    ca_cert: str = ""
    host_address: str = ""
    host_name: str = ""
    host_uid: str = ""
    network_info: list[Nic] = []
    nic: Nic | None = None
    nic_name: str = ""
    node_info: NodeInfo | None = None
    static_ip: str = Field("", validation_alias="staticIP", serialization_alias="staticIP")
    tags: dict[str, Any] = {}
    two_node_candidate_priority: Literal["", "primary", "secondary"] = ""


class NodeInfo(Wire):
    age: str = ""
    architecture: str = ""
    conditions: list[Condition] = []
    health: Health | None = None
    ipv4: str = ""
    k8s_version: str = ""
    node_name: str = ""
    node_state: str = ""


class MachinePoolProperties(Wire):
    arch_type: ArchType = "amd64"


class PoolPatch(Wire):
    machine_pool_config_patches: list[Patch] = []


class Taint(Wire):
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    key: str = ""
    time_added: Moment = ""
    value: str = ""


class UpdateStrategy(Wire):
    type: Literal["", "RollingUpdateScaleOut", "RollingUpdateScaleIn"] = ""
    """RollingUpdateScaleOut when empty."""


class MachinePools(Wire):
    items: list[MachinePool] = []


LIST: Operation[MachinePools] = Operation(
    "v1MachinePoolDetail", "GET", "/v1/edge-mgmt/clusters/current/machinepools", MachinePools
)
CREATE: Operation[Accepted] = Operation(
    "v1ClusterMachinePoolCreate", "POST", "/v1/edge-mgmt/clusters/current/machinepools", Accepted, MachinePool, good=201
)
REPLACE: Operation[Accepted] = Operation(
    "v1ClusterMachinePoolUpdate", "PUT", "/v1/edge-mgmt/clusters/current/machinepools/{poolName}", Accepted, MachinePool
)
DELETE: Operation[Accepted] = Operation(
    "v1ClusterMachinePoolDelete", "DELETE", "/v1/edge-mgmt/clusters/current/machinepools/{poolName}", Accepted, good=202
)
PATCH: Operation[Accepted] = Operation(
    "v1ClusterMachinePoolPatch", "PATCH", "/v1/edge-mgmt/clusters/current/machinepools/{poolName}", Accepted, PoolPatch
)
DELETE_NODE: Operation[Accepted] = Operation(
    "v1ClusterMachinePoolNodeDelete",
    "DELETE",
    "/v1/edge-mgmt/clusters/current/machinepools/{poolName}/nodes/{nodeName}",
    Accepted,
    good=202,
)
