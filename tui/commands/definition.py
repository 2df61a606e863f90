"""`onsite definition`: begin, make, check and show cluster definitions."""

from __future__ import annotations

import argparse
from pathlib import Path

from tui.commands.bundle import guarded, handled, reading, written
from tui.models.change import Issue, Refused
from tui.services.content import building, importing
from tui.services.host import Host

EXAMPLE = """\
# A cluster definition. Change it, then: onsite definition build FOLDER --output NAME.tgz
name: shop
version: 1.0.0
description: What a shop runs
architecture: amd64
engine:                      # the bundle on the host has to bring exactly this
  name: kubeadm
  version: v1.20.2
needs_images: []             # beyond those of the engine, such as registry.example/shop/till:2.1
profiles:
- name: base
  uid: base-1
  type: infra                # cluster, infra, add-on, system
  version: 1.0.0
  packs:                     # applied in this order
  - name: greeting
    version: 1.0.0
    manifests: [packs/greeting.yaml]
  variables:                 # asked when a cluster is made
  - name: site
    displayName: Site
    description: Number of the shop, as on its papers.
    format: string           # string, number, bool, ipv4, ipv4cidr, ipv6, version, base64
    regex: ^[0-9]{4}$
    defaultValue: "0001"
    required: true
    immutable: true
"""
PACK = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: greeting
data:
  site: "{{.spectro.var.site}}"
"""


def main(host: Host, arguments: list[str]) -> int:
    """Exit code 0 done, 1 refused, 2 wrong usage, 3 another import is under way, 5 not permitted."""
    parser = argparse.ArgumentParser("onsite definition", description="Cluster definitions: packs and their variables.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("new", help="an example to begin with").add_argument("folder", type=Path)
    build = verbs.add_parser("build", help="make a definition of a folder with definition.yaml")
    build.add_argument("folder", type=Path)
    build.add_argument("--output", "-o", type=Path, required=True, metavar="FILE", help="such as NAME.tgz")
    build.add_argument("--key", type=Path, metavar="FILE", help="private key to sign with")
    check = verbs.add_parser("check", help="is a folder or an archive right? nothing is written")
    check.add_argument("path", type=Path)
    reading(verbs, "a definition")
    show = verbs.add_parser("show", help="what is in a definition: packs and variables")
    show.add_argument("file", type=Path)
    show.add_argument("--json", action="store_true")
    return guarded(lambda: _run(host, parser.parse_args(arguments)))


def _run(host: Host, given: argparse.Namespace) -> int:
    if given.verb == "new":
        return _new(given.folder)
    if given.verb == "build":
        manifest, paths = building.definition(given.folder)
        return written(manifest, paths, given.output, given.key)
    if given.verb == "check":
        return _check(host, given.path)
    if given.verb == "show":
        given.verb, given.signature = "inspect", None
    return handled(host, given)


def _new(folder: Path) -> int:
    try:
        (folder / "packs").mkdir(parents=True)
        (folder / building.DEFINITION).write_text(EXAMPLE)
        (folder / "packs" / "greeting.yaml").write_text(PACK)
    except OSError as error:
        text = f"{folder} cannot be made: {error.strerror}."
        raise Refused(Issue("B150", "error", "", text, "Name a folder that is not there yet.")) from error
    print(f"{folder}: an example; change it, then: onsite definition build {folder} --output {folder.name}.tgz")
    return 0


def _check(host: Host, path: Path) -> int:
    if path.is_dir():
        manifest, _ = building.definition(path)
    else:
        with importing.plain_file(path) as source:
            manifest = importing.verified(host, source).manifest
        building.check_expressions(manifest)
    count = sum(len(p.variables) for p in manifest.profiles)
    print(f"ok: {manifest.name} {manifest.version}, {len(manifest.profiles)} profiles, {count} variables")
    return 0
