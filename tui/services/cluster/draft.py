"""The draft of a cluster on disk: typed and chosen things survive a crash, a lost line and a power cut.

Values of the definition may be secrets, so the file is its owner's alone.
"""

from __future__ import annotations

import json
import logging

from pydantic import ValidationError

from tui.models.change import FileImage
from tui.models.cluster_create import ClusterDraft
from tui.services.change import files
from tui.services.host import Host

PATH = "/var/lib/onsite/cluster-draft.json"
log = logging.getLogger(__name__)


def load(host: Host) -> ClusterDraft | None:
    """The draft that somebody left; None where there is none, or none that can be understood."""
    try:
        content = files.read_image(host, PATH).content
        return None if content is None else ClusterDraft.model_validate(json.loads(content))
    except (OSError, ValueError, ValidationError, RecursionError):
        log.exception("%s cannot be used", PATH)
        return None


def store(host: Host, draft: ClusterDraft) -> None:
    """Keep it.

    Raises:
        OSError: the disk does not take it; the one before is still there.
    """
    content = json.dumps(draft.model_dump(mode="json"), indent=1).encode() + b"\n"
    files.write_image(host, FileImage(PATH, content, 0o600))


def forget(host: Host) -> None:
    """There is no draft any more; there need not be one.

    Raises:
        OSError: it cannot be taken away.
    """
    files.remove(host, (PATH,))
