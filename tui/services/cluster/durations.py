"""How long each step took when a cluster was made here before: what somebody who waits may expect."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence

from tui.models.change import FileImage
from tui.services.change import files
from tui.services.cluster.steps import Step
from tui.services.host import Host

PATH = "/var/lib/onsite/cluster-durations.json"
_MOST = 200
log = logging.getLogger(__name__)


def learned(host: Host) -> dict[str, float]:
    """Seconds by the key of the step; empty where no cluster was ever made here."""
    try:
        content = files.read_image(host, PATH).content
        said = json.loads(content) if content is not None else {}
        return {str(k): float(v) for k, v in said.items() if isinstance(v, (int, float)) and 0 <= v < 1e6}
    except (OSError, ValueError, AttributeError, RecursionError):
        log.exception("%s cannot be used", PATH)
        return {}


def learn(host: Host, done: Sequence[Step]) -> Mapping[str, float]:
    """Remember what the steps of a finished way took. What cannot be written is only less to expect.

    Returns:
        What is known from now on.
    """
    before = learned(host)
    after = before | {s.key: round(s.spent, 1) for s in done if s.mark == "ok" and s.spent is not None}
    if after != before:
        try:
            files.write_image(host, FileImage(PATH, json.dumps(dict(list(after.items())[-_MOST:])).encode(), 0o644))
        except OSError:
            log.exception("%s cannot be written", PATH)
    return after
