"""What several concerns of the contract share: errors, messages, metadata, conditions."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from tui.models.contract.base import Moment, Wire

ApiError: TypeAlias = str
"""An error that is nothing but a sentence."""
BadRequest: TypeAlias = Any
InternalServerError: TypeAlias = Any
Unauthorized: TypeAlias = Any
NoContent: TypeAlias = Any
NotFound: TypeAlias = Any
ArchType: TypeAlias = Literal["", "arm64", "amd64"]
NodeRole: TypeAlias = Literal["", "init", "controlplane", "worker", "unknown"]
ManagementMode: TypeAlias = Literal["", "central", "local"]


class Error(Wire):
    code: str = ""
    details: Any = None
    message: str = ""
    ref: str = ""


class NotFoundMessage(Wire):
    message: str = ""


class Accepted(Wire):
    message: str = ""


class MetaData(Wire):
    creation_timestamp: Moment = ""
    id: str = ""
    labels: dict[str, str] = {}
    last_modified_timestamp: Moment = ""
    name: str = ""
    tags: dict[str, Any] = {}


class ObjectMeta(Wire):
    annotations: dict[str, str] = {}
    creation_timestamp: Moment = ""
    deletion_timestamp: Moment = ""
    labels: dict[str, str] = {}
    last_modified_timestamp: Moment = ""
    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    self_link: str = ""
    uid: str = ""


class Condition(Wire):
    last_probe_time: Moment = ""
    last_transition_time: Moment = ""
    message: str = ""
    reason: str = ""
    status: str
    type: str


class Health(Wire):
    reason: str = ""
    status: Literal["", "Healthy", "Unhealthy"] = ""


class Patch(Wire):
    op: Literal["", "add", "remove", "replace"]
    path: str
    value: Any = None
