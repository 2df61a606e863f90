"""This host as the contract describes it: `v1EdgeHostInfo` and `v1Settings`, out of facts just read.

Nothing is kept between requests: a cable may be pulled at any time.
"""

from __future__ import annotations

from ipaddress import ip_interface
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent import hardware
from tui import __version__
from tui.models.facts import Facts, Link
from tui.services import facts, reading, registration
from tui.services.facts import cluster
from tui.services.facts.setters import TIMESYNCD, TIMESYNCD_MAIN
from tui.services.host import Host
from tui.services.timekeeping import plan as timekeeping

_INTERVALS = {
    "PollIntervalMinSec": "pollIntervalMinSec", "PollIntervalMaxSec": "pollIntervalMaxSec",
    "RootDistanceMaxSec": "rootDistanceMaxSec", "ConnectionRetrySec": "connectionRetrySec",
    "SaveIntervalSec": "saveIntervalSec",
}  # fmt: skip


async def current(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/edgehosts/current"""
    return JSONResponse(await run_in_threadpool(edge_host_info, request.app.state.host))


def management(host: Host) -> tuple[str, str, str]:
    """Connected or not, who manages the host, and the endpoint of a management plane; as the contract names them."""
    config = registration.of(host)
    if config is None or config.mode == "local":
        return "airgap", "local", ""
    return "connected", "central", f"https://{config.endpoint}"


def settings(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/settings. A flag is on where its operations are there and can be used now."""
    host: Host = request.app.state.host
    connection, mode, _ = management(host)
    paths = {getattr(route, "path", "") for route in request.app.routes}
    flags = {
        "UserDataForm": not cluster.present(host),
        "LocalUI": request.app.state.settings.agent_https,
        "FactoryReset": mode == "local",
        "Content": any(path.endswith("/actions/upload-content") for path in paths),
        "Cluster": "/v1/edge-mgmt/cluster" in paths,
        "LinkedHosts": any(path.endswith("/link/status") for path in paths),
        "Registration": any(path.startswith("/v1/onsite/registration") for path in paths),
    }
    return JSONResponse({"installationMode": connection, "managementMode": mode, "featureFlags": flags})


async def ping(_request: Request) -> JSONResponse:
    """GET /v1/ping"""
    return JSONResponse({"msg": "pong"})


def own_id(host: Host) -> str:
    """What this host is called in `metadata.id`, by the hosts that are linked and in clusters."""
    wish = registration.of(host)
    name = registration.host_id(wish, host)[0] if wish is not None else ""
    return name or reading.line(host, "/etc/machine-id")


def edge_host_info(host: Host) -> dict[str, Any]:
    """`v1EdgeHostInfo`. What is not known is left out: every field of the contract is optional."""
    read = facts.read(host)
    wish = registration.of(host)
    connection, mode, plane = management(host)
    spec: dict[str, Any] = {
        "connectionMode": connection,
        "managementMode": mode,
        "nodeRole": _role(host),
        "hardwareSpec": hardware.described(host),
        "hostInfo": {"hostType": read.machine.product, "hostState": "cluster" if read.cluster_uses_address else ""},
        "networkInfo": [nic(link) for link in read.links],
    }
    if plane:
        spec["paletteEndpointURL"] = plane
    if (secure := hardware.secure_boot(host)) is not None:
        spec["hostInfo"]["secureBoot"] = secure
    return {
        "metadata": {
            "id": own_id(host),
            "name": read.hostname,
            "labels": _labels(wish.tags if wish is not None else ()),
            "tags": {},
        },
        "spec": spec,
        "status": {
            "agentVersion": __version__,
            "hostName": read.hostname,
            "isClusterPhase": read.cluster_uses_address,
            "configurationStatus": "configured" if any(x.method4 or x.method6 for x in read.links) else "pending",
            "dns": _dns(host, read),
            "ntp": _ntp(read),
        },
    }


def _labels(tags: tuple[str, ...]) -> dict[str, str]:
    """Tags of the registration, `name:value` or a name alone."""
    return {name: value for name, _, value in (tag.partition(":") for tag in tags)}


def _role(host: Host) -> str:
    """What Kubernetes made of this host, by what it left on it."""
    if reading.names(host, "/etc/kubernetes/manifests", ".yaml"):
        return "controlplane"
    for engine in ("k3s", "rke2"):
        if reading.present(host, f"/var/lib/rancher/{engine}/server"):
            return "controlplane"
    return "worker" if cluster.present(host) else "unknown"


def nic(link: Link) -> dict[str, Any]:
    """`v1Nic`. It has room for one address: the first that is not link-local, IPv4 before IPv6."""
    found: dict[str, Any] = {
        "nicName": link.name,
        "macAddr": link.identity,
        "isDefault": bool(link.default_gateways),
        "dns": list(link.nameservers),
    }
    usable = sorted((a for a in link.addresses if not a.link_local and not a.duplicate), key=lambda a: a.family)
    if usable:
        address = ip_interface(usable[0].address)
        found |= {"ip": str(address.ip), "subnet": str(address.network)}
        ways_out = (r for r in link.routes if r.destination == "default" and r.family == usable[0].family)
        if gateway := next((r.gateway for r in ways_out if r.gateway), ""):
            found["gateway"] = gateway
    return found


def _dns(host: Host, read: Facts) -> dict[str, list[str]]:
    """Of all links together, each once, in the order of the links; options as resolv.conf has them."""
    lines = (line.split() for line in (reading.text(host, "/etc/resolv.conf") or "").splitlines())
    return {
        "nameservers": list(dict.fromkeys(x for link in read.links for x in link.nameservers)),
        "searchDomains": list(dict.fromkeys(x for link in read.links for x in link.search_domains)),
        "options": [word for words in lines if words[:1] == ["options"] for word in words[1:]],
    }


def _ntp(read: Facts) -> dict[str, Any]:
    """The servers of the time service, and what timesyncd.conf(5) says of intervals."""
    found: dict[str, Any] = {"ntpServers": list(timekeeping.servers(read)), "fallbackNtpServers": []}
    for path in (TIMESYNCD_MAIN, TIMESYNCD):
        for key, value in hardware.assignments(read.file(path).text or ""):
            if key == "FallbackNTP":
                found["fallbackNtpServers"] = value.split()
            elif key in _INTERVALS:
                found[_INTERVALS[key]] = value
    return found


ROUTES = [
    Route("/v1/ping", ping, methods=["GET"]),
    Route("/v1/edge-mgmt/settings", settings, methods=["GET"]),
    Route("/v1/edge-mgmt/edgehosts/current", current, methods=["GET"]),
]
