"""Our pytest plugin: clean surroundings, the report of groups, which tests run alone, and who may draw snapshots.

Loaded by `-p tests.plugin` in pyproject.toml, before any other plugin, because one of them imports textual.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import surroundings

surroundings.tidy()

import pytest  # noqa: E402  # after the environment is tidy

from tests import baseline, groups, snapshot_report  # noqa: E402

SERIAL_GROUPS = ("host", "packaging", "dev", "cluster")
"""The others bring namespaces and folders of their own, so two of them may run side by side."""
README = Path(__file__).parent / "README.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    ours = parser.getgroup("onsite")
    ours.addoption("--groups-report", metavar="FILE", help="write what each group did to FILE instead of the screen")
    ours.addoption("--snapshots-html", metavar="FILE", help="one report: before, after and difference of each snapshot")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(GroupReport(config), "onsite-groups")
    if config.option.update_snapshots and (sentence := baseline.refusal(sys.executable)):
        raise pytest.UsageError(sentence)
    snapshot_report.replace_plugin_report()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what must run alone and every test that compares a snapshot; begin with what takes minutes."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        if groups.group_of(item.nodeid) in SERIAL_GROUPS:
            item.add_marker("serial")
        if {"snapshot", "snap_compare"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("snapshot")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if path := session.config.option.snapshots_html:
        snapshot_report.write(Path(path), session)


class GroupReport:
    """Counts what every group did. Under xdist the main process counts and the workers tell it what they skipped."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcomes: dict[str, tuple[str, str]] = {}
        self.seconds: dict[str, float] = {}
        self.deselected = False

    def pytest_deselected(self) -> None:
        self.deselected = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        group = groups.group_of(report.nodeid)
        self.seconds[group] = self.seconds.get(group, 0.0) + report.duration
        if report.failed:
            self.outcomes[report.nodeid] = ("failed", "")
        elif report.skipped:
            self.outcomes.setdefault(report.nodeid, ("skipped", why_skipped(report)))
        elif report.when == "call":
            self.outcomes.setdefault(report.nodeid, ("passed", ""))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcomes[report.nodeid] = ("failed", "")
        elif report.skipped:
            self.outcomes[report.nodeid] = ("skipped", why_skipped(report))

    def pytest_sessionfinish(self) -> None:
        """xdist forwards no skipped module to the main process; this does."""
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["onsite_skipped"] = [
                (test, why) for test, (outcome, why) in self.outcomes.items() if outcome == "skipped"
            ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for test, why in getattr(node, "workeroutput", {}).get("onsite_skipped", ()):
            self.outcomes.setdefault(test, ("skipped", why))

    def run(self, status: int) -> groups.Run:
        found = groups.Run(status)
        for test, (outcome, why) in self.outcomes.items():
            group = found.groups.setdefault(groups.group_of(test), groups.Group())
            if outcome == "skipped":
                group.skipped.append((test, why))
            else:
                setattr(group, outcome, getattr(group, outcome) + 1)
        for name, group in found.groups.items():
            group.seconds = self.seconds.get(name, 0.0)
        return found

    @pytest.hookimpl(wrapper=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
        yield
        self.reporter = terminalreporter

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """The very last thing, after pytest's own closing line."""
        if hasattr(self.config, "workeroutput") or not hasattr(self, "reporter"):
            return
        run = self.run(int(self.reporter._session.exitstatus))
        if path := self.config.option.groups_report:
            groups.write_run(Path(path), run)
            return
        for line in groups.render(run.groups, groups.Rules(dict.fromkeys(sorted(run.groups), False), [])):
            self.reporter.write_line(line)
        self.reporter.write_line(groups.sums(run.groups))


def why_skipped(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The reason that a skip gave. An expected failure is one too: it proves nothing."""
    if expected := getattr(report, "wasxfail", None):
        return f"expected to fail: {expected}"
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")
