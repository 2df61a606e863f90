"""What kubeadm is given: the published fields of each version and no others, the same text as ever."""

from __future__ import annotations

import os
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.engines.engine import Bundle, Node, Registry, Spec
from agent.engines.kubeadm import config, etcd, layout
from agent.engines.kubeadm.driver import skew

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = {"v1beta2": "v1.20.2", "v1beta3": "v1.28.4", "v1beta4": "v1.33.1"}
TOKEN, KEY = "abcdef.0123456789abcdef", "0123456789abcdef" * 4

_REGISTRATION = {"name", "criSocket", "taints", "kubeletExtraArgs", "ignorePreflightErrors"}
_CLUSTER = {
    "etcd", "networking", "kubernetesVersion", "controlPlaneEndpoint", "apiServer", "controllerManager", "scheduler",
    "dns", "certificatesDir", "imageRepository", "featureGates", "clusterName",
}  # fmt: skip
_INIT = {"bootstrapTokens", "nodeRegistration", "localAPIEndpoint", "certificateKey"}
_JOIN = {"nodeRegistration", "caCertPath", "discovery", "controlPlane"}
PUBLISHED = {
    # kubernetes, cmd/kubeadm/app/apis/kubeadm/VERSION/types.go
    "v1beta2": {
        "InitConfiguration": _INIT,
        "JoinConfiguration": _JOIN,
        "ClusterConfiguration": _CLUSTER | {"useHyperKubeImage"},
        "nodeRegistration": _REGISTRATION,
    },
    "v1beta3": {
        "InitConfiguration": _INIT | {"skipPhases", "patches"},
        "JoinConfiguration": _JOIN | {"skipPhases", "patches"},
        "ClusterConfiguration": _CLUSTER,
        "nodeRegistration": _REGISTRATION | {"imagePullPolicy"},
    },
    "v1beta4": {
        "InitConfiguration": _INIT | {"skipPhases", "patches", "dryRun", "timeouts"},
        "JoinConfiguration": _JOIN | {"skipPhases", "patches", "dryRun", "timeouts"},
        "ClusterConfiguration": _CLUSTER
        | {"proxy", "encryptionAlgorithm", "certificateValidityPeriod", "caCertificateValidityPeriod"},
        "nodeRegistration": _REGISTRATION | {"imagePullPolicy", "imagePullSerial"},
    },
}
NESTED = {
    "networking": {"serviceSubnet", "podSubnet", "dnsDomain"},
    "apiServer": {"extraArgs", "extraVolumes", "certSANs", "extraEnvs", "timeoutForControlPlane"},
    "controllerManager": {"extraArgs", "extraVolumes", "extraEnvs"},
    "localAPIEndpoint": {"advertiseAddress", "bindPort"},
    "controlPlane": {"localAPIEndpoint", "certificateKey"},
    "discovery": {"bootstrapToken", "file", "tlsBootstrapToken", "timeout"},
    "bootstrapToken": {"token", "apiServerEndpoint", "caCertHashes", "unsafeSkipCAVerification"},
}


def spec(version: str = "v1.20.2", **more: Any) -> Spec:
    planes = [
        Node(uid=f"h{n}", name=f"n{n}", address=IPv4Address(f"10.66.0.{10 + n}"), role="control-plane", number=n)
        for n in (1, 2, 3)
    ]
    worker = Node(
        uid="h4", name="n4", address=IPv4Address("10.66.0.14"), role="worker", number=4, labels={"tier": "front"},
        taints=("only=gpu:NoSchedule",),
    )  # fmt: skip
    document = {"name": "shop", "engine": "kubeadm", "version": version, "nodes": (*planes, worker)}
    return Spec.model_validate({**document, "vip": "10.66.0.100", **more})


def bundle() -> Bundle:
    return Bundle(endpoint="10.66.0.100", token=TOKEN, ca_hash="sha256:" + "0" * 64, certificate_key=KEY, expires=0)


def rendered(version: str) -> dict[str, str]:
    cluster = spec(version)
    return {
        "init": config.first(cluster, cluster.nodes[0], "registry.site.example/k8s", TOKEN),
        "join-control-plane": config.joining(cluster, cluster.nodes[1], bundle()),
        "join-worker": config.joining(cluster, cluster.nodes[3], bundle()),
    }


@pytest.mark.parametrize("api", VERSIONS)
@pytest.mark.parametrize("name", ["init", "join-control-plane", "join-worker"])
def test_as_ever(api: str, name: str) -> None:
    """`ONSITE_FULL=golden` writes them anew."""
    path = GOLDEN / f"kubeadm-{api}-{name}.yaml"
    text = rendered(VERSIONS[api])[name]
    if os.environ.get("ONSITE_FULL") == "golden":
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("api", VERSIONS)
def test_only_fields_that_are_published(api: str) -> None:
    seen = set()
    for text in rendered(VERSIONS[api]).values():
        for document in yaml.safe_load_all(text):
            assert document.pop("apiVersion") == f"kubeadm.k8s.io/{api}"
            kind = document.pop("kind")
            seen.add(kind)
            assert set(document) <= PUBLISHED[api][kind]
            check(document, api)
    assert seen == {"InitConfiguration", "ClusterConfiguration", "JoinConfiguration"}


def check(document: dict[str, Any], api: str) -> None:
    for key, value in document.items():
        if key == "nodeRegistration":
            assert set(value) <= PUBLISHED[api]["nodeRegistration"]
        if key in NESTED:
            assert set(value) <= NESTED[key]
        if key in ("extraArgs", "kubeletExtraArgs"):
            assert isinstance(value, list if api == "v1beta4" else dict)
        if isinstance(value, dict):
            check(value, api)


def test_a_worker_gets_nothing_of_a_control_plane() -> None:
    for version in VERSIONS.values():
        text = rendered(version)["join-worker"]
        assert "controlPlane" not in text
        assert KEY not in text


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("v1.20.15", "v1beta2"),
        ("v1.21.0", "v1beta2"),
        ("v1.22.0", "v1beta3"),
        ("v1.30.9", "v1beta3"),
        ("v1.31.0", "v1beta4"),
    ],
)
def test_the_version_of_the_configuration_follows_the_engine(version: str, api: str) -> None:
    assert config.api(spec(version)) == api


def test_options_of_a_sandbox_are_only_there_when_told() -> None:
    plain = rendered("v1.20.2")["init"]
    assert "KubeletConfiguration" not in plain
    assert "KubeProxyConfiguration" not in plain
    told = spec(options={"kubelet": {"failSwapOn": False}, "kube_proxy": {"conntrack": {"maxPerCore": 0}}})
    kinds = [d["kind"] for d in yaml.safe_load_all(config.first(told, told.nodes[0], "", TOKEN))]
    assert kinds[2:] == ["KubeletConfiguration", "KubeProxyConfiguration"]


_words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=8, max_size=30)


@given(_words, _words.map(lambda words: f"Zq7 {words}"))  # no other text holds it by chance
def test_what_holds_a_secret_is_for_root_alone(username: str, password: str) -> None:
    registry = Registry(domain="registry.site.example:5000", username=username, password=password)
    cluster = spec(registry=registry)
    images = layout.images(cluster, cluster.nodes[0], "example/pause:1", "/opt/cni/bin", "eth0", 1)
    for image in images:
        text = (image.content or b"").decode()
        if password in text:
            assert image.mode & 0o077 == 0, image.path
    assert "Zq7" not in repr(cluster)
    toml = next(i.content or b"" for i in images if i.path == layout.CONTAINERD).decode()
    assert _tomllib(toml)["plugins"]["io.containerd.grpc.v1.cri"]["registry"]["configs"][registry.domain]["auth"] == {
        "username": username,
        "password": password,
    }


def _tomllib(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)


@pytest.mark.parametrize("runtime", [1, 2])
def test_containerd_is_told_the_sandbox_image_of_the_content(runtime: int) -> None:
    cluster = spec("v1.33.1")
    read = _tomllib(layout.containerd(cluster, "example/pause:3.10", "/opt/cni/bin", runtime))
    plugins = read["plugins"]
    if runtime == 1:
        assert plugins["io.containerd.grpc.v1.cri"]["sandbox_image"] == "example/pause:3.10"
        options = plugins["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"]["runc"]["options"]
    else:
        assert plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == "example/pause:3.10"
        options = plugins["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]["runc"]["options"]
    assert options == {"SystemdCgroup": True}


def test_every_node_has_its_own_pods_and_a_way_to_the_others() -> None:
    cluster = spec()
    ranges = [cluster.pods_of(n) for n in cluster.nodes]
    assert len(set(ranges)) == 4
    assert all(r.subnet_of(cluster.pod_range) and not r.overlaps(IPv4Network("10.244.0.0/24")) for r in ranges)
    for node in cluster.nodes:
        unit = next(i.content or b"" for i in layout.network(cluster, node, "eth0") if i.path == layout.ROUTES).decode()
        for other in cluster.nodes:
            way = f"route replace {cluster.pods_of(other)} via {other.address}\n"
            assert (way in unit) == (other.uid != node.uid)


def test_the_moving_address_is_only_on_control_planes_and_prefers_one() -> None:
    cluster = spec()
    texts = {
        n.name: next(
            (i.content or b"" for i in layout.network(cluster, n, "eth0") if i.path == layout.KEEPALIVED), b""
        ).decode()
        for n in cluster.nodes
    }
    assert texts["n4"] == ""
    assert all("10.66.0.100/32" in texts[n] for n in ("n1", "n2", "n3"))
    assert "unicast_src_ip 10.66.0.12" in texts["n2"]
    priorities = [line.split()[1] for t in texts.values() for line in t.splitlines() if "priority" in line]
    assert len(set(priorities)) == 3


@pytest.mark.parametrize(
    ("members", "healthy", "allowed"),
    [
        (1, 1, True),
        (2, 2, True),
        (2, 1, False),
        (3, 3, True),
        (3, 2, False),
        (3, 1, False),
        (4, 3, True),
        (4, 2, False),
    ],
)
def test_a_member_is_only_added_where_the_others_are_enough_without_it(
    members: int, healthy: int, allowed: bool
) -> None:
    assert (etcd.risk(members, healthy) is None) == allowed
    if healthy >= etcd.quorum(members + 1):
        assert allowed


def test_the_sum_that_a_person_reads() -> None:
    assert etcd.arithmetic(1, 1) == "1 control planes (1 healthy) become 2; 2 must run, so none may fail."
    assert etcd.arithmetic(2, 2).endswith("become 3; 2 must run, so one may fail.")


@pytest.mark.parametrize(
    ("now", "then", "fine"),
    [
        ("v1.20.2", "v1.20.9", True),
        ("v1.20.2", "v1.21.0", True),
        ("v1.20.2", "v1.22.0", False),
        ("v1.21.0", "v1.20.9", False),
    ],
)
def test_upgrades_go_one_minor_version_at_a_time(now: str, then: str, fine: bool) -> None:
    assert (skew(now, then) is None) == fine


def test_a_cluster_names_each_host_once() -> None:
    one = spec().nodes[0]
    with pytest.raises(ValueError, match="two nodes have one"):
        spec(nodes=(one, one))
    with pytest.raises(ValueError, match="needs a control plane"):
        spec(nodes=(spec().nodes[3],))
