"""`v1ClusterConfiguration` and a definition made into the neutral document of the engines. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from agent.cluster.contents import Definition
from agent.engines.engine import Spec
from tui.models.change import Issue, Refused
from tui.models.contract.cluster import ClusterConfiguration, ClusterConfigurationSpec
from tui.models.contract.pools import MachinePool, PoolHost
from tui.models.contract.userdata import RegistryCredentials
from tui.services.content import variables


def spec(
    wanted: ClusterConfiguration,
    chosen: Definition,
    leader: str,
    before: Spec | None = None,
    registry: RegistryCredentials | None = None,
    former: Mapping[str, str] | None = None,
) -> Spec:
    """The cluster as the engines understand it.

    Args:
        leader: uid of this host; it is the first control plane.
        before: the cluster as it is; its nodes keep their numbers.
        former: the values that the cluster has; None while it is made.
        registry: where images come from that are not in the content, out of the user data.

    Raises:
        Refused: all that is wrong, each at its field.
    """
    body = wanted.spec or ClusterConfigurationSpec()
    values = {v.name: v.value for v in body.profile_variables}
    wrong = [
        i.at(f"spec.profileVariables.{n}")
        for n, i in variables.issues_of(chosen.variables, values, before=former).items()
    ]
    nodes = _nodes(_pools(body), leader, before)
    cluster = body.cloud_config.spec.cluster_config if body.cloud_config and body.cloud_config.spec else None
    if cluster and cluster.overlay_network_configuration and cluster.overlay_network_configuration.enable:
        text = "This agent makes no overlay network."
        wrong.append(_issue("K230", "spec.cloudConfig", text, "Give the cluster an address of the hosts' own network."))
    endpoint = cluster.control_plane_endpoint if cluster else None
    if endpoint and endpoint.type.upper() == "DDNS":
        text = "This agent keeps no name in DNS for the control plane."
        wrong.append(_issue("K230", "spec.cloudConfig", text, "Give the cluster an address that moves (VIP)."))
    planes = [n for n in nodes if n["role"] == "control-plane"]
    vip: str | None = (endpoint.host if endpoint else "") or None
    if len(planes) == 1 and planes[0]["address"] == vip:
        vip = None  # one control plane at its own address: nothing has to move
    if len(planes) > 1 and vip is None:
        text = "Several control planes need an address that moves between them."
        wrong.append(_issue("K232", "spec.cloudConfig", text, "Choose a free address of the hosts' network."))
    engine = chosen.manifest.engine
    assert engine is not None  # noqa: S101 - `contents.definition` refuses one without
    name = (wanted.metadata.name if wanted.metadata else "") or (
        body.cloud_config.metadata.name if body.cloud_config and body.cloud_config.metadata else ""
    )
    document: dict[str, Any] = {
        **chosen.settings(),
        "name": name,
        "engine": engine.name,
        "version": engine.version if engine.version.startswith("v") else f"v{engine.version}",
        "nodes": nodes,
        "vip": vip,
        "needs_images": chosen.manifest.needs_images,
        "ntp_servers": tuple(cluster.ntp_servers) if cluster else (),
        "ssh_keys": tuple(cluster.ssh_keys) if cluster else (),
        **_registry(registry),
    }
    if wrong:
        raise Refused(*wrong)
    try:
        return Spec.model_validate({**document, "manifests": chosen.packs(values)})
    except ValidationError as error:
        raise Refused(*(_of(e) for e in error.errors(include_input=False, include_url=False))) from None


def _registry(said: RegistryCredentials | None) -> dict[str, Any]:
    """The contract has certificates and passwords plain or as base64; TLS is verified whatever `insecure` says."""
    if said is None:
        return {}
    password = _plain(said.password) if said.encoded_password else said.password
    pems = tuple(text if "-----BEGIN" in text else _plain(text) for text in said.certificates)
    return {
        "registry": {"domain": said.domain, "username": said.username, "password": password, "certificates": pems},
        "image_repository": f"{said.domain}/{said.repository_name}".rstrip("/") if said.repository_name else "",
    }


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return text


def _pools(body: ClusterConfigurationSpec) -> list[MachinePool]:
    return body.cloud_config.spec.machine_pool_config if body.cloud_config and body.cloud_config.spec else []


def _nodes(pools: list[MachinePool], leader: str, before: Spec | None) -> list[dict[str, Any]]:
    """This host first, then control planes, then workers, each with its number for life."""
    found = [(pool, host) for pool in pools for host in pool.hosts]
    found.sort(key=lambda pair: (not pair[0].is_control_plane, pair[1].host_uid != leader))
    known = {n.uid: n.number for n in before.nodes} if before else {}
    free = iter(number for number in range(1, 251) if number not in known.values())
    return [
        {
            "uid": host.host_uid,
            "name": (host.host_name or host.host_uid).lower(),
            "address": _address(host),
            "role": "control-plane" if pool.is_control_plane else "worker",
            "number": known[host.host_uid] if host.host_uid in known else next(free, 251),
            "pool": pool.name,
            "schedulable": not pool.is_control_plane or pool.use_control_plane_as_worker or len(found) == 1,
            "labels": pool.additional_labels,
            "taints": tuple(f"{t.key}={t.value}:{t.effect}" if t.value else f"{t.key}:{t.effect}" for t in pool.taints),
        }
        for pool, host in found
    ]


def _address(host: PoolHost) -> str:
    chosen = next((n.ip for n in host.network_info if n.is_default and n.ip), "")
    return chosen or host.host_address or next((n.ip for n in host.network_info if n.ip), "")


def _of(error: Any) -> Issue:
    field = ".".join(str(part) for part in error["loc"])
    return _issue("K232", field, f"{field or 'The cluster'}: {error['msg']}.", "Mend it, then send it again.")


def _issue(code: str, field: str, text: str, remedy: str) -> Issue:
    return Issue(code, "error", field, text, remedy)
