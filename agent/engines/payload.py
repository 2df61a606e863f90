"""The payload of an engine: a folder of parts that were verified when they came, and the inventory that names them.

Onsite ships none of it. The inventory is `payload.json`; paths in it are relative and stay inside the folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, Field, ValidationError, field_validator

from tui.models.change import Issue, Refused

_BLOCK = 1 << 20


class Part(BaseModel):
    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            raise ValueError("leaves the folder")
        return path


class Image(BaseModel):
    ref: str
    archive: str


class Inventory(BaseModel):
    """What is in the folder; what it says beyond this is ignored."""

    engine: str
    version: str
    architecture: str
    files: tuple[Part, ...]
    images: tuple[Image, ...]
    image_repository: str = ""
    sandbox_image: str = ""


@dataclass(frozen=True, slots=True)
class Payload:
    folder: Path
    inventory: Inventory

    @classmethod
    def read(cls, folder: Path) -> Payload:
        """Raises:
        Refused: there is no inventory, or it is not one (K115).
        """
        try:
            return cls(folder, Inventory.model_validate(json.loads((folder / "payload.json").read_bytes())))
        except (OSError, ValueError, ValidationError) as error:
            text = f"The content for the engine cannot be used: {str(error).splitlines()[0]}."
            raise Refused(Issue("K115", "error", "content", text, "Import the bundle again.")) from error

    @property
    def size(self) -> int:
        return sum(part.size for part in self.inventory.files)

    @property
    def binaries(self) -> tuple[Part, ...]:
        return tuple(p for p in self.inventory.files if p.path.startswith("bin/"))

    def path(self, part: str) -> Path:
        return self.folder / part

    def image(self, name: str) -> str:
        """The reference of the image that is called so, such as "busybox"; "" where the content has none."""
        return next((i.ref for i in self.inventory.images if _name(i.ref) == name), "")

    def lacks(self, refs: Iterable[str]) -> list[str]:
        """Those of these images that are not in it."""
        there = {image.ref for image in self.inventory.images}
        return [ref for ref in refs if ref not in there]

    def altered(self) -> list[str]:
        """Parts that are missing or not what the inventory says."""
        return [p.path for p in self.inventory.files if sha256_of(self.path(p.path)) != p.sha256]


def _name(ref: str) -> str:
    return ref.rpartition("/")[2].partition("@")[0].partition(":")[0]


def sha256_of(path: Path) -> str:
    """Of a file; "" where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
