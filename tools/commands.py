"""The commands of dev.py, each a function of its arguments that gives an exit status."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import baseline, groups
from tests.surroundings import tidied
from tools.environment import LOCK, ROOT, SetUpError, environment, private_folder, say


def pytest(arguments: list[str], **variables: str) -> int:
    """Run pytest in the environment; its exit status."""
    python = environment()
    command = [str(python), "-m", "pytest", f"--rootdir={ROOT}", "-c", str(ROOT / "pyproject.toml"), *arguments]
    if not os.access(ROOT, os.W_OK):
        command += ["-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=ROOT, env={**tidied(dict(os.environ)), **variables}).returncode


def test(arguments: list[str]) -> int:
    """Every group: what may run side by side on four workers (they mostly wait), then what needs all of it."""
    if arguments:
        status = pytest(arguments)
        if status == groups.NOTHING_COLLECTED:
            say("no test matches that")
        return status
    with tempfile.TemporaryDirectory(prefix="onsite-tests-") as folder:
        phases = {
            "side by side": ["-m", "not serial", "-n", "4", "--dist", "loadscope", "--no-loadscope-reorder"],
            "one after the other": ["-m", "serial", "-p", "no:xdist"],
        }
        runs = []
        for number, (name, options) in enumerate(phases.items()):
            report = Path(folder) / f"{number}.json"
            say(f"tests, {name}")
            status = pytest([*options, "-q", "--groups-report", str(report)])
            runs.append(groups.read_run(report, status))
        return groups.conclude(runs, readme=ROOT / "tests" / "README.md", strict=bool(os.environ.get("CI")))


def lint(arguments: list[str]) -> int:
    """Formatting, lint, types and import arrows; all are run, so that one look shows every complaint."""
    bin_folder = environment().parent
    sources = [
        name
        for name in ("dev.py", "tools", "tui", "screens", "agent", "assets", "tests", "bench")
        if (ROOT / name).exists()
    ]
    gates = (
        ["ruff", "format", "--check", *sources],
        ["ruff", "check", *sources],
        ["mypy"],
        ["mypy", "dev.py", "tools", "tests/groups.py", "tests/surroundings.py", "tests/baseline.py"],
        ["lint-imports"],
    )
    refused = []
    for gate in gates:
        say(" ".join(gate))
        if subprocess.run([str(bin_folder / gate[0]), *gate[1:]], cwd=ROOT).returncode:
            refused.append(gate[0])
    if refused:
        say(f"refused by {', '.join(dict.fromkeys(refused))}")
    return int(bool(refused))


def check(arguments: list[str]) -> int:
    return lint([]) or test(arguments)


def demo(arguments: list[str]) -> int:
    return become([str(environment()), "-m", "tui", "demo", *arguments])


def bench(arguments: list[str]) -> int:
    """One measurement by its name and with its arguments, or all of them."""
    python = str(environment())
    if arguments:
        return become([python, "-m", f"bench.{arguments[0]}", *arguments[1:]])
    programs = (path.stem for path in sorted((ROOT / "bench").glob("*.py")) if "__main__" in path.read_text("utf-8"))
    return max(subprocess.run([python, "-m", f"bench.{name}"], cwd=ROOT).returncode for name in programs)


def become(command: list[str]) -> int:
    """Replace this process, so that the terminal, its signals and the exit status are the program's own."""
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  # a path of ours


def snapshots(arguments: list[str]) -> int:
    report = ROOT / "snapshot_report.html"
    if not os.access(ROOT, os.W_OK):
        report = private_folder() / report.name
    status = pytest(["-m", "snapshot", "-p", "no:xdist", "-q", "--snapshots-html", str(report), *arguments])
    say(f"before, after and difference: {report}")
    return status


def snapshots_update(arguments: list[str]) -> int:
    """Accept today's screens, on the Python and the textual that drew the accepted ones; else refuse, exit 2."""
    python = environment()
    if sentence := baseline.refusal(str(python)):
        say(sentence)
        return 2
    return snapshots(["--snapshot-update", *arguments])


def fuzz(arguments: list[str]) -> int:
    """Ten minutes of foreign bytes into the reader of certificates, and ten into the import of archives.

    Or as many seconds as are given, for each.
    """
    python, fuzzers = str(environment()), ("certificate_fuzz", "content_fuzz")
    commands = ([python, "-m", f"tests.unit.{name}", *(arguments or ["600"])] for name in fuzzers)
    return max(subprocess.run(command, cwd=ROOT).returncode for command in commands)


def host_full(arguments: list[str]) -> int:
    return pytest(["tests/netns", "tests/host", "-p", "no:xdist", *arguments], ONSITE_FULL="1")


def api_full(arguments: list[str]) -> int:
    """The agent of a host in a container asked everything; writes docs/measured/agent-api.md."""
    return pytest(["tests/host/test_contract.py", "-p", "no:xdist", "-s", *arguments], ONSITE_FULL="1")


def consoles_full(arguments: list[str]) -> int:
    """A virtual machine with screen and serial line; writes docs/measured/consoles.md and pictures."""
    files = ["tests/host/test_consoles.py", "tests/host/test_vt.py"]
    return pytest([*files, "-p", "no:xdist", *arguments], ONSITE_FULL="1")


def layers_full(arguments: list[str]) -> int:
    """VLANs, bonds and bridges with every manager, in containers and machines; writes docs/measured/layers.md."""
    tests = ["tests/netns/test_layers.py", "tests/host/test_layers.py", "tests/host/test_layers_vm.py"]
    return pytest([*tests, "-p", "no:xdist", "-s", *arguments], ONSITE_FULL="1")


def checks_full(arguments: list[str]) -> int:
    """The ladder of checks with every pair and every healthy run; writes docs/measured/checks.md."""
    return pytest(["tests/netns/test_ladder.py", "-p", "no:xdist", "-s", "--timeout=1800", *arguments], ONSITE_FULL="1")


def soak(arguments: list[str]) -> int:
    """The air gap for five minutes with timers twelve times faster, then for a real hour."""
    test = "tests/netns/test_registration.py::test_in_the_air_gap_not_one_packet_goes_outside"
    runs = {"300": "12", "3600": "1"}
    return max(
        pytest([test, "-p", "no:xdist", "-s", "--timeout=4200", *arguments],
               ONSITE_AIRGAP_SECONDS=seconds, ONSITE_AIRGAP_PACE=pace)
        for seconds, pace in runs.items()
    )  # fmt: skip


def cluster_full(arguments: list[str]) -> int:
    """Real clusters made and broken (ONSITE_ENGINE_PAYLOAD names the engine); writes docs/measured/cluster.md."""
    return pytest(["tests/cluster", "-p", "no:xdist", "-s", *arguments], ONSITE_FULL="1")


def console_cluster(arguments: list[str]) -> int:
    """The same at the consoles, by keystrokes; writes docs/measured/console-cluster.md and docs/recordings."""
    tests = [f"tests/cluster/test_console_{name}.py" for name in ("single", "three", "faults")]
    return pytest([*tests, "-p", "no:xdist", "-s", *arguments], ONSITE_FULL="1")


def dev_table(arguments: list[str]) -> int:
    return become([str(environment()), "-m", "tests.dev.table", *arguments])


def wheel(arguments: list[str]) -> int:
    return become([str(environment()), "-m", "tests.packaging.wheel", *arguments])


def dist(arguments: list[str]) -> int:
    return become([str(environment()), "-m", "tools.dist", *arguments])


def lock(arguments: list[str]) -> int:
    uv = shutil.which("uv")
    if uv is None:
        raise SetUpError("The lock is resolved by uv: install `uv` and run this again.")
    # Only Linux is supported, so nothing of other systems is listed. Neither is the index: yours is not ours.
    options = "--python-platform x86_64-unknown-linux-gnu --python-version 3.11 --generate-hashes --no-header --quiet"
    options += " --no-emit-index-url --no-emit-find-links --no-annotate --group dev"
    command = [uv, "pip", "compile", *options.split(), "pyproject.toml", "-o", str(LOCK), *arguments]
    return subprocess.run(command, cwd=ROOT).returncode


COMMANDS = {
    "demo": demo,
    "test": test,
    "check": check,
    "lint": lint,
    "snapshots": snapshots,
    "snapshots-update": snapshots_update,
    "bench": bench,
    "fuzz": fuzz,
    "host-full": host_full,
    "layers-full": layers_full,
    "checks-full": checks_full,
    "soak": soak,
    "consoles-full": consoles_full,
    "cluster-full": cluster_full,
    "console-cluster": console_cluster,
    "api-full": api_full,
    "dev-table": dev_table,
    "wheel": wheel,
    "dist": dist,
    "lock": lock,
}


def run(arguments: list[str]) -> int:
    """Run the command that `arguments` begins with; 2 where there is no such command or no way to set it up."""
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except SetUpError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
