"""User data of installer and site: what it says, who wins, and what hostile files do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given as any_of
from hypothesis import strategies as st

from tui.models.facts import Address, Facts, Link
from tui.services.clock import FixedClock
from tui.services.facts import given
from tui.services.host import Host
from tui.services.network.recorded import RecordedKernel
from tui.services.parser import userdata

FACTORY = """#cloud-config
stylus:
  managementMode: central
  site:
    paletteEndpoint: api.example.com
    edgeHostToken: Zm9vYmFyc2VjcmV0
    projectName: stores-north
    tags: {city: berlin, row: 2, odd: [1]}
    hostName: edge-factory
    ntpServers: [192.0.2.3, ntp.example]
    network:
      httpsProxy: http://tech:hunter2@proxy.example:3128
      noProxy: 10.0.0.0/8
      interfaces:
        lan0: {type: static, ipAddress: 192.0.2.10/24, gateway: 192.0.2.1, nameserver: 192.0.2.53}
stages:
  initramfs:
    - name: net
      files:
        - {path: /etc/systemd/network/01-man.network, content: "[Match]"}
"""
SITE = "#cloud-config\nstylus:\n  installationMode: airgap\n  site:\n    hostName: edge-site\n"


def _host(root: Path, files: dict[str, str]) -> Host:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Host(root, RecordedKernel(Facts()), "real", FixedClock())


def test_site_counts_before_factory_and_a_token_stays_in_its_file(tmp_path: Path) -> None:
    host = _host(tmp_path, {"oem/90_custom.yaml": FACTORY, "oem/user-data": SITE})
    facts = Facts(given=given.read(host))
    said = {g.key: (g.value, g.origin, g.path) for g in facts.given}
    assert said["mode"] == ("local", "site", "/oem/user-data")
    assert said["name"] == ("edge-site", "site", "/oem/user-data")
    assert said["endpoint"] == ("api.example.com", "factory", "/oem/90_custom.yaml")
    assert (said["project"][0], said["tags"][0]) == ("stores-north", "city:berlin, row:2")
    assert said["token"][0] == "set"
    assert said["time"][0] == "192.0.2.3, ntp.example"
    assert said["file"][0] == "/etc/systemd/network/01-man.network"
    assert "Zm9v" not in repr(facts)
    assert "hunter2" not in repr(facts)
    assert given.words(facts, "name", "edge-site") == "from the site file /oem/user-data"
    assert given.words(facts, "name", "mine") == "set here; the site file /oem/user-data says edge-site"
    assert given.words(facts, "registration", "x") == ""
    assert (tmp_path / "oem/90_custom.yaml").read_text() == FACTORY


def test_address_of_the_factory_is_called_so_unless_the_console_set_the_link(tmp_path: Path) -> None:
    gifts = given.read(_host(tmp_path, {"oem/90_custom.yaml": FACTORY}))
    link = Link(2, "lan0", addresses=(Address("192.0.2.10/24"), Address("192.0.2.11/24")), method4="static")
    marked = given.marked(link, gifts)
    assert [a.origin for a in marked.addresses] == ["factory", "other"]
    assert marked.origin == "factory"
    console = Link(2, "lan0", addresses=(Address("192.0.2.10/24", "console"),), method4="static", origin="console")
    assert given.marked(console, gifts) == console
    assert given.marked(Link(3, "lan1", method4="dhcp"), gifts).origin == "other"


def test_the_child_is_asked_once_for_each_state_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = _host(tmp_path, {"oem/90_custom.yaml": FACTORY})
    first = given.read(host)
    assert given.read(host) is first
    (tmp_path / "oem/user-data").write_text(SITE)
    assert {g.value for g in given.read(host) if g.key == "name"} == {"edge-factory", "edge-site"}
    assert given.read(_host(tmp_path / "other", {})) == ()


@pytest.mark.parametrize(
    "text",
    [
        "a: [", "\x00", "- 1", "3", "", "[" * 100_000, "a: " * 5000, "stylus: {site: [1]}", "stages: {x: 3, y: [4]}",
        "stylus: {site: {network: {interfaces: [1]}}}", "ntp: 4", "stages: {x: [{files: [{path: {}}]}]}",
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a, *a]\n" for n in range(9)),
        "!!python/object/apply:os.system [id]", "stylus: {managementMode: {}}", "x: 2026-99-99",
    ],
)  # fmt: skip
def test_hostile_files_say_nothing(text: str) -> None:
    assert {key for key, _ in userdata.values(text)} <= {"unreadable"}


@any_of(st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.sampled_from(
        ["stylus", "site", "network", "interfaces", "lan0", "ipAddress", "stages", "files", "path", "ntp", "servers",
         "hostName", "timesyncd", "NTP", "ntpServers", "edgeHostToken"]), x, max_size=4), max_leaves=20,
))  # fmt: skip
def test_any_document_gives_short_words_that_can_be_shown(document: Any) -> None:
    text = yaml.safe_dump(document)
    answer = userdata.read(json.dumps([["/oem/x.yaml", text]]).encode(), {})
    ((path, pairs),) = answer["files"]
    assert path == "/oem/x.yaml"
    assert all(value.isprintable() and len(value) <= 300 for _, value in pairs)
