"""The undo journal: one file that says a change is under way and holds all that takes it back.

While /var/lib/onsite/pending.json is there, a change is pending. Renaming it into history/ is the
one moment at which the change is kept or has been taken back; the result is part of the new name, so that
not one byte has to be written for it (a full disk must not stop a revert).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tui.models.change import Difference, FileImage, Issue
from tui.models.facts import LinkState, link_state_from_dict
from tui.services.change import files
from tui.services.clock import Clock
from tui.services.host import Host

FOLDER = "/var/lib/onsite"
PATH = f"{FOLDER}/pending.json"
HISTORY = f"{FOLDER}/history"

Phase = Literal["applying", "waiting"]
Result = Literal["kept", "reverted", "unverified"]
"""unverified: taken back, but the kernel or a file was not seen to be as before."""


@dataclass(frozen=True, slots=True)
class LinkChange:
    """One link of a pending change: who configures it, what it was, what it shall be."""

    identity: str
    name: str
    backend: str
    path: str
    """Its kept file."""
    before: LinkState
    wanted: LinkState
    dhcp: bool = False
    restored: bool = False
    """The change takes a kept one back: `wanted` is what the kernel had, put there whether or not a file says so."""
    others: LinkState | None = None
    """Of `wanted`, what running programs have set: a manager that takes it away does not know it."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that nobody has kept yet.

    Attributes:
        deadline: CLOCK_BOOTTIME seconds at which it is taken back.
        window: seconds that the operator has to say Keep.
        undo: every file outside /run as it was before.
        after: the same files as they shall be kept.
        volatile: what lies under /run meanwhile.
        checks: what verification found.
        config: the draft, as data of HostConfig.
    """

    change_id: str
    phase: Phase
    who: str
    line: str
    since: float
    boot_id: str
    deadline: float
    window: float
    plan_hash: str
    differences: tuple[Difference, ...] = ()
    lost: tuple[str, ...] = ()
    links: tuple[LinkChange, ...] = ()
    targets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What beside links follows the files: name of the target, paths that it reads."""
    undo: tuple[FileImage, ...] = ()
    after: tuple[FileImage, ...] = ()
    volatile: tuple[FileImage, ...] = ()
    checks: tuple[Issue, ...] = ()
    config: dict[str, Any] | None = None
    reverts: str = ""
    """The change that this one takes back, where it is the Revert of a kept one."""

    def left(self, clock: Clock) -> float:
        """Seconds until it is taken back; not below 0."""
        return max(0.0, self.deadline - clock.boottime())


def pending(host: Host) -> Pending | None:
    """The pending change, or None.

    Raises:
        OSError: the journal is there and cannot be read.
        ValueError: it is not a journal.
    """
    try:
        text = host.path(PATH).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return from_json(text)


def store(host: Host, change: Pending) -> None:
    """Write the journal.

    Raises:
        OSError: the former journal is still there.
    """
    files.write_image(host, FileImage(PATH, to_json(change).encode(), 0o600, os.geteuid(), os.getegid()))


def close(host: Host, change: Pending, result: Result) -> str:
    """Rename the journal into the history: the commit point. Returns the new path.

    Raises:
        OSError: the journal is still there.
    """
    folder = host.path(HISTORY)
    files.make_folder(folder, 0o700)
    number = 1 + max((int(p.name[:4]) for p in folder.glob("[0-9][0-9][0-9][0-9].*.json")), default=0)
    name = f"{number:04d}.{change.change_id}.{result}.json"
    host.path(PATH).rename(folder / name)
    for where in (folder, host.path(FOLDER)):
        with contextlib.suppress(OSError):  # renamed is renamed: durability is asked for, not waited on twice
            files.sync_folder(where)
    return f"{HISTORY}/{name}"


def to_json(change: Pending) -> str:
    data = asdict(change)
    for key in ("undo", "after", "volatile"):
        for image in data[key]:
            content = image["content"]
            image["content"] = None if content is None else base64.b64encode(content).decode()
    return json.dumps(data, indent=1)


def from_json(text: str) -> Pending:
    """The inverse of `to_json`.

    Raises:
        ValueError: not a journal.
    """
    try:
        data = json.loads(text)
        data["differences"] = tuple(Difference(**d) for d in data["differences"])
        data["checks"] = tuple(Issue(**i) for i in data["checks"])
        data["lost"] = tuple(data["lost"])
        data["targets"] = tuple((name, tuple(paths)) for name, paths in data["targets"])
        data["links"] = tuple(
            LinkChange(
                **{
                    **link,
                    "before": link_state_from_dict(link["before"]),
                    "wanted": link_state_from_dict(link["wanted"]),
                    "others": link_state_from_dict(link["others"]) if link.get("others") else None,
                }
            )
            for link in data["links"]
        )
        for key in ("undo", "after", "volatile"):
            data[key] = tuple(_image(image) for image in data[key])
        return Pending(**data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a journal: {error}") from error


def _image(data: dict[str, Any]) -> FileImage:
    content = data["content"]
    return FileImage(**{**data, "content": None if content is None else base64.b64decode(content)})
