"""What a bundle or a cluster definition is: its manifest, and one of them as it lies on this host.

`docs/formats/bundle.md` is the specification; `assets/content-manifest.schema.json` is made from `Manifest`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tui.models.definition import Profile

FORMAT = 1
LARGEST_MEMBER = (8 << 30) - 1
"""Bytes: what eleven octal digits of a tar header hold."""
LARGEST_CONTENT = 256 << 30
MOST_MEMBERS = 5000
LARGEST_MANIFEST = 2 << 20
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+@=-]*(?:/[A-Za-z0-9_][A-Za-z0-9._+@=-]*){0,7}", re.ASCII)


def _path(text: str) -> str:
    """A path below the archive's own folder: plain ASCII, no dot in front, nothing that leads upwards."""
    if len(text) > 200 or not _PATH.fullmatch(text) or text.split("/")[-1] in (MANIFEST, SIGNATURE):
        raise ValueError(f"{shown(text)} is no path that a part may have")
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a character in it cannot be seen")
    return text


def shown(text: str) -> str:
    """`text` for a sentence: short and printable."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= 60 else plain[:57] + "..."


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Line = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Path = Annotated[str, Field(max_length=200), AfterValidator(_path)]
Reference = Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]{0,254}$")]
Architecture = Literal["amd64", "arm64"]
MemberKind = Literal["binary", "image", "manifest", "values", "inventory", "definition", "file"]


class Plain(BaseModel):
    """Strict, unknown keys refused, never changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Member(Plain):
    """One file of the archive, in the order in which the files follow."""

    path: Path
    kind: MemberKind = "file"
    size: Annotated[int, Field(ge=0, le=LARGEST_MEMBER)]
    sha256: Sha256
    executable: bool = False


class Image(Plain):
    """A container image, and the image archive (a member) that holds it."""

    ref: Reference
    archive: Path


class Engine(Plain):
    name: Name
    version: Version
    image_repository: Annotated[str, Field(max_length=255), AfterValidator(_printable)] = ""
    sandbox_image: Annotated[str, Field(max_length=255), AfterValidator(_printable)] = ""


class Manifest(Plain):
    """The first file of every archive.

    Attributes:
        engine: what a bundle brings; what a definition asks for. None in a bundle of images alone.
        images: of a bundle, what it holds.
        images_not_provided: of a bundle, what its engine wants and the bundle does not hold.
        needs_images: of a definition, what its packs start.
        profiles: of a definition, its layers with packs and variables.
    """

    format: Literal[1]
    kind: Literal["bundle", "definition"]
    name: Name
    version: Version
    description: Line = ""
    created: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    architecture: Architecture | None = None
    engine: Engine | None = None
    members: Annotated[tuple[Member, ...], BeforeValidator(_tuple), Field(max_length=MOST_MEMBERS)] = ()
    images: Annotated[tuple[Image, ...], BeforeValidator(_tuple), Field(max_length=MOST_MEMBERS)] = ()
    images_not_provided: Annotated[tuple[Reference, ...], BeforeValidator(_tuple), Field(max_length=500)] = ()
    needs_images: Annotated[tuple[Reference, ...], BeforeValidator(_tuple), Field(max_length=500)] = ()
    profiles: Annotated[tuple[Profile, ...], BeforeValidator(_tuple), Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Manifest:
        paths = [m.path for m in self.members]
        if len(set(paths)) != len(paths):
            twice = next(p for n, p in enumerate(paths) if p in paths[:n])
            raise ValueError(f"{twice} stands there twice")
        known = set(paths)
        if through := next(
            (p for p in paths for n in range(p.count("/")) if "/".join(p.split("/")[: n + 1]) in known), ""
        ):
            raise ValueError(f"{through} lies below what is a file")
        if self.size > LARGEST_CONTENT:
            raise ValueError(f"the parts have {self.size >> 30} GiB; {LARGEST_CONTENT >> 30} GiB is the limit")
        if lost := next((i.archive for i in self.images if i.archive not in known), ""):
            raise ValueError(f"the image archive {lost} is not among the parts")
        if lost := next((f for p in self.profiles for k in p.packs for f in k.files if f not in known), ""):
            raise ValueError(f"{lost}, which a pack names, is not among the parts")
        if self.kind == "bundle" and self.profiles:
            raise ValueError("a bundle has no profiles; they belong into a cluster definition")
        if self.kind == "definition" and not self.profiles:
            raise ValueError("a cluster definition without a profile")
        return self

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(m.size for m in self.members)


Trust = Literal["verified", "unsigned", "not checked"]
"""verified: by the trusted key of this host. not checked: there is a signature, but no key on this host."""
Origin = Literal["embedded", "uploaded", "bundle", "imported"]
"""Where a definition came from; "bundle" came within an imported bundle."""


@dataclass(frozen=True, slots=True)
class Item:
    """A bundle or definition on this host.

    Attributes:
        digest: SHA-256 of its manifest, which names every part by its SHA-256.
        imported: seconds since the epoch.
        file_name, file_size: of the archive that it came in.
    """

    digest: str
    kind: str
    name: str
    version: str
    description: str
    architecture: str
    engine: str
    engine_version: str
    size: int
    images: tuple[str, ...]
    images_not_provided: tuple[str, ...]
    needs_images: tuple[str, ...]
    signature: Trust
    origin: Origin
    imported: float
    file_name: str
    file_size: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Item:
        lists = ("images", "images_not_provided", "needs_images")
        return cls(**data | {name: tuple(data[name]) for name in lists})

    @classmethod
    def of(
        cls, manifest: Manifest, digest: str, *, signature: Trust, origin: Origin, imported: float, file_name: str,
        file_size: int,
    ) -> Item:  # fmt: skip
        engine = manifest.engine
        return cls(
            digest, manifest.kind, manifest.name, manifest.version, manifest.description, manifest.architecture or "",
            engine.name if engine else "", engine.version if engine else "", manifest.size,
            tuple(i.ref for i in manifest.images), manifest.images_not_provided, manifest.needs_images, signature,
            origin, imported, file_name,
            file_size,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. `done` and `total` are bytes of the archive; `part` is the file that is being written."""

    done: int
    total: int
    part: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a definition needs and this host does not have, by name."""

    engine: str
    images: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        return not self.engine and not self.images


def missing(definition: Item, items: tuple[Item, ...], architecture: str) -> Missing:
    """What is not there of what the definition needs, for hosts of that architecture ("amd64")."""
    fitting = [i for i in items if i.kind == "bundle" and i.architecture in ("", architecture)]
    wanted = (definition.engine, definition.engine_version)
    engine = not definition.engine or any((i.engine, i.engine_version) == wanted for i in fitting)
    there = {ref for i in fitting for ref in i.images}
    return Missing(
        "" if engine else f"{definition.engine} {definition.engine_version} for {architecture}",
        tuple(ref for ref in definition.needs_images if ref not in there),
    )
