"""The cluster operations of the contract, and our preflight. Writes answer at once; jobs do the work."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent import bodies
from agent.cluster import answers, contents, kept, patches, wanted
from agent.cluster.hosts import Hosts
from agent.cluster.kept import Kept
from agent.cluster.look import Look
from agent.cluster.work import CHANGE, CREATE, DELETE, RENEW, Clusters
from agent.engines import k3s
from agent.engines.engine import Spec, silent
from agent.engines.forming import Forming
from agent.errors import error
from agent.jobs import Jobs
from tui.models.change import Issue, Refused
from tui.models.contract.cluster import (
    ClusterConfiguration,
    ClusterConfigurationSpec,
    ClusterPatch,
    ClusterSettings,
    ProfileConfiguration,
)
from tui.models.contract.pools import MachinePool, PoolPatch
from tui.services import userdata

CLUSTER = "/v1/edge-mgmt/cluster"
CURRENT = "/v1/edge-mgmt/clusters/current"
_ABSENT = "This host is in no cluster."


def mount(app: Starlette) -> None:
    """What the routes need, put where they find it; the kinds of work are added before the agent serves."""
    state = app.state
    state.cluster_hosts = Hosts(state.host)
    state.cluster_look = Look(state.store, state.jobs, state.cluster_hosts)
    Clusters(state.store, state.cluster_hosts).add_to(state.jobs)


# --- reading -------------------------------------------------------------------------------------------------------


async def configuration(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/cluster"""
    found = kept.load(request.app.state.store)
    return error(404, _ABSENT) if found is None else JSONResponse(_masked(found.configuration, found).sent())


async def details(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/cluster/details"""
    found = kept.load(request.app.state.store)
    if found is None:
        return error(404, _ABSENT)
    look: Look = request.app.state.cluster_look
    status, (state, reason) = await look.status(), look.state(await look.status())
    config, services = ("", []) if status.word in ("none", "down") else await look.extras()
    now = request.app.state.host.clock.now()
    coming = look.coming(status)
    return JSONResponse(answers.details(found, status, state, reason, config, services, now, coming=coming))


async def nodes(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/clusters/current/nodes"""
    found = kept.load(request.app.state.store)
    if found is None:
        return JSONResponse({"nodes": []})
    look: Look = request.app.state.cluster_look
    status, now = await look.status(), request.app.state.host.clock.now()
    return JSONResponse(answers.nodes(found.spec, status, now, coming=look.coming(status)))


async def certificates(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/cluster/certificates"""
    found = kept.load(request.app.state.store)
    if found is None:
        return error(404, _ABSENT)
    listed = await request.app.state.cluster_look.certificates(found.spec)
    return JSONResponse(answers.certificates(listed, request.app.state.host.clock.now()))


async def applications(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/cluster/applications"""
    found = kept.load(request.app.state.store)
    if found is None:
        return error(404, _ABSENT)
    chosen = None
    try:
        chosen = await run_in_threadpool(contents.definition, request.app.state.host, found.definition)
    except Refused:
        chosen = None  # deleted since: the cluster runs on without it
    look: Look = request.app.state.cluster_look
    running = look.state(await look.status())[0] == "Running"
    return JSONResponse(answers.applications(chosen, found.spec, _values(found.configuration), running))


async def events(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/cluster/events"""
    found = kept.load(request.app.state.store)
    namespace = request.query_params.get("namespace", "")
    if namespace and not (namespace.replace("-", "").isalnum() and namespace.isascii() and len(namespace) < 64):
        return error(400, "That is no name of a namespace.")
    listed = await request.app.state.cluster_look.objects("events", namespace) if found else []
    return JSONResponse(answers.events(listed))


async def pools(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/clusters/current/machinepools"""
    found = kept.load(request.app.state.store)
    return JSONResponse({"items": []} if found is None else answers.pools(found))


async def preflight(request: Request) -> JSONResponse:
    """POST /v1/onsite/cluster/preflight: every host's findings, and what would be written. Nothing is written."""
    asked = await bodies.read(request, ClusterConfiguration)
    spec, _ = await run_in_threadpool(_spec, request.app.state, asked, None)
    hosts = request.app.state.cluster_hosts.of(spec)
    found = await Forming(spec, hosts).preflight()
    listed = []
    for node in spec.nodes:
        plan: dict[str, Any] = {"files": [], "commands": []}
        if not any(i.code in ("K125", "K112") for i in found[node.name]):
            document = {"engine": spec.engine, "spec": spec.model_dump(mode="json"), "node": node.uid}
            plan = await hosts[node.uid].call("plan", document, silent)
        listed.append(
            {
                "hostUid": node.uid,
                "hostName": node.name,
                "findings": [
                    {"code": i.code, "severity": i.severity, "text": i.text, "remedy": i.remedy}
                    for i in found[node.name]
                ],
                "files": [{"path": path, "mode": mode} for path, mode, _ in plan["files"]],
                "commands": plan["commands"],
            }
        )
    return JSONResponse({"hosts": listed})


async def engines(_request: Request) -> JSONResponse:
    """GET /v1/onsite/cluster/engines: which there are, and what of them was ever seen to work"""
    unproven = "not yet proven on real hardware"
    listed = [
        {"name": "kubeadm", "proven": True, "note": "v1.20 for real; v1.22 and newer rendered only"},
        {"name": "k3s", "proven": k3s.PROVEN, "note": "" if k3s.PROVEN else unproven},
    ]
    return JSONResponse({"items": listed})


# --- changing ------------------------------------------------------------------------------------------------------


async def create(request: Request) -> JSONResponse:
    """POST /v1/edge-mgmt/cluster"""
    asked = await bodies.read(request, ClusterConfiguration)
    spec = await make(request.app.state, asked, _who(request))
    return _accepted(f"The cluster {spec.name} is being created.", 202)


async def delete(request: Request) -> JSONResponse:
    """DELETE /v1/edge-mgmt/cluster. A creation that failed is taken back by it, too."""
    found = kept.load(request.app.state.store)
    if found is None:
        return _accepted("There is no cluster.", 202)
    jobs: Jobs = request.app.state.jobs
    row = jobs.store.row("SELECT id, kind FROM jobs WHERE lane = 'cluster' AND state = 'running'")
    if row is not None and row["kind"] == CREATE:
        jobs.cancel(row["id"])
        return _accepted("The creation is cancelled, and what was done is taken back.", 202)
    _start(request.app.state, DELETE, {"spec": found.spec.model_dump(mode="json")}, None, _who(request))
    return _accepted(f"The cluster {found.spec.name} is being deleted.", 202)


async def renew(request: Request) -> JSONResponse:
    """POST /v1/edge-mgmt/cluster/renew-certificates"""
    found = _needed(request)
    _start(request.app.state, RENEW, {"spec": found.spec.model_dump(mode="json")}, None, _who(request))
    return _accepted("The certificates are being renewed.", 201)


async def replace(request: Request) -> JSONResponse:
    """PUT and PATCH /v1/edge-mgmt/cluster/{clusterName}; PATCH /v1/edge-mgmt/cluster, which is superseded"""
    name = request.path_params.get("clusterName")
    if request.method == "PATCH" and name is not None:
        changes = (await bodies.read(request, ClusterPatch)).cluster_config_patches
        found = _named(request, name)
        asked = _model(patches.patched(found.configuration.sent(), changes))
    else:
        asked = await bodies.read(request, ClusterConfiguration)
        found = _named(request, name) if name is not None else _needed(request)
    await _change(request, found, asked)
    return _accepted("The cluster is being changed.", 202)


async def profiles(request: Request) -> JSONResponse:
    """PUT /v1/edge-mgmt/cluster/profiles: another definition, the same hosts and values"""
    asked = await bodies.read(request, ProfileConfiguration)
    found = _needed(request)
    body = found.configuration.spec or ClusterConfigurationSpec()
    archive = asked.spec.archive_upload_path if asked.spec else ""
    changed = found.configuration.model_copy(
        update={"spec": body.model_copy(update={"archive_upload_path": archive})}, deep=True
    )
    await _change(request, found, changed)
    return _accepted("The cluster is being updated.", 202)


async def settings(request: Request) -> JSONResponse:
    """PUT /v1/edge-mgmt/cluster/settings"""
    asked = await bodies.read(request, ClusterSettings)
    found = _needed(request)
    document = found.configuration.sent()
    cluster = (
        document.setdefault("spec", {})
        .setdefault("cloudConfig", {})
        .setdefault("spec", {})
        .setdefault("clusterConfig", {})
    )
    cluster |= {"ntpServers": asked.ntp_servers, "sshKeys": asked.ssh_keys}
    await _change(request, found, _model(document))
    return _accepted("The settings are being applied.", 202)


async def pool_create(request: Request) -> JSONResponse:
    """POST /v1/edge-mgmt/clusters/current/machinepools"""
    asked = await bodies.read(request, MachinePool)
    found = _needed(request)
    document, listed = _listed(found)
    if not asked.name or any(p.get("name") == asked.name for p in listed):
        text = f"A pool needs a name that no other has; this one is called {asked.name[:60] or 'nothing'}."
        raise Refused(Issue("K237", "error", "name", text, "Give it another name."))
    listed.append(asked.sent())
    await _change(request, found, _model(document))
    return _accepted(f"The pool {asked.name} is being made.", 201)


async def pool_change(request: Request) -> JSONResponse:
    """PUT, PATCH and DELETE /v1/edge-mgmt/clusters/current/machinepools/{poolName}"""
    name = request.path_params["poolName"]
    if request.method == "PUT":
        value: Any = {**(await bodies.read(request, MachinePool)).sent(), "name": name}
    elif request.method == "PATCH":
        value = (await bodies.read(request, PoolPatch)).machine_pool_config_patches
    else:
        value = None
    found = _needed(request)
    document, listed = _listed(found)
    place = next((n for n, p in enumerate(listed) if p.get("name") == name), None)
    if place is None:
        return error(400 if request.method != "DELETE" else 403, f"There is no pool called {name[:60]}.")
    if request.method == "DELETE":
        del listed[place]
    else:
        listed[place] = value if request.method == "PUT" else patches.patched(listed[place], value)
    await _change(request, found, _model(document))
    return _accepted(f"The pool {name} is being changed.", 202 if request.method == "DELETE" else 200)


async def node_delete(request: Request) -> JSONResponse:
    """DELETE /v1/edge-mgmt/clusters/current/machinepools/{poolName}/nodes/{nodeName}"""
    pool, name = request.path_params["poolName"], request.path_params["nodeName"]
    found = _needed(request)
    node = next((n for n in found.spec.nodes if (n.pool, n.name) == (pool, name)), None)
    if node is None:
        return error(400, f"There is no node {name[:60]} in the pool {pool[:60]}.")
    document, listed = _listed(found)
    for one in listed:
        one["hosts"] = [h for h in one.get("hosts", []) if h.get("hostUid") != node.uid]
    document["spec"]["cloudConfig"]["spec"]["machinePoolConfig"] = [p for p in listed if p["hosts"]]
    await _change(request, found, _model(document))
    return _accepted(f"{name} leaves the cluster.", 202)


# --- parts of these ------------------------------------------------------------------------------------------------


async def make(state: State, asked: ClusterConfiguration, who: str) -> Spec:
    """Begin to create it, whoever wants it: somebody at this host, or its management plane.

    Raises:
        Refused: nothing was begun.
    """
    if kept.load(state.store) is not None:
        text = "This host is in a cluster already."
        raise Refused(Issue("K236", "error", "", text, "Change that one, or delete it first."))
    spec, chosen = await run_in_threadpool(_spec, state, asked, None)
    state.cluster_hosts.of(spec)
    found = Kept(asked, spec, chosen.digest, chosen.sensitive, state.host.clock.now())
    _start(state, CREATE, {"spec": spec.model_dump(mode="json")}, found, who)
    return spec


def _spec(state: State, asked: ClusterConfiguration, before: Kept | None) -> tuple[Spec, contents.Definition]:
    """The spec, and the definition that it is made from. What is there already may not change where it is immutable.

    Raises:
        Refused: what is wrong with it.
    """
    archive = asked.spec.archive_upload_path if asked.spec else ""
    if not archive:
        text = "No cluster definition is named."
        raise Refused(Issue("K231", "error", "spec.archiveUploadPath", text, "Choose one of the place Content."))
    chosen = contents.definition(state.host, archive)
    registry, own = userdata.registry(state.host), state.cluster_hosts.own
    if before is None:
        return wanted.spec(asked, chosen, own, registry=registry), chosen
    values = {name: value for name, value in _values(before.configuration).items() if value}
    return wanted.spec(asked, chosen, own, before.spec, registry, values), chosen


async def _change(request: Request, found: Kept, asked: ClusterConfiguration) -> None:
    await change(request.app.state, found, asked, _who(request))


async def change(state: State, found: Kept, asked: ClusterConfiguration, who: str) -> None:
    """Begin to change it; as `make`.

    Raises:
        Refused: nothing was begun.
    """
    if found.configuration.metadata and not (asked.metadata and asked.metadata.name):
        asked = asked.model_copy(update={"metadata": found.configuration.metadata})
    asked = _unmasked(asked, found)
    spec, chosen = await run_in_threadpool(_spec, state, asked, found)
    for what in ("name", "vip", "pod_range", "service_range", "dns_domain", "pod_network", "engine"):
        if getattr(spec, what) != getattr(found.spec, what):
            text = f"The {what.replace('_', ' ')} of a cluster cannot be changed."
            raise Refused(Issue("K238", "error", f"spec.{what}", text, "Make another cluster for it."))
    roles = {n.uid: n.role for n in found.spec.nodes}
    if any(roles.get(n.uid, n.role) != n.role for n in spec.nodes):
        text = "A node cannot change between control plane and worker."
        raise Refused(Issue("K238", "error", "spec.cloudConfig", text, "Take it out, then add it in its new role."))
    state.cluster_hosts.of(spec)
    argument = {"before": found.spec.model_dump(mode="json"), "spec": spec.model_dump(mode="json")}
    _start(state, CHANGE, argument, Kept(asked, spec, chosen.digest, chosen.sensitive, found.created), who)


def _who(request: Request) -> str:
    return str((request.scope.get("client") or ("", 0))[0])


def _start(state: State, kind: str, argument: dict[str, Any], then: Kept | None, who: str) -> None:
    """Journal the job and what is wanted in one, so that a kill between them leaves neither."""
    jobs: Jobs = state.jobs
    with jobs.store.transaction():
        if then is not None:
            kept.save(jobs.store, then)
        jobs.start(kind, argument, who)
    state.cluster_look.stale()


def _needed(request: Request) -> Kept:
    """Raises:
    Refused: there is no cluster (K239).
    """
    found = kept.load(request.app.state.store)
    if found is None:
        raise Refused(Issue("K239", "error", "", _ABSENT, "Create one first."))
    return found


def _named(request: Request, name: str) -> Kept:
    found = _needed(request)
    if found.spec.name != name:
        text = f"The cluster of this host is called {found.spec.name}."
        raise Refused(Issue("K239", "error", "clusterName", text, "Use that name."))
    return found


def _listed(found: Kept) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    document = found.configuration.sent()
    return document, document["spec"]["cloudConfig"]["spec"]["machinePoolConfig"]


def _model(document: Any) -> ClusterConfiguration:
    try:
        return ClusterConfiguration.model_validate(document)
    except ValueError as wrong:
        text = "What comes of it is no cluster configuration."
        raise Refused(Issue("K235", "error", "spec", text, "Read the configuration anew, then change it.")) from wrong


def _values(asked: ClusterConfiguration) -> dict[str, str]:
    return {v.name: v.value for v in asked.spec.profile_variables} if asked.spec else {}


MASK = "********"


def _masked(asked: ClusterConfiguration, found: Kept) -> ClusterConfiguration:
    """Values that are secret are not told again."""
    made = asked.model_copy(deep=True)
    for variable in made.spec.profile_variables if made.spec else []:
        if variable.name in found.sensitive and variable.value:
            variable.value = MASK
    return made


def _unmasked(asked: ClusterConfiguration, found: Kept) -> ClusterConfiguration:
    """What was masked when it was read is what it was."""
    before = _values(found.configuration)
    made = asked.model_copy(deep=True)
    for variable in made.spec.profile_variables if made.spec else []:
        if variable.value == MASK:
            variable.value = before.get(variable.name, "")
    return made


def _accepted(message: str, status: int) -> JSONResponse:
    return JSONResponse({"message": message}, status)


ROUTES = [
    Route(CLUSTER, configuration, methods=["GET"]),
    Route(CLUSTER, create, methods=["POST"]),
    Route(CLUSTER, delete, methods=["DELETE"]),
    Route(CLUSTER, replace, methods=["PATCH"]),
    Route(f"{CLUSTER}/applications", applications, methods=["GET"]),
    Route(f"{CLUSTER}/certificates", certificates, methods=["GET"]),
    Route(f"{CLUSTER}/details", details, methods=["GET"]),
    Route(f"{CLUSTER}/events", events, methods=["GET"]),
    Route(f"{CLUSTER}/profiles", profiles, methods=["PUT"]),
    Route(f"{CLUSTER}/renew-certificates", renew, methods=["POST"]),
    Route(f"{CLUSTER}/settings", settings, methods=["PUT"]),
    Route(f"{CLUSTER}/{{clusterName}}", replace, methods=["PUT", "PATCH"]),
    Route(f"{CURRENT}/nodes", nodes, methods=["GET"]),
    Route(f"{CURRENT}/machinepools", pools, methods=["GET"]),
    Route(f"{CURRENT}/machinepools", pool_create, methods=["POST"]),
    Route(f"{CURRENT}/machinepools/{{poolName}}", pool_change, methods=["PUT", "PATCH", "DELETE"]),
    Route(f"{CURRENT}/machinepools/{{poolName}}/nodes/{{nodeName}}", node_delete, methods=["DELETE"]),
    Route("/v1/onsite/cluster/engines", engines, methods=["GET"]),
    Route("/v1/onsite/cluster/preflight", preflight, methods=["POST"]),
]
