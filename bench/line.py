"""What the console costs on a line: `python -m bench.line` prints the table; `--quick` leaves out what takes minutes.

Bytes repeat exactly; seconds and processor shares depend on the machine, so only their ratio to nmtui's of the same
run is compared. The exit status says whether every limit is kept.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from bench import peers, scenes
from bench.measure import Measured
from tests.console.allowed import unknown

TERMINALS = ("vt100", "vt220", "linux")
OTHERS = ("nmtui vt100", "nmtui linux", "whiptail vt100", "whiptail linux", "stock Textual")
BAUD = 9600


@dataclass
class Line:
    """One line of the table."""

    what: str
    limits: tuple[float | str, float | str]
    """For vt100 and vt220, and for linux."""
    unit: str
    values: dict[str, float | str] = field(default_factory=dict)

    def kept(self, terminal: str) -> bool:
        """Whether the value is within its limit, if it could be measured here; a word is when it is one of those."""
        limit, value = self.limits[terminal == "linux"], self.values.get(terminal)
        if value is None:
            return True
        if isinstance(limit, str) or isinstance(value, str):
            return isinstance(value, str) and isinstance(limit, str) and value in limit.split(" or ")
        return value <= limit


def of_editor(label: str, figure: Callable[[Measured, str], float]) -> Callable[[Measured], float | None]:
    """A figure of one label; None where no such key was pressed."""
    return lambda measured: figure(measured, label) if measured.steps.get(label) else None


def through(measured: Measured) -> float | None:
    """Mean bytes of a Down from the first one that scrolls on: some scroll, several rows at once, and some do not."""
    found = [*measured.bytes("Down, scrolling"), *measured.bytes("Down after a scroll")]
    return fmean(found) if found else None


EDITOR: tuple[tuple[str, float, float, Callable[[Measured], float | None]], ...] = (
    ("typed character, median", 1, 1, of_editor("type", Measured.median)),
    ("typed character, p99", 12, 14, of_editor("type", lambda m, label: m.percentile(label, 0.99))),
    ("Tab to the next field, mean", 25, 30, of_editor("Tab", Measured.mean)),
    ("first paint of Home, until 2 s of silence", 900, 1100, of_editor("start", Measured.mean)),
    ("opening the Network editor", 1400, 1600, of_editor("open editor", Measured.mean)),
    ("opening a dialog", 400, 450, of_editor("open dialog", Measured.mean)),
    ("closing a dialog", 260, 330, of_editor("close dialog", Measured.mean)),
)
LIST: tuple[tuple[str, float, float, Callable[[Measured], float | None]], ...] = (
    ("Down in a list, mean", 25, 40, of_editor("Down", Measured.mean)),
    ("Down through a list that scrolls, mean", 110, 160, through),
)
CLUSTER: tuple[tuple[str, float, float, Callable[[Measured], float | None]], ...] = tuple(
    (f"{what} {count:,} {name} of a cluster{note}", limit, limit_linux, of_editor(f"{label} {name}", Measured.mean))
    for name, count in scenes.CLUSTER_LISTS.items()
    for what, note, label, limit, limit_linux in (
        ("opening", "", "open", 1400, 1600), ("Down through", ", mean", "Down in", 110, 160),
    )
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Measure and print."""
    quick = "--quick" in arguments
    lines: list[Line] = []
    edited, listed, clustered = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        many = scenes.many_links(Path(folder))
        for terminal in TERMINALS:
            say(terminal)
            edited[terminal] = run(scenes.console(terminal), scenes.editor)
            listed[terminal] = run(scenes.console(terminal, many), scenes.listing)
            with scenes.clustered(terminal) as clustered[terminal]:
                scenes.cluster_lists(clustered[terminal])
    other = {} if quick else others()
    for table, measured in ((EDITOR, edited), (LIST, listed), (CLUSTER, clustered)):
        for what, limit, limit_linux, figure in table:
            line = Line(what, (limit, limit_linux), "B")
            line.values = {name: v for name, m in (measured | other).items() if (v := figure(m)) is not None}
            lines.append(line)
    over = Line("bytes over the cell-difference ideal", (1.15, 1.15), "x")
    known = Line("bytes that the terminal does not know", (0, 0), "B")
    for terminal in TERMINALS:
        both = Measured(edited[terminal].program, terminal)
        for measured_ in (edited[terminal], listed[terminal], clustered[terminal]):
            for label, steps in measured_.steps.items():
                both.steps[label] += steps
        over.values[terminal] = both.over_ideal()
        sent = b"".join(bytes(m[terminal].program.data) for m in (edited, listed, clustered))
        known.values[terminal] = len(unknown(terminal, sent).encode())
    lines += [over, known, tab_time(edited, other)]
    if not quick:
        lines += slow_lines()
    print_table(lines)
    broken = [f"{line.what} ({terminal})" for line in lines for terminal in TERMINALS if not line.kept(terminal)]
    for complaint in broken:
        print(f"over its limit: {complaint}")
    return int(bool(broken))


def run(measured: Measured, scene: Callable[[Measured], None]) -> Measured:
    """Play a scene and end the program."""
    with measured.program:
        scene(measured)
    return measured


def others() -> dict[str, Measured]:
    """What else runs here: peers that are installed, and the console on Textual's own driver."""
    found: dict[str, Measured] = {}
    for name, peer in (("nmtui", peers.nmtui), ("whiptail", peers.whiptail)):
        for terminal in ("vt100", "linux"):
            say(f"{name} {terminal}")
            measured = peer(terminal)
            if measured is not None:
                found[f"{name} {terminal}"] = measured
    say("stock Textual")
    found["stock Textual"] = run(scenes.console("linux", module="bench.stock", term="linux"), scenes.editor)
    return found


def tab_time(edited: dict[str, Measured], other: dict[str, Measured]) -> Line:
    """Line time of a Tab at 9600 and its processor time, as a multiple of nmtui's in the same run."""

    def milliseconds(measured: Measured) -> float:
        steps = measured.steps["Tab"]
        return 1000 * (fmean(step.bytes for step in steps) * 10 / BAUD + fmean(step.cpu for step in steps))

    line = Line("a Tab's line time at 9600 and CPU, over nmtui's", (2, 2), "x")
    for terminal in TERMINALS:
        peer = other.get("nmtui linux" if terminal == "linux" else "nmtui vt100")
        mine = milliseconds(edited[terminal])
        if peer is not None:
            line.values[terminal] = mine / milliseconds(peer)
    return line


def slow_lines() -> list[Line]:
    """What takes its time: silence, the countdown, noise."""
    say("idle, countdown, noise")
    silent = Line("idle for 60 s: bytes", (0, 0), "B")
    share = Line("idle for 60 s: processor", (0.2, 0.2), "%")
    beside = Line("idle for 60 s on a host in a cluster: bytes", (0, 0), "B")
    asking = Line("idle for 60 s on a host in a cluster: processor", (2, 2), "%")
    fast = Line("countdown to Keep, a second", (12, 14), "B")
    slow = Line("countdown to Keep at 9600, a second", (12, 14), "B")
    some = Line("1 MB of noise without printable ASCII", ("alive, same screen",) * 2, "")
    every = Line("1 MB of all bytes", ("alive or left through its dialog",) * 2, "")
    for terminal in TERMINALS:
        silent.values[terminal], used = scenes.idle(terminal, 60)
        share.values[terminal] = 100 * used
        beside.values[terminal], used = scenes.idle_beside_agent(terminal, 60)
        asking.values[terminal] = 100 * used
        fast.values[terminal] = scenes.countdown(terminal, 0)
        slow.values[terminal] = scenes.countdown(terminal, BAUD)
        some.values[terminal] = scenes.noise(terminal, everything=False)
        every.values[terminal] = scenes.noise(terminal, everything=True)
    return [silent, share, beside, asking, fast, slow, some, every]


def print_table(lines: list[Line]) -> None:
    """As Markdown, for docs/measured/terminal.md."""
    seen = [name for name in OTHERS if any(name in line.values for line in lines)]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(f"Commit {commit.strip() or 'unknown'}, 80x24, recorded host {scenes.MACHINE.name}.\n")
    print("| " + " | ".join(["what", "limit", "vt100", "vt220", "limit", "linux", *seen]) + " |")
    print("|" + " --- |" * (6 + len(seen)))
    for line in lines:
        cells = [line.what, limit(line, 0), shown(line, "vt100"), shown(line, "vt220"), limit(line, 1)]
        cells += [shown(line, name) for name in ("linux", *seen)]
        print("| " + " | ".join(cells) + " |")
    print()


def limit(line: Line, index: int) -> str:
    """A limit with its unit."""
    value = line.limits[index]
    return value if isinstance(value, str) else f"<= {value:g} {line.unit}"


def shown(line: Line, name: str) -> str:
    """A value, as short as it can be."""
    value = line.values.get(name)
    if value is None:
        return "-"
    mark = " **over**" if name in TERMINALS and not line.kept(name) else ""
    return (value if isinstance(value, str) else f"{value:.3g}" if value < 100 else f"{value:.0f}") + mark


def say(what: str) -> None:
    """Progress, not part of the table."""
    print(f"measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
