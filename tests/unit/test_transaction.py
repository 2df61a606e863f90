"""One change at a time; kept or taken back, never half; over a recorded kernel and real files in a folder."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent import configuring
from tui.models.change import FileImage, Plan, Refused
from tui.models.facts import Address, Facts, Link, Route
from tui.models.host import HostConfig
from tui.services import facts
from tui.services.change import audit, files, history, journal, planner, transaction
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.network.direct import Direct
from tui.services.network.recorded import RecordedKernel

MAC = "00:00:5e:00:53:01"
BACKENDS: dict[str, Any] = {"direct": Direct()}
BOOT_ID = "/proc/sys/kernel/random/boot_id"


def _link() -> Link:
    return Link(
        2, "lan0", MAC, MAC, admin_up=True, operstate="up", carrier=True, max_mtu=9000,
        addresses=(Address("192.0.2.200/24", "other"),), routes=(Route("default", "192.0.2.1"),),
    )  # fmt: skip


def _host(root: Path, taken: tuple[str, ...] = ()) -> Host:
    host = Host(root, RecordedKernel(Facts(links=(_link(),)), taken=taken), "recorded", FixedClock())
    _boot(host, "first")
    return host


def _boot(host: Host, boot_id: str) -> None:
    host.path(BOOT_ID).parent.mkdir(parents=True, exist_ok=True)
    host.path(BOOT_ID).write_text(boot_id)


def _config(address: str = "192.0.2.10/24", gateway: str = "192.0.2.1", **more: Any) -> HostConfig:
    ipv4 = {"method": "static", "addresses": [address], "gateway": gateway}
    link = {"mac": MAC, "name": "lan0", "ipv4": ipv4, "ipv6": {"method": "off"}, "nameservers": ["192.0.2.53"], **more}
    return HostConfig.model_validate({"links": [link]})


def _plan(host: Host, config: HostConfig) -> Plan:
    return planner.plan(config, facts.read(host), BACKENDS)


async def _apply(host: Host, config: HostConfig, seconds: float = 120) -> journal.Pending:
    plan = _plan(host, config)
    return await transaction.apply(host, plan, BACKENDS, who="alice", line="tty1", keep_within=seconds)


def _kernel(host: Host) -> tuple[tuple[str, ...], tuple[str, ...]]:
    link = host.kernel.links()[0]
    return link.state.addresses, link.default_gateways


def _code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.issues[0].code


def _kept(host: Host) -> list[str]:
    return sorted(p.read_text() for p in host.path("/etc/onsite/links").glob("*"))


async def test_kept_after_keep_and_not_before(tmp_path: Path) -> None:
    host = _host(tmp_path)
    pending = await _apply(host, _config())
    assert _kernel(host) == (("192.0.2.10/24",), ("192.0.2.1",))
    assert _kept(host) == []
    outcome = await transaction.keep(host, BACKENDS, pending.change_id)
    assert (outcome.result, outcome.verified) == ("kept", True)
    assert len(_kept(host)) == 1
    assert journal.pending(host) is None
    assert not list(host.path("/run/onsite/links").glob("*"))
    assert [e["event"] for e in audit.entries(host)] == ["applied", "kept"]
    assert _plan(host, _config()).empty


async def test_revert_brings_back_addresses_and_routes(tmp_path: Path) -> None:
    host = _host(tmp_path)
    before = _kernel(host)
    await _apply(host, _config("198.51.100.7/24", "198.51.100.1"))
    outcome = await transaction.revert(host, BACKENDS, "the operator said so")
    assert (outcome.result, outcome.verified) == ("reverted", True)
    assert "verified" in outcome.text
    assert _kernel(host) == before
    assert _kept(host) == []
    assert [r.result for r in history.records(host)] == ["reverted"]


async def test_expires_at_the_deadline_only(tmp_path: Path) -> None:
    host = _host(tmp_path)
    before = _kernel(host)
    pending = await _apply(host, _config(), 60)
    host.clock.move(59)  # type: ignore[attr-defined]  # a FixedClock
    assert await transaction.expire(host, BACKENDS, pending.change_id) is None
    host.clock.move(2)  # type: ignore[attr-defined]  # a FixedClock
    with pytest.raises(Refused) as refused:
        await transaction.keep(host, BACKENDS)
    assert _code(refused) == "C107"
    outcome = await transaction.expire(host, BACKENDS, pending.change_id)
    assert outcome is not None
    assert outcome.result == "reverted"
    assert _kernel(host) == before


async def test_a_clock_step_of_years_changes_nothing(tmp_path: Path) -> None:
    host = _host(tmp_path)
    pending = await _apply(host, _config(), 60)
    left = pending.left(host.clock)
    host.clock._now += 20 * 365 * 86400  # type: ignore[attr-defined]  # NTP came up: only the wall clock moves
    stored = journal.pending(host)
    assert stored is not None
    assert stored.left(host.clock) == left
    assert await transaction.expire(host, BACKENDS, pending.change_id) is None


async def test_more_time_moves_the_deadline(tmp_path: Path) -> None:
    host = _host(tmp_path)
    pending = await _apply(host, _config(), 30)
    host.clock.move(25)  # type: ignore[attr-defined]  # a FixedClock
    longer = await transaction.extend(host, pending.change_id, 90)
    assert longer.left(host.clock) == 90
    host.clock.move(80)  # type: ignore[attr-defined]  # a FixedClock
    assert (await transaction.keep(host, BACKENDS)).result == "kept"


async def test_one_change_at_a_time(tmp_path: Path) -> None:
    host = _host(tmp_path)
    await _apply(host, _config())
    with pytest.raises(Refused) as refused:
        await _apply(host, _config("192.0.2.11/24"))
    assert _code(refused) == "C101"
    assert "alice on tty1" in refused.value.issues[0].text


async def test_a_file_changed_since_review_is_not_overwritten(tmp_path: Path) -> None:
    host = _host(tmp_path)
    plan = _plan(host, _config())
    files.write_image(host, FileImage(plan.steps[0].image.path, b"by hand", 0o644, os.getuid(), os.getgid()))
    with pytest.raises(Refused) as refused:
        await transaction.apply(host, plan, BACKENDS, who="alice", line="tty1")
    assert _code(refused) == "C102"
    assert host.path(plan.steps[0].image.path).read_bytes() == b"by hand"


async def test_what_the_kernel_refuses_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = _host(tmp_path)
    before = _kernel(host)
    plan = _plan(host, _config())
    change = host.kernel.change

    async def refuses(operations: Any) -> None:
        if any(o.kind == "add route" for o in operations):
            monkeypatch.setattr(host.kernel, "change", change)
            raise OSError(errno.EINVAL, "Invalid argument")
        await change(operations)

    monkeypatch.setattr(host.kernel, "change", refuses)
    with pytest.raises(Refused) as refused:
        await transaction.apply(host, plan, BACKENDS, who="alice", line="tty1")
    assert _code(refused) == "C103"
    assert _kernel(host) == before
    assert journal.pending(host) is None


async def test_an_address_that_another_machine_has_is_taken_back(tmp_path: Path) -> None:
    host = _host(tmp_path, taken=("2001:db8::5",))
    before = _kernel(host)
    ipv6 = {"method": "static", "addresses": ["2001:db8::5/64"]}
    with pytest.raises(Refused) as refused:
        await _apply(host, _config(ipv6=ipv6))
    assert _code(refused) == "N305"
    assert _kernel(host) == before


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
async def test_a_disk_that_refuses_the_kept_file_takes_the_change_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    host = _host(tmp_path)
    before = _kernel(host)
    await _apply(host, _config())
    real = files.write_image

    def fails(where: Host, image: FileImage) -> None:
        if image.path.startswith("/etc/onsite") and not image.absent:
            raise OSError(fault, os.strerror(fault), image.path)
        real(where, image)

    monkeypatch.setattr(files, "write_image", fails)
    with pytest.raises(Refused) as refused:
        await transaction.keep(host, BACKENDS)
    assert _code(refused) == "C105"
    assert _kernel(host) == before
    assert journal.pending(host) is None
    assert _kept(host) == []


async def test_a_reboot_in_the_window_is_the_revert(tmp_path: Path) -> None:
    host = _host(tmp_path)
    await _apply(host, _config())
    _boot(host, "second")
    fresh = Host(tmp_path, RecordedKernel(Facts(links=(_link(),))), "recorded", FixedClock())
    outcome = await transaction.recover(fresh, BACKENDS, early=True)
    assert outcome is not None
    assert outcome.result == "reverted"
    assert _kept(fresh) == []
    assert await transaction.recover(fresh, BACKENDS) is None


async def test_what_a_boot_left_undecided_is_taken_back_later_with_the_kernel(tmp_path: Path) -> None:
    """The interrupted change came up, as its files were there when the network began."""
    host = _host(tmp_path)
    before = _kernel(host)
    await _apply(host, _config())
    _boot(host, "second")
    outcome = await transaction.recover(host, BACKENDS)
    assert outcome is not None
    assert outcome.result == "reverted"
    assert _kernel(host) == before


async def test_the_agent_takes_back_what_an_earlier_boot_left_and_nothing_else(tmp_path: Path) -> None:
    host = _host(tmp_path)
    await _apply(host, _config())
    await configuring.undecided(host)
    assert journal.pending(host) is not None
    _boot(host, "second")
    await configuring.undecided(host)
    assert journal.pending(host) is None


async def test_files_that_somebody_broke_meanwhile_leave_no_change_undecided(tmp_path: Path) -> None:
    class Broken(Direct):
        async def derive(self, host: Host) -> None:
            raise OSError(errno.EINVAL, "99-broken.yaml:1:1: Invalid YAML")

    host = _host(tmp_path)
    await _apply(host, _config())
    _boot(host, "second")
    outcome = await transaction.recover(host, {"direct": Broken()}, early=True)
    assert outcome is not None
    assert (outcome.result, outcome.issues[0].code) == ("unverified", "M101")
    assert "99-broken.yaml" in outcome.issues[0].text
    assert journal.pending(host) is None


async def test_recover_leaves_a_change_that_waits(tmp_path: Path) -> None:
    host = _host(tmp_path)
    await _apply(host, _config())
    assert await transaction.recover(host, BACKENDS) is None
    assert journal.pending(host) is not None


async def test_nothing_to_keep(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        await transaction.keep(_host(tmp_path), BACKENDS)
    assert _code(refused) == "C108"


async def test_revert_last_and_forth_again(tmp_path: Path) -> None:
    host = _host(tmp_path)
    before = _kernel(host)
    await _apply(host, _config("198.51.100.7/24", "198.51.100.1"))
    await transaction.keep(host, BACKENDS)
    after, file = _kernel(host), _kept(host)
    for kernel, kept in ((before, []), (after, file)):
        plan, change_id = history.revert_last(host)
        await transaction.apply(host, plan, BACKENDS, who="alice", line="tty1", reverts=change_id)
        await transaction.keep(host, BACKENDS)
        assert _kernel(host) == kernel
        assert _kept(host) == kept


class Walk(RuleBasedStateMachine):
    """Any order of everything; the host is what was last kept, or what the pending change says."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self._folder = tempfile.TemporaryDirectory()
        self.host = _host(Path(self._folder.name))
        self.kept: tuple[Any, Any] = (_kernel(self.host), _kept(self.host))
        self.pending: tuple[str, str] | None = None
        self.boots = 0

    def teardown(self) -> None:
        self._folder.cleanup()

    def _run(self, work: Any) -> Any:
        return asyncio.run(work)

    @precondition(lambda self: self.pending is None)
    @rule(number=st.integers(2, 250))
    def apply(self, number: int) -> None:
        config = _config(f"192.0.2.{number}/24")
        plan = _plan(self.host, config)
        if plan.empty:
            return
        change = self._run(transaction.apply(self.host, plan, BACKENDS, who="a", line="b", keep_within=60))
        self.pending = (change.change_id, f"192.0.2.{number}/24")

    @precondition(lambda self: self.pending is not None)
    @rule()
    def second(self) -> None:
        with pytest.raises(Refused):
            self._run(transaction.apply(self.host, Plan({}), BACKENDS, who="a", line="b"))

    @precondition(lambda self: self.pending is not None)
    @rule()
    def keep(self) -> None:
        self._run(transaction.keep(self.host, BACKENDS))
        self.pending = None
        self.kept = (_kernel(self.host), _kept(self.host))

    @precondition(lambda self: self.pending is not None)
    @rule()
    def revert(self) -> None:
        assert self._run(transaction.revert(self.host, BACKENDS, "so")).verified
        self.pending = None

    @rule(seconds=st.integers(0, 70))
    def time(self, seconds: int) -> None:
        self.host.clock.move(seconds)  # type: ignore[attr-defined]  # a FixedClock
        change = journal.pending(self.host)
        if change and change.left(self.host.clock) <= 0:
            assert self._run(transaction.expire(self.host, BACKENDS, change.change_id)).verified
            self.pending = None

    @rule()
    def recover(self) -> None:
        self._run(transaction.recover(self.host, BACKENDS))

    @precondition(lambda self: self.pending is not None)
    @rule()
    def more(self) -> None:
        self._run(transaction.extend(self.host, "", 60))

    @invariant()
    def whole(self) -> None:
        change = journal.pending(self.host)
        assert (change is not None) == (self.pending is not None)
        if self.pending is None:
            assert (_kernel(self.host), _kept(self.host)) == self.kept
        else:
            assert _kernel(self.host)[0] == (self.pending[1],)
            assert _kept(self.host) == self.kept[1]
        assert not list(self.host.root.rglob("*.tmp"))


Walk.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestWalk = Walk.TestCase
