"""The global options, and the host that they name. Imports nothing until a host is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tui.services.clock import Clock
    from tui.services.host import Host, Kind


class Usage(Exception):
    """The command line makes no sense; the text says why."""


class Options:
    """The global options. `practice` and those after it are set by `onsite demo`."""

    __slots__ = ("clock", "machine", "play", "practice", "record", "root", "terminal")

    def __init__(self) -> None:
        self.root = self.practice = self.terminal = self.machine = self.clock = self.play = self.record = ""


def host_of(options: Options) -> Host:
    """The host to work on.

    Raises:
        Usage: an option has no such value.
    """
    from pathlib import Path

    from tui.services.clock import SystemClock
    from tui.services.host import Host

    kinds: tuple[Kind, ...] = ("real", "user", "network", "recorded")
    root = Path(options.root or "/").absolute()
    kind = next((k for k in kinds if k == options.practice), None)
    if options.practice and kind is None:
        raise Usage(f"--practice is one of {', '.join(kinds)}.")
    if kind is None:
        kind = "real" if root == Path("/") else "user"
    clock: Clock = SystemClock()
    if options.clock:
        from tui.services import recording

        try:
            clock = recording.clock(options.clock)
        except ValueError as error:
            raise Usage("--clock is a time such as 2026-01-31T10:42.") from error
    if options.machine or kind == "recorded":
        return _recorded(options.machine, root, clock)
    from tui.services.network.kernel import NetlinkKernel

    return Host(root, NetlinkKernel(), kind, clock)


def _recorded(machine: str, root: Path, clock: Clock) -> Host:
    from pathlib import Path

    from tui.services import recording

    if root == Path("/") or not machine:
        raise Usage("a recorded host is opened by: onsite demo --machine FILE")
    try:
        return recording.host(recording.load(Path(machine)), root, clock)
    except OSError as error:
        raise Usage(f"{machine}: {error.strerror or error}") from error
    except ValueError as error:
        raise Usage(f"{machine} is not a recording of onsite facts --json: {error}") from error
