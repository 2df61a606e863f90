"""Looking for faults: ping, traceroute, logs, files."""

from __future__ import annotations

from typing import Literal

from tui.models.contract.base import Moment, Operation, Wire
from tui.models.contract.common import Accepted
from tui.models.contract.events import ClusterEvents


class PingResult(Wire):
    ping_host_status: str = ""


class TraceResult(Wire):
    trace_route_status: str = ""


class LogsStatus(Wire):
    msg: str = ""
    status: Literal["", "Unknown", "InProgress", "Completed", "Failed"] = ""


class FileDetails(Wire):
    creation_timestamp: Moment = ""
    file_name: str = ""
    last_modified_timestamp: Moment = ""
    size: str = ""


class FileList(Wire):
    files: list[FileDetails] = []


PING: Operation[PingResult] = Operation("v1PingHost", "GET", "/v1/edge-mgmt/edgehosts/connectivity/ping", PingResult)
TRACEROUTE: Operation[TraceResult] = Operation(
    "v1TraceRouteHost", "GET", "/v1/edge-mgmt/edgehosts/connectivity/traceroute", TraceResult
)
DOWNLOAD_LOGS: Operation[bytes] = Operation(
    "v1EdgeHostDownloadLogs", "GET", "/v1/edge-mgmt/edgehosts/current/download-logs", bytes, may_be_absent=True
)
ERROR_LOGS: Operation[ClusterEvents] = Operation(
    "V1EdgeHostErrorLogs", "GET", "/v1/edge-mgmt/edgehosts/current/error-logs", ClusterEvents
)
FILES: Operation[FileList] = Operation(
    "v1EdgeHostListCustomFiles",
    "GET",
    "/v1/edge-mgmt/edgehosts/current/file-download/files",
    FileList,
    may_be_absent=True,
)
DOWNLOAD_FILE: Operation[bytes] = Operation(
    "v1EdgeHostCustomFileDownload",
    "GET",
    "/v1/edge-mgmt/edgehosts/current/file-download/{filePath}",
    bytes,
    may_be_absent=True,
)
GENERATE_LOGS: Operation[Accepted] = Operation(
    "v1EdgeHostGenerateLogs", "POST", "/v1/edge-mgmt/edgehosts/current/generate-logs", Accepted, good=202
)
LOGS_STATUS: Operation[LogsStatus] = Operation(
    "v1EdgeHostGenerateLogsStatus", "GET", "/v1/edge-mgmt/edgehosts/current/generate-logs-status", LogsStatus
)
