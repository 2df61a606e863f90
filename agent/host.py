"""This host as the contract describes it: `v1EdgeHostInfo` and `v1Settings`, out of facts just read.

Nothing is kept between requests: a cable may be pulled at any time.
"""

from __future__ import annotations

import os
import platform
from ipaddress import ip_interface
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tui import __version__
from tui.models.facts import Facts, Link
from tui.services import facts, reading, registration
from tui.services.host import Host

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


async def current(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/edgehosts/current"""
    return JSONResponse(await run_in_threadpool(edge_host_info, request.app.state.host))


async def settings(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/settings"""
    connection, mode, _ = management(request.app.state.host)
    return JSONResponse({"installationMode": connection, "managementMode": mode, "featureFlags": {}})


def management(host: Host) -> tuple[str, str, str]:
    """Connected or not, who manages the host, and the endpoint of a management plane; as the contract names them."""
    config = registration.of(host)
    if config is None or config.mode == "local":
        return "airgap", "local", ""
    return "connected", "central", f"https://{config.endpoint}"


async def ping(_request: Request) -> JSONResponse:
    """GET /v1/ping"""
    return JSONResponse({"msg": "pong"})


def edge_host_info(host: Host) -> dict[str, Any]:
    """`v1EdgeHostInfo`. What is not known is left out: every field of the contract is optional."""
    read = facts.read(host)
    connection, mode, plane = management(host)
    return {
        "metadata": {"id": reading.line(host, "/etc/machine-id"), "name": read.hostname, "labels": {}, "tags": {}},
        "spec": {
            "connectionMode": connection,
            "managementMode": mode,
            **({"paletteEndpointURL": plane} if plane else {}),
            "nodeRole": "unknown",
            "hardwareSpec": _hardware(host),
            "hostInfo": {"hostType": read.machine.product},
            "networkInfo": [nic(link) for link in read.links],
        },
        "status": {
            "agentVersion": __version__,
            "hostName": read.hostname,
            "isClusterPhase": read.cluster_uses_address,
            "configurationStatus": "configured" if any(x.method4 or x.method6 for x in read.links) else "pending",
            "dns": _dns(read),
        },
    }


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


def _dns(read: Facts) -> dict[str, list[str]]:
    """Of all links together, each once, in the order of the links."""
    return {
        "nameservers": list(dict.fromkeys(x for link in read.links for x in link.nameservers)),
        "searchDomains": list(dict.fromkeys(x for link in read.links for x in link.search_domains)),
    }


def _hardware(host: Host) -> dict[str, Any]:
    release = dict(_assignments(reading.text(host, "/etc/os-release") or ""))
    hardware: dict[str, Any] = {
        "cpu": {"cores": os.cpu_count() or 0},
        "memory": {"sizeInMB": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20},
        "os": {
            "family": release.get("ID", ""),
            "version": release.get("VERSION_ID", ""),
            "kernel": platform.system(),
            "kernelVersion": platform.release(),
        },
    }
    if architecture := _ARCHITECTURES.get(platform.machine()):
        hardware["archType"] = architecture
    return hardware


def _assignments(text: str) -> list[tuple[str, str]]:
    lines = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return [(key.strip(), value.strip().strip("\"'")) for key, _, value in lines]


ROUTES = [
    Route("/v1/ping", ping, methods=["GET"]),
    Route("/v1/edge-mgmt/settings", settings, methods=["GET"]),
    Route("/v1/edge-mgmt/edgehosts/current", current, methods=["GET"]),
]
