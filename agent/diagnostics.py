"""Looking for faults from far away: ping, traceroute, latest errors, collected logs, files that a site put out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agent import hops
from agent.audits import whole
from agent.auth import caller
from agent.errors import error
from agent.events import moment
from agent.jobs import Jobs, Kind, Step, Work
from tui.services import system
from tui.services.change import files as whole_files
from tui.services.host import Host

CURRENT = "/v1/edge-mgmt/edgehosts/current"
CONNECTIVITY = "/v1/edge-mgmt/edgehosts/connectivity"
FILES = "/var/log/files"
BUNDLE = "/var/lib/onsite/support/onsite-logs.tar.gz"
MOST_LOGS = 1000
_STATES = {"running": "InProgress", "undoing": "InProgress", "done": "Completed", "failed": "Failed"}
_PIECE = 1 << 18


def endpoint(text: str) -> str:
    """The host of what somebody typed: a name, an address, host:port, or a URL. Raises ValueError with a sentence."""
    text = text.strip()
    found = text
    if "://" in text or text.startswith("["):
        try:
            found = urlsplit(text if "://" in text else f"//{text}").hostname or ""
        except ValueError:
            found = ""
    elif text.count(":") == 1:
        found = text.partition(":")[0]
    if not found or len(found) > 253 or not all(c.isalnum() or c in ".-:%_" for c in found) or found[0] == "-":
        raise ValueError("endpoint is a name or an address, such as registry.example or 192.0.2.10.")
    return found


async def ping(request: Request) -> Response:
    """GET .../connectivity/ping?endpoint="""
    return await _asked(request, "pingHostStatus")


async def traceroute(request: Request) -> Response:
    """GET .../connectivity/traceroute?endpoint="""
    return await _asked(request, "traceRouteStatus")


async def _asked(request: Request, name: str) -> Response:
    try:
        where = endpoint(request.query_params.get("endpoint", ""))
    except ValueError as wrong:
        return error(400, str(wrong))
    try:
        to = await hops.resolved(where)
        said = await (hops.ping(to) if name == "pingHostStatus" else hops.traceroute(to))
    except OSError as why:  # that it cannot be reached is an answer, and what was asked for
        said = str(why.strerror or why)
    return JSONResponse({name: said})


async def error_logs(request: Request) -> Response:
    """GET .../error-logs?logCount="""
    try:
        count = min(whole(request.query_params.get("logCount", "")), MOST_LOGS)
    except ValueError:
        return error(400, "logCount is a whole number.")
    if count < 1:
        return error(400, "logCount is 1 or more.")
    host: Host = request.app.state.host
    if not system.program(host, "journalctl"):
        return JSONResponse({"items": await run_in_threadpool(_own_errors, host, count)})
    try:
        said = await system.output("journalctl", "-q", "-p", "err", "-n", str(count), "-r", "-o", "json", limit=15)
    except OSError as why:
        return error(500, f"The journal cannot be read: {why.strerror or why}.")
    return JSONResponse({"items": [x for line in said.splitlines() if (x := _event(line)) is not None]})


def _event(line: str) -> dict[str, Any] | None:
    """One line of `journalctl -o json` (systemd.journal-fields(7)) as `v1Event`."""
    try:
        entry = json.loads(line)
        seconds = int(entry.get("__REALTIME_TIMESTAMP", 0)) / 1e6
    except (ValueError, AttributeError, TypeError):
        return None
    message, name = entry.get("MESSAGE"), str(entry.get("_SYSTEMD_UNIT") or entry.get("SYSLOG_IDENTIFIER") or "")
    if isinstance(message, list):  # bytes that are no text come as numbers
        message = bytes(x for x in message if isinstance(x, int) and 0 <= x < 256).decode("utf-8", "replace")
    return {
        "severity": "Error",
        "reason": str(entry.get("SYSLOG_IDENTIFIER") or "journal"),
        "message": str(message or "")[:4000],
        "source": {"component": name, "host": str(entry.get("_HOSTNAME", ""))},
        "metadata": {"uid": str(entry.get("__CURSOR", "")), "creationTimestamp": moment(seconds)},
    }


def _own_errors(host: Host, count: int) -> list[dict[str, Any]]:
    """Of Onsite's own log, where a host has no journal."""
    found = []
    with contextlib.suppress(OSError):
        lines = host.path("/var/lib/onsite/log/onsite.log").read_text(errors="replace").splitlines()
        for number, line in enumerate(lines):
            words = line.split(" ", 4)
            if len(words) == 5 and words[3] in ("ERROR", "CRITICAL"):
                found.append(
                    {
                        "severity": "Error",
                        "reason": "onsite",
                        "message": words[4][:4000],
                        "source": {"component": "onsite"},
                        "metadata": {"uid": str(number)},
                    }
                )
    return found[::-1][:count]


# --- collected logs --------------------------------------------------------------------------------------------------


def kind(host: Host) -> Kind:
    """The job that collects logs."""

    async def collect(_work: Work) -> None:
        from tui.services.support.collect import collect
        from tui.services.support.pack import packed

        def make() -> None:
            bundle = collect(host)
            data = packed(bundle, host.clock.now())
            where = host.path(BUNDLE)
            whole_files.make_folder(where.parent, 0o700)
            beside = where.parent / f".{where.name}.onsite.tmp"
            beside.unlink(missing_ok=True)
            fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(fd)
            beside.replace(where)
            whole_files.sync_folder(where.parent)

        await asyncio.to_thread(make)

    def steps(_argument: Mapping[str, Any]) -> Sequence[Step]:
        return [Step("LogsCollected", "Collect logs", collect)]

    return Kind("logs", "Logs", "host", "logs", steps)


async def generate_logs(request: Request) -> Response:
    """POST .../generate-logs; one that runs already serves both who asked."""
    jobs: Jobs = request.app.state.jobs
    if not jobs.running("logs"):
        jobs.start("logs", {}, caller(request).name)
    return JSONResponse({"message": "Collecting logs."}, 202)


def logs_status(request: Request) -> Response:
    """GET .../generate-logs-status"""
    jobs: Jobs = request.app.state.jobs
    row = jobs.store.row("SELECT * FROM jobs WHERE kind = 'logs' ORDER BY created DESC, rowid DESC LIMIT 1")
    if row is None:
        return JSONResponse({"status": "Unknown", "msg": "No logs have been collected yet."})
    return JSONResponse({"status": _STATES.get(row["state"], "Unknown"), "msg": row["message"]})


def download_logs(request: Request) -> Response:
    """GET .../download-logs"""
    host: Host = request.app.state.host
    jobs: Jobs = request.app.state.jobs
    if jobs.running("logs"):
        return JSONResponse({"message": "The logs are still being collected."}, 404)
    name = time.strftime("onsite-logs-%Y%m%d-%H%M%S.tar.gz", time.gmtime(host.clock.now()))
    try:
        folder = os.open(host.path(BUNDLE).parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return JSONResponse({"message": "No logs have been collected yet."}, 404)
    try:
        return sent(folder, BUNDLE.rpartition("/")[2], name, "application/x-tar")
    except OSError:
        return JSONResponse({"message": "No logs have been collected yet."}, 404)
    finally:
        os.close(folder)


# --- files of a site -------------------------------------------------------------------------------------------------


def listed(request: Request) -> Response:
    """GET .../file-download/files: plain files directly in the folder."""
    try:
        entries = sorted(os.scandir(request.app.state.host.path(FILES)), key=lambda e: e.name)
    except OSError:
        return error(404, f"There is no {FILES} on this host.")
    found = []
    for entry in entries:
        with contextlib.suppress(OSError):
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and entry.name.isprintable():
                changed = moment(status.st_mtime)
                found.append(
                    {
                        "fileName": entry.name,
                        "size": str(status.st_size),
                        "creationTimestamp": moment(min(status.st_ctime, status.st_mtime)),
                        "lastModifiedTimestamp": changed,
                    }
                )
    return JSONResponse({"files": found})


def file(request: Request) -> Response:
    """GET .../file-download/{filePath}: no folder below, no link, nothing outside."""
    name = request.path_params["filePath"]
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        return error(404, "Only files directly in the folder can be had.")
    try:
        folder = os.open(
            request.app.state.host.path(FILES), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        )
    except OSError:
        return error(404, f"There is no {FILES} on this host.")
    try:
        return sent(folder, name, name, "application/octet-stream")
    except (OSError, ValueError):
        return error(404, "There is no such file.")
    finally:
        os.close(folder)


def sent(folder: int, name: str, shown: str, kind: str) -> Response:
    """A plain file of a folder, as much of it as there is now.

    Raises:
        OSError: it is not there, or is no plain file.
    """
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise OSError("no plain file")

    def pieces() -> Iterator[bytes]:
        left = status.st_size  # a log may grow while it is sent
        with open(fd, "rb") as opened:
            while left and (data := opened.read(min(_PIECE, left))):
                left -= len(data)
                yield data
            if left:
                raise OSError("the file has become shorter")

    headers = {
        "Content-Length": str(status.st_size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(shown, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(pieces(), media_type=kind, headers=headers)


ROUTES = [
    Route(f"{CONNECTIVITY}/ping", ping, methods=["GET"]),
    Route(f"{CONNECTIVITY}/traceroute", traceroute, methods=["GET"]),
    Route(f"{CURRENT}/error-logs", error_logs, methods=["GET"]),
    Route(f"{CURRENT}/generate-logs", generate_logs, methods=["POST"]),
    Route(f"{CURRENT}/generate-logs-status", logs_status, methods=["GET"]),
    Route(f"{CURRENT}/download-logs", download_logs, methods=["GET"]),
    Route(f"{CURRENT}/file-download/files", listed, methods=["GET"]),
    Route(f"{CURRENT}/file-download/{{filePath:path}}", file, methods=["GET"]),
]
