"""`onsite facts --json`: the recording that `onsite demo --machine FILE` replays, with secrets blacked out."""

from __future__ import annotations

import json

from tui.commands.options import Usage
from tui.services import facts as reading
from tui.services.host import Host


def main(host: Host, arguments: list[str]) -> int:
    if arguments not in ([], ["--json"]):
        raise Usage("facts takes --json or nothing.")
    print(json.dumps(reading.masked(reading.read(host)).to_dict(), indent=1))
    return 0
