"""What k3s reads: its configuration, its registries, its units.

Sources: k3s documentation ("Configuration File", "Private Registry Configuration", "Air-Gap Install") and the units
that its installer writes. Server keys never stand on an agent: k3s refuses unknown ones.
"""

from __future__ import annotations

from typing import Any

import yaml

from agent.engines.engine import Bundle, Node, Spec
from agent.engines.kubeadm import layout as shared
from tui.models.change import FileImage

CONFIG = "/etc/rancher/k3s/config.yaml"
REGISTRIES = "/etc/rancher/k3s/registries.yaml"
IMAGES = "/var/lib/rancher/k3s/agent/images"
TOKEN = "/var/lib/rancher/k3s/server/token"  # noqa: S105 - where it is, not what it is
SERVER, AGENT = "k3s.service", "k3s-agent.service"
_SERVES = "/usr/bin/systemctl is-active --quiet k3s.service"


def unit(node: Node) -> str:
    return SERVER if node.role == "control-plane" else AGENT


def images(spec: Spec, node: Node, link: str, bundle: Bundle | None) -> tuple[FileImage, ...]:
    """Everything that is written before the unit starts.

    Args:
        bundle: what a joining host was handed; None for the first server.
    """
    found = [
        FileImage(CONFIG, config(spec, node, bundle).encode(), 0o600),
        FileImage(f"/etc/systemd/system/{unit(node)}", _unit(node).encode()),
    ]
    if spec.registry:
        found.append(FileImage(REGISTRIES, _registries(spec).encode(), 0o600))
        if spec.registry.certificates:
            found.append(FileImage(f"{REGISTRIES}.crt", "".join(spec.registry.certificates).encode()))
    if spec.vip and node.role == "control-plane":
        text = shared.keepalived(spec, node, link, _SERVES)
        found.append(FileImage(shared.KEEPALIVED, text.encode(), 0o600))
    return tuple(found)


def config(spec: Spec, node: Node, bundle: Bundle | None) -> str:
    """Secret where it holds a token. What is critical must be the same on every server, or k3s refuses the join."""
    found: dict[str, Any] = {"node-name": node.name, "node-ip": str(node.address)}
    if node.labels:
        found["node-label"] = [f"{key}={value}" for key, value in sorted(node.labels.items())]
    taints = list(node.taints)
    if node.role == "control-plane" and not node.schedulable:
        taints.append("node-role.kubernetes.io/control-plane=true:NoSchedule")
    if taints:
        found["node-taint"] = taints
    kubelet = spec.options.get("kubelet") or {}
    if kubelet:
        found["kubelet-arg"] = [f"{_flag(key)}={_word(value)}" for key, value in kubelet.items()]
    if bundle is not None:
        found |= {"server": f"https://{bundle.endpoint}:6443", "token": bundle.token}
    if node.role == "worker":
        return yaml.safe_dump(found, sort_keys=False)
    names = [spec.endpoint, *(str(n.address) for n in spec.control_planes)]
    found |= {
        "tls-san": list(dict.fromkeys(names)),
        "cluster-cidr": str(spec.pod_range),
        "service-cidr": str(spec.service_range),
        "cluster-dns": str(spec.service_range[10]),
        "cluster-domain": spec.dns_domain,
        "write-kubeconfig-mode": "0600",
        "disable-default-registry-endpoint": True,
    }
    if bundle is None:
        found["cluster-init"] = True
    return yaml.safe_dump(found, sort_keys=False)


def _registries(spec: Spec) -> str:
    assert spec.registry is not None  # noqa: S101 - the caller asks only where there is one
    one = spec.registry
    configs: dict[str, Any] = {}
    if one.username:
        configs["auth"] = {"username": one.username, "password": one.password}
    if one.certificates:
        configs["tls"] = {"ca_file": f"{REGISTRIES}.crt"}
    found: dict[str, Any] = {"mirrors": {"*": {"endpoint": [f"https://{one.domain}"]}}}
    if configs:
        found["configs"] = {one.domain: configs}
    return yaml.safe_dump(found, sort_keys=False)


def _unit(node: Node) -> str:
    server = node.role == "control-plane"
    return f"""\
[Unit]
Description=Lightweight Kubernetes ({"server" if server else "agent"})
Wants=network-online.target
After=network-online.target

[Service]
Type={"notify" if server else "exec"}
EnvironmentFile=-/etc/systemd/system/%N.service.env
ExecStart=/usr/local/bin/k3s {"server" if server else "agent"}
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s

[Install]
WantedBy=multi-user.target
"""


def _flag(key: str) -> str:
    """A field of the kubelet's configuration as its flag: failSwapOn is fail-swap-on."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in key)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
