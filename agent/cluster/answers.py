"""A cluster in the words of the contract, out of what was wanted and what its engine says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.cluster.contents import Definition
from agent.cluster.kept import Kept
from agent.engines.engine import Node, Spec, Status
from tui import __version__
from tui.models.contract.base import Wire
from tui.models.contract.common import Condition, Health, MetaData, ObjectMeta
from tui.models.contract.definition import Variable
from tui.models.contract.events import ClusterEvent, ClusterEvents, EventSource, ObjectReference
from tui.models.contract.pools import MachinePools
from tui.models.contract.running import (
    Applications,
    AppliedPack,
    AppliedProfile,
    Authority,
    CertificateDetails,
    ChildCertificate,
    Cluster,
    ClusterHost,
    ClusterNode,
    ClusterNodeCondition,
    ClusterNodePool,
    ClusterNodePoolSpec,
    ClusterNodePoolStatus,
    ClusterNodes,
    ClusterNodeStatus,
    ClusterService,
    ClusterSpec,
    ClusterStatus,
    ServicePort,
    State,
)

RENEWAL_DAYS = 30
NODE_ILL = "K303"
"""The code of what an engine says of one node, whose name its text begins with."""
COMING = 180
"""Seconds within which a node that joins becomes ready; before that nothing is wrong with it."""


def details(
    kept: Kept,
    status: Status,
    state: State,
    reason: str,
    kubeconfig: str,
    services: Iterable[Mapping[str, Any]],
    now: float,
    *,
    coming: bool = False,
) -> dict[str, Any]:
    """`v1Cluster`. Where nodes are `coming`, one that the cluster does not know yet is on its way, not ill."""
    spec = kept.spec
    wanted = kept.configuration.metadata
    pools = list(dict.fromkeys((n.pool, n.role) for n in spec.nodes))
    seen = _seen(status, now, coming)
    fresh = _fresh(status, now, coming)
    reasons = [r for r in status.reasons if r["code"] != NODE_ILL or r["text"].partition(":")[0] not in fresh]
    errors = [r["text"] for r in reasons if r["severity"] == "error"]
    running = state == "Running"
    return _sent(
        Cluster(
            metadata=MetaData(
                name=spec.name,
                id=spec.name,
                labels=wanted.labels if wanted else {},
                tags=wanted.tags if wanted else {},
                creation_timestamp=_moment(kept.created),
            ),
            spec=ClusterSpec(
                host_ids=[n.uid for n in spec.nodes],
                node_pools=[
                    ClusterNodePoolSpec(
                        pool=_pool(name, role),
                        hosts=[
                            ClusterHost(host_id=n.uid, host_name=n.name, host_address=str(n.address))
                            for n in spec.nodes
                            if (n.pool, n.role) == (name, role)
                        ],
                    )
                    for name, role in pools
                ],
                ntp_servers=list(spec.ntp_servers),
                ssh_keys=list(spec.ssh_keys),
                vip=spec.endpoint,
                overlay_cidr="",
            ),
            status=ClusterStatus(
                agent_version=__version__,
                cluster_state=state,
                cluster_state_reason=reason or "; ".join(errors),
                cluster_conditions=[
                    Condition(
                        type=r["code"], status="False", reason=r["severity"], message=f"{r['text']} {r['remedy']}"
                    )
                    for r in reasons
                ],
                health=Health(
                    status="Unhealthy" if errors or not running else "Healthy", reason=errors[0] if errors else reason
                ),
                k8s_version=status.version or spec.version,
                kubeconfig=kubeconfig,
                is_reboot_pending=False,
                node_pools=[
                    ClusterNodePoolStatus(
                        pool=_pool(name, role),
                        nodes=[
                            _node_status(n, seen.get(n.name), "Provisioning" if coming else state, now)
                            for n in spec.nodes
                            if (n.pool, n.role) == (name, role)
                        ],
                    )
                    for name, role in pools
                ],
                ntp_servers_applied=running,
                ssh_keys_applied=running,
                services=[_service(s) for s in services],
            ),
        )
    )


def nodes(spec: Spec, status: Status, now: float, *, coming: bool = False) -> dict[str, Any]:
    """`v1ClusterNodes`: those that the cluster should have. While nodes are `coming`, those that it knows."""
    seen = _seen(status, now, coming)
    listed = [n for n in spec.nodes if n.name in seen or not coming]
    return _sent(ClusterNodes(nodes=[_node(n, seen.get(n.name), now) for n in listed]))


def _seen(status: Status, now: float, coming: bool) -> dict[str, dict[str, Any]]:
    """The nodes that the cluster knows, by name. One that has just come and is not ready yet is still on its way."""
    fresh = _fresh(status, now, coming)
    return {n["name"]: n for n in status.nodes if n["name"] not in fresh}


def _fresh(status: Status, now: float, coming: bool) -> set[str]:
    return {n["name"] for n in status.nodes if coming and not n["ready"] and (_seconds(n, now) or 0) < COMING}


def _node(node: Node, seen: dict[str, Any] | None, now: float) -> ClusterNode:
    if seen is None:
        unknown = ClusterNodeCondition(
            condition_type="Ready", status="Unknown", reason="NotSeen", message="The cluster does not tell of it."
        )
        return ClusterNode(node_name=node.name, edge_host_id=node.uid, ipv4=str(node.address), node_status=unknown)
    conditions = [
        ClusterNodeCondition(
            condition_type=c.get("type", ""),
            status=c.get("status", ""),
            reason=c.get("reason", ""),
            message=c.get("message", ""),
        )
        for c in seen["conditions"]
    ]
    ready = next((c for c in conditions if c.condition_type == "Ready"), None)
    return ClusterNode(
        node_name=node.name,
        edge_host_id=node.uid,
        ipv4=seen["address"] or str(node.address),
        age=_age(seen, now),
        architecture=seen["architecture"],
        kernel_version=seen["kernel"],
        kubelet_version=seen["kubelet"],
        operating_system=seen["system"],
        os_image=seen["image"],
        node_status=ready,
        node_health=conditions,
    )


def _node_status(node: Node, seen: dict[str, Any] | None, state: State, now: float) -> ClusterNodeStatus:
    if seen is None:
        expected = state in ("Provisioning", "Deleting")
        ill = Health() if expected else Health(status="Unhealthy", reason="The cluster does not tell of it.")
        return ClusterNodeStatus(
            node_name=node.name, ipv4=str(node.address), node_state=state if expected else "Error", health=ill
        )
    health = Health(status="Healthy" if seen["ready"] else "Unhealthy", reason="; ".join(seen["reasons"]))
    return ClusterNodeStatus(
        node_name=node.name,
        ipv4=seen["address"],
        node_state="Running" if seen["ready"] else "Error",
        health=health,
        age=_age(seen, now),
        architecture=seen["architecture"],
        k8s_version=seen["kubelet"],
    )


def certificates(found: Mapping[str, Sequence[Mapping[str, str]]], now: float) -> dict[str, Any]:
    """`v1CertificateDetails` out of the certificates of each control plane, by the name of the node."""
    authorities: dict[str, Authority] = {}
    ends: list[float] = []
    for node, listed in found.items():
        for one in (c for c in listed if c["authority"]):
            authority = authorities.setdefault(one["ca"], Authority(name=one["ca"]))
            authority.issue_date, authority.expiration_date = one["from"], one["until"]
        for one in (c for c in listed if not c["authority"]):
            authority = authorities.setdefault(one["ca"], Authority(name=one["ca"]))
            child = ChildCertificate(
                name=one["name"], node_name=node, issue_date=one["from"], expiration_date=one["until"]
            )
            authority.child_certs = [*authority.child_certs, child]
            ends.append(datetime.fromisoformat(one["until"]).timestamp())
    early = min(ends, default=now) - RENEWAL_DAYS * 86400
    return _sent(
        CertificateDetails(
            certificates=list(authorities.values()),
            needs_renewal=bool(ends) and early < now,
            earliest_auto_renewal_time="",  # nobody renews them but a person
        )
    )


def applications(chosen: Definition | None, spec: Spec, values: Mapping[str, str], running: bool) -> dict[str, Any]:
    """`v1ClusterCurrentApplications`: the packs of the definition. Values of sensitive variables are not told."""
    if chosen is None:
        return _sent(Applications(cluster_profile_templates=[]))
    engine = chosen.manifest.engine
    state = "Ready" if running else "Pending"
    return _sent(
        Applications(
            cluster_profile_templates=[
                AppliedProfile(
                    name=profile.name,
                    uid=profile.uid,
                    version=profile.version,
                    type=profile.type,
                    description=profile.description,
                    packs=[
                        *(
                            [
                                AppliedPack(
                                    name=engine.name, version=spec.version, layer="k8s", type="spectro", status=state
                                )
                            ]
                            if number == 0 and engine
                            else []
                        ),
                        *(
                            AppliedPack(
                                name=p.name, version=p.version, layer=profile.type, type="manifest", status=state
                            )
                            for p in profile.packs
                        ),
                    ],
                    variables=[
                        Variable.model_validate(
                            {**v.model_dump(), "value": "" if v.isSensitive else values.get(v.name) or v.defaultValue}
                        )
                        for v in profile.variables
                    ],
                )
                for number, profile in enumerate(chosen.manifest.profiles)
            ]
        )
    )


def events(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`v1Events`, the newest first; no two are alike."""
    made = []
    for item in items:
        meta, about, source = item.get("metadata") or {}, item.get("involvedObject") or {}, item.get("source") or {}
        happened = item.get("lastTimestamp") or item.get("eventTime") or meta.get("creationTimestamp") or ""
        event = ClusterEvent(
            metadata=ObjectMeta(
                name=meta.get("name", ""),
                namespace=meta.get("namespace", ""),
                uid=meta.get("uid", ""),
                creation_timestamp=meta.get("creationTimestamp", ""),
                last_modified_timestamp=happened,
            ),
            involved_object=ObjectReference(
                kind=about.get("kind", ""),
                name=about.get("name", ""),
                namespace=about.get("namespace", ""),
                uid=about.get("uid", ""),
                api_version=about.get("apiVersion", ""),
                field_path=about.get("fieldPath", ""),
            ),
            message=item.get("message", ""),
            reason=item.get("reason", ""),
            severity=item.get("type", ""),
            source=EventSource(component=source.get("component", ""), host=source.get("host", "")),
        )
        made.append((happened, event))
    made.sort(key=lambda pair: pair[0], reverse=True)
    return _sent(ClusterEvents(items=[event for _, event in made]))


def pools(kept: Kept) -> dict[str, Any]:
    """The machine pools as they were wanted."""
    body = kept.configuration.spec
    found = body.cloud_config.spec.machine_pool_config if body and body.cloud_config and body.cloud_config.spec else []
    return _sent(MachinePools(items=found))


def _pool(name: str, role: str) -> ClusterNodePool:
    return ClusterNodePool(name=name, is_control_plane=role == "control-plane")


def _service(item: Mapping[str, Any]) -> ClusterService:
    spec, meta = item.get("spec") or {}, item.get("metadata") or {}
    ports = [
        ServicePort(
            name=p.get("name", ""),
            port=p.get("port", 0),
            protocol=p.get("protocol", ""),
            node_port=p.get("nodePort", 0),
            target_port=str(p.get("targetPort", "")),
            app_protocol=p.get("appProtocol", ""),
        )
        for p in spec.get("ports") or []
    ]
    balanced = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    host = balanced[0].get("ip") or balanced[0].get("hostname") or spec.get("clusterIP", "")
    return ClusterService(name=f"{meta.get('namespace', '')}/{meta.get('name', '')}", host=host, ports=ports)


def _seconds(seen: Mapping[str, Any], now: float) -> int | None:
    """Since the node is there; None where nobody says."""
    try:
        return max(int(now - datetime.fromisoformat(seen["created"]).timestamp()), 0)
    except ValueError:
        return None


def _age(seen: Mapping[str, Any], now: float) -> str:
    """As kubectl writes it: the two largest units."""
    left = _seconds(seen, now)
    if left is None:
        return ""
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size}{unit}")
            left %= size
    return "".join(parts[:2])


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _sent(model: Wire) -> dict[str, Any]:
    """What was set; a text that is empty says nothing, and as a time it would not even be allowed."""
    return dict(_said(model.sent()))


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _said(v) for k, v in value.items() if v != ""}
    return [_said(v) for v in value] if isinstance(value, list) else value
