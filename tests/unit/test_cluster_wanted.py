"""A configuration of the contract made into what an engine is told, and the patches that change it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cluster import answers, patches, wanted
from agent.cluster.contents import Definition, replaced
from agent.cluster.kept import Kept
from agent.engines.engine import Status
from tests.contract import contract, violations
from tui.models.change import Refused
from tui.models.content import Manifest
from tui.models.contract.cluster import ClusterConfiguration
from tui.models.contract.common import Patch
from tui.models.contract.userdata import RegistryCredentials

MANIFEST = {
    "format": 1, "kind": "definition", "name": "shop", "version": "1.0.0", "created": "2026-01-01T00:00:00Z",
    "engine": {"name": "kubeadm", "version": "v1.20.2"},
    "members": [
        {"path": "web.yaml", "size": 1, "sha256": "0" * 64}, {"path": "engine.yaml", "size": 1, "sha256": "0" * 64},
    ],
    "profiles": [
        {
            "name": "base", "uid": "base-1",
            "packs": [
                {"name": "engine", "version": "1", "values": "engine.yaml"},
                {"name": "web", "version": "2", "manifests": ["web.yaml"]},
            ],
            "variables": [
                {"name": "shop", "regex": "^[a-z]+$", "required": True},
                {"name": "key", "isSensitive": True, "defaultValue": "none"},
            ],
        }
    ],
}  # fmt: skip
TEXTS = {
    "web.yaml": "shop: {{.spectro.var.shop}}\n",
    "engine.yaml": "pod_range: 10.50.0.0/16\nkubelet: {maxPods: 50}\n",
}


def definition(**texts: str) -> Definition:
    return Definition("d" * 64, Manifest.model_validate(MANIFEST), {**TEXTS, **texts})


def host(number: int) -> dict[str, Any]:
    return {"hostUid": f"id{number}", "hostName": f"N{number}", "hostAddress": f"192.0.2.{number}"}


def asked(planes: int = 1, workers: int = 0, vip: str = "192.0.2.1", **cluster: Any) -> ClusterConfiguration:
    first = [host(n) for n in range(planes, 0, -1)]
    pools: list[dict[str, Any]] = [{"name": "control-plane", "isControlPlane": True, "hosts": first}]
    if workers:
        pools.append(
            {
                "name": "work", "hosts": [host(n) for n in range(planes + 1, planes + workers + 1)],
                "additionalLabels": {"tier": "front"},
                "taints": [{"key": "only", "value": "x", "effect": "NoSchedule"}],
            }
        )  # fmt: skip
    cloud = {
        "clusterConfig": {"controlPlaneEndpoint": {"type": "VIP", "host": vip}, **cluster},
        "machinePoolConfig": pools,
    }
    body = {
        "archiveUploadPath": "/x/" + "d" * 64,
        "profileVariables": [{"name": "shop", "profileUid": "base-1", "value": "berlin"}],
        "cloudConfig": {"spec": cloud},
    }
    return ClusterConfiguration.model_validate({"metadata": {"name": "shop-12"}, "spec": body})


def test_one_host_at_its_own_address_needs_none_that_moves() -> None:
    spec = wanted.spec(asked(), definition(), "id1")
    assert spec.vip is None
    assert spec.endpoint == "192.0.2.1"
    assert [n.schedulable for n in spec.nodes] == [True]
    assert str(spec.pod_range) == "10.50.0.0/16"
    assert spec.options == {"kubelet": {"maxPods": 50}}
    assert [(m.name, m.text) for m in spec.manifests] == [("web/web.yaml", "shop: berlin\n")]


def test_what_is_immutable_stays_as_the_cluster_has_it() -> None:
    manifest = json.loads(json.dumps(MANIFEST))
    (shop,) = [v for v in manifest["profiles"][0]["variables"] if v["name"] == "shop"]
    shop["immutable"] = True
    fixed = Definition("d" * 64, Manifest.model_validate(manifest), TEXTS)
    before = wanted.spec(asked(), fixed, "id1")
    assert wanted.spec(asked(), fixed, "id1", before, former={"shop": "berlin"})
    with pytest.raises(Refused) as refused:
        wanted.spec(asked(), fixed, "id1", before, former={"shop": "bonn"})
    assert [i.code for i in refused.value.issues] == ["B144"]


def test_the_leader_is_first_and_numbers_stay() -> None:
    before = wanted.spec(asked(3, 1, "192.0.2.100"), definition(), "id2")
    assert before.nodes[0].uid == "id2"
    assert before.nodes[-1].labels == {"tier": "front"}
    assert before.nodes[-1].taints == ("only=x:NoSchedule",)
    after = wanted.spec(asked(3, 2, "192.0.2.100"), definition(), "id2", before)
    numbers = {n.uid: n.number for n in before.nodes}
    assert {n.uid: n.number for n in after.nodes if n.uid in numbers} == numbers
    assert len({n.number for n in after.nodes}) == 5


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (asked(3, 0, ""), "K232"),
        (asked(overlayNetworkConfiguration={"enable": True, "cidr": "100.64.0.0/24"}), "K230"),
        (asked(controlPlaneEndpoint={"type": "DDNS", "host": "api.site.example"}), "K230"),
        (asked().model_copy(update={"metadata": None}), "K232"),
        (asked(vip="not-an-address"), "K232"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(wrong: ClusterConfiguration, code: str) -> None:
    with pytest.raises(Refused) as refused:
        wanted.spec(wrong, definition(), "id1")
    assert code in {i.code for i in refused.value.issues}
    assert all(i.field for i in refused.value.issues)


def test_a_value_that_does_not_fit_names_its_variable() -> None:
    wrong = asked()
    assert wrong.spec
    wrong.spec.profile_variables[0].value = "B3RLIN"
    with pytest.raises(Refused) as refused:
        wanted.spec(wrong, definition(), "id1")
    assert [i.field for i in refused.value.issues] == ["spec.profileVariables.shop"]


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", "unknown: 1\n"])
def test_values_of_the_engine_are_what_they_may_be(text: str) -> None:
    with pytest.raises(Refused) as refused:
        wanted.spec(asked(), definition(**{"engine.yaml": text}), "id1")
    assert refused.value.issues[0].code == "K231"


def test_a_registry_of_the_user_data() -> None:
    said = RegistryCredentials(
        domain="registry.site.example", username="u", password="c2VjcmV0", encoded_password=True, repository_name="k8s",
        certificates=["LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"],
    )  # fmt: skip
    spec = wanted.spec(asked(), definition(), "id1", registry=said)
    assert spec.registry
    assert (spec.registry.password, spec.image_repository) == ("secret", "registry.site.example/k8s")
    assert spec.registry.certificates == ("-----BEGIN CERTIFICATE-----",)
    assert "secret" not in repr(spec)


def test_variables_in_manifests() -> None:
    assert replaced("{{.spectro.var.a}} {{ .spectro.var.b }} {{.spectro.var.c}}", {"a": "1", "b": "2"}) == (
        "1 2 {{.spectro.var.c}}"
    )


@pytest.mark.parametrize(
    ("op", "path", "value", "then"),
    [
        ("add", "/a/-", 3, {"a": [1, 2, 3], "b": {"c/d": 1}}),
        ("add", "/a/0", 0, {"a": [0, 1, 2], "b": {"c/d": 1}}),
        ("remove", "/a/1", None, {"a": [1], "b": {"c/d": 1}}),
        ("replace", "/b/c~1d", 2, {"a": [1, 2], "b": {"c/d": 2}}),
        ("add", "/b/e", {}, {"a": [1, 2], "b": {"c/d": 1, "e": {}}}),
        ("replace", "/nothing", 1, None),
        ("remove", "/a/9", None, None),
        ("remove", "/a/-1", None, None),
        ("add", "/a/01", 1, None),
        ("add", "a", 1, None),
        ("remove", "", None, None),
        ("add", "/a/0/x", 1, None),
    ],
)
def test_patches(op: Any, path: str, value: Any, then: Any) -> None:
    document = {"a": [1, 2], "b": {"c/d": 1}}
    if then is None:
        with pytest.raises(Refused):
            patches.patched(document, [Patch(op=op, path=path, value=value)])
    else:
        assert patches.patched(document, [Patch(op=op, path=path, value=value)]) == then
    assert document == {"a": [1, 2], "b": {"c/d": 1}}


_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab0/~-"), inner, max_size=3),
    max_leaves=6,
)


@given(_json, st.lists(st.tuples(st.sampled_from(["add", "remove", "replace"]), st.text("ab0/~1-", max_size=6), _json)))
def test_any_patch_is_done_or_refused(document: Any, listed: list[tuple[Any, str, Any]]) -> None:
    codes = []
    try:
        patches.patched(document, [Patch(op=op, path=path, value=value) for op, path, value in listed])
    except Refused as refused:
        codes = [i.code for i in refused.issues]
    assert codes in ([], ["K235"])


NODE = {
    "name": "n1", "address": "192.0.2.1", "created": "2026-01-01T00:00:00Z", "ready": False, "reasons": ["no network"],
    "conditions": [{"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "no network"}],
    "kubelet": "v1.20.2", "kernel": "6.1", "image": "Debian", "system": "linux", "architecture": "amd64",
}  # fmt: skip
YEARS = {"from": "2026-01-01T00:00:00+00:00", "until": "2027-01-01T00:00:00+00:00"}
CERTIFICATES = (
    {"name": "ca", "ca": "kubernetes", "authority": "yes", **YEARS, "serial": "1"},
    {"name": "apiserver", "ca": "kubernetes", "authority": "", **YEARS, "serial": "2"},
)


def schema(name: str) -> dict[str, Any]:
    return dict(contract()["definitions"][name])


def test_answers_have_the_shape_of_the_contract() -> None:
    spec = wanted.spec(asked(3, 1, "192.0.2.100"), definition(), "id1")
    kept = Kept(asked(3, 1, "192.0.2.100"), spec, "d" * 64, ("key",), 1767225600.0)
    reason = {"code": "K303", "severity": "error", "text": "n1: no network.", "remedy": "Look."}
    status = Status(word="degraded", version="v1.20.2", nodes=(NODE,), reasons=(reason,), certificates=CERTIFICATES)
    service = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 80, "targetPort": "http", "protocol": "TCP"}]},
    }
    now = 1767225600.0 + 90061
    found = answers.details(kept, status, "Running", "", "apiVersion: v1\n", [service], now)
    assert violations(found, schema("v1Cluster")) == []
    assert found["status"]["health"] == {"status": "Unhealthy", "reason": "n1: no network."}
    listed = answers.nodes(spec, status, now)
    assert violations(listed, schema("v1ClusterNodes")) == []
    assert listed["nodes"][0]["age"] == "1d1h"
    assert listed["nodes"][1]["nodeStatus"]["status"] == "Unknown"
    assert [n["nodeName"] for n in answers.nodes(spec, status, now, coming=True)["nodes"]] == ["n1"]
    begun = 1767225600.0 + 60
    assert answers.nodes(spec, status, begun, coming=True)["nodes"] == []
    assert len(answers.nodes(spec, status, begun)["nodes"]) == 4
    for at, coming, health in ((begun, True, "Healthy"), (now, True, "Unhealthy"), (begun, False, "Unhealthy")):
        said = answers.details(kept, status, "Running", "", "", [], at, coming=coming)["status"]
        assert (said["health"]["status"], bool(said["clusterConditions"])) == (health, health == "Unhealthy")
    made = answers.details(kept, status, "Running", "", "", [], now, coming=True)["status"]["nodePools"]
    assert [n["nodeState"] for pool in made for n in pool["nodes"]][1:] == ["Provisioning"] * 3
    assert violations(made[0]["nodes"][1]["health"], schema("v1Health")) == []
    shown = answers.certificates({"n1": CERTIFICATES}, now)
    assert violations(shown, schema("v1CertificateDetails")) == []
    assert shown["needsRenewal"] is False
    assert answers.certificates({"n1": CERTIFICATES}, now + 340 * 86400)["needsRenewal"] is True
    packs = answers.applications(definition(), spec, {"shop": "berlin", "key": "secret"}, True)
    assert violations(packs, schema("v1ClusterCurrentApplications")) == []
    assert "secret" not in str(packs)
    assert violations(answers.events([{"metadata": {"name": "e"}, "type": "Warning"}]), schema("v1Events")) == []
    assert [p["name"] for p in answers.pools(kept)["items"]] == ["control-plane", "work"]
