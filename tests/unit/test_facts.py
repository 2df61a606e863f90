"""Facts of hosts that are folders: leases, kept files, networkd's state, clusters, and odd files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.models.facts import Address, Facts, FileFact, Link, Route
from tui.models.link import LinkConfig
from tui.services import facts, recording
from tui.services.facts import cluster, configured, linkfile, session
from tui.services.host import Host
from tui.services.network import linkfiles
from tui.services.network.recorded import RecordedKernel
from tui.services.port import remembered

MAC = "00:00:5e:00:53:01"
LEASE = {
    "address": "192.0.2.137/24",
    "gateway": "192.0.2.1",
    "nameservers": ["192.0.2.53"],
    "search_domains": ["shop.example"],
    "server": "192.0.2.1",
    "seconds": 3600,
    "obtained": 1.0,
}
MACHINES = sorted((Path(__file__).parents[2] / "assets" / "machines").glob("*.json"))


@dataclass
class Box:
    """A host whose kernel has one link, and whose files are below a folder."""

    root: Path
    link: Link = field(
        default_factory=lambda: Link(
            2, "lan0", MAC, MAC, admin_up=True, carrier=True, operstate="up",
            addresses=(
                Address("192.0.2.137/24"), Address("2001:db8::10/64"), Address("fe80::1/64", "kernel"),
            ),
            routes=(Route("default", "192.0.2.1"),),
        )
    )  # fmt: skip

    def write(self, path: str, text: str) -> None:
        where = self.root / path.lstrip("/")
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)

    def read(self) -> Facts:
        return facts.read(Host(self.root, RecordedKernel(Facts(links=(self.link,))), "user"))

    def origins(self) -> dict[str, str]:
        return {a.address: a.origin for a in self.read().links[0].addresses}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_an_empty_host_has_facts(box: Box) -> None:
    found = box.read()
    assert (found.hostname, found.os_name, found.files, found.managers, found.cluster_ranges) == ("", "", (), (), ())
    assert found.links[0].method4 == ""


def test_a_lease_of_ours(box: Box) -> None:
    box.write("/run/onsite/leases/lan0.json", json.dumps(LEASE))
    link = box.read().links[0]
    assert link.lease is not None
    assert (link.lease.gateway, link.lease.seconds) == ("192.0.2.1", 3600)
    assert link.nameservers == ("192.0.2.53",)
    assert box.origins()["192.0.2.137/24"] == "dhcp"


def test_a_kept_file_says_who_set_what(box: Box) -> None:
    wish = LinkConfig.model_validate(
        {
            "mac": MAC, "name": "lan0", "ipv4": {"method": "static", "addresses": ["192.0.2.137/24"]},
            "ipv6": {"method": "static", "addresses": ["2001:DB8:0::10/64"]}, "nameservers": ["192.0.2.53"],
        }
    )  # fmt: skip
    box.write("/run/onsite/leases/lan0.json", json.dumps(LEASE))  # of the time before
    box.write("/etc/onsite/links/00-00-5e-00-53-01.yaml", linkfiles.render(wish).decode())
    link = box.read().links[0]
    assert (link.method4, link.method6, link.origin, link.lease) == ("static", "static", "console", None)
    assert box.origins() == {"192.0.2.137/24": "console", "2001:db8::10/64": "console", "fe80::1/64": "kernel"}


def test_the_volatile_file_wins(box: Box) -> None:
    box.write("/etc/onsite/links/00-00-5e-00-53-01.yaml", "ipv4:\n  method: static\n")
    box.write("/run/onsite/links/00-00-5e-00-53-01.yaml", "ipv4:\n  method: 'off'\n")
    assert box.read().links[0].method4 == "off"


def test_files_of_a_plan_are_there_with_their_hash(box: Box) -> None:
    box.write("/etc/onsite/links/00-00-5e-00-53-01.yaml", "mac: x\n")
    (box.root / "etc/resolv.conf").symlink_to("../run/onsite/resolv.conf")
    found = box.read()
    kept = found.file("/etc/onsite/links/00-00-5e-00-53-01.yaml")
    assert (kept.text, len(kept.sha256), kept.uid) == ("mac: x\n", 64, os.geteuid())
    assert found.file("/etc/resolv.conf").target == "../run/onsite/resolv.conf"


def test_hashes_are_those_of_the_transaction(box: Box) -> None:
    from tui.services.change import files

    box.write("/etc/onsite/links/00-00-5e-00-53-01.yaml", "mac: x\n")
    (box.root / "etc/resolv.conf").symlink_to("../run/onsite/resolv.conf")
    host = Host(box.root, RecordedKernel(Facts()), "user")
    found = box.read()
    assert found.files
    for file in found.files:
        assert file.sha256 == files.read_image(host, file.path).sha256


def test_what_systemd_networkd_says(box: Box) -> None:
    box.write("/run/systemd/units/invocation:systemd-networkd.service", "")
    box.write(
        "/run/systemd/netif/links/2",
        "# private\nADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/10-lan.network\n"
        "DNS=192.0.2.53 198.51.100.53\nDOMAINS=shop.example\n",
    )
    box.write(
        "/run/systemd/netif/leases/2",
        "ADDRESS=192.0.2.137\nNETMASK=255.255.255.0\nROUTER=192.0.2.1\nDNS=192.0.2.53\nLIFETIME=7200\n",
    )
    box.write("/etc/systemd/network/10-lan.network", "[Match]\nName=lan0\n[Network]\nDHCP=yes\nIPv6AcceptRA=no\n")
    found = box.read()
    link = found.links[0]
    assert found.managers == ("networkd",)
    assert link.owner.backend == "networkd"
    assert (link.method4, link.method6, link.nameservers) == ("dhcp", "off", ("192.0.2.53", "198.51.100.53"))
    assert link.lease is not None
    assert (link.lease.address, link.lease.seconds) == ("192.0.2.137/24", 7200)
    assert box.origins()["192.0.2.137/24"] == "dhcp"


def test_a_networkd_file_of_ours_is_set_at_the_console(box: Box) -> None:
    path = "/etc/systemd/network/05-onsite-lan0.network"
    box.write("/run/systemd/units/invocation:systemd-networkd.service", "")
    box.write("/run/systemd/netif/links/2", f"ADMIN_STATE=configured\nNETWORK_FILE={path}\n")
    box.write(
        path,
        f"[Match]\nPermanentMACAddress={MAC}\n[Network]\nDHCP=no\n"
        "[Address]\nAddress=192.0.2.137/24\n[Address]\nAddress=2001:db8::10/64\n",
    )
    link = box.read().links[0]
    assert (link.method4, link.method6, link.origin) == ("static", "static", "console")
    assert box.origins()["2001:db8::10/64"] == "console"


@pytest.mark.parametrize(
    "path",
    [
        "/run/onsite/leases/lan0.json", "/etc/onsite/links/00-00-5e-00-53-01.yaml", "/etc/os-release", "/etc/hostname",
        "/etc/resolv.conf", "/sys/class/dmi/id/product_name", "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "/run/systemd/netif/links/2", "/etc/systemd/network/05-onsite-lan0.network",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"[" * 5000, b'{"address": 5}', b"ipv4: 3\nx", b"= =\n=", None]
)
def test_a_file_that_is_something_else_is_left_out(box: Box, path: str, content: bytes | None) -> None:
    where = box.root / path.lstrip("/")
    where.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        where.mkdir()
    else:
        where.write_bytes(content)
    assert box.read().links[0].name == "lan0"


def test_a_kernel_that_refuses_leaves_the_links_out(tmp_path: Path) -> None:
    class Refusing(RecordedKernel):
        def links(self) -> tuple[Link, ...]:
            raise PermissionError(1, "no")

    assert facts.read(Host(tmp_path, Refusing(Facts()), "user")).links == ()


@pytest.mark.parametrize(
    ("files", "present", "ranges"),
    [
        ({}, False, ()),
        ({"/var/lib/rancher/k3s/server/token": ""}, True, ("10.42.0.0/16", "10.43.0.0/16")),
        (
            {
                "/var/lib/rancher/rke2/server/token": "",
                "/etc/rancher/rke2/config.yaml": "cluster-cidr: 10.99.0.0/16\n",
            },
            True,
            ("10.99.0.0/16",),
        ),
        (
            {
                "/etc/kubernetes/manifests/kube-apiserver.yaml": "    - --service-cluster-ip-range=10.96.0.0/12\n",
                "/etc/kubernetes/manifests/kube-controller-manager.yaml": "- --cluster-cidr=10.244.0.0/16,fd00::/48\n",
            },
            True,
            ("10.244.0.0/16", "fd00::/48", "10.96.0.0/12"),
        ),
        ({"/etc/kubernetes/kubelet.conf": "x"}, True, ()),
    ],
)
def test_a_cluster_is_found(box: Box, files: dict[str, str], present: bool, ranges: tuple[str, ...]) -> None:
    for path, text in files.items():
        box.write(path, text)
    host = Host(box.root, RecordedKernel(Facts()), "user")
    assert (cluster.present(host), cluster.ranges(host)) == (present, ranges)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("198.51.100.9 50022 192.0.2.137 22", "192.0.2.137"),
        ("2001:db8::9 50022 fe80::1%lan0 22", "fe80::1"),
        ("::ffff:198.51.100.9 50022 ::ffff:192.0.2.137 22", "192.0.2.137"),
        ("nonsense", ""),
    ],
)
def test_the_address_of_an_ssh_session(value: str, address: str) -> None:
    assert session.address({"SSH_CONNECTION": value}) == address


def test_secrets_are_blacked_out() -> None:
    text = "proxy_password: hunter2\n[Network]\nPrivateKey=abc=\n  token: 'x'\nname: lan0\n"
    masked = configured.masked(FileFact("/etc/x", "hash", text)).text or ""
    assert "hunter2" not in masked
    assert "abc=" not in masked
    assert "'x'" not in masked
    assert "name: lan0" in masked


scalars = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=12)
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(st.sampled_from("abc"), scalars, max_size=2))


@given(st.dictionaries(st.sampled_from(["mac", "name", "ipv4", "nameservers"]), values, max_size=4))
def test_the_cheap_reader_of_link_files_agrees_with_yaml(data: dict[str, object]) -> None:
    text = yaml.safe_dump(data, sort_keys=False)
    assert strings(linkfile.parse(text)) == strings(yaml.safe_load(text))


def strings(value: object) -> object:
    """Scalars as text, empty collections alike: what the screen shows of them."""
    if isinstance(value, dict):
        return {k: strings(v) for k, v in value.items()} or None
    if isinstance(value, list):
        return [strings(v) for v in value] or None
    return value if value is None else str(value)


@given(st.text(max_size=80))
def test_any_link_file_can_be_read(text: str) -> None:
    assert isinstance(linkfile.parse(text), dict)


def test_there_are_recordings() -> None:
    assert {path.stem for path in MACHINES} >= {"shop", "factory"}


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_a_recording_replays_to_itself(path: Path, tmp_path: Path) -> None:
    recorded = recording.load(path)
    replayed = facts.read(recording.host(recorded, tmp_path))
    own = {file.path: (file.text, file.mode, file.target) for file in replayed.files}
    name = {"/etc/hostname": (f"{recorded.hostname}\n", 0o644, "")}  # laid out for the name itself
    kept = [file for file in recorded.files if file.path != remembered.PATH]  # what was heard is no fact of the host
    assert own == name | {file.path: (file.text, file.mode, file.target) for file in kept}
    assert {**replayed.to_dict(), "files": ()} == {**recorded.to_dict(), "files": ()}


@pytest.mark.parametrize("path", ["/../../etc/passwd", "etc/passwd", "/etc/../../x"])
def test_a_recording_does_not_write_outside(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a path"):
        recording.host(Facts(files=(FileFact(path, "", "x"),)), tmp_path / "root")


def test_a_recording_does_not_write_through_a_link(tmp_path: Path) -> None:
    files = (FileFact("/etc/a", "", target=str(tmp_path)), FileFact("/etc/a/b", "", "x"))
    with pytest.raises(ValueError, match="leads out"):
        recording.host(Facts(files=files), tmp_path / "root")
    assert not (tmp_path / "b").exists()
