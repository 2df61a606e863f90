"""Every definition and operation of the contract against tui/models/contract, in both directions."""

from __future__ import annotations

import copy
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError

import tui.models.contract as package
from tests.contract import contract, violations
from tui.models.contract.base import Operation, Wire

MODULES = [importlib.import_module(f"tui.models.contract.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
RENAMED = {
    "apiError": "ApiError",
    "uploadResponse": "Uploaded",
    "v1AcceptedResponseWithMessage": "Accepted",
    "v1AuditFilterObect": "AuditFilters",
    "v1AuthLogin": "Login",
    "v1CA": "Authority",
    "v1CPU": "Cpu",
    "v1ChildCerts": "ChildCertificate",
    "v1ClusterConfigArchiveDetails": "ArchiveDetails",
    "v1ClusterCurrentApplications": "Applications",
    "v1ClusterPairDetailsResponse": "PairingDetails",
    "v1ClusterPairInfoResponse": "PairingId",
    "v1ClusterPairMeta": "Pairing",
    "v1ClusterPairVerifiedConnectionResponse": "PairingVerified",
    "v1ClusterProfileConfiguration": "ProfileConfiguration",
    "v1ClusterProfileDetail": "Profile",
    "v1ClusterProfileTemplate": "AppliedProfile",
    "v1Configuration": "ConfigurationState",
    "v1DNS": "Dns",
    "v1EdgeHost": "ClusterHost",
    "v1EdgeHostConfigurationStatus": "ConfigurationsStatus",
    "v1EdgeHostConfigurations": "Configurations",
    "v1EdgeHostGenerateLogsStatus": "LogsStatus",
    "v1EdgeNativeCloudConfig": "CloudConfig",
    "v1EdgeNativeCloudConfigSpec": "CloudConfigSpec",
    "v1EdgeNativeClusterConfig": "ClusterConfig",
    "v1EdgeNativeClusterSettings": "ClusterSettings",
    "v1EdgeNativeControlPlaneEndPoint": "ControlPlaneEndpoint",
    "v1EdgeNativeHost": "PoolHost",
    "v1EdgeNativeMachinePoolConfig": "MachinePool",
    "v1EdgeNativeOverlayNetworkConfiguration": "Overlay",
    "v1Event": "ClusterEvent",
    "v1Events": "ClusterEvents",
    "v1FileMetadata": "FileDetails",
    "v1FileMetadataList": "FileList",
    "v1GPUDeviceSpec": "Gpu",
    "v1HarborContentDetails": "RegistryItem",
    "v1HarborContentSyncStatus": "RegistrySyncItem",
    "v1HarborContentsDetails": "RegistryContents",
    "v1HarborContentsSyncStatus": "RegistrySync",
    "v1HarborHealthDetails": "RegistryHealth",
    "v1HttpPatch": "Patch",
    "v1LoginSuccess": "LoggedIn",
    "v1MachinePoolPatch": "PoolPatch",
    "v1NTP": "Ntp",
    "v1NotFoundResponseWithMessage": "NotFoundMessage",
    "v1OS": "Os",
    "v1PackInfo": "AppliedPack",
    "v1PasswordResetRequest": "PasswordReset",
    "v1Ping": "Pong",
    "v1PingResponse": "PingResult",
    "v1Port": "ServicePort",
    "v1Service": "ClusterService",
    "v1Time": "Moment",
    "v1TraceRouteResponse": "TraceResult",
    "v1UserSpec": "User",
    "v1ValidataVariable": "VariableValue",
    "v1ValidateVariableResponse": "VariableVerdict",
    "v1ValidateVariables": "VariablesToCheck",
    "v1ValidateVariablesResponse": "VariablesVerdict",
}
DEFINITIONS = sorted(contract()["definitions"])


def model(definition: str) -> Any:
    """What stands for a definition: a class, or an alias."""
    name = RENAMED.get(definition, definition.removeprefix("v1"))
    return next(found for module in MODULES if (found := getattr(module, name, None)) is not None)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = contract()["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema


def kind(schema: dict[str, Any]) -> str:
    return str(schema.get("type", "object" if "properties" in schema or "additionalProperties" in schema else "free"))


def example(schema: dict[str, Any]) -> Any:
    """A value with every property that the schema has."""
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][-1]
    match kind(schema):
        case "string":
            return "2026-11-25T10:42:00Z" if schema.get("format") == "date-time" else "words"
        case "boolean":
            return True
        case "integer":
            return 2**31 - 1 if schema.get("format") == "int32" else 2**40
        case "number":
            return 1.5
        case "array":
            return [example(schema["items"])]
        case "object" if "properties" in schema:
            return {name: example(item) for name, item in schema["properties"].items()}
        case "object" if "additionalProperties" in schema:
            return {"key": example(schema["additionalProperties"])}
    return {"free": ["form"]}


WRONG: dict[str, Any] = {
    "string": 5,
    "boolean": "yes",
    "integer": "5",
    "number": "5",
    "array": {"a": 1},
    "object": "no",
}


def damaged(schema: dict[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Values that the schema does not allow, each with what was done: one fault each, at every depth."""
    schema = resolved(schema)
    if (is_free := kind(schema)) == "free" or (
        is_free == "object" and not schema.keys() & {"properties", "additionalProperties"}
    ):
        return
    yield f"{kind(schema)} is {WRONG[kind(schema)]!r}", WRONG[kind(schema)]
    if "enum" in schema:
        yield "not of the enumeration", "something else"
    if schema.get("format") == "int32":
        yield "33 bits", 2**31
    if schema.get("format") == "date-time":
        yield "no moment", "yesterday"
    for name in schema.get("required", []):
        yield f"{name} is missing", {k: v for k, v in value.items() if k != name}
    parts: dict[Any, Any] = {}
    if isinstance(value, dict):
        parts = {k: schema.get("properties", {}).get(k) or schema.get("additionalProperties") for k in value}
    elif isinstance(value, list):
        parts = {0: schema["items"]}
    for key, part in parts.items():
        for words, wrong in damaged(part, value[key]):
            whole = copy.deepcopy(value)
            whole[key] = wrong
            yield f"{key}: {words}", whole


def is_model(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)


def plain(found: Any, value: Any) -> Any:
    """There and back again, as a server reads and writes it."""
    if is_model(found):
        read = found.model_validate(value, strict=True)
        return read.sent() if isinstance(read, Wire) else read.model_dump(mode="json", by_alias=True)
    return TypeAdapter(found).validate_python(value, strict=True)


def test_there_are_131_of_them() -> None:
    assert len(DEFINITIONS) == 131


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_definition_and_its_model_are_the_same(definition: str) -> None:
    schema, found = contract()["definitions"][definition], model(definition)
    whole = example(schema)
    assert violations(whole, schema) == []
    assert plain(found, whole) == whole
    accepted = []
    for words, wrong in damaged(schema, whole):
        try:
            plain(found, wrong)
        except ValidationError:
            continue
        accepted.append(words)
    assert accepted == []
    if is_model(found) and issubclass(found, Wire):
        assert {f.serialization_alias or f.alias for f in found.model_fields.values()} == set(schema["properties"])
    if "enum" in schema:
        assert set(get_args(found)) - {""} == set(schema["enum"])


@pytest.mark.parametrize("definition", [d for d in DEFINITIONS if is_model(model(d))])
def test_a_client_ignores_what_it_does_not_know(definition: str) -> None:
    found = model(definition)
    if not issubclass(found, RootModel):
        whole = example(contract()["definitions"][definition])
        assert found.model_validate({**whole, "ofAnotherRevision": 1}).sent() == whole


OPERATIONS = {x.id: x for module in MODULES for x in vars(module).values() if isinstance(x, Operation)}


def test_every_operation_is_there_and_as_the_contract_has_it() -> None:
    described = {
        o["operationId"]: (method, path, o) for path, item in contract()["paths"].items() for method, o in item.items()
    }
    assert len(described) == 70
    assert OPERATIONS.keys() == described.keys()
    for name, (method, path, there) in described.items():
        ours = OPERATIONS[name]
        assert (ours.method, ours.path) == (method.upper(), path)
        good = str(ours.good)
        assert good in there["responses"], name
        assert ours.may_be_absent == ("404" in there["responses"]), name
        body = [p["schema"] for p in there.get("parameters", []) if p["in"] == "body"]
        assert [ours.body] == ([model(b["$ref"].rpartition("/")[2]) for b in body] or [None]), name
        schema = there["responses"][good].get("schema", {})
        if "x-source-type" in schema:
            assert ours.answer is bytes
        elif not schema or schema.get("$ref", "").endswith("v1NoContent"):
            assert ours.answer is type(None)
        else:
            assert plain(ours.answer, example(schema)) == example(schema), name


def test_parameters_of_a_path_are_quoted() -> None:
    from tui.models.contract.diagnostics import DOWNLOAD_FILE

    assert DOWNLOAD_FILE.at(filePath="../a b?").endswith("/file-download/..%2Fa%20b%3F")
