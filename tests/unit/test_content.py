"""Bundles and definitions: made, imported, paused, gone on with, signed, deleted, and what a definition lacks."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from agent import content as agent_content
from agent import uploads
from tests import archives
from tui.commands import bundle as command
from tui.commands import definition as definition_command
from tui.models import content_api
from tui.models.change import Refused
from tui.models.content import Item, Manifest, Progress, missing
from tui.models.contract.base import Operation, Wire
from tui.services.content import building, importing, signing, store
from tui.services.content.stream import in_process
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "root", NetlinkKernel(), "user")


def imported(host: Host, path: Path, **more: object) -> Item:
    with importing.plain_file(path) as source:
        return importing.imported(host, source, name=path.name, opener=in_process, **more)  # type: ignore[arg-type]


def laid(tmp_path: Path, data: bytes, name: str = "x.tar.zst") -> Path:
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def payload(folder: Path, **changes: object) -> Path:
    """A small folder like that of an engine's payload."""
    for path, data in archives.PARTS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "bin/engine").chmod(0o755)
    head = archives.manifest()
    inventory = {
        "format": 1, "engine": "kubeadm", "version": "v1.20.2", "architecture": "amd64", "images": head["images"],
        "files": head["members"], "images_not_provided": ["registry.example/coredns:1.7.0"],
    }  # fmt: skip
    (folder / "payload.json").write_text(json.dumps({**inventory, **changes}))
    return folder


# --- making --------------------------------------------------------------------------------------------------------


def test_a_bundle_of_a_payload_comes_out_as_it_went_in(host: Host, tmp_path: Path) -> None:
    folder, out = payload(tmp_path / "payload"), tmp_path / "k.tar.zst"
    assert command.main(host, ["build", str(folder), "-o", str(out)]) == 0
    item = imported(host, out)
    assert (item.name, item.engine, item.engine_version, item.architecture) == (
        "kubeadm-v1.20.2", "kubeadm", "v1.20.2", "amd64",
    )  # fmt: skip
    top = store.verified(host, item.digest)
    assert {str(p.relative_to(top)): p.read_bytes() for p in top.rglob("*") if p.is_file()} == {
        **archives.PARTS, "payload.json": (folder / "payload.json").read_bytes(),
    }  # fmt: skip
    assert os.access(top / "bin/engine", os.X_OK)
    assert (top / "packs/a.yaml").stat().st_mode & 0o777 == 0o444
    assert store.manifest(host, item.digest).images_not_provided == ("registry.example/coredns:1.7.0",)


def test_the_same_content_gives_the_same_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1769860800")
    for name in ("one", "two"):
        manifest, paths = building.bundle(payload(tmp_path / "payload"))
        building.write(manifest, paths, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.skipif(shutil.which("zstd") is None, reason="the program zstd is not installed")
def test_tar_reads_what_we_write(tmp_path: Path) -> None:
    import subprocess

    manifest, paths = building.bundle(payload(tmp_path / "payload"))
    building.write(manifest, paths, tmp_path / "k.tar.zst")
    listed = subprocess.check_output(["tar", "-I", "zstd", "-tf", tmp_path / "k.tar.zst"], text=True).split()
    assert listed == ["manifest.json", *(m.path for m in manifest.members)]


def test_a_payload_that_is_not_its_inventory_gives_no_bundle(tmp_path: Path) -> None:
    folder = payload(tmp_path / "payload")
    (folder / "bin/engine").write_bytes(b"other")
    with pytest.raises(Refused, match=r"B150: .*bin/engine is not what payload.json says"):
        building.bundle(folder)


def test_the_example_is_a_good_definition(host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "shop", tmp_path / "shop.tgz"
    assert definition_command.main(host, ["new", str(folder)]) == 0
    assert definition_command.main(host, ["check", str(folder)]) == 0
    assert definition_command.main(host, ["build", str(folder), "-o", str(out)]) == 0
    assert definition_command.main(host, ["check", str(out)]) == 0
    assert definition_command.main(host, ["show", str(out)]) == 0
    assert "value    site: string, required, immutable, default 0001" in capsys.readouterr().out
    item = imported(host, out)
    assert (item.kind, item.name) == ("definition", "shop")
    assert (store.tree(host, item.digest) / "packs/greeting.yaml").is_file()


def test_an_expression_without_an_end_is_no_good_definition(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    (folder / "packs").mkdir(parents=True)
    text = definition_command.EXAMPLE.replace("^[0-9]{4}$", "^(0+)+x$").replace('"0001"', f'"{"0" * 60}"')
    (folder / "definition.yaml").write_text(text)
    (folder / "packs/greeting.yaml").write_text(definition_command.PACK)
    with pytest.raises(Refused, match=r"B143: .*takes too long"):
        building.definition(folder)


# --- importing -----------------------------------------------------------------------------------------------------


def test_the_commands_say_what_they_did(host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = laid(tmp_path, archives.good())
    assert command.main(host, ["verify", str(good)]) == 0
    assert command.main(host, ["import", str(good), "--json"]) == 0
    capsys.readouterr()
    assert command.main(host, ["list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["signature"], listed["file_name"]) == ("till", "unsigned", "x.tar.zst")
    assert command.main(host, ["verify", "till:1.0.0"]) == 0
    assert command.main(host, ["delete", "till:1.0.0"]) == 0
    assert command.main(host, ["delete", "till:1.0.0"]) == 1
    assert capsys.readouterr().err.startswith("B124 ")
    assert not list((store.folder(host) / "blobs").iterdir())


def test_what_two_bundles_share_lies_there_once_and_stays_with_the_other(host: Host, tmp_path: Path) -> None:
    first = imported(host, laid(tmp_path, archives.good()))
    parts = {**archives.PARTS, "packs/a.yaml": b"kind: Other\n"}
    second = imported(
        host, laid(tmp_path, archives.packed(archives.plain(parts, archives.manifest(parts, version="2"))))
    )
    blobs = store.folder(host) / "blobs"
    assert len(list(blobs.iterdir())) == 4
    store.delete(host, first.digest)
    assert len(list(blobs.iterdir())) == 3
    store.verified(host, second.digest)


def test_a_pause_keeps_what_was_written(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "SYNC_EVERY", 1 << 20)
    monkeypatch.setattr(importing, "TELL_EVERY", 0.0)
    noise = os.urandom(8 << 20)
    parts = {"a": noise[: 3 << 20], "b": noise}
    archive = laid(tmp_path, archives.packed(archives.plain(parts)))
    stop = threading.Event()
    with pytest.raises(Refused, match="B126"):
        imported(host, archive, stop=stop, told=lambda p: stop.set() if p.done > 5 << 20 else None)
    (partial,) = store.partials(host)
    offset = json.loads((partial / "state.json").read_text())["offset"]
    assert offset > 1 << 20
    assert store.items(host) == ()
    heard: list[Progress] = []
    item = imported(host, archive, told=heard.append)
    assert heard[0].done > offset
    store.verified(host, item.digest)
    assert not list(store.partials(host))


def test_what_an_interrupted_import_brought_can_be_given_up(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importing, "TELL_EVERY", 0.0)
    archive = laid(tmp_path, archives.packed(archives.plain({"a": os.urandom(2 << 20), "b": os.urandom(4 << 20)})))
    stop = threading.Event()
    with pytest.raises(Refused, match="B126"):
        imported(host, archive, stop=stop, told=lambda p: stop.set() if p.done > 3 << 20 else None)
    assert list((store.folder(host) / "blobs").iterdir())
    assert command.main(host, ["list"]) == 0
    shown = capsys.readouterr().out.split()[0]
    assert command.main(host, ["delete", shown]) == 0
    assert not list((store.folder(host) / "blobs").iterdir())
    assert not list(store.partials(host))


def test_a_part_that_a_power_cut_tore_is_written_anew(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SYNC_EVERY", 1 << 20)
    monkeypatch.setattr(importing, "TELL_EVERY", 0.0)
    archive = laid(tmp_path, archives.packed(archives.plain({"a": os.urandom(8 << 20)})))
    stop = threading.Event()
    with pytest.raises(Refused, match="B126"):
        imported(host, archive, stop=stop, told=lambda p: stop.set() if p.done > 5 << 20 else None)
    (partial,) = store.partials(host)
    with (partial / "part").open("r+b") as file:
        file.write(bytes(4096))  # as a file system does that lost the data
    item = imported(host, archive)
    store.verified(host, item.digest)


def test_no_room_is_said_before_anything_is_written(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "room", lambda _host: (store.MARGIN + 100, 1 << 40))
    with pytest.raises(Refused, match=r"B120: It needs .* too few"):
        imported(host, laid(tmp_path, archives.good()))
    assert not list((store.folder(host) / "blobs").iterdir())


def test_only_one_import_at_a_time(host: Host, tmp_path: Path) -> None:
    with store.locked(host), pytest.raises(Refused, match="B125"):
        imported(host, laid(tmp_path, archives.good()))


def test_a_part_that_was_changed_on_the_host_is_found(host: Host, tmp_path: Path) -> None:
    item = imported(host, laid(tmp_path, archives.good()))
    path = store.tree(host, item.digest) / "bin/engine"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(Refused, match=r"B151: bin/engine"):
        store.verified(host, item.digest)


def test_a_definition_within_a_bundle_comes_with_it(host: Host, tmp_path: Path) -> None:
    inner = archives.definition()
    parts = {**archives.PARTS, "definition.tgz": inner}
    head = archives.manifest(parts)
    head["members"][-1]["kind"] = "definition"
    imported(host, laid(tmp_path, archives.packed(archives.plain(parts, head))))
    assert {(i.kind, i.name, i.origin) for i in store.items(host)} == {
        ("bundle", "till", "imported"), ("definition", "shop", "bundle"),
    }  # fmt: skip


def test_what_a_definition_lacks_is_named(host: Host, tmp_path: Path) -> None:
    shop = imported(host, laid(tmp_path, archives.definition()))
    lacks = missing(shop, store.items(host), "amd64")
    assert lacks.engine == "kubeadm v1.20.2 for amd64"
    assert lacks.images == (archives.REF,)
    imported(host, laid(tmp_path, archives.good()))
    assert missing(shop, store.items(host), "amd64").nothing
    assert missing(shop, store.items(host), "arm64").engine == "kubeadm v1.20.2 for arm64"


# --- signatures ----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["rsa", "ed25519"])
def key(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, bytes]:
    """A private key in a file, and its public key in PEM."""
    made = rsa.generate_private_key(65537, 2048) if request.param == "rsa" else ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "key.pem"
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.private_bytes(*private))
    public = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return path, made.public_key().public_bytes(*public)


def trusting(host: Host, pem: bytes) -> None:
    path = host.path(signing.KEY)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pem)


def test_a_host_with_a_key_takes_what_is_signed_with_it_alone(
    host: Host, key: tuple[Path, bytes], tmp_path: Path
) -> None:
    private, public = key
    trusting(host, public)
    manifest, paths = building.bundle(payload(tmp_path / "payload"))
    building.write(manifest, paths, tmp_path / "unsigned.tar.zst")
    with pytest.raises(Refused, match="B110"):
        imported(host, tmp_path / "unsigned.tar.zst")
    building.write(manifest, paths, tmp_path / "signed.tar.zst", key=private)
    with importing.plain_file(tmp_path / "signed.tar.zst") as source:
        head = importing.looked(host, source, opener=in_process)
    beside = signing.raw(head.signature)
    other = manifest.model_copy(update={"description": "altered"})
    building.write(other, paths, tmp_path / "altered.tar.zst")
    for signature in (beside, beside[:-1] + b"\0", b"x"):
        with pytest.raises(Refused, match="B111"):
            imported(host, tmp_path / "altered.tar.zst", beside=signature)
    assert store.items(host) == ()
    assert imported(host, tmp_path / "signed.tar.zst").signature == "verified"
    again = Host(tmp_path / "again", NetlinkKernel(), "user")
    trusting(again, public)
    assert imported(again, tmp_path / "unsigned.tar.zst", beside=beside).signature == "verified"


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_with_a_key_that_cannot_be_used_nothing_is_taken(host: Host, pem: bytes, tmp_path: Path) -> None:
    trusting(host, pem)
    with pytest.raises(Refused, match="B112"):
        imported(host, laid(tmp_path, archives.good()))


def test_a_key_that_is_none_does_not_sign(host: Host, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="B113"):
        signing.signature(b"x", laid(tmp_path, b"no key", "key.pem"))


# --- the real payload ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.environ.get("ONSITE_ENGINE_PAYLOAD"), reason="ONSITE_ENGINE_PAYLOAD names no folder")
def test_the_real_payload_becomes_a_bundle_and_is_whole_again(host: Host, tmp_path: Path) -> None:
    folder = Path(os.environ["ONSITE_ENGINE_PAYLOAD"])
    manifest, paths = building.bundle(folder)
    building.write(manifest, paths, tmp_path / "real.tar.zst")
    item = imported(host, tmp_path / "real.tar.zst")
    top = store.verified(host, item.digest)
    assert json.loads((top / "payload.json").read_text())["engine"] == item.engine


def test_the_schema_is_that_of_the_model() -> None:
    path = Path(__file__).resolve().parents[2] / "assets/content-manifest.schema.json"
    stored = json.loads(path.read_text())
    del stored["$schema"], stored["$comment"]
    assert stored == Manifest.model_json_schema()


def test_our_operations_are_described() -> None:
    """Every model and operation of ours beside its description, field by field."""
    described = yaml.safe_load((Path(__file__).resolve().parents[2] / "assets/onsite-content-api.yaml").read_text())
    for name in ("Content", "Entry", "Import", "Offers", "Sticks", "Where"):
        model: type[Wire] = getattr(content_api, name)
        fields = {field.alias or key for key, field in model.model_fields.items()}
        assert set(described["components"]["schemas"][name]["properties"]) == fields, name
    ours = [v for v in vars(content_api).values() if isinstance(v, Operation) and "/jobs/" not in v.path]
    for operation in ours:
        answer = described["paths"][operation.path][operation.method.lower()]
        assert answer["operationId"] == operation.id
        assert str(operation.good) in answer["responses"]
    routes = {(m, r.path) for r in (*agent_content.ROUTES, *uploads.ROUTES) for m in r.methods or ()}
    assert {(m.upper(), p) for p, ms in described["paths"].items() for m in ms if m != "parameters"} == {
        (m, p) for m, p in routes if p.startswith("/v1/onsite") and m != "HEAD"
    }
