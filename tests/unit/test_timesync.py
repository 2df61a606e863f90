"""Time servers, zones and the clock by hand: what may be typed, the file of each service, and what is said of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.models import timing
from tui.models.facts import Facts, FileFact, Setters
from tui.models.host import HostConfig
from tui.models.values import parse
from tui.models.wrong import Wrong
from tui.services import facts, recording
from tui.services.change import audit, planner, transaction
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.timekeeping import plan as timekeeping
from tui.services.timekeeping import setting, state
from tui.services.timekeeping.target import _wanted

CONF = "pool 2.debian.pool.ntp.org iburst\nsourcedir /run/chrony-dhcp\nsourcedir /etc/chrony/sources.d\n"
NOON = 1769860800.0
"""2026-01-31 12:00:00 UTC."""
SYNCHRONISED = "/run/systemd/timesync/synchronized"


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("ntp1.site.example", ("ntp1.site.example",)),
        ("192.0.2.1,192.0.2.2", ("192.0.2.1", "192.0.2.2")),
        ("192.0.2.1 192.0.2.2", ("192.0.2.1", "192.0.2.2")),
        (" a.example ,  b.example;2001:DB8::1\n", ("a.example", "b.example", "2001:db8::1")),
        ("[2001:db8::1], NTP.site.example.", ("2001:db8::1", "ntp.site.example")),
        ("time", ("time",)),
    ],
)
def test_lists_with_commas_blanks_or_both(text: str, servers: tuple[str, ...]) -> None:
    assert parse("timeservers", text) == servers


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("server ntp.example iburst", "Y111"), ("pool a.example", "Y111"), ("ntp://a.example", "Y111"),
        ("192.0.2.1:123", "Y111"), ("[2001:db8::1]:123", "Y111"), ("a.example:123", "Y111"), ("::", "Y111"),
        ("224.0.1.1", "Y111"), ("ntp_1.example", "Y111"), ("192,0,2,1", "Y111"), ("-a.example", "Y111"),
        ("a.example a.example", "N121"), ("fe80::1%lan0", "Y111"), ("a;$(id)", "Y111"),
    ],
)  # fmt: skip
def test_no_server(text: str, code: str) -> None:
    with pytest.raises(Wrong) as wrong:
        parse("timeservers", text)
    assert wrong.value.issue.code == code
    assert wrong.value.issue.remedy


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("utc", "UTC"), ("", None),
        ("America/new york", "America/New_York"), ("Etc/GMT+2", "Etc/GMT+2"),
    ],
)  # fmt: skip
def test_a_zone(text: str, zone: str | None) -> None:
    assert timing.zone(text) == zone


@pytest.mark.parametrize(
    "text",
    ["../../etc/passwd", "/etc/passwd", "posixrules", "localtime", "Factory", "CEST+9", "Berlin", "Europe", "+2"],
)
def test_no_zone(text: str) -> None:
    """A file of the folder that is no zone is none here either (host-config: names, not paths)."""
    with pytest.raises(Wrong) as wrong:
        timing.zone(text)
    assert wrong.value.issue.code == "Y112"


def test_a_city_is_answered_with_its_zone() -> None:
    with pytest.raises(Wrong) as wrong:
        timing.zone("berlin")
    assert wrong.value.issue.remedy == "Type Europe/Berlin."


@pytest.mark.parametrize(
    "text", ["2026-01-31 12:00", "2026-1-31 12:00:00", "2026-01-31T12:00:00Z", " 2026-01-31 12:00 utc "]
)
def test_a_moment(text: str) -> None:
    assert timing.moment(text) == NOON


@pytest.mark.parametrize(
    "text",
    ["", "12:00", "31.01.2026 12:00", "2026-02-30 12:00", "2026-01-31 25:00", "1970-01-01 00:00", "2200-01-01 1:00"],
)
def test_no_moment(text: str) -> None:
    with pytest.raises(Wrong) as wrong:
        timing.moment(text)
    assert wrong.value.issue.code == "Y114"


def _host(root: Path, setters: Setters, *more: FileFact) -> Host:
    zone = FileFact("/etc/localtime", target="/usr/share/zoneinfo/Etc/UTC")
    found = Facts(hostname="box", setters=setters, files=(zone, *more))
    return recording.host(found, root, FixedClock(NOON))


def _config(**clock: object) -> HostConfig:
    return HostConfig.model_validate({"clock": clock})


def test_timesyncd(tmp_path: Path) -> None:
    host = _host(tmp_path, Setters("timesyncd"), FileFact("/etc/timezone", text="Etc/UTC\n"))
    wish = _config(servers=["192.0.2.1", "ntp.site.example"], zone="Europe/Berlin")
    plan = planner.plan(wish, facts.read(host), {})
    images = {step.image.path: step.image for step in plan.steps}
    assert images["/etc/systemd/timesyncd.conf.d/50-onsite.conf"].content == (
        b"# Written by Onsite; change it there.\n[Time]\nNTP=\nNTP=192.0.2.1 ntp.site.example\n"
    )
    assert images["/etc/localtime"].target == "../usr/share/zoneinfo/Europe/Berlin"
    assert images["/etc/timezone"].content == b"Europe/Berlin\n"
    assert {step.reload for step in plan.steps} == {"time"}
    assert [d.label for d in plan.differences] == ["time servers", "time zone"]


def test_servers_of_others_are_known_and_replaced(tmp_path: Path) -> None:
    main = FileFact("/etc/systemd/timesyncd.conf", text="[Time]\n#NTP=x\nNTP=old.example\n")
    host = _host(tmp_path, Setters("timesyncd"), main)
    assert timekeeping.servers(facts.read(host)) == ("old.example",)
    assert planner.plan(_config(servers=["old.example"]), facts.read(host), {}).empty


def test_chrony_every_line_ends_with_a_newline(tmp_path: Path) -> None:
    host = _host(tmp_path, Setters("chrony"), FileFact("/etc/chrony/chrony.conf", text=CONF))
    plan = planner.plan(_config(servers=["192.0.2.1", "2001:db8::1"]), facts.read(host), {})
    assert plan.steps[0].image.path == "/etc/chrony/sources.d/onsite.sources"
    content = plan.steps[0].image.content or b""
    assert content.decode().splitlines()[1:] == ["server 192.0.2.1 iburst", "server 2001:db8::1 iburst"]
    assert content.endswith(b"\n")
    assert _wanted(content.decode()) == {"192.0.2.1", "2001:db8::1"}
    assert [i.code for i in plan.issues] == ["Y126"]


@pytest.mark.parametrize(
    ("setters", "conf", "word"),
    [
        (Setters(""), "", "No service"), (Setters("ntpsec"), "", "ntpsec"),
        (Setters("chrony"), "server a.example iburst\n", "sourcedir"),
    ],
)  # fmt: skip
def test_where_no_server_can_be_written(tmp_path: Path, setters: Setters, conf: str, word: str) -> None:
    host = _host(tmp_path, setters, *([FileFact("/etc/chrony.conf", text=conf)] if conf else []))
    plan = planner.plan(_config(servers=["192.0.2.1"]), facts.read(host), {})
    assert [i.code for i in plan.errors] == ["Y124"]
    assert word in plan.errors[0].text
    assert not timekeeping.writable(facts.read(host))


async def test_kept_and_taken_back(tmp_path: Path) -> None:
    host = _host(tmp_path, Setters("timesyncd"))
    wish = _config(servers=["192.0.2.1"], zone="Europe/Berlin")
    for keep in (False, True):
        await transaction.apply(host, planner.plan(wish, facts.read(host), {}), {}, who="alice", line="tty1")
        assert timekeeping.zone(facts.read(host)) == "Europe/Berlin"
        if not keep:
            assert (await transaction.revert(host, {}, "the operator said so")).verified
            assert timekeeping.zone(facts.read(host)) == "Etc/UTC"
            assert timekeeping.servers(facts.read(host)) == ()
    await transaction.keep(host, {})
    assert planner.plan(wish, facts.read(host), {}).empty
    plan = planner.plan(_config(servers=[]), facts.read(host), {})
    assert [step.image.absent for step in plan.steps] == [True]


async def test_synchronised_and_since_when(tmp_path: Path) -> None:
    host = _host(tmp_path, Setters("timesyncd"))
    before = await state.read(host)
    assert (before.service, before.synchronised, before.last) == ("timesyncd", False, 0.0)
    mark = host.path(SYNCHRONISED)
    mark.parent.mkdir(parents=True)
    mark.touch()
    os.utime(mark, (NOON - 60, NOON - 60))
    after = await state.read(host)
    assert (after.synchronised, after.last) == (True, NOON - 60)
    nobody = await state.read(_host(tmp_path / "other", Setters("")))
    assert (nobody.service, nobody.synchronised) == ("", False)


async def test_clock_by_hand_is_set_and_in_the_audit(tmp_path: Path) -> None:
    host = _host(tmp_path, Setters("timesyncd"))
    boottime = host.clock.boottime()
    said = await setting.set_clock(host, NOON + 86400, who="alice", line="tty1")
    assert said == "The clock was set to 2026-02-01 12:00:00 UTC."
    assert (host.clock.now(), host.clock.boottime()) == (NOON + 86400, boottime)
    entry = audit.entries(host)[-1]
    assert (entry["event"], entry["who"], entry["line"]) == ("clock set by hand", "alice", "tty1")
    assert entry["differences"][0]["before"] == "2026-01-31 12:00:00 UTC"


async def test_clock_by_hand_is_refused(tmp_path: Path) -> None:
    from tui.models.change import Refused

    host = _host(tmp_path, Setters("timesyncd"))
    mark = host.path(SYNCHRONISED)
    mark.parent.mkdir(parents=True)
    mark.touch()
    for kind, code in (("recorded", "Y133"), ("network", "Y134"), ("user", "Y134")):
        host.kind = kind  # type: ignore[assignment]  # each of the kinds
        with pytest.raises(Refused) as refused:
            await setting.set_clock(host, NOON, who="alice", line="tty1")
        assert refused.value.issues[0].code == code
    assert host.clock.now() == NOON
    assert audit.entries(host) == []


def test_a_document_is_blamed_by_the_words_of_the_form() -> None:
    from tui.models.change import Refused
    from tui.services import document

    text = b"identity: {hostname: Edge, keybord: de}\nclock: {servers: ['192.0.2.1:123'], zone: Berlin}\n"
    with pytest.raises(Refused) as refused:
        document.parse(text)
    said = {issue.code: (issue.field, issue.text.partition(":")[0]) for issue in refused.value.issues}
    assert said["Y105"] == ("identity.hostname", "Host name")
    assert said["Y111"] == ("clock.servers", "Time servers")
    assert said["Y112"] == ("clock.zone", "Time zone")
    assert said["D105"] == ("identity", "Name")
    assert document.parse(document.text(_config(servers=["192.0.2.1"], zone="UTC")).encode()).clock is not None
