"""Cluster definitions: profiles, packs, and the variables that a person fills in."""

from __future__ import annotations

from tui.models.contract.base import Operation, Wire
from tui.models.contract.common import Accepted
from tui.models.contract.content import Uploaded


class ArchiveDetails(Wire):
    archive_upload_path: str = ""
    cluster_profile_details: list[Profile] = []


class Profile(Wire):
    packs: list[Pack] = []
    profile_description: str = ""
    profile_name: str = ""
    profile_tags: str = ""
    profile_type: str = ""
    profile_uid: str = ""
    profile_version: str = ""
    variables: list[Variable] = []


class Pack(Wire):
    logo: str = ""
    name: str = ""
    values: str = ""
    version: str = ""


class Variable(Wire):
    default_value: str = ""
    description: str = ""
    display_name: str = ""
    format: str = ""
    hidden: bool = False
    immutable: bool = False
    is_sensitive: bool = False
    name: str = ""
    regex: str = ""
    required: bool = False
    value: str = ""


class VariablesToCheck(Wire):
    archive_upload_path: str = ""
    variables: list[VariableValue] = []


class VariableValue(Wire):
    name: str = ""
    profile_uid: str = ""
    value: str = ""


class VariablesVerdict(Wire):
    variables: list[VariableVerdict] = []


class VariableVerdict(Wire):
    is_valid: bool = False
    name: str = ""
    profile_name: str = ""
    profile_uid: str = ""
    regex: str = ""
    validation_failure_reason: str = ""


CHECK_VARIABLES: Operation[VariablesVerdict] = Operation(
    "v1ValidateClusterProfileVariables",
    "POST",
    "/v1/edge-mgmt/cluster/profiles/variables/validate",
    VariablesVerdict,
    VariablesToCheck,
)
EMBEDDED: Operation[ArchiveDetails] = Operation(
    "V1ClusterConfigArchiveEmbedded", "GET", "/v1/edge-mgmt/clusters/archive/embedded/details", ArchiveDetails
)
OVERRIDDEN: Operation[ArchiveDetails] = Operation(
    "v1ClusterConfigArchiveOverriden", "GET", "/v1/edge-mgmt/clusters/archive/overridden/details", ArchiveDetails
)
DELETE_UPDATE: Operation[Accepted] = Operation(
    "v1DeleteClusterUpdateArchive", "DELETE", "/v1/edge-mgmt/clusters/archive/update", Accepted, good=202
)
UPDATE: Operation[ArchiveDetails] = Operation(
    "v1ClusterConfigArchiveUpdate", "GET", "/v1/edge-mgmt/clusters/archive/update/details", ArchiveDetails
)
UPLOAD: Operation[Uploaded] = Operation(
    "V1ClusterConfigUpload", "POST", "/v1/edge-mgmt/edgehosts/current/actions/upload-clusterconfig", Uploaded, good=201
)
