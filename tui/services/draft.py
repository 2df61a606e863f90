"""The draft on disk: one for the host, so that a crash, a lost line or a restart loses nothing that was typed.

It is the document that `onsite export` writes, with one thing more: the secrets that were typed. They are in it only
where nobody but its owner can read it, which is asked of the file system and not believed of the mode.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.models.change import FileImage, Refused
from tui.services.change import files
from tui.services.change.journal import FOLDER
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.host import HostConfig

PATH = f"{FOLDER}/draft.yaml"
_HEAD = b"# The draft of this host: not applied. Written by the console of Onsite.\n"
log = logging.getLogger(__name__)

Seen = tuple[int, int, int]
"""Inode, time and size: a draft that another console wrote has others."""
NOTHING: Seen = (0, 0, 0)


def seen(host: Host) -> Seen:
    """Names the draft on disk as it is now; NOTHING where there is none."""
    try:
        status = os.lstat(host.path(PATH))
    except OSError:
        return NOTHING
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def load(host: Host) -> HostConfig | None:
    """The draft on disk. One that cannot be understood, or that somebody else could have written, is none."""
    from tui.services import document

    where = host.path(PATH)
    try:
        status = os.lstat(where)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
            log.error("%s is not the console's own; it is left alone", PATH)
            return None
        return document.read(where)
    except FileNotFoundError:
        return None
    except (OSError, Refused):
        log.exception("%s cannot be read", PATH)
        return None


def store(host: Host, config: HostConfig | None) -> None:
    """Make the draft on disk equal to `config`; None removes it.

    Raises:
        OSError: the former one is still there.
    """
    if config is None:
        files.remove(host, (PATH,))
        return
    files.make_folder(host.path(FOLDER), 0o700)
    with contextlib.suppress(FileNotFoundError):
        if os.lstat(host.path(PATH)).st_mode & 0o077:
            host.path(PATH).unlink()
    open_part, whole = _text(config.to_dict()), _text(with_secrets(config))
    if open_part != whole and not _private(host.path(FOLDER)):
        log.warning("this file system keeps no secret; the draft is stored without")
        whole = open_part
    files.write_image(host, FileImage(PATH, whole, 0o600, os.geteuid(), os.getegid()))


def with_secrets(config: HostConfig) -> dict[str, Any]:
    """The document as data, with the secrets that every other way of writing it leaves out."""
    data = config.to_dict()
    _reveal(config, data)
    return data


def secrets(config: HostConfig | None) -> frozenset[str]:
    """Those that were typed into a draft and may lie in no file yet, as a support bundle masks them."""
    if config is None:
        return frozenset()
    import json

    from tui.services.support.secrets import of_text

    return frozenset(s for s in of_text(json.dumps(with_secrets(config))) if len(s) >= 4)


def _reveal(model: Any, data: dict[str, Any]) -> None:
    from pydantic import BaseModel, SecretStr

    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            data[name] = value.get_secret_value()
        elif isinstance(value, BaseModel) and name in data:
            _reveal(value, data[name])
        elif isinstance(value, tuple) and name in data:
            for part, shown in zip(value, data[name], strict=True):
                if isinstance(part, BaseModel):
                    _reveal(part, shown)


def _text(data: dict[str, Any]) -> bytes:
    import yaml

    return _HEAD + yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode()


def _private(folder: Path) -> bool:
    """Whether a file there can be kept from others: tried with an empty one, for FAT and some network drives lie."""
    probe = folder / f".private.{os.getpid()}.onsite.tmp"
    try:
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            status = os.fstat(fd)
            return stat.S_IMODE(status.st_mode) == 0o600 and status.st_uid == os.geteuid()
        finally:
            os.close(fd)
            probe.unlink()
    except OSError:
        return False
