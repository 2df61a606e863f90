"""The same cluster by kubeadm's own commands and nothing else, to know what our part costs."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import yaml

from agent.engines.engine import Bundle, Spec
from agent.engines.kubeadm import config, layout
from tests.cluster.reach import PAYLOAD
from tests.cluster.rig import Node

_KUBECTL = "kubectl --kubeconfig=/etc/kubernetes/admin.conf"
_KEY = "0123456789abcdef" * 4
_TOKEN = "abcdef.0123456789abcdef"


def run(nodes: list[Node], spec: Spec) -> dict[str, float]:
    """Seconds of each part: prepare, init, and each join up to Ready."""
    took: dict[str, float] = {}
    inventory = json.loads(nodes[0].must(f"cat {PAYLOAD}/payload.json"))
    began = time.monotonic()
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(lambda node: _prepare(node, spec, inventory), nodes))
    took["prepare"] = time.monotonic() - began
    first = nodes[0]
    document = config.first(spec, spec.node(first.name), inventory["image_repository"], _TOKEN)
    parts = list(yaml.safe_load_all(document))
    parts[0]["certificateKey"] = _KEY
    _write(first, "/root/init.yaml", config.documents(*parts))
    took["first control plane"] = _timed(
        first, "kubeadm init --config /root/init.yaml --upload-certs --skip-phases=addon/coredns"
        " --ignore-preflight-errors=ImagePull", first,
    )  # fmt: skip
    hashed = first.must(
        "openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum"
    ).split()[0]
    for node in nodes[1:]:
        member = spec.node(node.name)
        bundle = Bundle(
            endpoint=spec.endpoint, token=_TOKEN, ca_hash=f"sha256:{hashed}", certificate_key=_KEY, expires=0
        )
        _write(node, "/root/join.yaml", config.joining(spec, member, bundle))
        took[f"{node.name} joins as {member.role}"] = _timed(
            node, "kubeadm join --config /root/join.yaml --ignore-preflight-errors=ImagePull", first
        )
    return took


def _timed(node: Node, command: str, first: Node) -> float:
    began = time.monotonic()
    node.must(command, 600)
    first.must(
        f"until {_KUBECTL} get node {node.name} --no-headers 2>/dev/null | grep -qw Ready; do sleep 0.5; done", 300
    )
    return time.monotonic() - began


def _prepare(node: Node, spec: Spec, inventory: dict[str, str]) -> None:
    images = layout.images(spec, spec.node(node.name), inventory["sandbox_image"], "/usr/lib/cni", "eth0", 1)
    for image in images:
        _write(node, image.path, (image.content or b"").decode())
    node.must(
        f"install -m 755 {PAYLOAD}/bin/* /usr/local/bin/ && systemctl daemon-reload && systemctl restart containerd &&"
        f" systemctl enable --now onsite-pod-routes kubelet && for i in {PAYLOAD}/images/*.tar; do"
        " ctr -n k8s.io images import $i || exit 1; done",
        600,
    )


def _write(node: Node, path: str, text: str) -> None:
    node.must(f"mkdir -p $(dirname {path}) && cat > {path}", stdin=text)
