"""`onsite bundle`: make, look into, verify and import bundles; what is on this host."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tui.models.change import Refused
from tui.models.content import Item, Manifest, Origin, Progress
from tui.services.content import building, importing, store
from tui.services.host import Host

OK, FAILED, BUSY, DENIED = 0, 1, 3, 5


def main(host: Host, arguments: list[str]) -> int:
    """Exit code 0 done, 1 refused, 2 wrong usage, 3 another import is under way, 5 not permitted."""
    parser = argparse.ArgumentParser("onsite bundle", description="Bundles: what an engine needs, in one archive.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build", help="make a bundle of a folder")
    build.add_argument("folder", type=Path)
    build.add_argument("--output", "-o", type=Path, required=True, metavar="FILE", help="such as NAME.tar.zst")
    build.add_argument("--name", default="", help="(default: engine and version)")
    build.add_argument("--version", default="1.0.0", help="of the bundle itself")
    build.add_argument("--description", default="")
    build.add_argument("--definition", type=Path, metavar="FILE", help="a cluster definition to put into it")
    build.add_argument("--key", type=Path, metavar="FILE", help="private key to sign with")
    reading(verbs, "a bundle")
    verbs.add_parser("list", help="what is on this host").add_argument("--json", action="store_true")
    verbs.add_parser("delete", help="take one away").add_argument("digest", help="its digest or NAME:VERSION")
    given = parser.parse_args(arguments)
    return guarded(lambda: _run(host, given))


def reading(verbs: argparse._SubParsersAction[argparse.ArgumentParser], what: str) -> None:
    """The verbs that bundles and definitions share."""
    for verb, words in {
        "inspect": f"what is in {what}; nothing is written",
        "verify": f"read {what} to its end, every part against its SHA-256, or again what is on this host",
        "import": f"take {what} to this host; one that was interrupted goes on",
    }.items():
        one = verbs.add_parser(verb, help=words)
        one.add_argument("file", type=Path, help="an archive" + (", or NAME:VERSION on this host" * (verb == "verify")))
        one.add_argument("--signature", type=Path, metavar="FILE", help="a signature that came beside it")
        one.add_argument("--json", action="store_true")
        if verb == "import":
            one.add_argument("--embedded", action="store_true", help="as what the installer ships (for installers)")


def guarded(run: Callable[[], int]) -> int:
    """What is refused is two lines on standard error."""
    try:
        return run()
    except Refused as why:
        for issue in why.issues:
            print(f"{issue.code} {issue.text}\n  -> {issue.remedy}", file=sys.stderr)
        return BUSY if why.issues[0].code == "B125" else FAILED


def _run(host: Host, given: argparse.Namespace) -> int:
    if given.verb == "build":
        manifest, paths = building.bundle(
            given.folder, name=given.name, version=given.version, description=given.description,
            definition=given.definition,
        )  # fmt: skip
        return written(manifest, paths, given.output, given.key)
    return handled(host, given)


def written(manifest: Manifest, paths: dict[str, Path], output: Path, key: Path | None) -> int:
    digest = building.write(manifest, paths, output, key=key, told=_teller())
    size = store.size_words(output.stat().st_size)
    print(f"{output}: {manifest.name} {manifest.version}, {len(manifest.members)} parts, {size}")
    print(f"digest {digest}{'' if key else ' (not signed)'}")
    return OK


def handled(host: Host, given: argparse.Namespace) -> int:
    """inspect, verify, import, list and delete."""
    if given.verb in ("import", "delete") and host.kind == "real" and os.geteuid():
        print("Only root may change what is on this host.", file=sys.stderr)
        return DENIED
    if given.verb == "list":
        found = store.items(host)
        for path in () if given.json else store.partials(host):
            print(f"{path.name[:12]}  interrupted: import the same archive again, or delete it")
        print(
            json.dumps([i.to_dict() for i in found], indent=1) if given.json else "\n".join(map(line, found)) or "none"
        )
        return OK
    if given.verb == "delete":
        return _delete(host, given.digest)
    if given.verb == "verify" and not given.file.exists() and _known(host, str(given.file)):
        item = store.item(host, str(given.file))
        store.verified(host, item.digest)
        print(f"good: {line(item)}")
        return OK
    with importing.plain_file(given.file) as source:
        beside = _signature(given.signature)
        if given.verb == "import":
            origin: Origin = "embedded" if given.embedded else "imported"
            item = importing.imported(host, source, name=given.file.name, beside=beside, origin=origin, told=_teller())
            print(json.dumps(item.to_dict(), indent=1) if given.json else f"imported: {line(item)}")
            return OK
        if given.verb == "inspect":
            head = importing.looked(host, source, beside=beside, check=False)
        else:
            head = importing.verified(host, source, beside=beside, told=_teller())
    if given.json:
        data = head.manifest.model_dump(mode="json") | {"digest": head.digest, "signature": head.trust}
        print(json.dumps(data, indent=1))
    else:
        print("\n".join(described(head)))
    return OK


def _known(host: Host, name: str) -> bool:
    return any(name in (i.name, f"{i.name}:{i.version}") or i.digest.startswith(name) for i in store.items(host))


def _delete(host: Host, digest: str) -> int:
    """One that is on this host, or what an interrupted import has brought."""
    halves = [p.name for p in store.partials(host) if len(digest) >= 8 and p.name.startswith(digest)]
    if halves:
        store.abandon(host, halves[0])
        print(f"given up: {halves[0][:12]}")
    else:
        print(f"deleted: {line(store.delete(host, store.item(host, digest).digest))}")
    return OK


def described(head: importing.Head) -> list[str]:
    """A manifest for a person."""
    manifest = head.manifest
    lines = [f"{manifest.kind} {manifest.name} {manifest.version}  {manifest.description}".rstrip()]
    lines.append(f"digest     {head.digest}")
    signed = head.trust if head.trust != "not checked" else "signed, not checked against a key of this host"
    lines.append(f"signature  {signed}")
    if manifest.engine:
        lines.append(
            f"engine     {manifest.engine.name} {manifest.engine.version}  {manifest.architecture or ''}".rstrip()
        )
    lines.append(f"parts      {len(manifest.members)}, {store.size_words(manifest.size)}")
    lines += [f"image      {image.ref}" for image in manifest.images]
    lines += [f"without    {ref}" for ref in manifest.images_not_provided]
    lines += [f"needs      {ref}" for ref in manifest.needs_images]
    for profile in manifest.profiles:
        lines.append(f"profile    {profile.name} {profile.version} ({profile.type})")
        lines += [f"  pack     {pack.name} {pack.version}: {', '.join(pack.manifests)}" for pack in profile.packs]
        for v in profile.variables:
            notes = [v.format, *(w for w in ("required", "hidden", "immutable") if getattr(v, w))]
            notes += ["sensitive"] if v.isSensitive else [f"default {v.defaultValue}"] if v.defaultValue else []
            lines.append(f"  value    {v.name}: {', '.join(notes)}")
    return lines


def line(item: Item) -> str:
    """One that is on this host, in a line."""
    engine = f"  {item.engine} {item.engine_version}" if item.engine else ""
    day = time.strftime("%Y-%m-%d", time.gmtime(item.imported))
    size = store.size_words(item.size)
    return f"{item.digest[:12]}  {item.kind:<10}  {item.name} {item.version}  {size}{engine}  {item.signature}  {day}"


def _signature(path: Path | None) -> bytes:
    if path is None:
        return b""
    with importing.plain_file(path) as fd:
        return os.pread(fd, importing.LARGEST_SIGNATURE, 0)


def _teller() -> Callable[[Progress], None] | None:
    """A line of progress, on a terminal alone."""
    if not sys.stderr.isatty():
        return None

    def told(progress: Progress) -> None:
        share = 100 * progress.done // max(1, progress.total)
        print(f"\r{share:3} %  {progress.part[:60]:<60}", end="\r", file=sys.stderr, flush=True)

    return told
