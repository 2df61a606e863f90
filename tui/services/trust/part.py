"""What the authorities of a draft add to a plan: files for the trust store and for registries, and every doubt."""

from __future__ import annotations

from collections.abc import Iterator

from tui.models.certificate import Certificate, groups
from tui.models.change import Difference, FileImage, Issue, Step
from tui.models.facts import Facts
from tui.models.host import HostConfig
from tui.services.change.target import Part
from tui.services.trust import stores
from tui.services.trust.reading import judge
from tui.services.trust.stores import Store

TARGET = "trust"


def part(config: HostConfig, facts: Facts) -> Part:
    """Steps that make the trust store say what the draft says; files of others are not touched."""
    if config.trust is None:
        return Part()
    store = stores.by_family(facts.trust.store)
    if store is None:
        if not config.trust.authorities:
            return Part()
        text = "This host has no trust store that Onsite knows (Debian, Red Hat, SUSE)."
        remedy = "Install the package ca-certificates, or discard the certificates."
        return Part(issues=(Issue("S150", "error", "trust", text, remedy),))
    wanted: dict[str, Certificate] = {}
    issues: list[Issue] = []
    for pem in config.trust.authorities:
        found = judge(pem.encode(), facts.trust.time)
        for certificate in found.certificates:
            wanted[stores.ours(store, certificate.sha256)] = certificate
        new = [c for c in found.certificates if facts.file(stores.ours(store, c.sha256)).sha256 != _image(c, "").sha256]
        if new or not found.certificates:
            issues += [i.at(f"trust.{i.field}" if i.field else "trust") for i in found.issues]
    steps = tuple(_steps(store, wanted, facts))
    if steps:
        issues += _afterwards(facts)
    return Part(steps, tuple(_differences(store, wanted, facts)), (), (), tuple(issues))


def _image(certificate: Certificate, path: str) -> FileImage:
    return FileImage(path, certificate.pem.encode(), 0o644)


def _steps(store: Store, wanted: dict[str, Certificate], facts: Facts) -> Iterator[Step]:
    """Write what is wanted and missing, take out what is ours and no longer wanted: in the store and at registries."""
    names = {path.rpartition("/")[2]: c for path, c in wanted.items()}
    for folder in (store.folder, *facts.trust.registries):
        for name, certificate in names.items():
            path = f"{folder}/{name}"
            before, after = facts.file(path), _image(certificate, path)
            if before.sha256 != after.sha256:
                yield Step(after, before.sha256, reload=TARGET, disruption="none")
        for file in facts.files:
            inside, _, name = file.path.rpartition("/")
            if inside == folder and stores.is_ours(file.path) and name not in names:
                yield Step(FileImage(file.path), file.sha256, reload=TARGET, disruption="none")


def _differences(store: Store, wanted: dict[str, Certificate], facts: Facts) -> Iterator[Difference]:
    for path, certificate in wanted.items():
        if not facts.file(path).sha256:
            yield Difference("CA", certificate.subject, "not trusted", f"trusted, SHA-256 {_start(certificate.sha256)}")
        elif facts.file(path).sha256 != _image(certificate, path).sha256:
            yield Difference("CA", certificate.subject, "another file", "written anew")
    for file in facts.files:
        if file.path.startswith(store.folder + "/") and stores.is_ours(file.path) and file.path not in wanted:
            said = judge((file.text or "").encode(), facts.trust.time).certificates
            name = said[0].subject if said else file.path.rpartition("/")[2]
            yield Difference("CA", name, "trusted", "not trusted")


def _start(sha256: str) -> str:
    return f"{' '.join(groups(sha256)[:2])}.."


def _afterwards(facts: Facts) -> Iterator[Issue]:
    """What nobody but the operator can decide: restarting what runs, editing what others wrote."""
    if facts.trust.daemons:
        text = f"Running services read authorities when they start: {', '.join(facts.trust.daemons)}."
        yield Issue("S155", "note", "trust", text, "They use the change after their next restart.")
    for folder in facts.trust.own_rules:
        text = f"{folder}/hosts.toml decides there; containerd then takes no other file of that folder."
        yield Issue("S154", "warning", "trust", text, 'Add to it: ca = "the file of the certificate", or leave it.')
