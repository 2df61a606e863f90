"""SSH public keys out of files that somebody brings: read in the parser child, which has no rights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui.models.change import Issue, Refused
from tui.services.parser.run import ParserFailed, parse
from tui.services.trust import folder, sticks
from tui.services.trust.folder import Found
from tui.services.trust.sticks import Stick

ENDINGS = (".pub", "authorized_keys")
LARGEST = 64 << 10


def of_bytes(source: str, data: bytes) -> tuple[str, ...]:
    """The keys in these bytes. Blocks.

    Raises:
        Refused: K406.
    """
    if len(data) > LARGEST:
        raise _refused(f"{source} is larger than {LARGEST >> 10} KiB, which no list of keys is.")
    try:
        said = parse("sshkeys", data)
    except ParserFailed as error:
        raise _refused(f"{source} cannot be read as keys.") from error
    if said.get("wrong"):
        raise _refused(f"{source}: {said['wrong']}")
    return tuple(str(key) for key in said.get("keys", ()))


def of_path(typed: str, path: Path) -> tuple[str, ...]:
    """The keys of a file, or of the files of a folder that look like keys. Blocks.

    Raises:
        Refused: S141 it cannot be read, K406 there is no key.
    """
    found = folder.opened(typed, path, ENDINGS)
    base = path if path.is_dir() else path.parent
    return _all(typed, [Found(f.name, f.size, folder.read(base / f.name)) for f in found])


def of_stick(stick: Stick) -> tuple[str, ...]:
    """The keys on a stick. Blocks.

    Raises:
        Refused: S140 it cannot be read, K406 there is no key.
    """
    return _all(f"The stick {stick.device}", sticks.read(stick, ENDINGS))


def _all(source: str, files: Sequence[Found]) -> tuple[str, ...]:
    keys: list[str] = []
    for file in files:
        keys += of_bytes(file.name, file.data or b"")
    if not keys:
        raise _refused(f"{source} has no file with public keys (.pub).")
    return tuple(dict.fromkeys(keys))


def _refused(text: str) -> Refused:
    remedy = "Take the file that ends in .pub; its line begins with ssh-ed25519 or ssh-rsa."
    return Refused(Issue("K406", "error", "", text, remedy))
