"""What happened: events of the cluster, and the lifecycle of host and cluster with its expected order."""

from __future__ import annotations

from typing import Literal

from tui.models.contract.base import Int32, Operation, Wire
from tui.models.contract.common import Condition, ObjectMeta


class ClusterEvents(Wire):
    items: list[ClusterEvent]


class ClusterEvent(Wire):
    involved_object: ObjectReference | None = None
    message: str = ""
    metadata: ObjectMeta | None = None
    reason: str = ""
    related_object: RelatedObject | None = None
    severity: str = ""
    source: EventSource | None = None


class EventSource(Wire):
    component: str = ""
    host: str = ""


class ObjectReference(Wire):
    api_version: str = ""
    field_path: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    uid: str = ""


class RelatedObject(Wire):
    kind: Literal["", "spectrocluster", "machine", "cloudconfig", "clusterprofile", "pack"] = ""
    name: str = ""
    uid: str = ""


class LifecycleEvents(Wire):
    cluster_events: list[Condition] = []
    edge_host_events: list[Condition] = []
    expected_order: list[ConditionCategoryOrder] = []


class ConditionCategoryOrder(Wire):
    category: str = ""
    conditions_order: list[ConditionOrder] = []
    order: Int32 = 0


class ConditionOrder(Wire):
    order: Int32 = 0
    reason: str = ""
    reason_label: str = ""
    type: str = ""
    type_label: str = ""


CLUSTER: Operation[ClusterEvents] = Operation(
    "v1GetClusterEvents", "GET", "/v1/edge-mgmt/cluster/events", ClusterEvents
)
LIFECYCLE: Operation[LifecycleEvents] = Operation(
    "v1GetLifecycleEvents", "GET", "/v1/edge-mgmt/events/lifecycle", LifecycleEvents
)
