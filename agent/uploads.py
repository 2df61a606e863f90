"""Archives that arrive over the API: in one request (the contract), or in pieces that go on where they stopped.

    POST   /v1/onsite/uploads               {"name", "size", "sha256"} -> {"id", "offset"}, again the same
    PATCH  /v1/onsite/uploads/ID            bytes, with the header Upload-Offset -> {"offset"}
    GET    /v1/onsite/uploads/ID            {"offset"}
    POST   /v1/onsite/uploads/ID/finish     {"signature": base64 or ""} -> {"job"}: the import
    DELETE /v1/onsite/uploads/ID

Everything goes to the disk piece by piece, into uploads/ of the content folder, and away when it is imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import python_multipart
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent import bodies, content_import
from agent.errors import error
from agent.events import moment
from tui.models.change import Issue, Refused
from tui.models.content import LARGEST_CONTENT, Item, shown
from tui.models.contract.base import Wire
from tui.models.contract.content import UploadedContentDetails
from tui.services.change.files import make_folder
from tui.services.content import importing, store
from tui.services.content.stream import refused
from tui.services.host import Host

MOST = 8
"""Uploads that are not finished; the oldest goes away for a new one."""
PIECE = 1 << 20
LARGEST_SIGNATURE = importing.LARGEST_SIGNATURE
_ID = re.compile(r"[0-9a-f]{24}")


class Announced(Wire):
    name: str = ""
    size: int = 0
    sha256: str = ""


class Finish(Wire):
    signature: str = ""


# --- in one request -----------------------------------------------------------------------------------------------


async def content(request: Request) -> JSONResponse:
    """POST .../actions/upload-content"""
    return await _whole(request, "bundle")


async def clusterconfig(request: Request) -> JSONResponse:
    """POST .../actions/upload-clusterconfig"""
    return await _whole(request, "definition")


async def _whole(request: Request, kind: str) -> JSONResponse:
    host: Host = request.app.state.host
    try:
        async with _received(request, host) as (path, name, signature, sha256):
            item = await content_import.in_thread(lambda stop: _taken(host, path, name, signature, kind, stop))
            _remember(host, name, path.stat().st_size, sha256)
    except Refused as why:
        issue = why.issues[0]
        said = {"code": issue.code, "message": f"{issue.text} {issue.remedy}", "ref": "", "details": {}}
        return JSONResponse(said, 400)
    where = content_import.upload_path(item.digest)
    return JSONResponse({"message": f"{item.name} {item.version} is on this host.", "uploadPath": where}, 201)


def _taken(host: Host, path: Path, name: str, signature: bytes, kind: str, stop: Any) -> Item:
    with importing.plain_file(path) as fd:
        found = importing.looked(host, fd, beside=signature).manifest.kind
        if found != kind:
            words = {"bundle": "a bundle", "definition": "a cluster definition"}
            raise refused("B101", f"This is {words[found]}, not {words[kind]}.", "Upload it at the other place.")
        return importing.imported(host, fd, name=name, beside=signature, origin="uploaded", stop=stop)


@asynccontextmanager
async def _received(request: Request, host: Host) -> AsyncIterator[tuple[Path, str, bytes, str]]:
    """The file of a multipart request on the disk, its name, the signature, and its SHA-256; gone after the block.

    Raises:
        Refused: B127 the request is no such thing; B120 no room; B122 the disk.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise _no_upload("it has to be multipart/form-data with a file uploadFile")
    stated = request.headers.get("content-length", "")
    store.fits(host, int(stated) if stated.isdigit() and len(stated) < 18 else 0)
    folder = _folder(host) / f"whole-{os.urandom(8).hex()}"
    try:
        make_folder(folder, 0o700)
        form = _Form(folder / "archive")
        try:
            parser = python_multipart.MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
            waiting = bytearray()
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= PIECE:
                    await run_in_threadpool(parser.write, bytes(waiting))
                    waiting.clear()
            await run_in_threadpool(parser.write, bytes(waiting))
            parser.finalize()
        except python_multipart.exceptions.FormParserError as wrong:
            raise _no_upload("its form cannot be read") from wrong
        except ClientDisconnect as gone:
            raise _no_upload("it ended too early") from gone
        finally:
            form.close()
        if not form.ended or not form.name:
            raise _no_upload("there is no file uploadFile in it, or it ended too early")
        yield folder / "archive", form.name, bytes(form.signature), form.digest.hexdigest()
    except OSError as wrong:
        raise store.unwritable(wrong) from wrong
    finally:
        await run_in_threadpool(shutil.rmtree, folder, True)


class _Form:
    """The parts of the request as they come: the file to the disk, the signature into memory, nothing else."""

    def __init__(self, path: Path) -> None:
        self.name, self.signature, self.digest, self.ended = "", bytearray(), hashlib.sha256(), False
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._field, self._value, self._part = b"", b"", ""
        self._written = 0

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_header_field": self._header_field,
            "on_header_value": self._header_value, "on_header_end": self._header_end, "on_end": self._end,
        }  # fmt: skip

    def close(self) -> None:
        os.close(self._fd)

    def _begin(self) -> None:
        self._field, self._value, self._part = b"", b"", ""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end][: 1024 - len(self._field)]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end][: 4096 - len(self._value)]

    def _header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._part = options.get(b"name", b"").decode("utf-8", "replace")
            if self._part == "uploadFile":
                if self.name:
                    raise _no_upload("there are two files uploadFile in it")
                self.name = shown(Path(options.get(b"filename", b"").decode("utf-8", "replace") or "archive").name)
        self._field, self._value = b"", b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = memoryview(data)[start:end]
        if self._part == "uploadFile":
            self._written += len(piece)
            if self._written > LARGEST_CONTENT:
                raise _no_upload("it is too large")
            self.digest.update(piece)
            while piece:
                piece = piece[os.write(self._fd, piece) :]
        elif self._part == "signature":
            self.signature += piece
            if len(self.signature) > LARGEST_SIGNATURE:
                raise _no_upload("the signature is too long to be one")

    def _end(self) -> None:
        self.ended = True


def _no_upload(why: str) -> Refused:
    text = f"The upload cannot be taken: {why}."
    return Refused(Issue("B127", "error", "uploadFile", text, "Upload it again, with the console or as the API says."))


# --- in pieces ----------------------------------------------------------------------------------------------------


async def announce(request: Request) -> JSONResponse:
    """POST /v1/onsite/uploads"""
    asked = await bodies.read(request, Announced)
    if not 0 < asked.size <= LARGEST_CONTENT or not re.fullmatch(r"[0-9a-f]{64}", asked.sha256):
        raise _no_upload("size and sha256 of the archive are needed")
    name = shown(Path(asked.name).name or "archive")
    host: Host = request.app.state.host
    found = await run_in_threadpool(_announced, host, name, asked.size, asked.sha256)
    return JSONResponse(found, 201)


def _announced(host: Host, name: str, size: int, sha256: str) -> dict[str, Any]:
    identity = hashlib.sha256(f"{sha256} {size}".encode()).hexdigest()[:24]
    folder = _folder(host) / identity
    try:
        if not (folder / "upload.json").is_file():
            _make_place(host)
            store.fits(host, size)
            make_folder(folder, 0o700)
            (folder / "archive").touch(0o600)
            (folder / "upload.json").write_text(json.dumps({"name": name, "size": size, "sha256": sha256}))
        return {"id": identity, "offset": (folder / "archive").stat().st_size}
    except OSError as wrong:
        raise store.unwritable(wrong) from wrong


def _make_place(host: Host) -> None:
    waiting = sorted((p for p in _folder(host).glob("*/upload.json")), key=lambda p: p.stat().st_mtime)
    for path in waiting[: max(0, len(waiting) - MOST + 1)]:
        shutil.rmtree(path.parent, ignore_errors=True)


async def piece(request: Request) -> JSONResponse:
    """PATCH /v1/onsite/uploads/{id}: what comes goes to the disk even where the line breaks off"""
    folder, upload = _known(request)
    stated = request.headers.get("upload-offset", "")
    if not stated.isdigit() or len(stated) > 15:
        return error(400, "The header Upload-Offset is missing: the place of these bytes in the archive.")
    fd = os.open(folder / "archive", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return error(409, "Another request writes this upload; wait until it has ended.")
        offset = os.fstat(fd).st_size
        if int(stated) != offset:
            answer = error(409, f"This upload goes on at {offset}.")
            answer.headers["upload-offset"] = str(offset)
            return answer
        with contextlib.suppress(ClientDisconnect):
            async for chunk in request.stream():
                if offset + len(chunk) > upload["size"]:
                    return error(400, f"These bytes go beyond the {upload['size']} that were announced.")
                offset += await run_in_threadpool(_append, fd, chunk)
        await run_in_threadpool(os.fdatasync, fd)
    except OSError as wrong:
        raise store.unwritable(wrong) from wrong
    finally:
        os.close(fd)
    return JSONResponse({"offset": offset})


def _append(fd: int, chunk: bytes) -> int:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(fd, rest) :]
    return len(chunk)


async def state(request: Request) -> JSONResponse:
    """GET /v1/onsite/uploads/{id}"""
    folder, upload = _known(request)
    return JSONResponse({**upload, "offset": (folder / "archive").stat().st_size})


async def finish(request: Request) -> JSONResponse:
    """POST /v1/onsite/uploads/{id}/finish"""
    folder, upload = _known(request)
    asked = await bodies.read(request, Finish)
    host: Host = request.app.state.host
    size, sha256 = await run_in_threadpool(store.digest_of, folder / "archive")
    if size < upload["size"]:
        return error(409, f"This upload goes on at {size}.")
    if sha256 != upload["sha256"]:
        await run_in_threadpool(shutil.rmtree, folder, True)
        raise refused("B107", "What arrived is not what was announced: its SHA-256 is another one.", "Upload it again.")
    _remember(host, upload["name"], size, sha256)
    argument = {
        "path": f"{store.FOLDER}/uploads/{folder.name}/archive", "device": "", "file_system": "", "inside": "",
        "name": upload["name"], "signature": asked.signature[:LARGEST_SIGNATURE], "upload": folder.name,
    }  # fmt: skip
    who = request.client.host if request.client else ""
    return JSONResponse({"job": content_import.start(request.app.state.jobs, argument, who)}, 202)


async def drop(request: Request) -> JSONResponse:
    """DELETE /v1/onsite/uploads/{id}"""
    folder, upload = _known(request)
    await asyncio.to_thread(shutil.rmtree, folder, True)
    return JSONResponse({"message": f"{upload['name']} is given up."})


def remove(host: Host, upload: str) -> None:
    """Take the archive of an upload away."""
    if _ID.fullmatch(upload):
        shutil.rmtree(_folder(host) / upload, ignore_errors=True)


def _known(request: Request) -> tuple[Path, dict[str, Any]]:
    host: Host = request.app.state.host
    name = request.path_params["id"]
    if _ID.fullmatch(name):
        folder = _folder(host) / name
        with contextlib.suppress(OSError, ValueError):
            return folder, json.loads((folder / "upload.json").read_text())
    raise refused("B124", "There is no such upload.", "Announce it anew.")


# --- the last one -------------------------------------------------------------------------------------------------


async def details(request: Request) -> JSONResponse:
    """GET .../uploaded-content/details"""
    host: Host = request.app.state.host
    try:
        last = json.loads((store.folder(host) / "uploads/last.json").read_text())
        found = UploadedContentDetails(
            file_name=last["name"], sha256_hash=last["sha256"], size_in_bytes=last["size"],
            size_in_gib=round(last["size"] / 2**30, 3), size_in_mib=round(last["size"] / 2**20, 3),
            upload_date_time=moment(last["time"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError):
        return error(404, "Nothing has been uploaded to this host yet.")
    return JSONResponse(found.sent())


def _remember(host: Host, name: str, size: int, sha256: str) -> None:
    path = _folder(host) / "last.json"
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps({"name": name, "size": size, "sha256": sha256, "time": host.clock.now()}))
    beside.replace(path)


def _folder(host: Host) -> Path:
    folder = store.folder(host) / "uploads"
    make_folder(folder, 0o700)
    return folder


def sweep(host: Host) -> None:
    """Remove what requests left that ended with the agent; called once, before it serves."""
    for path in (store.folder(host) / "uploads").glob("whole-*"):
        shutil.rmtree(path, ignore_errors=True)


_HOST = "/v1/edge-mgmt/edgehosts/current"
ROUTES = [
    Route(f"{_HOST}/actions/upload-content", content, methods=["POST"]),
    Route(f"{_HOST}/actions/upload-clusterconfig", clusterconfig, methods=["POST"]),
    Route(f"{_HOST}/uploaded-content/details", details, methods=["GET"]),
    Route("/v1/onsite/uploads", announce, methods=["POST"]),
    Route("/v1/onsite/uploads/{id}", piece, methods=["PATCH"]),
    Route("/v1/onsite/uploads/{id}", state, methods=["GET"]),
    Route("/v1/onsite/uploads/{id}", drop, methods=["DELETE"]),
    Route("/v1/onsite/uploads/{id}/finish", finish, methods=["POST"]),
]
