"""Ours beyond the contract: what is on the host, where archives are, imports. For console and agent."""

from __future__ import annotations

from tui.models.contract.base import Operation, Wire
from tui.models.contract.common import Accepted


class Entry(Wire):
    """One bundle or definition on the host; as `tui.models.content.Item`."""

    digest: str = ""
    kind: str = ""
    name: str = ""
    version: str = ""
    description: str = ""
    architecture: str = ""
    engine: str = ""
    engine_version: str = ""
    size: int = 0
    images: list[str] = []
    images_not_provided: list[str] = []
    needs_images: list[str] = []
    signature: str = ""
    origin: str = ""
    imported: float = 0.0
    file_name: str = ""
    file_size: int = 0
    missing_engine: str = ""
    missing_images: list[str] = []


class Import(Wire):
    """An import that runs, or that ended last.

    Attributes:
        state: as of the job: running, paused, failed, done, undoing, cancelled.
        done, total: bytes of the archive.
        seconds_left: -1 where it cannot be told yet.
    """

    job: str = ""
    name: str = ""
    state: str = ""
    code: str = ""
    message: str = ""
    doing: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float = -1.0


class Content(Wire):
    items: list[Entry] = []
    free: int = 0
    capacity: int = 0
    key: bool = False
    """This host takes only what is signed."""
    current: Import | None = None


class Where(Wire):
    """A file, a folder or an ISO image by its path; a stick by its device. `inside` names the archive in it."""

    path: str = ""
    device: str = ""
    file_system: str = ""
    inside: str = ""


class Offer(Wire):
    source: Where
    name: str = ""
    size: int = 0
    signed_beside: bool = False


class Offers(Wire):
    items: list[Offer] = []


class Stick(Wire):
    device: str = ""
    file_system: str = ""
    label: str = ""
    size: str = ""


class Sticks(Wire):
    items: list[Stick] = []


class Started(Wire):
    job: str = ""


CONTENT: Operation[Content] = Operation("onsiteContent", "GET", "/v1/onsite/content", Content)
STICKS: Operation[Sticks] = Operation("onsiteContentSticks", "GET", "/v1/onsite/content/sticks", Sticks)
LOOK: Operation[Offers] = Operation("onsiteContentLook", "POST", "/v1/onsite/content/look", Offers, Where)
IMPORT: Operation[Started] = Operation(
    "onsiteContentImport", "POST", "/v1/onsite/content/import", Started, Where, good=202
)
DELETE: Operation[Accepted] = Operation("onsiteContentDelete", "DELETE", "/v1/onsite/content/{digest}", Accepted)
PAUSE: Operation[Accepted] = Operation("onsiteJobPause", "POST", "/v1/onsite/jobs/{job}/pause", Accepted, good=202)
RETRY: Operation[Accepted] = Operation("onsiteJobRetry", "POST", "/v1/onsite/jobs/{job}/retry", Accepted, good=202)
CANCEL: Operation[Accepted] = Operation("onsiteJobCancel", "POST", "/v1/onsite/jobs/{job}/cancel", Accepted, good=202)
