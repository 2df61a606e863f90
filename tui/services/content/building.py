"""Making archives: a bundle from a folder with an engine's payload, a cluster definition from a folder with its YAML.

The same content and the same time give the same archive, byte for byte. A bundle is cut into zstd frames of 32 MiB, so
that an import that was interrupted goes on in the middle.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from tui.models.change import Refused
from tui.models.content import MANIFEST, SIGNATURE, Manifest, Progress, shown
from tui.services.change.files import sync_folder
from tui.services.content import signing, tar
from tui.services.content.importing import parsed, plain_file
from tui.services.content.store import digest_of
from tui.services.content.stream import refused
from tui.services.content.variables import expressions

FRAME = 32 << 20
INVENTORY, DEFINITION = "payload.json", "definition.yaml"
_KINDS = {"bin": "binary", "images": "image", "manifests": "manifest", "packs": "manifest", "workload": "manifest"}
_LARGEST_TEXT = 1 << 20
Told = Callable[[Progress], None]


def bundle(
    folder: Path, *, name: str = "", version: str = "1.0.0", description: str = "", definition: Path | None = None
) -> tuple[Manifest, dict[str, Path]]:
    """The manifest of a bundle of everything in a folder, and where each part lies.

    The folder may have an inventory (payload.json: engine, version, architecture, files with SHA-256, images); then
    exactly its files are taken, and each has to be what it says. Without one every file is taken; image archives are
    asked for the names of their images.

    Raises:
        Refused: B150.
    """
    inventory = _inventory(folder)
    stated = {str(f["path"]): f for f in inventory.get("files", [])}
    paths = {p: folder / p for p in (stated or _found(folder))}
    if inventory:
        paths[INVENTORY] = folder / INVENTORY
    if definition is not None:
        paths["definition.tgz"] = definition
    members = [_member(path, where, stated.get(path)) for path, where in sorted(paths.items())]
    engine = {
        "name": inventory.get("engine", ""), "version": inventory.get("version", ""),
        "image_repository": inventory.get("image_repository", ""), "sandbox_image": inventory.get("sandbox_image", ""),
    }  # fmt: skip
    images = [{"ref": i["ref"], "archive": i["archive"]} for i in inventory.get("images", [])]
    if not inventory:
        images = [
            {"ref": r, "archive": m["path"]} for m in members if m["kind"] == "image" for r in _refs(folder / m["path"])
        ]
    data = {
        "format": 1, "kind": "bundle", "version": version, "description": description, "created": _now(),
        "name": name or "-".join(x for x in (engine["name"], engine["version"]) if x) or folder.resolve().name,
        "architecture": inventory.get("architecture"), "engine": engine if inventory.get("engine") else None,
        "members": members, "images": images, "images_not_provided": inventory.get("images_not_provided", []),
    }  # fmt: skip
    return _manifest(data), paths


def definition(folder: Path) -> tuple[Manifest, dict[str, Path]]:
    """The manifest of a cluster definition, from definition.yaml and the files that its packs name.

    Raises:
        Refused: B150; B143 an expression that cannot be used.
    """
    import yaml

    try:
        with (folder / DEFINITION).open("rb") as file:
            data = yaml.safe_load(file.read(_LARGEST_TEXT))
    except OSError as error:
        raise _bad(f"{DEFINITION} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _bad(f"{DEFINITION} is no YAML that can be read") from error
    if not isinstance(data, dict):
        raise _bad(f"{DEFINITION} is no list of settings")
    packs = [k for p in data.get("profiles") or [] if isinstance(p, dict) for k in p.get("packs") or []]
    named = [str(f) for k in packs if isinstance(k, dict) for f in (*(k.get("manifests") or ()), k.get("values")) if f]
    paths = {p: folder / p for p in dict.fromkeys(named)}
    values = {str(k.get("values")) for k in packs if isinstance(k, dict)}
    members = [
        {**_member(p, where, None), "kind": "values" if p in values else "manifest"} for p, where in paths.items()
    ]
    made = _manifest({"format": 1, "kind": "definition", "created": _now(), **data, "members": members})
    check_expressions(made)
    return made, paths


def check_expressions(manifest: Manifest) -> None:
    """Every regular expression of a definition can be used, and its variables stand there once.

    Raises:
        Refused: B143, B150.
    """
    for profile in manifest.profiles:
        names = [v.name for v in profile.variables]
        if twice := next((n for i, n in enumerate(names) if n in names[:i]), ""):
            raise _bad(f"the variable {twice} stands twice in {profile.name}")
        answers = expressions([(v.regex, v.defaultValue) for v in profile.variables])
        for variable, answer in zip(profile.variables, answers, strict=True):
            if answer in ("bad", "slow"):
                why = "is no regular expression" if answer == "bad" else "takes too long"
                text = f"The expression of {variable.name} {why}: {shown(variable.regex)}"
                raise refused("B143", text, "Write it anew; do not put a repetition into a repetition.")
            if answer == "no" and variable.defaultValue:
                raise refused(
                    "B142", f"The default of {variable.name} does not fit its own expression.", "Correct one of them."
                )


def write(
    manifest: Manifest, paths: dict[str, Path], out: Path, *, key: Path | None = None, told: Told | None = None
) -> str:
    """Write the archive, whole or not at all; gives its digest.

    Args:
        key: a private key to sign with.

    Raises:
        Refused: B113 the key; B150 a file changed meanwhile, or cannot be written.
    """
    raw = (
        json.dumps(manifest.model_dump(mode="json", exclude_defaults=False), indent=1, ensure_ascii=True).encode()
        + b"\n"
    )
    parsed(raw)
    signature = signing.signature(raw, key) if key else b""
    beside = out.with_name(f".{out.name}.{os.getpid()}.onsite.tmp")
    try:
        with beside.open("xb") as file:
            pieces = _tar(manifest, paths, raw, signature, told)
            if manifest.kind == "bundle":
                _zstd(pieces, file)
            else:
                with gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
                    for piece in pieces:
                        packed.write(piece)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(out)
        sync_folder(out.parent)
    except OSError as error:
        raise _bad(f"{out.name} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    return hashlib.sha256(raw).hexdigest()


def _tar(
    manifest: Manifest, paths: dict[str, Path], raw: bytes, signature: bytes, told: Told | None
) -> Iterator[bytes]:
    yield from _small(MANIFEST, raw)
    if signature:
        yield from _small(SIGNATURE, signature)
    done = 0
    for member in manifest.members:
        yield tar.header(member.path, member.size, 0o755 if member.executable else 0o644)
        digest = hashlib.sha256()
        with plain_file(paths[member.path]) as fd, open(fd, "rb", closefd=False) as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
                yield piece
                done += len(piece)
                if told:
                    told(Progress(done, manifest.size, member.path))
        if digest.hexdigest() != member.sha256:
            raise _bad(f"{member.path} changed while the archive was made")
        yield b"\0" * tar.padding(member.size)
    yield b"\0" * (2 * tar.BLOCK)


def _small(name: str, data: bytes) -> Iterator[bytes]:
    yield tar.header(name, len(data)) + data + b"\0" * tar.padding(len(data))


def _zstd(pieces: Iterator[bytes], out: BinaryIO) -> None:
    import zstandard

    engine = zstandard.ZstdCompressor(level=3, threads=max(1, min(4, os.cpu_count() or 1)), write_checksum=False)
    frame, held = engine.compressobj(), 0
    for piece in pieces:
        out.write(frame.compress(piece))
        held += len(piece)
        if held >= FRAME:
            out.write(frame.flush())
            frame, held = engine.compressobj(), 0
    out.write(frame.flush())


# --- what is in a folder ---------------------------------------------------------------------------------------------


def _inventory(folder: Path) -> dict[str, Any]:
    path = folder / INVENTORY
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_bytes()[: 4 << 20])
        if isinstance(data, dict) and all(isinstance(f["path"], str) for f in data.get("files", [])):
            return data
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise _bad(f"{INVENTORY} is no inventory that can be read")


def _found(folder: Path) -> list[str]:
    """Every plain file below a folder, without hidden ones; links are not followed."""
    found: list[str] = []
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if not n.startswith("."))
        for name in sorted(names):
            path = Path(top, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                found.append(str(path.relative_to(folder)))
    if not found:
        raise _bad("there is no file in this folder")
    return found


def _member(path: str, where: Path, stated: dict[str, Any] | None) -> dict[str, Any]:
    try:
        size, sha256 = digest_of(where)
    except OSError as error:
        raise _bad(f"{path} cannot be read: {error.strerror}") from error
    if stated is not None and (stated.get("sha256"), stated.get("size")) != (sha256, size):
        raise _bad(f"{path} is not what {INVENTORY} says: another size or SHA-256")
    kind = _KINDS.get(path.split("/")[0], "file")
    kind = {INVENTORY: "inventory", "definition.tgz": "definition"}.get(path, kind)
    return {"path": path, "kind": kind, "size": size, "sha256": sha256, "executable": os.access(where, os.X_OK)}


def _refs(archive: Path) -> list[str]:
    """The names of the images in an image archive, as its own manifest.json has them; none where it has none."""
    with contextlib.suppress(OSError, tarfile.TarError, ValueError, KeyError, TypeError), tarfile.open(archive) as file:
        listed = file.extractfile("manifest.json")
        if listed is not None:
            return [str(ref) for one in json.loads(listed.read(_LARGEST_TEXT)) for ref in one["RepoTags"] or ()]
    return []


def _manifest(data: dict[str, Any]) -> Manifest:
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(x) for x in first["loc"])
        raise _bad(f"{where}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": ")) from error


def _now() -> str:
    """The time that goes into the manifest; SOURCE_DATE_EPOCH sets it, for archives that are the same every time."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(epoch) if epoch.isdigit() else time.time()))


def _bad(why: str) -> Refused:
    return refused("B150", f"No archive can be made of this: {why}.", "Correct it and build again.")
