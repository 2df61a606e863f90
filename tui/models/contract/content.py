"""Bundles that were uploaded, and the registry that holds what was in them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tui.models.contract.base import Moment, Operation, Wire


class Uploaded(Wire):
    message: str = ""
    upload_path: str = ""


class UploadedContentDetails(Wire):
    file_name: str = ""
    sha256_hash: str = ""
    size_in_bytes: int = 0
    size_in_gib: float = Field(0.0, validation_alias="sizeInGiB", serialization_alias="sizeInGiB")
    size_in_mib: float = Field(0.0, validation_alias="sizeInMiB", serialization_alias="sizeInMiB")
    upload_date_time: Moment = ""


class ContentSigningKey(Wire):
    creation_timestamp: Moment = ""
    description: str = ""
    key: str = ""


class RegistryHealth(Wire):
    disk_available: str = Field("", validation_alias="DiskAvailable", serialization_alias="DiskAvailable")
    disk_capacity: str = Field("", validation_alias="DiskCapacity", serialization_alias="DiskCapacity")
    disk_used: str = Field("", validation_alias="DiskUsed", serialization_alias="DiskUsed")
    message: str = Field("", validation_alias="Message", serialization_alias="Message")
    state: Literal["", "Healthy", "Unhealthy", "NotInstalled"] = Field(
        "", validation_alias="State", serialization_alias="State"
    )
    usage_percentage: str = Field("", validation_alias="UsagePercentage", serialization_alias="UsagePercentage")


class RegistryItem(Wire):
    content_type: Literal["", "image", "artifact", "chart", "pack"] = ""
    date_added: Moment = ""
    name: str = ""
    size: str = ""
    version: str = ""


class RegistryContents(Wire):
    status: list[RegistryItem] = []


class RegistrySyncItem(Wire):
    content_type: Literal["", "image", "artifact", "chart", "pack"] = ""
    creation_timestamp: Moment = ""
    last_sync_timestamp: Moment = ""
    msg: str = ""
    name: str = ""
    size: str = ""
    source: str = ""
    status: Literal["", "pending", "completed", "failed"] = ""
    target: str = ""
    version: str = ""


class RegistrySync(Wire):
    errors: dict[str, str] = {}
    pending_items: list[RegistrySyncItem] = []
    status_message: str = ""


REGISTRY: Operation[RegistryContents] = Operation(
    "v1HarborContentsDetails", "GET", "/v1/edge-mgmt/cluster/registry/content/details", RegistryContents
)
REGISTRY_SYNC: Operation[RegistrySync] = Operation(
    "v1HarborContentsSyncStatusDetails",
    "GET",
    "/v1/edge-mgmt/cluster/registry/content/sync-status/details",
    RegistrySync,
)
REGISTRY_HEALTH: Operation[RegistryHealth] = Operation(
    "V1HarborHealth", "GET", "/v1/edge-mgmt/cluster/registry/health", RegistryHealth
)
SIGNING_KEY: Operation[ContentSigningKey] = Operation(
    "V1GetContentSigningPublicKey",
    "GET",
    "/v1/edge-mgmt/edgehosts/current/actions/content/signing-public-key",
    ContentSigningKey,
    may_be_absent=True,
)
UPLOAD: Operation[Uploaded] = Operation(
    "V1ContentUpload", "POST", "/v1/edge-mgmt/edgehosts/current/actions/upload-content", Uploaded, good=201
)
UPLOADED: Operation[UploadedContentDetails] = Operation(
    "v1UploadedContentDetails",
    "GET",
    "/v1/edge-mgmt/edgehosts/current/uploaded-content/details",
    UploadedContentDetails,
    may_be_absent=True,
)
