"""Bundles and cluster definitions: the contract's answers about them, and ours: list, sources, import, delete."""

from __future__ import annotations

import base64
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent import bodies, content_import
from agent.errors import error
from agent.events import moment
from tui.models import content_api as api
from tui.models.change import Issue, Refused
from tui.models.content import Item, Manifest, missing
from tui.models.contract import definition as wire
from tui.models.contract.content import ContentSigningKey, RegistryContents, RegistryHealth, RegistryItem, RegistrySync
from tui.models.wrong import quoted
from tui.services.content import signing, sources, store, variables
from tui.services.host import Host
from tui.services.trust import sticks

# --- ours ---------------------------------------------------------------------------------------------------------


async def listed(request: Request) -> JSONResponse:
    """GET /v1/onsite/content"""
    found = await run_in_threadpool(_listed, request.app.state.host)
    found.current = content_import.current(request.app.state.jobs)
    return JSONResponse(found.sent())


def _listed(host: Host) -> api.Content:
    items = store.items(host)
    free, capacity = store.room(host)
    entries = []
    for item in items:
        lists = ("images", "images_not_provided", "needs_images")
        plain = item.to_dict() | {name: list(getattr(item, name)) for name in lists}
        if item.kind == "definition":
            lacks = missing(item, items, item.architecture or content_import.architecture())
            plain |= {"missing_engine": lacks.engine, "missing_images": list(lacks.images)}
        entries.append(api.Entry(**plain))
    return api.Content(items=entries, free=free, capacity=capacity, key=bool(signing.created(host)))


async def delete(request: Request) -> JSONResponse:
    """DELETE /v1/onsite/content/{digest}"""
    gone = await run_in_threadpool(store.delete, request.app.state.host, request.path_params["digest"])
    return JSONResponse({"message": f"{gone.name} {gone.version} is deleted."})


async def plugged(request: Request) -> JSONResponse:
    """GET /v1/onsite/content/sticks"""
    found = await run_in_threadpool(sticks.listed, request.app.state.host)
    items = [api.Stick(device=s.device, file_system=s.file_system, label=s.label, size=s.size) for s in found]
    return JSONResponse(api.Sticks(items=items).sent())


async def look(request: Request) -> JSONResponse:
    """POST /v1/onsite/content/look: the archives in a folder, on a stick, in an ISO image"""
    where = _source(await bodies.read(request, api.Where))
    found = await run_in_threadpool(sources.offered, request.app.state.host, where)
    items = [
        api.Offer(
            source=api.Where(**one.source.to_dict()),
            name=one.source.name,
            size=one.size,
            signed_beside=one.signed_beside,
        )
        for one in found
    ]
    return JSONResponse(api.Offers(items=items).sent())


async def begin(request: Request) -> JSONResponse:
    """POST /v1/onsite/content/import: a job that can be paused, and goes on after a kill of the agent"""
    where = _source(await bodies.read(request, api.Where))
    job = content_import.start(request.app.state.jobs, where.to_dict(), _who(request))
    return JSONResponse(api.Started(job=job).sent(), 202)


# --- the contract -------------------------------------------------------------------------------------------------


async def signing_key(request: Request) -> JSONResponse:
    """GET .../actions/content/signing-public-key"""
    host: Host = request.app.state.host
    pem = await run_in_threadpool(signing.trusted_key, host)
    if not pem:
        return error(404, "This host has no key for content: what is unsigned is taken too.")
    key = ContentSigningKey(
        key=base64.b64encode(pem).decode(),
        creation_timestamp=moment(signing.created(host)),
        description=f"Public key of {signing.KEY}; only what it signed is taken.",
    )
    return JSONResponse(key.sent())


async def registry_health(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/cluster/registry/health"""
    free, capacity = await run_in_threadpool(store.room, request.app.state.host)
    used = capacity - free
    health = RegistryHealth(
        state="NotInstalled",
        message="No registry runs on this host; images are imported into the container runtime from the bundle.",
        disk_available=store.size_words(free),
        disk_capacity=store.size_words(capacity),
        disk_used=store.size_words(used),
        usage_percentage=f"{100 * used / capacity:.1f}" if capacity else "0",
    )
    return JSONResponse(health.sent())


async def registry_sync(_request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/cluster/registry/content/sync-status/details"""
    said = "No registry runs on this host, so nothing waits to be pushed into one."
    return JSONResponse(RegistrySync(pending_items=[], errors={}, status_message=said).sent())


async def registry_contents(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/cluster/registry/content/details: images of the bundles, packs of the definitions"""
    return JSONResponse((await run_in_threadpool(_contents, request.app.state.host)).sent())


def _contents(host: Host) -> RegistryContents:
    found: list[RegistryItem] = []
    for item in store.items(host):
        manifest, when = _manifest(host, item), moment(item.imported)
        if manifest is None:
            continue
        sizes = {m.path: m.size for m in manifest.members}
        for image in manifest.images:
            name, version = _reference(image.ref)
            size = store.size_words(sizes[image.archive])
            found.append(RegistryItem(content_type="image", date_added=when, name=name, size=size, version=version))
        for pack in (pack for profile in manifest.profiles for pack in profile.packs):
            size = store.size_words(sum(sizes[f] for f in pack.files))
            found.append(
                RegistryItem(content_type="pack", date_added=when, name=pack.name, size=size, version=pack.version)
            )
    return RegistryContents(status=found)


def _reference(ref: str) -> tuple[str, str]:
    """Name and tag of an image."""
    name, colon, tag = ref.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (ref, "latest")


async def embedded(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/clusters/archive/embedded/details"""
    return await _archive(request, "embedded")


async def overridden(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/clusters/archive/overridden/details"""
    return await _archive(request, "uploaded", "imported")


async def update(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/clusters/archive/update/details"""
    return await _archive(request, "bundle")


async def delete_update(request: Request) -> JSONResponse:
    """DELETE /v1/edge-mgmt/clusters/archive/update"""
    host: Host = request.app.state.host
    waiting = await run_in_threadpool(_definition, host, ("bundle",))
    if waiting is None:
        return error(404, "No definition of a bundle waits on this host.")
    await run_in_threadpool(store.delete, host, waiting.digest)
    return JSONResponse({"message": f"{waiting.name} {waiting.version} is deleted."}, 202)


async def check_variables(request: Request) -> JSONResponse:
    """POST /v1/edge-mgmt/cluster/profiles/variables/validate"""
    asked = await bodies.read(request, wire.VariablesToCheck)
    verdict = await run_in_threadpool(_checked, request.app.state.host, asked)
    return JSONResponse(verdict.sent())


def _checked(host: Host, asked: wire.VariablesToCheck) -> wire.VariablesVerdict:
    manifest = archive(host, asked.archive_upload_path)
    found: list[wire.VariableVerdict] = []
    known = {profile.uid for profile in manifest.profiles}
    if strange := next((v for v in asked.variables if v.profile_uid not in known), None):
        text = f"This definition has no profile {quoted(strange.profile_uid)}."
        raise Refused(Issue("B144", "error", "variables.profileUid", text, "Take the profiles of its details."))
    for profile in manifest.profiles:
        values = {v.name: v.value for v in asked.variables if v.profile_uid == profile.uid}
        plain = [v.model_dump() for v in profile.variables]
        wrong = variables.issues_of(plain, values)
        regexes = {v.name: v.regex for v in profile.variables}
        for name in dict.fromkeys((*regexes, *wrong)):
            issue = wrong.get(name)
            found.append(
                wire.VariableVerdict(
                    name=name, profile_name=profile.name, profile_uid=profile.uid, regex=regexes.get(name, ""),
                    is_valid=issue is None,
                    validation_failure_reason=f"{issue.code}: {issue.text} {issue.remedy}" if issue else "",
                )
            )  # fmt: skip
    return wire.VariablesVerdict(variables=found)


def archive(host: Host, path: str) -> Manifest:
    """The manifest of a definition by the `archiveUploadPath` of the contract, which is the folder of the item.

    Raises:
        Refused: B124 there is none.
    """
    digest = path.rstrip("/").rpartition("/")[2]
    found = store.manifest(host, store.item(host, digest).digest) if len(digest) >= 8 else None
    if found is None or found.kind != "definition":
        text = f"There is no cluster definition {quoted(path)} on this host."
        raise Refused(Issue("B124", "error", "archiveUploadPath", text, "Import it first, in the place Content."))
    return found


async def _archive(request: Request, *origins: str) -> JSONResponse:
    host: Host = request.app.state.host
    return JSONResponse((await run_in_threadpool(_details, host, origins)).sent())


def _definition(host: Host, origins: tuple[str, ...]) -> Item | None:
    """The definition from there that came last."""
    return next((i for i in store.items(host) if i.kind == "definition" and i.origin in origins), None)


def _details(host: Host, origins: tuple[str, ...]) -> wire.ArchiveDetails:
    item = _definition(host, origins)
    manifest = _manifest(host, item) if item else None
    if item is None or manifest is None:
        return wire.ArchiveDetails(archive_upload_path="", cluster_profile_details=[])
    tree = store.tree(host, item.digest)
    profiles = [
        wire.Profile(
            profile_name=p.name, profile_uid=p.uid, profile_version=p.version, profile_type=p.type,
            profile_description=p.description, profile_tags=p.tags,
            packs=[
                wire.Pack(
                    name=k.name, version=k.version,
                    values=(tree / k.values).read_text("utf-8", "replace")[:65536] if k.values else "",
                )
                for k in p.packs
            ],
            variables=[wire.Variable.model_validate(v.model_dump()) for v in p.variables],
        )
        for p in manifest.profiles
    ]  # fmt: skip
    return wire.ArchiveDetails(
        archive_upload_path=content_import.upload_path(item.digest), cluster_profile_details=profiles
    )


def _manifest(host: Host, item: Item) -> Manifest | None:
    try:
        return store.manifest(host, item.digest)
    except Refused:
        return None


# --- shared -------------------------------------------------------------------------------------------------------


def _source(where: api.Where) -> sources.Source:
    plain: dict[str, Any] = {
        "path": where.path, "device": where.device, "file_system": where.file_system, "inside": where.inside,
    }  # fmt: skip
    if any("\0" in v or not v.isprintable() or len(v) > 1000 for v in plain.values()) or bool(where.path) == bool(
        where.device
    ):
        raise Refused(Issue("B121", "error", "path", "This is no place of an archive.", "Name a path or a device."))
    if where.path and not where.path.startswith("/"):
        raise Refused(Issue("B121", "error", "path", "The path has to begin with /.", "Type all of it."))
    return sources.Source(**plain)


def _who(request: Request) -> str:
    return request.client.host if request.client else ""


_HOST = "/v1/edge-mgmt/edgehosts/current"
_CLUSTERS = "/v1/edge-mgmt/clusters/archive"
ROUTES = [
    Route("/v1/onsite/content", listed, methods=["GET"]),
    Route("/v1/onsite/content/sticks", plugged, methods=["GET"]),
    Route("/v1/onsite/content/look", look, methods=["POST"]),
    Route("/v1/onsite/content/import", begin, methods=["POST"]),
    Route("/v1/onsite/content/{digest}", delete, methods=["DELETE"]),
    Route(f"{_HOST}/actions/content/signing-public-key", signing_key, methods=["GET"]),
    Route("/v1/edge-mgmt/cluster/registry/health", registry_health, methods=["GET"]),
    Route("/v1/edge-mgmt/cluster/registry/content/details", registry_contents, methods=["GET"]),
    Route("/v1/edge-mgmt/cluster/registry/content/sync-status/details", registry_sync, methods=["GET"]),
    Route(f"{_CLUSTERS}/embedded/details", embedded, methods=["GET"]),
    Route(f"{_CLUSTERS}/overridden/details", overridden, methods=["GET"]),
    Route(f"{_CLUSTERS}/update/details", update, methods=["GET"]),
    Route(f"{_CLUSTERS}/update", delete_update, methods=["DELETE"]),
    Route("/v1/edge-mgmt/cluster/profiles/variables/validate", check_variables, methods=["POST"]),
]
