"""The files that turn a plain host into one that kubeadm accepts: runtime, kubelet, pod network, address that moves.

The proxy of containerd and of the kubelet is the host's own matter: `tui.services.proxy` writes it.

Sources: containerd docs/cri/config.md and docs/hosts.md, kubernetes' kubelet unit, CNI's bridge and host-local plugins,
keepalived.conf(5).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from agent.engines.engine import Node, Spec
from agent.engines.kubeadm import config
from tui.models.change import FileImage

CONTAINERD = "/etc/containerd/config.toml"
HOSTS = "/etc/containerd/certs.d"
KUBELET = "/etc/systemd/system/kubelet.service"
SYSCTL = "/etc/sysctl.d/60-onsite-engine.conf"
MODULES = "/etc/modules-load.d/onsite-engine.conf"
CNI = "/etc/cni/net.d/10-onsite.conflist"
ROUTES = "/etc/systemd/system/onsite-pod-routes.service"
KEEPALIVED = "/etc/keepalived/keepalived.conf"
_SERVES = "/usr/bin/test -e /etc/kubernetes/manifests/kube-apiserver.yaml"
"""Succeeds where a control plane is: an argument, because it is another thing for each engine."""
BRIDGE = "cni0"
"""The link that the bridge plugin makes; a reset removes it."""


def images(spec: Spec, node: Node, sandbox: str, plugins: str, link: str, runtime: int) -> tuple[FileImage, ...]:
    """Everything that is written before the engine's own command runs.

    Args:
        sandbox: the image that holds a pod's namespaces; it must be one of the content.
        plugins: the folder of the CNI plugins on this host.
        link: the interface that has the node's address.
        runtime: major version of containerd; its configuration is written otherwise from 2 on.
    """
    found = [
        FileImage(CONTAINERD, containerd(spec, sandbox, plugins, runtime).encode(), 0o600 if spec.registry else 0o644),
        FileImage(KUBELET, _KUBELET.encode()),
        FileImage(SYSCTL, _SYSCTL.encode()),
        FileImage(MODULES, b"overlay\nbr_netfilter\n"),
    ]
    if spec.registry:
        found += _registry(spec)
    found += network(spec, node, link)
    return tuple(found)


def network(spec: Spec, node: Node, link: str) -> tuple[FileImage, ...]:
    """What has to be written again whenever a node comes or goes."""
    found = []
    if spec.pod_network == "routes":
        found += [FileImage(CNI, _cni(spec, node).encode()), FileImage(ROUTES, _routes(spec, node).encode())]
    if spec.vip and node.role == "control-plane":
        found.append(FileImage(KEEPALIVED, keepalived(spec, node, link).encode(), 0o600))
    return tuple(found)


def containerd(spec: Spec, sandbox: str, plugins: str, runtime: int) -> str:
    systemd = "true" if config.cgroup_driver(spec) == "systemd" else "false"
    if runtime >= 2:
        text = f"""\
version = 3
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{sandbox}"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "{HOSTS}"
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["{plugins}"]
  conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
    SystemdCgroup = {systemd}
"""
        section = "io.containerd.cri.v1.images"
    else:
        text = f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{sandbox}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{HOSTS}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = {systemd}
"""
        section = "io.containerd.grpc.v1.cri"
    if spec.registry and spec.registry.username:
        text += f"""\
[plugins."{section}".registry.configs.{_quoted(spec.registry.domain)}.auth]
  username = {_quoted(spec.registry.username)}
  password = {_quoted(spec.registry.password)}
"""
    return text


def keepalived(spec: Spec, node: Node, link: str, serves: str = _SERVES) -> str:
    """The address goes to a control plane whose API answers; the others are asked directly, without multicast."""
    planes = spec.control_planes
    others = [str(n.address) for n in planes if n.uid != node.uid]
    peers = "".join(f"\n        {address}" for address in others)
    unicast = f"    unicast_src_ip {node.address}\n    unicast_peer {{{peers}\n    }}\n" if others else ""
    assert spec.vip is not None  # noqa: S101 - the caller asks only where there is one
    return f"""\
global_defs {{
    router_id {node.name}
    script_user root
    enable_script_security
}}
vrrp_script onsite_api {{
    script "{serves}"
    interval 3
    weight 40
}}
vrrp_instance onsite {{
    state BACKUP
    interface {link}
    virtual_router_id {int(spec.vip) % 255 + 1}
    priority {100 - node.number % 50}
    advert_int 1
{unicast}    virtual_ipaddress {{
        {spec.vip}/32
    }}
    track_script {{
        onsite_api
    }}
}}
"""


def _registry(spec: Spec) -> Iterator[FileImage]:
    assert spec.registry is not None  # noqa: S101 - the caller asks only where there is one
    domain = spec.registry.domain
    folder = f"{HOSTS}/{domain.replace(':', '_')}_" if ":" in domain else f"{HOSTS}/{domain}"
    text = f'server = "https://{domain}"\n[host."https://{domain}"]\n  capabilities = ["pull", "resolve"]\n'
    if spec.registry.certificates:
        yield FileImage(f"{folder}/ca.crt", "".join(spec.registry.certificates).encode())
        text += f'  ca = "{folder}/ca.crt"\n'
    yield FileImage(f"{folder}/hosts.toml", text.encode())


def _cni(spec: Spec, node: Node) -> str:
    local = {
        "type": "host-local",
        "ranges": [[{"subnet": str(spec.pods_of(node))}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge", "bridge": BRIDGE, "isGateway": True, "ipMasq": True, "hairpinMode": True, "ipam": local,
    }  # fmt: skip
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return json.dumps({"cniVersion": "0.4.0", "name": "onsite", "plugins": plugins}, indent=1) + "\n"


def _routes(spec: Spec, node: Node) -> str:
    ways = "".join(
        f"ExecStart=/usr/sbin/ip route replace {spec.pods_of(other)} via {other.address}\n"
        for other in spec.nodes
        if other.uid != node.uid
    )
    return f"""\
[Unit]
Description=Ways to the pods of the other nodes
Before=kubelet.service
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/sysctl -q -w net.ipv4.ip_forward=1
{ways}
[Install]
WantedBy=multi-user.target
"""


def _quoted(text: str) -> str:
    """As a string of TOML and of systemd, which agree here."""
    return json.dumps(text, ensure_ascii=False)


_SYSCTL = """\
net.ipv4.ip_forward = 1
-net.bridge.bridge-nf-call-iptables = 1
-net.bridge.bridge-nf-call-ip6tables = 1
"""
_KUBELET = """\
[Unit]
Description=kubelet
Wants=containerd.service network-online.target
After=containerd.service network-online.target

[Service]
Environment=BOOTSTRAP=/etc/kubernetes/bootstrap-kubelet.conf CONFIG=/etc/kubernetes/kubelet.conf
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/local/bin/kubelet --bootstrap-kubeconfig=${BOOTSTRAP} --kubeconfig=${CONFIG} \\
    --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=3
StartLimitIntervalSec=0

[Install]
WantedBy=multi-user.target
"""
