"""Who did what on this host."""

from __future__ import annotations

from typing import Literal

from pydantic import RootModel

from tui.models.contract.base import Moment, Operation, Wire


class Audit(Wire):
    metadata: AuditMeta | None = None
    spec: AuditSpec | None = None


class AuditActor(Wire):
    actor_type: Literal["", "user", "system"] = ""
    uid: str = ""


class AuditFilterChoice(Wire):
    label: str = ""
    value: str = ""


class AuditFilters(RootModel[dict[str, list[AuditFilterChoice]]]):
    """By the name of the query parameter."""


class AuditMeta(Wire):
    create_timestamp: Moment = ""
    edge_host_id: str = ""


class AuditResourceReference(Wire):
    kind: str = ""
    name: str = ""
    uid: str = ""


class AuditSpec(Wire):
    action_type: Literal["", "create", "update", "delete", "action", "activity"] = ""
    actor: AuditActor | None = None
    message: str = ""
    resource: AuditResourceReference | None = None


class AuditsList(Wire):
    items: list[Audit]
    listmeta: ListMetaData | None = None


class ListMetaData(Wire):
    continue_: str = ""
    """Empty at the end of the result set."""
    limit: int = 0
    offset: int = 0


LIST: Operation[AuditsList] = Operation(
    "v1Audits", "GET", "/v1/edge-mgmt/edgehosts/current/audits", AuditsList, may_be_absent=True
)
DOWNLOAD: Operation[bytes] = Operation(
    "v1AuditDownload", "GET", "/v1/edge-mgmt/edgehosts/current/audits/download", bytes, may_be_absent=True
)
FILTERS: Operation[AuditFilters] = Operation(
    "v1AuditFilter", "GET", "/v1/edge-mgmt/edgehosts/current/audits/filters", AuditFilters
)
