"""What a cluster is made from, out of the content of this host: the definition, its packs, the engine's payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from agent.engines.engine import Manifest as PackManifest
from agent.engines.payload import Image, Inventory, Part, Payload
from tui.models.change import Issue, Refused
from tui.models.content import Manifest
from tui.services.content import store, variables
from tui.services.host import Host

_LARGEST = 4 << 20
_OPTIONS = ("kubelet", "kube_proxy", "ignore_preflight")
_SETTINGS = ("pod_range", "service_range", "dns_domain", "pod_network")
ENGINE_PACK = "engine"
"""The pack whose values are about the engine itself: ranges, pod network, and what is handed to it as it is."""


@dataclass(frozen=True, slots=True)
class Definition:
    digest: str
    manifest: Manifest
    texts: Mapping[str, str]
    """Every file of its packs, by its path."""

    @property
    def variables(self) -> list[dict[str, Any]]:
        return [
            {**v.model_dump(), "profileUid": profile.uid}
            for profile in self.manifest.profiles
            for v in profile.variables
        ]

    @property
    def sensitive(self) -> tuple[str, ...]:
        """Names of variables whose values are not told."""
        return tuple(v["name"] for v in self.variables if v["isSensitive"])

    def settings(self) -> dict[str, Any]:
        """What the engine's pack sets of a `Spec`.

        Raises:
            Refused: K231, its values are no YAML, or name something else.
        """
        found: dict[str, Any] = {}
        for pack in (
            p for profile in self.manifest.profiles for p in profile.packs if p.name == ENGINE_PACK and p.values
        ):
            try:
                values = yaml.safe_load(self.texts[pack.values]) or {}
            except yaml.YAMLError as error:
                raise Refused(_odd("its values are not YAML")) from error
            if not isinstance(values, dict) or set(values) - {*_OPTIONS, *_SETTINGS}:
                raise Refused(_odd(f"its values may be {', '.join((*_SETTINGS, *_OPTIONS))}"))
            found |= {k: v for k, v in values.items() if k in _SETTINGS}
            found["options"] = {k: v for k, v in values.items() if k in _OPTIONS}
        return found

    def packs(self, values: Mapping[str, str]) -> tuple[PackManifest, ...]:
        """The manifests in their order, `{{.spectro.var.NAME}}` replaced by the values of the variables."""
        given = variables.filled(self.variables, values)
        return tuple(
            PackManifest(name=f"{pack.name}/{path.rpartition('/')[2]}", text=replaced(self.texts[path], given))
            for profile in self.manifest.profiles
            for pack in profile.packs
            for path in pack.manifests
        )


def replaced(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        for mark in (f"{{{{.spectro.var.{name}}}}}", f"{{{{ .spectro.var.{name} }}}}"):
            text = text.replace(mark, value)
    return text


def definition(host: Host, archive: str) -> Definition:
    """The definition that `archiveUploadPath` names.

    Raises:
        Refused: it is not here (B124), was altered (B151), or is a bundle (K231).
    """
    item = store.item(host, archive.rstrip("/").rpartition("/")[2])
    manifest = store.manifest(host, item.digest)
    if manifest.kind != "definition" or manifest.engine is None:
        text = f"{item.name} is no cluster definition that names an engine."
        raise Refused(Issue("K231", "error", "spec.archiveUploadPath", text, "Choose a cluster definition."))
    top = store.verified(host, item.digest)
    paths = {f for profile in manifest.profiles for pack in profile.packs for f in pack.files}
    texts = {}
    for path in paths:
        data = (top / path).read_bytes()
        if len(data) > _LARGEST:
            raise Refused(_odd(f"{path} is larger than 4 MiB"))
        texts[path] = data.decode("utf-8", "replace")
    return Definition(item.digest, manifest, texts)


def payload(host: Host, engine: str, version: str) -> Payload:
    """The payload of an engine, out of the bundle that was imported last.

    Raises:
        Refused: no bundle has it (K115).
    """
    for item in store.items(host):
        if item.kind == "bundle" and (item.engine, item.engine_version) == (engine, version):
            return Payload(store.tree(host, item.digest), inventory(store.manifest(host, item.digest)))
    text = f"There is no content with {engine} {version} on this host."
    raise Refused(Issue("K115", "error", "content", text, "Import the bundle that the definition asks for."))


def inventory(manifest: Manifest) -> Inventory:
    engine = manifest.engine
    return Inventory(
        engine=engine.name if engine else "",
        version=engine.version if engine else "",
        architecture=manifest.architecture or "",
        files=tuple(Part(path=m.path, sha256=m.sha256, size=m.size) for m in manifest.members),
        images=tuple(Image(ref=i.ref, archive=i.archive) for i in manifest.images),
        image_repository=engine.image_repository if engine else "",
        sandbox_image=engine.sandbox_image if engine else "",
    )


def _odd(why: str) -> Issue:
    text = f"The pack {ENGINE_PACK} of the definition cannot be used: {why}."
    return Issue("K231", "error", "spec.archiveUploadPath", text, "Mend the definition and import it again.")
