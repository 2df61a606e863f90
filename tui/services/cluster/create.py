"""A draft judged as a whole, and made into what the contract's create takes. Pure: nothing is asked, nothing is sent.

Each issue has the step of the path as its field, so that the review leads to where it can be mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tui.models.change import Issue
from tui.models.cluster_create import ClusterDraft, PoolDraft
from tui.models.values import Wrong, parse
from tui.services.cluster.hosts import Candidate
from tui.services.cluster.words import count

SETS = {1: "1", 2: "3", 4: "3 or 5", 6: "5"}
"""What to take in place of an even number of control planes."""


def check(draft: ClusterDraft, hosts: Sequence[Candidate]) -> tuple[Issue, ...]:
    """Everything that is wrong with the draft, in the order of the path; variables are judged by their own form."""
    return (
        *_typed(draft, "name", {"name": "clustername", "tags": "tags"}, draft.name),
        *_definition(draft),
        *address(draft, hosts),
        *nodes(draft, hosts),
    )


def _typed(draft: ClusterDraft, step: str, kinds: Mapping[str, str], texts: Mapping[str, str]) -> Iterator[Issue]:
    for path, kind in kinds.items():
        typed = texts.get(path, "")
        try:
            parse(kind, typed)
        except Wrong as wrong:
            yield wrong.issue.at(step)


def _definition(draft: ClusterDraft) -> Iterator[Issue]:
    if not draft.archive:
        yield Issue("K431", "error", "definition", "No definition is chosen.", "Choose what shall run on the cluster.")


def address(draft: ClusterDraft, hosts: Sequence[Candidate]) -> Iterator[Issue]:
    """What is wrong with the address, as far as it can be told without asking the network."""
    overlay = draft.overlay
    kinds = {"range": "overlay"} if overlay else {"vip": "vip"}
    found = list(_typed(draft, "address", {**kinds, "ntp": "timeservers"}, draft.address))
    yield from found
    typed = draft.address.get("range" if overlay else "vip", "").strip()
    if not typed:
        what = "range for the overlay" if overlay else "address for the cluster"
        yield Issue("K410", "error", "address", f"There is no {what}.", "Type one from the network plan of this site.")
    if found or not typed:
        return
    chosen = [h for h in hosts if h.id in draft.hosts] or [h for h in hosts if h.this]
    if overlay:
        net = parse("overlay", typed)
        for host in chosen:
            for own in host.networks:
                if own.overlaps(net):
                    text = f"{net} overlaps {own}, in which {host.name} is."
                    remedy = "Take a range that nobody at this site uses."
                    yield Issue("K416", "error", "address", text, remedy)
                    return
        return
    vip = parse("vip", typed)
    owner = next((h for h in hosts if str(vip) in {h.address, *(n.address for n in h.nics)}), None)
    if owner is not None and (len(draft.control_planes) > 1 or not owner.this):
        text = f"{vip} is the address of {owner.name} itself; it would not move when that host is off."
        yield Issue("K412", "error", "address", text, "Take another, free address of the same network.")
        return
    for host in chosen:
        if host.networks and all(vip not in net for net in host.networks):
            text = f"{vip} is not in the network of {host.name} ({host.networks[0]})."
            yield Issue("K411", "error", "address", text, "Take a free address that all hosts have in their network.")
            return
        for net in host.networks:
            if vip in (net.network_address, net.broadcast_address):
                text = f"{vip} stands for the network {net} as a whole."
                yield Issue("K415", "error", "address", text, "Take a free address between its first and its last.")
                return


def nodes(draft: ClusterDraft, hosts: Sequence[Candidate]) -> Iterator[Issue]:
    """What is wrong with pools and hosts."""
    by_id = {h.id: h for h in hosts}
    planes = draft.control_planes
    if not planes:
        yield Issue("K422", "error", "nodes", "No host is a control plane.", "Give this host that role.")
    elif len(planes) % 2 == 0:
        text = f"{count(len(planes), 'control plane')}: with an even number one more may not fail than with one less."
        yield Issue("K421", "error", "nodes", text, f"Take {SETS.get(len(planes), '3, 5 or 7')}.")
    this = next((h for h in hosts if h.this), None)
    if planes and this is not None and this.id not in planes:
        text = f"{this.name}, which leads, has to be in the control plane."
        yield Issue("K423", "error", "nodes", text, "Make it a control plane, or create the cluster at another host.")
    for pool in draft.pools:
        if not pool.control_plane and not draft.members(pool.name):
            text = f"The pool {pool.name} has no host."
            yield Issue("K424", "error", "nodes", text, "Give it one, or take the pool away.")
        for kind, typed in (("labels", pool.labels), ("taints", pool.taints)):
            try:
                parse(kind, typed)
            except Wrong as wrong:
                yield wrong.issue.at("nodes")
    chosen = [by_id[h] for h in draft.hosts if h in by_id]
    gone = [h for h in draft.hosts if h not in by_id]
    if gone:
        text = f"{count(len(gone), 'host')} of the draft {'is' if len(gone) == 1 else 'are'} not linked any more."
        yield Issue("K427", "error", "nodes", text, "Link it again (Hosts), or take it out.")
    yield from _hosts(chosen, this)


def _hosts(chosen: Sequence[Candidate], this: Candidate | None) -> Iterator[Issue]:
    seen: dict[str, Candidate] = {}
    for host in chosen:
        if host.name in seen:
            text = f"Two hosts are called {host.name}; nodes need names of their own."
            yield Issue("K428", "error", "nodes", text, "Give one of them another name (Name & time on its console).")
        seen[host.name] = host
        if not host.address:
            text = f"{host.name} has no IPv4 address."
            yield Issue("K417", "error", "nodes", text, "Give it one that stays: Network on its console.")
        if host.taken:
            text = f"{host.name} is in a cluster already."
            yield Issue("K425", "error", "nodes", text, "Delete that cluster first, or take the host out.")
        if this is not None and host.version and this.version and host.version != this.version:
            text = f"{host.name} has version {host.version}, this host {this.version}."
            remedy = "Install the newer version on the host that has the older one."
            yield Issue("K426", "error", "nodes", text, remedy)
        if this is not None and host.architecture and this.architecture and host.architecture != this.architecture:
            text = f"{host.name} is {host.architecture}, this host {this.architecture}."
            yield Issue("K429", "warning", "nodes", text, "The content has to hold images for both.")
        if host.wrong is not None:
            yield host.wrong.issue.at("nodes")


# --- what is sent --------------------------------------------------------------------------------------------------


def configuration(
    draft: ClusterDraft, hosts: Sequence[Candidate], variables: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """`v1ClusterConfiguration` of a draft without errors.

    Args:
        variables: name, profileUid and value of each.
    """
    by_id = {h.id: h for h in hosts}
    tags = (tag.partition(":") for tag in parse("tags", draft.name.get("tags", "")))
    return {
        "metadata": {"name": draft.title, "labels": {key: value for key, _, value in tags}},
        "spec": {
            "archiveUploadPath": draft.archive,
            "profileVariables": [dict(v) for v in variables],
            "cloudConfig": {
                "metadata": {"name": draft.title},
                "spec": {
                    "clusterConfig": _cluster(draft),
                    "machinePoolConfig": [
                        _pool(draft, pool.name, by_id) for pool in draft.pools if draft.members(pool.name)
                    ],
                },
            },
        },
    }


def _cluster(draft: ClusterDraft) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ntpServers": list(parse("timeservers", draft.address.get("ntp", ""))),
        "sshKeys": list(draft.ssh_keys),
        "overlayNetworkConfiguration": {"enable": draft.overlay},
    }
    if draft.overlay:
        made["overlayNetworkConfiguration"]["cidr"] = str(parse("overlay", draft.address["range"]))
    else:
        made["controlPlaneEndpoint"] = {"type": "VIP", "host": str(parse("vip", draft.address["vip"]))}
    return made


def _pool(draft: ClusterDraft, name: str, hosts: Mapping[str, Candidate]) -> dict[str, Any]:
    pool = draft.pool(name)
    assert pool is not None  # noqa: S101 - the caller takes names from the pools
    ids = draft.members(name)
    made: dict[str, Any] = {
        "name": name,
        "size": len(ids),
        "isControlPlane": pool.control_plane,
        "useControlPlaneAsWorker": pool.control_plane and pool.worker,
        "hosts": [_host(hosts[i], draft.nics.get(i, "")) for i in ids if i in hosts],
    }
    return made | {key: value for key, value in marks_of(pool).items() if value}


def marks_of(pool: PoolDraft) -> dict[str, Any]:
    """Labels and taints of a pool as the contract has them."""
    return {
        "additionalLabels": dict(entry.split("=", 1) for entry in parse("labels", pool.labels)),
        "taints": [_taint(entry) for entry in parse("taints", pool.taints)],
    }


def _host(host: Candidate, nic: str) -> dict[str, Any]:
    made: dict[str, Any] = {"hostUid": host.id, "hostName": host.name, "hostAddress": host.address}
    chosen = host.nic(nic) if nic else None
    if chosen is not None:
        made["hostAddress"] = chosen.address or host.address
        made["networkInfo"] = [{"nicName": chosen.name, "macAddr": chosen.mac, "ip": chosen.address, "isDefault": True}]
    return made


def _taint(entry: str) -> dict[str, str]:
    front, _, effect = entry.rpartition(":")
    key, _, value = front.partition("=")
    return {"key": key, "value": value, "effect": effect}
