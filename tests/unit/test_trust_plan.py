"""Authorities in a draft: the plan for every kind of host, the target after it, and the document they come in."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.certificates import NOW as DAY
from tests.certificates import YEAR, Issued, issued, server
from tui.models.change import Plan, Refused
from tui.models.facts import Facts, FileFact, Trust
from tui.models.host import HostConfig
from tui.models.trust import TrustConfig
from tui.services import document, facts, recording
from tui.services.change import planner, transaction
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.network.recorded import RecordedKernel
from tui.services.trust import part, reading
from tui.services.trust.target import TrustTarget

NOW = DAY.timestamp()
FOLDERS = {
    "debian": "/usr/local/share/ca-certificates",
    "redhat": "/etc/pki/ca-trust/source/anchors",
    "suse": "/etc/pki/trust/anchors",
}
ROOT = issued("Example Root CA")


def wish(*those: Issued) -> HostConfig:
    return HostConfig(trust=TrustConfig(authorities=tuple(x.pem.decode() for x in those)))


def host(tmp_path: Path, trust: Trust | None = None, files: Sequence[FileFact] = ()) -> Host:
    recorded = Facts(hostname="edge", trust=trust or Trust("debian"), files=tuple(files))
    return recording.host(recorded, tmp_path, FixedClock(NOW))


def planned(here: Host, config: HostConfig) -> Plan:
    return planner.plan(config, facts.read(here), {})


@pytest.mark.parametrize("family", FOLDERS)
async def test_kept_then_removed_in_every_family(family: str, tmp_path: Path) -> None:
    here = host(tmp_path, Trust(family))
    plan = planned(here, wish(ROOT))
    path = f"{FOLDERS[family]}/onsite-{ROOT.sha256[:8]}.crt"
    assert [(s.image.path, s.image.mode, s.reload, s.disruption) for s in plan.steps] == [
        (path, 0o644, "trust", "none")
    ]
    assert [(d.subject, d.label, d.before) for d in plan.differences] == [("CA", "Example Root CA", "not trusted")]
    assert plan.errors == ()
    await transaction.apply(here, plan, {}, who="a", line="b")
    assert ROOT.sha256 in reading.fingerprints(reading.bundle(here))
    await transaction.keep(here, {})
    assert planned(here, wish(ROOT)).empty
    assert [x.ours for x in reading.installed(facts.read(here), NOW)] == [True]

    back = planned(here, wish())
    assert [d.after for d in back.differences] == ["not trusted"]
    await transaction.apply(here, back, {}, who="a", line="b")
    await transaction.keep(here, {})
    assert reading.fingerprints(reading.bundle(here)) == set()
    assert not here.path(path).exists()


async def test_taken_back_leaves_nothing(tmp_path: Path) -> None:
    here = host(tmp_path)
    await transaction.apply(here, planned(here, wish(ROOT)), {}, who="a", line="b")
    outcome = await transaction.revert(here, {}, "of a test")
    assert outcome.verified
    assert reading.fingerprints(reading.bundle(here)) == set()
    assert reading.installed(facts.read(here), NOW) == ()


def test_authorities_of_others_stay(tmp_path: Path) -> None:
    other = FileFact("/usr/local/share/ca-certificates/company.crt", text=issued("Company").pem.decode())
    here = host(tmp_path, files=[other])
    assert planned(here, wish()).empty
    assert [(x.ours, x.path) for x in reading.installed(facts.read(here), NOW)] == [(False, other.path)]


def test_a_document_without_trust_touches_nothing(tmp_path: Path) -> None:
    file = FileFact(f"/usr/local/share/ca-certificates/onsite-{ROOT.sha256[:8]}.crt", text=ROOT.pem.decode())
    here = host(tmp_path, files=[file])
    assert planned(here, HostConfig()).empty
    assert not planned(here, wish()).empty


def test_registries_get_a_copy_and_daemons_are_named(tmp_path: Path) -> None:
    known = facts.read(host(tmp_path))
    folder = "/etc/containerd/certs.d/registry.example:5000"
    trust = Trust("debian", (folder,), (folder,), ("containerd", "kubelet"), NOW)
    found = part.part(wish(ROOT), replace(known, trust=trust))
    assert [s.image.path.rpartition("/")[0] for s in found.steps] == [FOLDERS["debian"], folder]
    assert {i.code for i in found.issues} == {"S155", "S154"}
    assert any("containerd, kubelet" in i.text for i in found.issues)


def test_registries_and_hosts_toml_are_found(tmp_path: Path) -> None:
    here = host(tmp_path)
    folder = here.path("/etc/containerd/certs.d/registry.example")
    folder.mkdir(parents=True)
    (folder / "hosts.toml").write_text("")
    here.path("/etc/containers/certs.d/other.example").mkdir(parents=True)
    trust = facts.read(here).trust
    assert trust.registries == (
        "/etc/containerd/certs.d/registry.example", "/etc/containers/certs.d/other.example",
    )  # fmt: skip
    assert trust.own_rules == ("/etc/containerd/certs.d/registry.example",)


PAST = issued("Past", begins=DAY - 3 * YEAR, ends=DAY - 2 * YEAR)


@pytest.mark.parametrize(("bad", "code"), [(server(ROOT), "S120"), (PAST, "S122")])
def test_what_may_not_be_an_authority_blocks_the_plan(bad: Issued, code: str, tmp_path: Path) -> None:
    plan = planned(host(tmp_path), wish(bad))
    assert [i.code for i in plan.errors] == [code]


def test_no_trust_store_is_an_error_only_where_one_is_needed(tmp_path: Path) -> None:
    here = host(tmp_path, Trust())
    assert [i.code for i in planned(here, wish(ROOT)).errors] == ["S150"]
    assert planned(here, wish()).errors == ()


@pytest.mark.parametrize(
    "text",
    [ROOT.key_pem.decode(), ROOT.pem.decode() + ROOT.key_pem.decode(), "x", ""],
    ids=["key", "certificate and key", "no PEM", "empty"],
)
def test_the_document_takes_one_certificate_an_entry(text: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TrustConfig(authorities=(text,))
    assert "MII" not in str(raised.value)
    assert "MIG" not in str(raised.value)


def test_the_document_comes_back_as_it_was() -> None:
    config = wish(ROOT)
    again = document.parse(document.text(config).encode())
    assert again.trust == config.trust


def test_a_private_key_in_a_document_is_refused_without_its_text(tmp_path: Path) -> None:
    lines = "".join(f"    {x}\n" for x in (ROOT.pem + ROOT.key_pem).decode().splitlines())
    with pytest.raises(Refused) as raised:
        document.parse(f"version: 1\ntrust:\n  authorities:\n  - |\n{lines}".encode())
    said = str([(i.code, i.text, i.remedy) for i in raised.value.issues])
    assert "S111" in said
    assert ROOT.key_pem.decode().splitlines()[1][:20] not in said


@pytest.mark.skipif(shutil.which("update-ca-certificates") is None, reason="needs ca-certificates (see .ci/packages)")
async def test_the_real_command_of_debian_at_another_root(tmp_path: Path) -> None:
    """A practice host: the distribution's own command, pointed at a sandbox, which leaves this machine alone."""
    for folder in ("etc/ssl/certs", "usr/share/ca-certificates", "usr/local/share/ca-certificates"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/ca-certificates.conf").write_text("")
    here = Host(tmp_path, RecordedKernel(Facts()), "user", FixedClock(NOW))
    path = f"/usr/local/share/ca-certificates/onsite-{ROOT.sha256[:8]}.crt"
    here.path(path).write_bytes(ROOT.pem)
    assert [i.code for i in await TrustTarget().problems(here, [path])] == ["S152"]
    await TrustTarget().reload(here, [path])
    assert await TrustTarget().problems(here, [path]) == ()
    links = [x for x in (tmp_path / "etc/ssl/certs").iterdir() if x.is_symlink()]
    assert len(links) == 2, "by name and by hash"
    here.path(path).unlink()
    assert [i.code for i in await TrustTarget().problems(here, [path])] == ["S153"]
    await TrustTarget().reload(here, [path])
    assert await TrustTarget().problems(here, [path]) == ()
    assert list((tmp_path / "etc/ssl/certs").iterdir()) == []
