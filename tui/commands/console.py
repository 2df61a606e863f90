"""`onsite` without a verb: the console on this terminal."""

from __future__ import annotations

import gc
import os
import sys

from tui.commands.options import Options, Usage
from tui.services.host import Host
from tui.terminal import profile

UNFIT = 6


def main(host: Host, options: Options) -> int:
    """Exit code 0 when the operator left, 6 where nothing can be painted here."""
    why = profile.unfit(os.environ, (0, 1), options.terminal or None)
    if why:
        print(f"onsite: {why}", file=sys.stderr)
        return UNFIT
    try:
        chosen = profile.choose(1, os.environ, options.terminal or None)
    except ValueError as error:
        raise Usage(str(error)) from error
    profile.prepare_environment(chosen)
    gc.disable()  # importing makes nothing but things that stay

    from tui.app import OnsiteApp
    from tui.commands import fault
    from tui.services.login import gate
    from tui.session import NOBODY, Session, who_and_line
    from tui.terminal import errors
    from tui.terminal.driver import OnsiteDriver

    fault.log_to(host)
    _recover(host)
    who, line = who_and_line()
    slow = 0 < profile.speed(1) <= 9600
    door = gate.of(host, profile.kind(0))
    physical = host.kind != "real" or profile.kind(0) in ("vt", "serial")
    session = Session(
        host,
        NOBODY if door.asked else who,
        line,
        gate=door,
        physical=physical,
        mode_note=os.environ.get("ONSITE_PRACTICE_WHY", ""),
        slow_line=slow,
    )
    session.read()
    session.look_at_draft()
    app = OnsiteApp(session, driver_class=OnsiteDriver.on(chosen))
    gc.freeze()
    gc.enable()
    errors.keep_off_screen(app)
    app.run()
    unforeseen = errors.unhandled(app)
    return fault.reported(unforeseen, host.root) if unforeseen else app.return_code or 0


def _recover(host: Host) -> None:
    """Whenever a console starts: end what was interrupted. It costs nothing where there is no journal."""
    if not os.path.lexists(host.path("/var/lib/onsite/pending.json")):
        return
    import asyncio
    import contextlib

    from tui.models.change import Refused
    from tui.services.change import transaction
    from tui.services.network import backends

    with contextlib.suppress(Refused, OSError):  # the console shows the journal and says what can be done
        asyncio.run(transaction.recover(host, backends()))
