"""User data over the API: what a site says of this host, put into the host's own document and applied as one change."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_interface
from typing import Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent import bodies, configuring
from agent.auth import caller
from agent.jobs import Kind, Step, Work
from tui.models.change import Issue, Refused
from tui.models.contract import userdata as contract
from tui.models.facts import Facts, Link
from tui.models.host import HostConfig
from tui.models.masking import MASK
from tui.models.registration import RegistrationConfig
from tui.services import facts, registration
from tui.services import userdata as kept
from tui.services.facts import cluster
from tui.services.host import Host
from tui.services.proxy import kept as kept_proxy

PATH = "/v1/edge-mgmt/edgehosts/current/userdata"
_MODES = {"local": "local", "remote": "central", "central": "central"}


def get(request: Request) -> Response:
    """GET .../userdata: as the host is now; secrets masked."""
    return JSONResponse(described(request.app.state.host))


def described(host: Host) -> dict[str, Any]:
    """`v1CloudInit`."""
    read = facts.read(host)
    found: dict[str, Any] = {"hostName": read.hostname, **kept.read(host)}
    if "registryCredentials" in found and found["registryCredentials"].get("password"):
        found["registryCredentials"] = {**found["registryCredentials"], "password": MASK}
    found["network"] = {
        **configuring.configurations(host),
        "interfaces": {link.name: _interface(link) for link in read.links if link.method4 in ("dhcp", "static")},
    }
    wish = registration.of(host)
    management: dict[str, Any] = {"type": "remote" if wish is not None and wish.mode == "central" else "local"}
    if wish is not None and wish.mode == "central":
        management |= {"paletteEndpoint": wish.endpoint, "projectName": wish.project, "insecure": False}
        if wish.token is not None:
            management["edgeHostToken"] = MASK
    return found | {"v1Management": management}


def _interface(link: Link) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "static" if link.method4 == "static" else "dhcp"}
    if address := next((a.address for a in link.addresses if a.family == 4 and not a.link_local), ""):
        found["ipAddress"] = address
    if gateway := next((r.gateway for r in link.routes if r.destination == "default" and r.family == 4), ""):
        found["gateway"] = gateway
    return found | {"nameserver": list(link.nameservers)}


async def put(request: Request) -> Response:
    """PUT .../userdata"""
    return await _changed(request, 200)


async def post(request: Request) -> Response:
    """POST .../userdata: described like PUT"""
    return await _changed(request, 201)


async def _changed(request: Request, good: int) -> Response:
    asked = await bodies.read(request, contract.CloudInit)
    who, host = caller(request), request.app.state.host
    said = asked.sent()
    if await run_in_threadpool(cluster.present, host):
        text = "A Kubernetes cluster runs on this host; its user data cannot be changed under it."
        raise Refused(Issue("A131", "error", "", text, "Take the node out of the cluster first."))
    _check_kept(asked)
    await configuring.checked(host, await run_in_threadpool(wish, said, host))
    request.app.state.jobs.start("userdata", {"said": said, "who": who.name, "line": who.line}, who.name)
    return JSONResponse({"message": "Accepted; see the lifecycle events."}, good)


def _check_kept(asked: contract.CloudInit) -> None:
    """Raises Refused: what would be kept cannot be used."""
    if asked.stages:
        try:
            base64.b64decode(asked.stages, validate=True)
        except ValueError as error:  # binascii's error is one
            text = "stages is not base64."
            raise Refused(Issue("D107", "error", "stages", text, "Send the YAML of the stages in base64.")) from error
    insecure = [
        name
        for name, part in (("registryCredentials", asked.registry_credentials), ("v1Management", asked.management))
        if part is not None and part.insecure
    ]
    if insecure:
        text = f"{insecure[0]}.insecure would switch the verification of TLS off, and Onsite always verifies."
        remedy = "Add the authority of the server to network.caCerts instead."
        raise Refused(Issue("A132", "error", f"{insecure[0]}.insecure", text, remedy))


def wish(said: Mapping[str, Any], host: Host) -> HostConfig:
    """The document that user data means; what it does not speak of stays as it is.

    Raises:
        Refused: it means nothing.
    """
    read = facts.read(host)
    data: dict[str, Any] = {}
    if said.get("hostName"):
        data["identity"] = {"hostname": said["hostName"]}
    network = said.get("network", {})
    if network.get("interfaces"):
        data["links"] = [_link(read, name, part) for name, part in network["interfaces"].items()]
    if "v1Management" in said:
        data["registration"] = _registration(said["v1Management"], host)
    try:
        config = HostConfig.model_validate(data)
    except ValidationError as error:
        raise Refused(configuring.issue_of(error)) from error
    if {"httpProxy", "httpsProxy", "noProxy"} & network.keys():
        proxy = configuring.proxy_of(
            network.get("httpProxy", ""), network.get("httpsProxy", ""), network.get("noProxy", "")
        )
        config = config.model_copy(update={"proxy": kept_proxy.completed(proxy, read)})
    if "caCerts" in network:
        config = config.model_copy(update={"trust": configuring.trust_of(network["caCerts"])})
    return config


def _link(read: Facts, name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    link = next((x for x in read.links if x.name == name), None)
    if link is None:
        text = f"This host has no interface {name[:40]!r}."
        raise Refused(Issue("C110", "error", "network.interfaces", text, "Use a name that GET .../current shows."))
    found: dict[str, Any] = {"mac": link.identity, "name": name, "nameservers": list(part.get("nameserver", ()))}
    if part["type"] == "dhcp":
        return found | {"ipv4": {"method": "dhcp"}}
    ipv4: dict[str, Any] = {"method": "static", "addresses": [_with_prefix(part.get("ipAddress", ""), link)]}
    if part.get("gateway"):
        ipv4["gateway"] = part["gateway"]
    return found | {"ipv4": ipv4}


def _with_prefix(text: str, link: Link) -> str:
    """The contract has no field for a prefix: it may stand behind the address, or be that of the link's network now."""
    if "/" in text or not text:
        return text
    try:
        address = ip_address(text)
    except ValueError:
        return text  # the model says what is wrong with it
    for has in link.addresses:
        network = ip_interface(has.address).network
        if address.version == network.version and address in network:
            return f"{text}/{network.prefixlen}"
    return text


def _registration(said: Mapping[str, Any], host: Host) -> dict[str, Any]:
    """`v1Management` over what is kept: what it has no words for (host id, tags, page) stays."""
    before = registration.of(host) or RegistrationConfig(mode="local")
    data = before.model_dump(mode="json") | before.secrets | {"mode": _MODES[said["type"]]}
    if said["type"] == "local":
        return data
    if said.get("paletteEndpoint"):
        data["endpoint"] = said["paletteEndpoint"].removeprefix("https://").rstrip("/")
    data["project"] = said.get("projectName", data["project"])
    token = said.get("edgeHostToken", "")
    if token and token != MASK:
        data |= {"token": token, "way": "token"}
    return data


def kind(host: Host) -> Kind:
    """The job that makes the change."""

    async def run(work: Work) -> None:
        await configuring.apply(host, await run_in_threadpool(wish, work.argument["said"], host), work)

    async def keep(work: Work) -> None:
        said, before = dict(work.argument["said"]), kept.read(host)
        registry = said.get("registryCredentials")
        if registry and registry.get("password") == MASK:
            known = before.get("registryCredentials", {})
            same = (known.get("domain"), known.get("username")) == (registry.get("domain"), registry.get("username"))
            said["registryCredentials"] = {**registry, "password": known.get("password", "") if same else ""}
        await run_in_threadpool(kept.write, host, {**before, **{k: said[k] for k in kept.OURS if k in said}})

    def steps(_argument: Mapping[str, Any]) -> Sequence[Step]:
        return [
            Step("UserDataApplied", "Set addresses, proxy, names and management", run),
            Step("UserDataKept", "Keep tags, stages and registry", keep),
        ]

    return Kind("userdata", "User data", "host", "configuring", steps)


ROUTES = [
    Route(PATH, get, methods=["GET"]),
    Route(PATH, put, methods=["PUT"]),
    Route(PATH, post, methods=["POST"]),
]
