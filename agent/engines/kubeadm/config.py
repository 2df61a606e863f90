"""kubeadm's own configuration, in the version that the engine's version reads.

v1beta2 up to 1.21, v1beta3 up to 1.30, v1beta4 from 1.31 on (kubernetes, cmd/kubeadm/app/apis/kubeadm/*/types.go).
v1beta4 has arguments as a list of name and value; v1beta2 knows no imagePullPolicy and no unix:// before the socket.
"""

from __future__ import annotations

from typing import Any, Literal

import yaml

from agent.engines.engine import Bundle, Node, Spec

Api = Literal["v1beta2", "v1beta3", "v1beta4"]
SOCKET = "/run/containerd/containerd.sock"
PORT = 6443


def api(spec: Spec) -> Api:
    if spec.minor < (1, 22):
        return "v1beta2"
    return "v1beta3" if spec.minor < (1, 31) else "v1beta4"


def first(spec: Spec, node: Node, repository: str, token: str) -> str:
    """For `kubeadm init`. Secret: it holds a bootstrap token."""
    version = api(spec)
    init: dict[str, Any] = {
        **_kind(version, "InitConfiguration"),
        "bootstrapTokens": [{"token": token, "ttl": "15m0s"}],
        "localAPIEndpoint": _endpoint(node),
        "nodeRegistration": _registration(spec, node),
    }
    return documents(init, cluster(spec, repository), *components(spec))


def joining(spec: Spec, node: Node, bundle: Bundle) -> str:
    """For `kubeadm join`. Secret: it holds a token, and for a control plane the key of its certificates."""
    token = {"apiServerEndpoint": f"{bundle.endpoint}:{PORT}", "token": bundle.token, "caCertHashes": [bundle.ca_hash]}
    join: dict[str, Any] = {
        **_kind(api(spec), "JoinConfiguration"),
        "discovery": {"bootstrapToken": token},
        "nodeRegistration": _registration(spec, node),
    }
    if node.role == "control-plane":
        join["controlPlane"] = {"localAPIEndpoint": _endpoint(node), "certificateKey": bundle.certificate_key}
    return documents(join)


def cluster(spec: Spec, repository: str) -> dict[str, Any]:
    """ClusterConfiguration, which every control plane shares."""
    version = api(spec)
    names = [spec.endpoint, *(str(n.address) for n in spec.control_planes), *(n.name for n in spec.control_planes)]
    found: dict[str, Any] = {
        **_kind(version, "ClusterConfiguration"),
        "clusterName": spec.name,
        "kubernetesVersion": spec.version,
        "controlPlaneEndpoint": f"{spec.endpoint}:{PORT}",
        "networking": {
            "podSubnet": str(spec.pod_range),
            "serviceSubnet": str(spec.service_range),
            "dnsDomain": spec.dns_domain,
        },
        "apiServer": {"certSANs": list(dict.fromkeys(names))},
    }
    if repository:
        found["imageRepository"] = repository
    if spec.pod_network == "routes":  # the ranges are given by number, not by the controller
        found["controllerManager"] = {"extraArgs": _arguments(version, {"allocate-node-cidrs": "false"})}
    return found


def components(spec: Spec) -> tuple[dict[str, Any], ...]:
    """KubeletConfiguration and KubeProxyConfiguration: only what somebody asked for."""
    found = []
    if kubelet := spec.options.get("kubelet"):
        found.append({"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", **kubelet})
    if proxy := spec.options.get("kube_proxy"):
        found.append({"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", **proxy})
    return tuple(found)


def cgroup_driver(spec: Spec) -> str:
    """What containerd has to be told too. Up to 1.21 kubeadm leaves the kubelet's own default, cgroupfs."""
    chosen = (spec.options.get("kubelet") or {}).get("cgroupDriver")
    return str(chosen or ("cgroupfs" if spec.minor < (1, 22) else "systemd"))


def socket(spec: Spec) -> str:
    return SOCKET if api(spec) == "v1beta2" else f"unix://{SOCKET}"


def _registration(spec: Spec, node: Node) -> dict[str, Any]:
    version = api(spec)
    arguments = {"node-ip": str(node.address)}
    if node.labels:
        arguments["node-labels"] = ",".join(f"{key}={value}" for key, value in sorted(node.labels.items()))
    found: dict[str, Any] = {
        "name": node.name,
        "criSocket": socket(spec),
        "kubeletExtraArgs": _arguments(version, arguments),
    }
    taints = [_taint(text) for text in node.taints]
    if node.role == "control-plane" and not node.schedulable:
        taints.append({"key": f"node-role.kubernetes.io/{role_label(spec)}", "effect": "NoSchedule"})
    if taints or node.role == "control-plane":  # an empty list keeps kubeadm from its own taint
        found["taints"] = taints
    if ignored := spec.options.get("ignore_preflight"):
        found["ignorePreflightErrors"] = list(ignored)
    if version != "v1beta2":
        found["imagePullPolicy"] = "IfNotPresent"
    return found


def role_label(spec: Spec) -> str:
    """What a control plane is called in labels and taints: "master" until 1.23."""
    return "master" if spec.minor < (1, 24) else "control-plane"


def _taint(text: str) -> dict[str, str]:
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "effect": effect} | ({"value": value} if value else {})


def _endpoint(node: Node) -> dict[str, Any]:
    return {"advertiseAddress": str(node.address), "bindPort": PORT}


def _arguments(version: Api, values: dict[str, str]) -> Any:
    return [{"name": k, "value": v} for k, v in values.items()] if version == "v1beta4" else values


def _kind(version: Api, kind: str) -> dict[str, Any]:
    return {"apiVersion": f"kubeadm.k8s.io/{version}", "kind": kind}


def documents(*documents: dict[str, Any]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True)
