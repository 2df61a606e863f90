"""The `onsite` command: global options and the choice of a verb. Nothing heavy is imported before it is known.

argparse costs as much as a whole Python start, so the few global options are read by hand; a verb that has options
of its own may use it.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tui.commands.options import Options, Usage, host_of

if TYPE_CHECKING:
    from tui.services.host import Host

OK, FAILED, USAGE, PENDING, REVERTED, DENIED, UNFIT = 0, 1, 2, 3, 4, 5, 6

VERBS = {
    "status": "what this host is, its addresses, and whether a change waits ([--json])",
    "facts": "everything that was read of this host, without secrets (--json)",
    "check": "what works on the way out, from the cable up ([--json] [--last] [--draft FILE])",
    "registration": "how this host stands with its management plane ([--json] [--qr])",
    "plan": "what FILE would change; nothing is written (FILE [--json])",
    "apply": "make the change of FILE, to be kept in time (FILE [--keep-within S] [--yes-warnings])",
    "keep": "keep the change that waits",
    "revert": "take the change back that waits, or the last kept one (--last)",
    "history": "changes kept and taken back ([--json])",
    "export": "the configuration that this host has, as a FILE for apply",
    "support-bundle": "what helps somebody far away, without secrets ([--list] [--to PATH] [--stick DEVICE] [--link])",
    "recover": "finish or take back what a power cut interrupted (run at boot)",
    "network": "bring the kept configuration of the interfaces up (network up; run at boot)",
    "bundle": "build, inspect, verify, import, list and delete bundles (bundle --help)",
    "definition": "new, build, check, show and import cluster definitions (definition --help)",
    "demo": "a practice host instead of this machine (demo --help)",
    "install": "which versions are installed; --back to the one before",
    "uninstall": "remove Onsite from this host ([--yes])",
    "agent": "the local agent (run by its own service)",
}
HELP = """\
usage: onsite [--root DIR] [--terminal PROFILE] [VERB ...]

Without a verb: the console, on this terminal.

{verbs}

  --root DIR          work on the host whose files are below DIR
  --terminal PROFILE  xterm, linux, vt220, vt100 or ascii; otherwise found out
  --version           version and exit

exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 another change is pending, 4 taken back,
            5 not permitted, 6 this terminal cannot show the console
"""


def main() -> int:
    """Run the command line of this process and return its exit code."""
    return run(sys.argv[1:])


def run(argv: list[str]) -> int:
    """One command line without the program's name; `onsite demo` calls it again, inside."""
    try:
        options, rest = _parsed(argv)
        verb = rest.pop(0) if rest else ""
        return _dispatch(options, verb, rest)
    except Usage as wrong:
        print(f"onsite: {wrong}\nTry: onsite --help", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # the reader of our output has left: `onsite status | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a terminal
        from pathlib import Path

        from tui.commands import fault

        return fault.reported(error, Path(options.root or "/"))


def _parsed(argv: list[str]) -> tuple[Options, list[str]]:
    options, rest = Options(), list(argv)
    while rest and rest[0].startswith("-"):
        name, equals, value = rest.pop(0).partition("=")
        if name in ("--help", "-h", "--version"):
            return options, [name]
        if name[2:] not in Options.__slots__ or name[:2] != "--":
            raise Usage(f"{name} is not an option.")
        if not equals:
            if not rest:
                raise Usage(f"{name} needs a value.")
            value = rest.pop(0)
        setattr(options, name[2:], value)
    return options, rest


def _dispatch(options: Options, verb: str, rest: list[str]) -> int:
    if verb in ("--help", "-h", "help"):
        print(HELP.format(verbs="\n".join(f"  {name:<14} {words}" for name, words in VERBS.items())), end="")
        return OK
    if verb == "--version":
        from tui import __version__

        print(f"onsite {__version__}")
        return OK
    if verb == "demo":
        from tui import demo

        return demo.main(rest, run)
    if verb == "agent":
        os.execv(sys.executable, [sys.executable, "-m", "agent", *rest])  # noqa: S606 - an argument list
    if verb not in VERBS and verb not in ("", "deadman", "expire"):
        raise Usage(f"{verb} is not a verb.")
    if verb in ("status", "facts", "network") and rest in (["--help"], ["-h"]):
        print(f"onsite {verb}: {VERBS[verb]}")
        return OK
    host = host_of(options)
    if not verb:
        if options.play or options.record:
            from tui.commands import play

            return play.main(host, options)
        from tui.commands import console

        return console.main(host, options)
    return _command(verb, host, rest)


def _command(verb: str, host: Host, rest: list[str]) -> int:
    """The module of the verb is named like it; written out, so that tools can follow the imports."""
    if verb == "status":
        from tui.commands import status

        return status.main(host, rest)
    if verb == "facts":
        from tui.commands import facts

        return facts.main(host, rest)
    if verb == "network":
        from tui.commands import network

        return network.main(host, rest)
    from tui.commands import fault

    fault.log_to(host)
    if verb == "check":
        from tui.commands import check

        return check.main(host, rest)
    if verb == "support-bundle":
        from tui.commands import support

        return support.main(host, rest)
    if verb == "registration":
        from tui.commands import registration

        return registration.main(host, rest)
    if verb in ("plan", "apply"):
        from tui.commands import plan

        return (plan.main if verb == "plan" else plan.apply)(host, rest)
    if verb in ("history", "export"):
        from tui.commands import show

        return (show.history if verb == "history" else show.export)(host, rest)
    if verb in ("bundle", "definition"):
        from tui.commands import bundle, definition

        return (bundle.main if verb == "bundle" else definition.main)(host, rest)
    if verb in ("install", "uninstall"):
        from tui.commands import install

        return (install.install if verb == "install" else install.uninstall)(host, rest)
    if verb == "deadman":
        from tui.commands import deadman

        return deadman.main(host, rest)
    if verb == "expire":
        from tui.commands import expire

        return expire.main(host, rest)
    from tui.commands import decide

    return {"keep": decide.keep, "revert": decide.revert, "recover": decide.recover}[verb](host, rest)
