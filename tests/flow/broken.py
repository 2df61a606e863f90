"""A console that fails when it is asked to repaint: `python -m tests.flow.broken FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.screens.machine import machine, session_on
from tui.app import OnsiteApp
from tui.commands import fault


class Broken(OnsiteApp):
    def action_repaint(self) -> None:
        raise RuntimeError("a secret inside")


if __name__ == "__main__":
    session = session_on(machine(), Path(sys.argv[1]))
    fault.log_to(session.host)
    app = Broken(session)
    app.run()
    sys.exit(app.return_code)
