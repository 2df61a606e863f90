"""The table of hostile archives and what is said of each, in Markdown: `python -m tests.unit.content_table`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests import archives
from tui.models.change import Refused
from tui.services.content import importing
from tui.services.content.stream import in_process
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel


def said(host: Host, path: Path) -> str:
    try:
        with importing.plain_file(path) as source:
            importing.imported(host, source, opener=in_process)
    except Refused as why:
        return f"{why.issues[0].code} | {why.issues[0].text}"
    return "taken | "


if __name__ == "__main__":
    print("| archive | code | what is said |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for kind, (make, _) in archives.HOSTILE.items():
            path = Path(folder, "archive")
            path.write_bytes(make())
            print(f"| {kind} | {said(Host(Path(folder, 'root'), NetlinkKernel(), 'user'), path)} |")
