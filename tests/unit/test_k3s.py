"""k3s, which could not be had: its files as ever, and its commands against a stand-in that records them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.engines.engine import Bundle, Event, Node, Spec
from agent.engines.k3s import PROVEN, layout
from agent.engines.k3s.driver import K3s
from agent.engines.machine import Machine
from agent.engines.payload import Image, Inventory, Part, Payload, sha256_of
from tui.models.change import Refused
from tui.models.facts import Address, Link
from tui.services.clock import FixedClock
from tui.services.host import Host

GOLDEN = Path(__file__).parent / "golden"
STAND_IN = """\
#!/bin/sh
# A recording stand-in: writes down how it was called, answers and fails on order.
name=$(basename "$0")
echo "$name $*" >> "$RECORD/calls"
for rule in "$RECORD"/fail.*; do
    [ -e "$rule" ] && case "$name $*" in *"$(cat "$rule")"*) echo "failed on order" >&2; exit 1 ;; esac
done
for rule in "$RECORD"/say.*; do
    [ -e "$rule" ] && case "$name $*" in *"$(head -n 1 "$rule")"*) tail -n +2 "$rule"; exit 0 ;; esac
done
exit 0
"""
SERVER_ONLY = {
    "tls-san", "cluster-cidr", "service-cidr", "cluster-dns", "cluster-domain", "write-kubeconfig-mode", "cluster-init",
    "disable-default-registry-endpoint",
}  # fmt: skip


class OneLink:
    """A kernel with one interface."""

    def links(self) -> tuple[Link, ...]:
        return (Link(name="eth0", index=2, mac="52:54:00:00:00:01", addresses=(Address("192.0.2.1/24"),)),)

    async def change(self, operations: Sequence[Any]) -> None:
        raise AssertionError(operations)

    async def events(self) -> AsyncIterator[None]:
        yield


def spec(**more: Any) -> Spec:
    nodes = tuple(
        Node.model_validate(
            {"uid": f"h{n}", "name": f"n{n}", "address": f"192.0.2.{n}", "number": n,
             "role": "worker" if n == 4 else "control-plane", "labels": {"tier": "front"} if n == 4 else {}}
        )
        for n in (1, 2, 3, 4)
    )  # fmt: skip
    document = {"name": "shop", "engine": "k3s", "version": "v1.31.5+k3s1", "nodes": nodes, "vip": "192.0.2.100"}
    return Spec.model_validate({**document, **more})


def bundle(**more: Any) -> Bundle:
    document = {"endpoint": "192.0.2.100", "token": "K10aa::server:secret", "ca_hash": "aa", "expires": 2e9}
    return Bundle.model_validate({**document, **more})


class Site:
    """A host with stand-ins for programs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.record = folder / "root", folder / "record"
        programs = folder / "bin"
        for made in (self.root, self.record, programs, self.root / "usr/local/bin"):
            made.mkdir(parents=True)
        for name in ("systemctl", "k3s", "ip", "umount", "iptables-save", "ip6tables-save"):
            text = STAND_IN.replace("$RECORD", str(self.record))
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.payload = self._payload(folder / "payload")
        self.machine = Machine(Host(self.root, OneLink(), "user", FixedClock()), f"{programs}:/usr/bin:/bin")
        self.driver = K3s(self.machine)
        self.events: list[Event] = []

    def _payload(self, folder: Path) -> Payload:
        parts = []
        for path, text in {
            "bin/k3s": STAND_IN.replace("$RECORD", str(self.record)),
            "images/k3s.tar.zst": "images",
        }.items():
            (folder / path).parent.mkdir(parents=True)
            (folder / path).write_text(text)
            parts.append(Part(path=path, sha256=sha256_of(folder / path), size=len(text)))
        return Payload(
            folder,
            Inventory(
                engine="k3s", version="v1.31.5+k3s1", architecture="amd64", files=tuple(parts),
                images=(Image(ref="rancher/mirrored-pause:3.6", archive="images/k3s.tar.zst"),),
            ),
        )  # fmt: skip

    def order(self, kind: str, words: str, answer: str = "") -> None:
        number = len(list(self.record.glob(f"{kind}.*")))
        (self.record / f"{kind}.{number}").write_text(f"{words}\n{answer}" if kind == "say" else words)

    def calls(self) -> list[str]:
        path = self.record / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def path(self, absolute: str) -> Path:
        return self.root / absolute.lstrip("/")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", ["first", "server", "agent"])
def test_as_ever(name: str) -> None:
    """`ONSITE_FULL=golden` writes them anew."""
    cluster = spec(options={"kubelet": {"maxPods": 50}})
    place = {"first": 0, "server": 1, "agent": 3}[name]
    text = layout.config(cluster, cluster.nodes[place], None if name == "first" else bundle())
    path = GOLDEN / f"k3s-{name}.yaml"
    if os.environ.get("ONSITE_FULL") == "golden":
        path.write_text(text)
    assert text == path.read_text()


def test_server_keys_never_stand_on_an_agent_and_servers_agree() -> None:
    cluster = spec()
    first, second = (
        yaml.safe_load(layout.config(cluster, n, b))
        for n, b in ((cluster.nodes[0], None), (cluster.nodes[1], bundle()))
    )
    agent = yaml.safe_load(layout.config(cluster, cluster.nodes[3], bundle()))
    assert SERVER_ONLY & agent.keys() == set()
    critical = SERVER_ONLY - {"cluster-init"}
    assert {k: first[k] for k in critical} == {k: second[k] for k in critical}
    assert "cluster-init" not in second


def test_what_holds_a_token_is_for_root_alone() -> None:
    cluster = spec(registry={"domain": "registry.site.example", "username": "u", "password": "Zq7-secret"})
    for image in layout.images(cluster, cluster.nodes[1], "eth0", bundle()):
        if b"Zq7" in (image.content or b"") or b"server:secret" in (image.content or b""):
            assert image.mode & 0o077 == 0, image.path


async def test_a_first_server(site: Site) -> None:
    cluster, node = spec(), spec().nodes[0]
    site.order("say", "get --raw /readyz", "ok")
    site.order("say", "get node n1", json.dumps({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
    await site.driver.prepare(cluster, node, site.payload, site.events.append)
    await site.driver.install(cluster, node, site.payload, site.events.append)
    await site.driver.ready("n1", site.events.append)
    assert site.path("/var/lib/rancher/k3s/agent/images/k3s.tar.zst").read_text() == "images"
    assert stat.S_IMODE(site.path(layout.CONFIG).stat().st_mode) == 0o600
    calls = site.calls()
    assert "systemctl restart k3s.service" in calls
    assert any("keepalived" in call for call in calls)
    assert [e.step for e in site.events if e.mark == "done"] == ["files", "start", "ready"]
    before = len(site.calls())
    await site.driver.prepare(cluster, node, site.payload, site.events.append)
    await site.driver.install(cluster, node, site.payload, site.events.append)
    assert not any("restart" in call for call in site.calls()[before:]), "what is done is not done twice"


async def test_a_start_that_fails_is_named_and_tried_again(site: Site) -> None:
    cluster, node = spec(), spec().nodes[0]
    site.order("fail", "systemctl restart k3s.service")
    await site.driver.prepare(cluster, node, site.payload, site.events.append)
    with pytest.raises(Refused) as refused:
        await site.driver.install(cluster, node, site.payload, site.events.append)
    assert refused.value.issues[0].code == "K201"
    assert "failed on order" in refused.value.issues[0].text
    assert site.driver.detect()["state"] == "ours"
    (site.record / "fail.0").unlink()
    site.order("say", "get --raw /readyz", "ok")
    again = K3s(Machine(site.machine.host, site.machine.search))  # as after a restart of the agent
    await again.install(cluster, node, site.payload, site.events.append)
    assert site.events[-1].mark == "done"


async def test_joining_and_what_is_refused_before(site: Site) -> None:
    cluster, node = spec(), spec().nodes[0].model_copy(update={"role": "worker"})
    with pytest.raises(Refused) as refused:
        await site.driver.join(cluster, node, site.payload, bundle(settled={"pods": "10.9.0.0/16"}), site.events.append)
    assert refused.value.issues[0].code == "K220"
    with pytest.raises(Refused) as refused:
        await site.driver.join(cluster, node, site.payload, bundle(expires=-1), site.events.append)
    assert refused.value.issues[0].code == "K221"
    assert site.calls() == []
    await site.driver.join(cluster, node, site.payload, bundle(), site.events.append)
    assert "systemctl restart k3s-agent.service" in site.calls()
    assert yaml.safe_load(site.path(layout.CONFIG).read_text())["server"] == "https://192.0.2.100:6443"


async def test_a_token_is_handed_out_in_its_secure_form(site: Site) -> None:
    with pytest.raises(Refused):
        await site.driver.mint_join(spec(), "worker", 60)
    site.path(layout.TOKEN).parent.mkdir(parents=True)
    site.path(layout.TOKEN).write_text("K10bb::server:secret\n")
    handed = await site.driver.mint_join(spec(), "worker", 60)
    assert (handed.token, handed.ca_hash) == ("K10bb::server:secret", "bb")
    assert "secret" not in repr(handed)


async def test_certificates_rotate_while_it_is_stopped(site: Site) -> None:
    site.machine.record.engine = "k3s"
    site.order("say", "get --raw /readyz", "ok")
    await site.driver.renew(site.events.append)
    order = [c for c in site.calls() if c.startswith(("k3s certificate", "systemctl"))]
    assert order == ["systemctl stop k3s.service", "k3s certificate rotate", "systemctl start k3s.service"]


async def test_status_says_what_does_not_run(site: Site) -> None:
    assert (await site.driver.status()).word == "none"
    site.machine.record.cluster, site.machine.record.engine, site.machine.record.role = "shop", "k3s", "control-plane"
    site.order("fail", "is-active")
    found = await site.driver.status()
    assert found.word == "down"
    assert {r["code"] for r in found.reasons} == {"K301", "K302"}


async def test_a_reset_leaves_nothing(site: Site) -> None:
    cluster, node = spec(), spec().nodes[0]
    site.order("say", "get --raw /readyz", "ok")
    site.order("fail", "is-active")
    await site.driver.prepare(cluster, node, site.payload, site.events.append)
    await site.driver.install(cluster, node, site.payload, site.events.append)
    assert await site.driver.reset(True, site.events.append) == []
    left = [str(p.relative_to(site.root)) for p in site.root.rglob("*") if p.is_file()]
    assert [p for p in left if "onsite/lock" not in p and "onsite/engine" not in p] == []
    assert site.driver.detect()["state"] == "none"


def test_it_is_not_called_proven() -> None:
    assert PROVEN is False
    text = (Path(__file__).resolve().parents[2] / "docs/engines.md").read_text()
    assert "not yet proven on real hardware" in text
