"""What a cluster has: nodes, pools, packs, services, certificates, each as one line of a list."""

from __future__ import annotations

from dataclasses import dataclass

from tui.models.change import Issue
from tui.services.cluster.answers import Answer, flag, number, part, parts, seconds, text, texts
from tui.services.cluster.trouble import Trouble, trouble

_PRESSURES = ("diskpressure", "memorypressure", "pidpressure", "networkunavailable")
_WORKING = ("creating", "progressing", "inprogress", "pending", "installing", "updating", "syncing", "waiting")
_FAILED = ("error", "failed", "unhealthy", "degraded", "errored", "notready")

SOON = 30 * 86400.0
"""Seconds before its end from which on a certificate of a cluster is said to end soon; they live for a year at most."""


@dataclass(frozen=True, slots=True)
class Node:
    """One machine of the cluster.

    Attributes:
        mark, word: ok ready, x not ready, .. coming up or leaving.
        wrong: why it is not ready, or what is not right with it.
    """

    name: str
    address: str = ""
    pool: str = ""
    control_plane: bool = False
    mark: str = ""
    word: str = ""
    version: str = ""
    age: str = ""
    host_id: str = ""
    system: str = ""
    wrong: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    name: str
    control_plane: bool
    also_worker: bool
    hosts: tuple[tuple[str, str], ...]
    """(id, name) of each host."""
    labels: tuple[str, ...] = ()
    taints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """One part of what runs on the cluster. `synced` of `contents` are there."""

    name: str
    version: str
    layer: str
    profile: str
    status: str
    mark: str
    contents: int = 0
    synced: int = 0
    wrong: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """`ends` is in seconds since the epoch; None where the agent writes it in a way of its own."""

    name: str
    node: str
    begins: str
    ends_text: str
    ends: float | None


@dataclass(frozen=True, slots=True)
class Certificates:
    found: tuple[Certificate, ...] = ()
    needs_renewal: bool = False
    renews_itself: str = ""


NO_CERTIFICATES = Certificates()


def nodes(answer: Answer, details: Answer | None = None) -> tuple[Node, ...]:
    """The nodes as Kubernetes has them, with the pool that the agent says each belongs to.

    A node that only the agent knows (it has not joined yet) is there too, with what the agent says of it.
    """
    pools = _pools_of(details)
    found = [_node(n, pools) for n in parts(answer, "nodes")]
    names = {n.name for n in found}
    stated = [(status, pool) for pool in parts(details, "status", "nodePools") for status in parts(pool, "nodes")]
    found += [_coming(status, pool) for status, pool in stated if text(status, "nodeName") not in names]
    return tuple(found)


def _pools_of(details: Answer | None) -> dict[str, tuple[str, bool]]:
    """(pool, whether it is a control plane) by node name and by host id."""
    made: dict[str, tuple[str, bool]] = {}
    for pool in parts(details, "status", "nodePools"):
        about = text(pool, "pool", "name"), flag(pool, "pool", "isControlPlane")
        made |= {text(n, "nodeName"): about for n in parts(pool, "nodes")}
    for pool in parts(details, "spec", "nodePools"):
        about = text(pool, "pool", "name"), flag(pool, "pool", "isControlPlane")
        made |= {text(h, "hostID"): about for h in parts(pool, "hosts")}
    return made


def _node(node: Answer, pools: dict[str, tuple[str, bool]]) -> Node:
    name, host_id = text(node, "nodeName"), text(node, "edgeHostID")
    pool, control_plane = pools.get(name) or pools.get(host_id) or ("", False)
    wrong = tuple(_wrong(name, node))
    ready = _ready(node)
    mark = "ok" if ready == "true" else "x" if ready else ".."
    if mark == "ok" and wrong:
        mark = "!"
    word = {"ok": "ready", "!": "ready, but", "x": "not ready", "..": "not known yet"}[mark]
    return Node(
        name, text(node, "ipv4"), pool, control_plane, mark, word, text(node, "kubeletVersion"), text(node, "age"),
        host_id, text(node, "osImage"), wrong,
    )  # fmt: skip


def _conditions(node: Answer) -> list[Answer]:
    status = part(node, "nodeStatus")
    return [*([status] if status else []), *parts(node, "nodeHealth")]


def _ready(node: Answer) -> str:
    """ "true", "false" or "unknown" as Kubernetes says it; "" where the agent does not tell."""
    for condition in _conditions(node):
        kind, status = text(condition, "conditionType").lower(), text(condition, "status").lower()
        if kind in ("ready", ""):
            return {"ready": "true", "healthy": "true", "notready": "false", "unhealthy": "false"}.get(status, status)
    return ""


def _wrong(name: str, node: Answer) -> list[Trouble]:
    found: list[Trouble] = []
    who = f"Node {name}" if name else "A node"
    ready = _ready(node)
    for condition in _conditions(node):
        kind, status = text(condition, "conditionType"), text(condition, "status").lower()
        reason, message = text(condition, "reason"), text(condition, "message")
        pressure = kind.lower() in _PRESSURES
        if pressure and status == "true":
            found.append(trouble(who, reason if reason else kind, message or kind, warning=ready == "true"))
        elif kind.lower() in ("ready", "") and ready not in ("true", "") and (reason or message):
            found.insert(0, trouble(who, reason, message))
    if ready not in ("true", "") and not found:
        unknown = ready == "unknown"
        found.append(trouble(who, "NodeStatusUnknown" if unknown else "", ""))
    unique = {t.event: t for t in found}
    return list(unique.values())


def _coming(status: Answer, pool: Answer) -> Node:
    name, state = text(status, "nodeName"), text(status, "nodeState")
    reason = text(status, "health", "reason")
    wrong: tuple[Trouble, ...] = ()
    if state == "Error" or (text(status, "health", "status") == "Unhealthy" and reason):
        wrong = (trouble(f"Node {name}", "", reason),)
    mark = "x" if wrong else "ok" if state == "Running" else ".."
    words = {"Provisioning": "joining", "Running": "ready", "Deleting": "leaving", "Error": "not ready"}
    return Node(
        name, text(status, "ipv4"), text(pool, "pool", "name"), flag(pool, "pool", "isControlPlane"), mark,
        words.get(state, "not known yet") if not wrong else "not ready", text(status, "k8sVersion"), wrong=wrong,
    )  # fmt: skip


def pools(answer: Answer) -> tuple[Pool, ...]:
    """The node pools, control planes first."""
    found = []
    for item in parts(answer, "items"):
        hosts = tuple((text(h, "hostUid"), text(h, "hostName") or text(h, "hostUid")) for h in parts(item, "hosts"))
        labels = part(item, "additionalLabels")
        made = tuple(f"{key}={value}" for key, value in labels.items() if isinstance(value, str))
        found.append(
            Pool(
                text(item, "name"), flag(item, "isControlPlane"), flag(item, "useControlPlaneAsWorker"), hosts,
                made or texts(item, "labels"),
                tuple(f"{text(t, 'key')}={text(t, 'value')}:{text(t, 'effect')}" for t in parts(item, "taints")),
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda p: not p.control_plane))


def packs(answer: Answer) -> tuple[Pack, ...]:
    """Every pack of every profile, in the agent's order."""
    return tuple(
        _pack(pack, text(profile, "name"))
        for profile in parts(answer, "clusterProfileTemplates")
        for pack in parts(profile, "packs")
    )


def _pack(pack: Answer, profile: str) -> Pack:
    status = text(pack, "status")
    word = status.lower().replace(" ", "").replace("_", "")
    contents = parts(pack, "contents")
    synced = sum(text(c, "syncStatus").lower() in ("completed", "synced", "success", "done") for c in contents)
    failed = next((c for c in contents if text(c, "syncStatus").lower() in _FAILED), None)
    wrong: Trouble | None = None
    name = text(pack, "name")
    bad = next((c for c in parts(pack, "conditions") if text(c, "status").lower() == "false"), None)
    if failed is not None:
        wrong = trouble(f"Pack {name}", "ImagePull", f"{text(failed, 'name')}: {text(failed, 'syncMsg') or 'failed'}")
    elif word in _FAILED or (bad is not None and word not in _WORKING and word not in ("ready", "running", "deployed")):
        wrong = trouble(f"Pack {name}", text(bad, "reason") or status, text(bad, "message"))
    mark = "x" if wrong else ".." if word in _WORKING else "ok" if word else "-"
    return Pack(name, text(pack, "version"), text(pack, "layer"), profile, status, mark, len(contents), synced, wrong)


def services(details: Answer | None) -> tuple[tuple[str, str, str], ...]:
    """(name, address, ports) of what the cluster offers to others."""
    return tuple(
        (
            text(service, "name"), text(service, "host"),
            ", ".join(f"{number(p, 'port')}/{text(p, 'protocol') or 'TCP'}" for p in parts(service, "ports")),
        )
        for service in parts(details, "status", "services")
    )  # fmt: skip


def certificates(answer: Answer) -> Certificates:
    """Authorities and what they signed, what ends first on top."""
    found: list[Certificate] = []
    for ca in parts(answer, "certificates"):
        found.append(_certificate(ca, ""))
        found += [_certificate(child, text(child, "nodeName")) for child in parts(ca, "childCerts")]
    found.sort(key=lambda c: c.ends if c.ends is not None else float("inf"))
    return Certificates(tuple(found), flag(answer, "needsRenewal"), text(answer, "earliestAutoRenewalTime"))


def ending(certificates: Certificates, now: float) -> Trouble | None:
    """The first of them that has ended or ends soon; None where all hold, or are renewed by themselves before."""
    first = next((c for c in certificates.found if c.ends is not None), None)
    if first is None or first.ends is None or first.ends - now > SOON:
        return None
    renewal = seconds(certificates.renews_itself)
    if renewal is not None and now < renewal < first.ends:
        return None
    whose, left = f"{first.name}{f' of {first.node}' if first.node else ''}", first.ends - now
    text = (
        f"The certificate {whose} ends in {left / 86400:.0f} days."
        if left > 0
        else f"The certificate {whose} has ended."
    )
    remedy = "Renew the certificates: Certificates in Cluster, N."
    return Trouble(Issue("K305", "warning" if left > 0 else "error", "", text, remedy))


def _certificate(answer: Answer, node: str) -> Certificate:
    ends = text(answer, "expirationDate")
    return Certificate(text(answer, "name"), node, text(answer, "issueDate"), ends, seconds(ends))
