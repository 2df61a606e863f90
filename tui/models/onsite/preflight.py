"""Are the hosts fit for the cluster that is wanted, and what would be written on each? Nothing is written for it."""

from __future__ import annotations

from typing import Literal

from tui.models.contract.base import Operation, Wire
from tui.models.contract.cluster import ClusterConfiguration


class Finding(Wire):
    """An issue as plain data."""

    code: str = ""
    severity: Literal["error", "warning", "note"] = "error"
    text: str = ""
    remedy: str = ""


class PlannedFile(Wire):
    path: str = ""
    mode: int = 0


class HostPreflight(Wire):
    host_uid: str = ""
    host_name: str = ""
    findings: list[Finding] = []
    files: list[PlannedFile] = []
    commands: list[str] = []


class Preflight(Wire):
    hosts: list[HostPreflight] = []


PREFLIGHT: Operation[Preflight] = Operation(
    "onsiteClusterPreflight", "POST", "/v1/onsite/cluster/preflight", Preflight, ClusterConfiguration
)
