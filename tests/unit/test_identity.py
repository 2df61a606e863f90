"""The name of a host: what may be typed, and the files that say it, wherever they lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.models.facts import Facts, FileFact, Setters
from tui.models.host import HostConfig
from tui.models.hostname import hostname
from tui.models.keymap import keymap
from tui.models.wrong import Wrong
from tui.services import facts, identity, keyboard, recording
from tui.services.change import planner, transaction
from tui.services.host import Host

CLOUD = "/etc/cloud/cloud.cfg.d/99-onsite-name.cfg"
DEBIAN = 'XKBMODEL="pc105"\nXKBLAYOUT="us"\nXKBVARIANT="intl"\n'


@pytest.mark.parametrize(
    "text", ["edge", "edge-7c21", "7c21", "e", "a" * 63, "edge.site.example", "0a.1b", " edge ", "xn--bcher-kva"]
)
def test_a_name(text: str) -> None:
    assert hostname(text) == text.strip()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "N117"), ("Edge", "Y105"), ("EDGE-1", "Y105"), ("edge_1", "Y101"), ("my edge", "Y101"), ("-edge", "Y101"),
        ("edge-", "Y101"), ("a..b", "Y102"), (".a", "Y102"), ("a.", "Y102"), ("a" * 64, "Y102"), ("localhost", "Y103"),
        ("localhost.localdomain", "Y103"), ("12345", "Y104"), ("192.0.2.10", "Y104"), ("edge.7", "Y104"),
        ("ünder", "Y101"),
        ("edge;reboot", "Y101"), ("http://edge", "Y101"), ("edge\u200b", "N115"), ("e" * 1001, "N116"),
        ("$(id)", "Y101"), ("edge/1", "Y101"), ("\uff45dge", "Y101"),
    ],
)  # fmt: skip
def test_no_name(text: str, code: str) -> None:
    with pytest.raises(Wrong) as wrong:
        hostname(text)
    assert wrong.value.issue.code == code
    assert wrong.value.issue.remedy


def test_a_remedy_can_be_typed() -> None:
    for text in ("Edge_1", "My Edge", "SHOP", "a_b.site"):
        with pytest.raises(Wrong) as wrong:
            hostname(text)
        remedy = wrong.value.issue.remedy
        assert hostname(remedy.removeprefix("Type ").removesuffix("."))


@pytest.mark.parametrize("text", ["a b", "de;", "../us", "-x", "$(id)", "d" * 41])
def test_no_keymap(text: str) -> None:
    with pytest.raises(Wrong) as wrong:
        keymap(text)
    assert wrong.value.issue.code == "Y113"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "127.0.1.1\tnew\n"),
        ("127.0.0.1 localhost", "127.0.0.1 localhost\n127.0.1.1\tnew\n"),
        ("127.0.0.1 localhost box\n127.0.1.1 box\n", "127.0.0.1 localhost box\n127.0.1.1\tnew\n"),
        ("127.0.1.1 box.site.example box # us\n::1 x\n", "127.0.1.1\tnew.site.example new # us\n::1 x\n"),
        ("127.0.1.1\tmail\n", "127.0.1.1\tnew mail\n"),
        ("# 127.0.1.1 box\n127.0.1.10 box\n", "# 127.0.1.1 box\n127.0.1.10 box\n127.0.1.1\tnew\n"),
        ("127.0.1.1 new\n", "127.0.1.1 new\n"),
    ],
)
def test_our_own_line_of_hosts_only(before: str, after: str) -> None:
    assert identity.with_name(before, "new", ("box", "")) == after
    assert identity.with_name(after, "new", ("box", "")) == after, "a second time changes nothing"


def _config(**identity: str) -> HostConfig:
    return HostConfig.model_validate({"identity": identity})


def _facts(**more: object) -> Facts:
    told = (
        FileFact("/etc/hosts", "", "127.0.0.1 localhost\n127.0.1.1 box\n"),
        FileFact("/etc/default/keyboard", "", DEBIAN),
    )
    return Facts(hostname="box", files=told, setters=Setters(keyboard="/etc/default/keyboard", cloud_init=True), **more)  # type: ignore[arg-type]  # what a test names


def _host(root: Path, found: Facts) -> Host:
    return recording.host(found, root)


def test_plan_of_a_name(tmp_path: Path) -> None:
    plan = planner.plan(_config(hostname="edge-1"), facts.read(_host(tmp_path, _facts())), {})
    written = {step.image.path: (step.image.content or b"").decode() for step in plan.steps}
    assert written["/etc/hostname"] == "edge-1\n"
    assert written["/etc/hosts"] == "127.0.0.1 localhost\n127.0.1.1\tedge-1\n"
    assert "preserve_hostname: true" in written[CLOUD]
    assert [i.code for i in plan.issues] == ["Y123"]
    assert [(d.before, d.after) for d in plan.differences] == [("box", "edge-1")]


def test_nothing_to_do(tmp_path: Path) -> None:
    found = _facts()
    found = Facts(hostname="box", files=found.files, setters=Setters(keyboard="/etc/default/keyboard"))
    read = facts.read(_host(tmp_path, found))
    assert planner.plan(_config(hostname="box", keyboard="us"), read, {}).empty
    assert planner.plan(HostConfig(), read, {}).empty


def test_a_cluster_locks_the_name(tmp_path: Path) -> None:
    read = facts.read(_host(tmp_path, _facts(cluster_uses_address=True)))
    plan = planner.plan(_config(hostname="edge-1"), read, {})
    assert [i.code for i in plan.errors] == ["Y121"]
    assert "box" in plan.errors[0].text
    assert not planner.plan(_config(hostname="box"), read, {}).errors


def test_keyboard_of_debian_and_of_others(tmp_path: Path) -> None:
    read = facts.read(_host(tmp_path / "a", _facts()))
    step = planner.plan(_config(keyboard="de"), read, {}).steps[0]
    assert step.image.content == b'XKBMODEL="pc105"\nXKBLAYOUT="de"\n'
    other = Facts(hostname="box", setters=Setters(keyboard="/etc/vconsole.conf"))
    read = facts.read(_host(tmp_path / "b", other))
    assert keyboard.layout(read) == ""
    assert planner.plan(_config(keyboard="de-latin1"), read, {}).steps[0].image.content == b"KEYMAP=de-latin1\n"
    read = facts.read(_host(tmp_path / "c", Facts(hostname="box")))
    assert [i.code for i in planner.plan(_config(keyboard="de"), read, {}).errors] == ["Y127"]


async def test_kept_and_taken_back(tmp_path: Path) -> None:
    host = _host(tmp_path, _facts())
    before = {p: host.path(p).read_bytes() for p in ("/etc/hostname", "/etc/hosts", "/etc/default/keyboard")}
    wish = _config(hostname="edge-1", keyboard="de")
    await transaction.apply(host, planner.plan(wish, facts.read(host), {}), {}, who="alice", line="tty1")
    outcome = await transaction.revert(host, {}, "the operator said so")
    assert outcome.verified
    assert {p: host.path(p).read_bytes() for p in before} == before
    assert not host.path(CLOUD).exists()
    await transaction.apply(host, planner.plan(wish, facts.read(host), {}), {}, who="alice", line="tty1")
    await transaction.keep(host, {})
    assert facts.read(host).hostname == "edge-1"
    assert planner.plan(wish, facts.read(host), {}).empty


@pytest.mark.parametrize("target", ["../data/hostname", "/data/hostname"])
async def test_a_linked_hostname_stays_a_link(tmp_path: Path, target: str) -> None:
    host = _host(tmp_path, _facts())
    host.path("/data").mkdir()
    host.path("/data/hostname").write_text("box\n")
    host.path("/etc/hostname").unlink()
    host.path("/etc/hostname").symlink_to(target)
    plan = planner.plan(_config(hostname="edge-1"), facts.read(host), {})
    assert "/data/hostname" in {step.image.path for step in plan.steps}
    await transaction.apply(host, plan, {}, who="alice", line="tty1")
    assert host.path("/data/hostname").read_text() == "edge-1\n"
    assert os.readlink(host.path("/etc/hostname")) == target  # noqa: PTH115 - as it was written
    await transaction.revert(host, {}, "the operator said so")
    assert host.path("/data/hostname").read_text() == "box\n"
