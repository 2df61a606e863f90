"""A cluster that is being thought out: what is typed, what is wrong with it as a whole, what is sent, what survives."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.screens.machine import machine
from tui.models.cluster_create import CONTROL_PLANE, ClusterDraft, PoolDraft
from tui.models.contract.cluster import ClusterConfiguration
from tui.models.kubernetes import shown_key, ssh_keys
from tui.models.values import Wrong, parse, show
from tui.services import recording
from tui.services.cluster import create, draft, durations
from tui.services.cluster.hosts import Candidate, Nic, candidates
from tui.services.cluster.steps import Step

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEvbKT6DPwrKDHJrvyWTJZ4SZVhsBMxgR9MoPnGZ7Rd+ ops@site"

TAKEN = [
    ("clustername", " shop-12 ", "shop-12"),
    ("vip", "192.0.2.100", "192.0.2.100"),
    ("overlay", "100.64.192.0/23", "100.64.192.0/23"),
    ("labels", "tier=front,acme.example/zone=a b=", "tier=front, acme.example/zone=a, b="),
    ("taints", "only=gpu:noschedule, x:NoExecute", "only=gpu:NoSchedule, x:NoExecute"),
]
REFUSED = [
    ("clustername", "Shop 12", "K401", "shop-12"),
    ("clustername", "x" * 64, "K401", "x" * 63),
    ("vip", "192.0.2.100/24", "N119", "192.0.2.100"),
    ("overlay", "100.64.192.0", "K405", "/24"),
    ("overlay", "8.8.8.0/24", "K405", "100.64"),
    ("overlay", "10.0.0.0/30", "K405", ""),
    ("labels", "front", "K403", "tier=front"),
    ("labels", "=x", "K403", ""),
    ("taints", "only=gpu", "K404", "NoSchedule"),
    ("taints", "only=gpu:Never", "K404", "NoExecute"),
]


@pytest.mark.parametrize(("kind", "typed", "shown"), TAKEN)
def test_typed(kind: str, typed: str, shown: str) -> None:
    assert show(kind, parse(kind, typed)) == shown


@pytest.mark.parametrize(("kind", "typed", "code", "remedy"), REFUSED)
def test_refused(kind: str, typed: str, code: str, remedy: str) -> None:
    with pytest.raises(Wrong) as wrong:
        parse(kind, typed)
    assert wrong.value.issue.code == code
    assert remedy in wrong.value.issue.remedy


def test_ssh_keys_of_a_file() -> None:
    found = ssh_keys(f'# people\n\n{KEY}\nfrom="10.0.0.1" {KEY}\n')
    assert found == (KEY,)
    assert shown_key(KEY) == "ssh-ed25519 ..PnGZ7Rd+ ops@site"


@pytest.mark.parametrize("text", [KEY[:50], "ssh-rsa AAAA", "hello", KEY.replace("ssh-ed25519", "ssh-rsa", 1)])
def test_ssh_keys_that_are_none(text: str) -> None:
    with pytest.raises(Wrong, match="SSH"):
        ssh_keys(text)


def test_a_private_key_is_neither_taken_nor_repeated() -> None:
    with pytest.raises(Wrong) as wrong:
        ssh_keys("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n")
    assert "private" in wrong.value.issue.text
    assert "c2VjcmV0" not in wrong.value.issue.text


NIC = Nic("lan0", "192.0.2.10", "192.0.2.0/24", default=True, mac="00:00:5e:00:53:01")
HERE = Candidate("h1", "edge-1", "192.0.2.10", this=True, version="1", architecture="amd64", nics=(NIC,))
TWO = replace(
    HERE, id="h2", name="edge-2", address="192.0.2.11", this=False, nics=(replace(NIC, address="192.0.2.11"),)
)
THREE = replace(
    HERE, id="h3", name="edge-3", address="192.0.2.12", this=False, nics=(replace(NIC, address="192.0.2.12"),)
)
HOSTS = (HERE, TWO, THREE)
GOOD = ClusterDraft(
    name={"name": "shop-12", "tags": "site:berlin"},
    source="embedded",
    archive="/content/shop.tgz",
    address={"kind": "vip", "vip": "192.0.2.100", "ntp": "ntp1.site.example"},
    pools=(CONTROL_PLANE, PoolDraft(name="workers", labels="tier=front", taints="only=gpu:NoSchedule")),
    hosts={"h1": "control-plane", "h2": "workers"},
    nics={"h1": "lan0"},
    ssh_keys=(KEY,),
)


def wrong(**changes: object) -> set[str]:
    return {i.code for i in create.check(GOOD.model_copy(update=changes), HOSTS)}


def test_a_good_draft() -> None:
    assert wrong() == set()


def test_each_thing_that_is_wrong() -> None:
    assert wrong(name={"name": "Shop"}) == {"K401"}
    assert wrong(archive="") == {"K431"}
    assert wrong(address={"kind": "vip"}) == {"K410"}
    assert wrong(address={"kind": "vip", "vip": "198.51.100.1"}) == {"K411"}
    assert wrong(address={"kind": "vip", "vip": "192.0.2.11"}) == {"K412"}
    assert wrong(address={"kind": "vip", "vip": "192.0.2.255"}) == {"K415"}
    assert wrong(address={"kind": "overlay", "range": "192.0.0.0/16"}) == {"K405"}
    assert wrong(address={"kind": "overlay", "range": "100.64.0.0/23"}) == set()
    assert wrong(hosts={"h1": "control-plane", "h2": "control-plane"}, pools=(CONTROL_PLANE,)) == {"K421"}
    assert wrong(hosts={"h2": "workers"}) == {"K422"}
    assert wrong(hosts={"h2": "control-plane", "h1": "workers"}) == {"K423"}
    assert wrong(hosts={"h1": "control-plane"}) == {"K424"}
    assert wrong(hosts={"h1": "control-plane", "h2": "workers", "h9": "workers"}) == {"K427"}


def test_what_is_wrong_with_hosts() -> None:
    for code, changed in {
        "K417": replace(TWO, address=""),
        "K425": replace(TWO, taken=True),
        "K426": replace(TWO, version="2"),
        "K428": replace(TWO, name="edge-1"),
        "K429": replace(TWO, architecture="arm64"),
    }.items():
        assert {i.code for i in create.check(GOOD, (HERE, changed))} == {code}


def test_a_single_host_may_be_reached_at_its_own_address() -> None:
    single = GOOD.model_copy(
        update={"hosts": {"h1": "control-plane"}, "pools": (CONTROL_PLANE,), "address": {"vip": "192.0.2.10"}}
    )
    assert create.check(single, (HERE,)) == ()


def test_what_is_sent_fits_the_contract() -> None:
    sent = create.configuration(GOOD, HOSTS, [{"name": "region", "profileUid": "u1", "value": "eu"}])
    read = ClusterConfiguration.model_validate(sent)
    assert read.sent() == sent
    pools = sent["spec"]["cloudConfig"]["spec"]["machinePoolConfig"]
    assert [(p["name"], p["size"], p["isControlPlane"], p["useControlPlaneAsWorker"]) for p in pools] == [
        ("control-plane", 1, True, True), ("workers", 1, False, False),
    ]  # fmt: skip
    assert pools[0]["hosts"][0]["networkInfo"][0]["nicName"] == "lan0"
    assert pools[1]["taints"] == [{"key": "only", "value": "gpu", "effect": "NoSchedule"}]
    config = sent["spec"]["cloudConfig"]["spec"]["clusterConfig"]
    assert config["controlPlaneEndpoint"] == {"type": "VIP", "host": "192.0.2.100"}
    assert sent["metadata"] == {"name": "shop-12", "labels": {"site": "berlin"}}


def test_hosts_of_the_contract() -> None:
    nic = {"nicName": "lan0", "ip": "192.0.2.10", "subnet": "255.255.255.0", "isDefault": True, "macAddr": "m"}
    info = {"metadata": {"id": "h1"}, "status": {"hostName": "edge-1"}, "spec": {"networkInfo": [nic]}}
    peer = {
        "id": "h2",
        "ip": "192.0.2.11",
        "status": "Ready",
        "health": {"status": "Unhealthy", "reason": "disk is full"},
    }
    here, there = candidates(info, {"peers": [peer, {"id": "h1"}]})
    assert (here.name, here.address, [str(n) for n in here.networks]) == ("edge-1", "192.0.2.10", ["192.0.2.0/24"])
    assert (there.id, there.address) == ("h2", "192.0.2.11")
    assert there.wrong is not None
    assert there.wrong.issue.code == "K604"


def test_the_draft_survives_and_is_its_owners_alone(tmp_path: Path) -> None:
    host = recording.host(machine(), tmp_path)
    assert draft.load(host) is None
    half = GOOD.model_copy(
        update={"variables": {"u1/password": "s3cr3t"}, "step": "variables", "name": {"name": "Sho"}}
    )
    draft.store(host, half)
    assert draft.load(host) == half
    assert stat.S_IMODE(host.path(draft.PATH).stat().st_mode) == 0o600
    host.path(draft.PATH).write_text(json.dumps({"version": 9}))
    assert draft.load(host) is None
    draft.forget(host)
    assert not host.path(draft.PATH).exists()


def test_durations_are_learned(tmp_path: Path) -> None:
    host = recording.host(machine(), tmp_path)
    assert durations.learned(host) == {}
    durations.learn(host, [Step("a", "A", mark="ok", spent=12.34), Step("b", "B", mark="..", spent=3.0)])
    assert durations.learned(host) == {"a": 12.3}
    host.path(durations.PATH).write_text("[1]")
    assert durations.learned(host) == {}
