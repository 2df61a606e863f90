"""Which engine is on this host, read from its files: ours, none, or somebody else's."""

from __future__ import annotations

from agent.engines.machine import Machine
from tui.services import reading

_MANIFESTS = "/etc/kubernetes/manifests"
_FOREIGN = (
    "/etc/rancher/k3s/config.yaml", "/var/lib/rancher/k3s/server", "/var/lib/rancher/k3s/agent",
    "/var/lib/rancher/rke2", "/var/lib/k0s", "/var/snap/microk8s",
)  # fmt: skip
_KUBEADM = (
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/admin.conf",
    "/var/lib/etcd/member",
    "/var/lib/kubelet/config.yaml",
)


def detect(machine: Machine) -> dict[str, str]:
    record = machine.record
    found = [path for path in (*_FOREIGN, *_KUBEADM) if machine.there(path)]
    found += [f"{_MANIFESTS}/{name}" for name in reading.names(machine.host, _MANIFESTS, ".yaml")]
    if record.engine == "kubeadm":
        joined = "yes" if {record.steps.get("init"), record.steps.get("join")} & {"done"} else ""
        return {"state": "ours", "role": record.role, "version": record.version, "remains": "", "joined": joined}
    state = "foreign" if found else "none"
    return {"state": state, "role": "", "version": "", "remains": ", ".join(found[:4]), "joined": ""}
