"""Whether Kubernetes already uses this host: then its address and name are no longer the host's alone.

A node whose address changes is not supported by any engine (k3s#5880, rke2#5651), so the fields are locked.
"""

from __future__ import annotations

from tui.services import reading
from tui.services.host import Host

_ENGINES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("/var/lib/rancher/k3s/server", "/var/lib/rancher/k3s/agent"), ("10.42.0.0/16", "10.43.0.0/16")),
    (("/var/lib/rancher/rke2/server", "/var/lib/rancher/rke2/agent"), ("10.42.0.0/16", "10.43.0.0/16")),
    (("/var/lib/k0s",), ("10.244.0.0/16", "10.96.0.0/12")),
)
"""Where each engine keeps its state, and its default pod and service ranges."""
_KUBELET = "/etc/kubernetes/kubelet.conf"
_MANIFESTS = "/etc/kubernetes/manifests"
_FLAGS = ("--cluster-cidr=", "--service-cluster-ip-range=")
_SETTINGS = ("cluster-cidr:", "service-cidr:")


def present(host: Host) -> bool:
    if reading.present(host, _KUBELET) or reading.names(host, _MANIFESTS, ".yaml"):
        return True
    return any(_has(host, paths) for paths, _ in _ENGINES)


def ranges(host: Host) -> tuple[str, ...]:
    """Pod and service ranges: those configured, else the defaults of the engine that is here."""
    found: list[str] = []
    for name in ("kube-controller-manager.yaml", "kube-apiserver.yaml"):
        for line in (reading.text(host, f"{_MANIFESTS}/{name}") or "").splitlines():
            word = line.strip().removeprefix("- ").strip("\"'")
            found += [part for flag in _FLAGS if word.startswith(flag) for part in word[len(flag) :].split(",")]
    for engine, (paths, defaults) in zip(("k3s", "rke2", ""), _ENGINES, strict=True):
        if not _has(host, paths):
            continue
        chosen: list[str] = []
        if engine:
            for line in (reading.text(host, f"/etc/rancher/{engine}/config.yaml") or "").splitlines():
                key, value = line.strip().partition(" ")[::2]
                if key in _SETTINGS:
                    chosen += value.strip(" \"'").split(",")
        found += chosen or defaults
    return tuple(dict.fromkeys(found))


def _has(host: Host, paths: tuple[str, ...]) -> bool:
    return any(reading.present(host, path) for path in paths)
