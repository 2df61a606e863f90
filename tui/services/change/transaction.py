"""Apply, keep, revert, recover: one change at a time, taken back by itself unless somebody says Keep.

    applying --verified--> waiting --keep--> kept
        \\-- any error --\\      \\-- deadline, Revert, reboot --> reverted

The order is the safety: the dead-man runs before the journal is written, the journal is on disk before anything
changes, the volatile layer changes before the kept one, and renaming the journal away is the last act of both ends.
Whoever is killed anywhere leaves a journal, and the dead-man, the next boot or the next console takes the change back.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tui.models.change import Issue, Plan, Refused
from tui.models.facts import ABSENT, Link
from tui.services.change import audit, deadman, files, journal, layering, verify
from tui.services.change.journal import LinkChange, Pending, Result
from tui.services.change.lock import disk, locked
from tui.services.change.target import targets
from tui.services.host import Host
from tui.services.network import bystanders
from tui.services.network.backend import Backend

log = logging.getLogger(__name__)

APPLY_LIMIT = 60.0
"""Seconds that an apply, a keep or a revert may take before it counts as failed."""
SHORTEST, LONGEST = 5.0, 600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a change ended.

    Attributes:
        verified: kernel and files were read again and are as `result` says.
        text: one sentence for the screen.
    """

    change_id: str
    result: Result
    text: str
    issues: tuple[Issue, ...] = ()

    @property
    def verified(self) -> bool:
        return self.result != "unverified"


async def apply(
    host: Host,
    plan: Plan,
    backends: dict[str, Backend],
    *,
    who: str,
    line: str,
    keep_within: float = 120.0,
    reverts: str = "",
) -> Pending:
    """Make the change in the volatile layer and in the kernel, and wait for Keep.

    Args:
        keep_within: seconds to say Keep, 5 to 600.

    Raises:
        Refused: nothing is changed, or what was changed has been taken back; the issues say which.
    """
    if plan.errors:
        raise Refused(*plan.errors)
    window = min(max(keep_within, SHORTEST), LONGEST)
    async with locked(host):
        _refuse_if_pending(host)
        for step in plan.steps:
            if files.read_image(host, step.image.path).sha256 != step.before_hash:
                raise Refused(_changed_since(step.image.path))
        await _preflight(host, plan, backends)
        try:
            change = _journal_of(host, plan, backends, who, line, window, reverts)
        except OSError as error:
            raise Refused(_refused_by(error)) from error
        try:
            deadman.arm(host, change, APPLY_LIMIT + window)
        except OSError as error:
            log.exception("dead-man")
            text = "What takes a change back by itself could not be started, so nothing was changed."
            remedy = "Try again; if it stays so, restart the host and send the Log to IT."
            raise Refused(Issue("C112", "error", "", text, remedy)) from error
        try:
            journal.store(host, change)
        except OSError as error:
            deadman.disarm(host, change)
            raise Refused(disk(error)) from error
        try:
            async with asyncio.timeout(APPLY_LIMIT):
                for step in plan.steps:
                    files.write_image(host, step.volatile or step.image)
                await _follow(host, change, backends)
                checks = await verify.applied(host, change)
            if any(check.severity == "error" for check in checks):
                raise Refused(*checks)
            change = replace(change, phase="waiting", checks=checks, deadline=host.clock.boottime() + window)
            journal.store(host, change)
            deadman.move(host, change, window)
        except (OSError, TimeoutError, Refused) as error:
            raise await _failed(host, change, backends, error, "it could not be applied") from error
    audit.write(host, "applied", change)
    return change


async def keep(host: Host, backends: dict[str, Backend], change_id: str = "") -> Outcome:
    """Write the kept layer, drop the volatile one, close the journal.

    Raises:
        Refused: nothing is pending (C108), the time is over (C107), or it could not be kept and was taken back.
    """
    async with locked(host):
        change = _expect(host, change_id)
        if change.phase != "waiting" or change.left(host.clock) <= 0:
            text = "The time to keep this change is over; it is being taken back."
            raise Refused(Issue("C107", "error", "", text, "Apply it again and keep it in time."))
        try:
            async with asyncio.timeout(APPLY_LIMIT):
                for image in change.after:
                    files.write_image(host, image)
                files.remove(host, (image.path for image in change.volatile))
                await _follow(host, change, backends)
                problems = await verify.kept(host, change)
                if problems:
                    raise Refused(*problems)
                journal.close(host, change, "kept")
        except (OSError, TimeoutError, Refused) as error:
            raise await _failed(host, change, backends, error, "it could not be kept") from error
        deadman.disarm(host, change)
    audit.catch_up(host)
    return Outcome(change.change_id, "kept", "Kept. It will be there after a restart.")


async def revert(host: Host, backends: dict[str, Backend], reason: str, change_id: str = "") -> Outcome:
    """Take the pending change back and look whether kernel and files are as before.

    Args:
        reason: completes "Taken back: ...", such as "nobody kept it in time".

    Raises:
        Refused: nothing is pending (C108).
        OSError: it could not be taken back; the journal is still there and the dead-man tries again.
    """
    async with locked(host):
        return await _take_back(host, _expect(host, change_id), backends, reason)


async def expire(host: Host, backends: dict[str, Backend], change_id: str) -> Outcome | None:
    """Take that change back if it is still there and its time is over; None otherwise. Safe to call from anywhere."""
    async with locked(host):
        change = journal.pending(host)
        if change is None or change.change_id != change_id:
            return None
        if change.phase == "applying":  # we hold the lock, so whoever applied it is gone
            return await _take_back(host, change, backends, "it was interrupted")
        if change.left(host.clock) > 0:
            return None
        return await _take_back(host, change, backends, "nobody kept it in time")


async def recover(host: Host, backends: dict[str, Backend], *, early: bool = False) -> Outcome | None:
    """Finish what a kill or a power cut interrupted: at boot before networking, and whenever a console starts.

    A change that still waits for its Keep in this very boot is left alone, with a dead-man.

    Args:
        early: no network manager runs yet; links will come up from their files. Otherwise, also after a restart, the
            kernel is made what it was: what came up may be the interrupted change.

    Raises:
        OSError: it could not be taken back; the journal is still there.
    """
    async with locked(host):
        change = journal.pending(host)
        if change is None:
            files.sweep(host, (journal.PATH,))
            audit.catch_up(host)
            return None
        rebooted = change.boot_id != host.boot_id()
        if not rebooted and change.phase == "waiting" and change.left(host.clock) > 0:
            deadman.arm(host, change, change.left(host.clock))
            return None
        reason = "the host restarted before it was kept" if rebooted else "it was interrupted"
        return await _take_back(host, change, backends, reason, early=rebooted and early)


async def extend(host: Host, change_id: str, seconds: float) -> Pending:
    """More time to decide: `seconds` from now on, at most ten minutes.

    Raises:
        Refused: nothing is pending (C108) or its time is over (C107).
    """
    async with locked(host):
        change = _expect(host, change_id)
        if change.left(host.clock) <= 0:
            text = "The time to keep this change is over; it is being taken back."
            raise Refused(Issue("C107", "error", "", text, "Apply it again and keep it in time."))
        left = min(max(seconds, SHORTEST), LONGEST)
        longer = replace(change, deadline=host.clock.boottime() + left)
        try:
            deadman.move(host, longer, left)
            journal.store(host, longer)
        except OSError as error:
            raise Refused(disk(error)) from error
        return longer


async def _take_back(
    host: Host, change: Pending, backends: dict[str, Backend], reason: str, *, early: bool = False
) -> Outcome:
    """Files first, then the kernel, then look; the journal is closed last. The lock is held by the caller."""
    for image in change.undo:
        await _again(partial(files.write_image, host, image))
    await _again(partial(files.remove, host, [image.path for image in change.volatile]))
    problems: tuple[Issue, ...] = ()
    if early:  # links come up from their files later in this boot; what is derived from files is made anew now
        problems = await _again(partial(_derive, host, change, backends))
        await _again(partial(_follow_targets, host, change))
    else:
        await _again(partial(_follow_back, host, change, backends))
    problems += await _again(partial(verify.reverted, host, change, kernel=not early))
    files.sweep(host, [i.path for i in (*change.undo, *change.volatile)] + [journal.PATH])
    result: Result = "unverified" if problems else "reverted"
    await _again(partial(journal.close, host, change, result))
    deadman.disarm(host, change)
    audit.catch_up(host, reason)
    if problems:
        text = f"Taken back because {reason}, but not everything was seen to be as before."
    elif early:
        text = f"Taken back because {reason}; the files are as before (verified)."
    else:
        text = f"Taken back because {reason}; addresses and routes are as before (verified)."
    log.info("change %s: %s %s", change.change_id, text, "; ".join(p.text for p in problems))
    return Outcome(change.change_id, result, text, problems)


async def _failed(host: Host, change: Pending, backends: dict[str, Backend], error: Exception, reason: str) -> Refused:
    """Take back what failed half way, and say both: why it failed and how the taking back went."""
    issues = error.issues if isinstance(error, Refused) else (_refused_by(error),)
    try:
        outcome = await _take_back(host, change, backends, reason)
    except OSError:
        log.exception("change %s could not be taken back at once", change.change_id)
        text = "The change could not be taken back yet; the host goes on trying by itself."
        return Refused(*issues, Issue("C104", "error", "", text, "Wait for the countdown, or restart the host."))
    return Refused(*issues, *outcome.issues)


async def _follow(host: Host, change: Pending, backends: dict[str, Backend]) -> None:
    """Let every backend read its files; put links of a change that takes one back into their former state."""
    wanted = {link.identity: link.wanted for link in change.links}
    await layering.cleared(host, change.links, wanted, backends)
    for name in sorted({link.backend for link in change.links}):
        await backends[name].reload(host, [x.identity for x in change.links if x.backend == name])
    await layering.finished(host, change.links, wanted)
    for link in change.links:
        if link.restored and link.wanted.there:
            await backends[link.backend].restore(host, link.identity, link.wanted)
        elif link.others is not None:
            await bystanders.put_back(host, link.identity, link.others)
    await _follow_targets(host, change)


async def _preflight(host: Host, plan: Plan, backends: dict[str, Backend]) -> None:
    """Let each manager look at the files that it would get.

    Raises:
        Refused: it could not read them.
    """
    for name in sorted({name for _, name in plan.links}):
        await backends[name].preflight(host, [step.volatile or step.image for step in plan.steps if step.link])


async def _derive(host: Host, change: Pending, backends: dict[str, Backend]) -> tuple[Issue, ...]:
    """Files that somebody else has broken meanwhile are said: nobody would be helped by a change that never ends."""
    problems = []
    for name in sorted({link.backend for link in change.links}):
        try:
            await backends[name].derive(host)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            text = f"{name} could not read its files: {error.strerror}."
            problems.append(Issue("M101", "error", "", text, "Have that file repaired, then restart the host."))
    return tuple(problems)


async def _follow_targets(host: Host, change: Pending) -> None:
    every = targets() if change.targets else {}
    for name, paths in change.targets:
        await every[name].reload(host, paths)


async def _follow_back(host: Host, change: Pending, backends: dict[str, Backend]) -> None:
    before = {link.identity: link.before for link in change.links}
    await layering.cleared(host, change.links, before, backends)
    for name in sorted({link.backend for link in change.links}):
        await backends[name].reload(host, [x.identity for x in change.links if x.backend == name])
    await layering.finished(host, change.links, before)
    for link in layering.upward(change.links, before):
        if link.before.there:
            await backends[link.backend].restore(host, link.identity, link.before)
    await _follow_targets(host, change)


async def _again(act: Callable[[], Any], times: int = 3) -> Any:
    """A revert does not give up at the first EIO. Returns what `act`, or what it awaits, returns."""
    for attempt in range(1, times):
        try:
            result = act()
            return await result if isinstance(result, Awaitable) else result
        except OSError:
            log.exception("taking back: attempt %d", attempt)
            await asyncio.sleep(0.2 * attempt)
    result = act()
    return await result if isinstance(result, Awaitable) else result


def _journal_of(
    host: Host, plan: Plan, backends: dict[str, Backend], who: str, line: str, window: float, reverts: str
) -> Pending:
    links = {link.identity: link for link in host.kernel.links()}
    return Pending(
        change_id=secrets.token_hex(4),
        phase="applying",
        who=who,
        line=line,
        since=host.clock.now(),
        boot_id=host.boot_id(),
        deadline=host.clock.boottime() + APPLY_LIMIT + window,
        window=window,
        plan_hash=plan.hash,
        differences=plan.differences,
        lost=plan.lost,
        links=tuple(_link_changes(plan, links)),
        targets=_targets_of(plan, backends),
        undo=tuple(files.read_image(host, step.image.path) for step in plan.steps),
        after=tuple(step.image for step in plan.steps),
        volatile=tuple(step.volatile for step in plan.steps if step.volatile is not None),
        config=plan.config,
        reverts=reverts,
    )


def _targets_of(plan: Plan, backends: dict[str, Backend]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    paths: dict[str, list[str]] = {}
    for step in plan.steps:
        if step.reload and not step.link and step.reload not in backends:
            paths.setdefault(step.reload, []).append(step.image.path)
    return tuple((name, tuple(found)) for name, found in paths.items())


def _link_changes(plan: Plan, links: dict[str, Link]) -> Iterable[LinkChange]:
    leased = {
        c.get("mac") or c["name"]: c.get("ipv4", {}).get("method", "dhcp") == "dhcp"
        for c in plan.config.get("links", ())
    }
    former, wanted, others = dict(plan.restore), dict(plan.wanted), dict(plan.others)
    paths = {step.link: step.image.path for step in plan.steps}
    for identity, name in plan.links:
        link = links.get(identity)
        then = former.get(identity) or wanted[identity]
        if link is None and then.there and then.layer is None:
            text = f"The interface {identity} is no longer there."
            raise Refused(Issue("C110", "error", "", text, "Plug it in again, or discard the change."))
        called, now = (link.name, link.state) if link is not None else (identity, ABSENT)
        path = paths.get(identity, "")
        if identity in former:
            yield LinkChange(identity, called, name, path, now, then, bool(then.dynamic), restored=True)
            continue
        dhcp = leased.get(identity, leased.get(link.mac, False) if link is not None and not link.made else False)
        dhcp = dhcp and then.there and not then.master
        yield LinkChange(identity, called, name, path, now, then, dhcp, others=others.get(identity))


def _expect(host: Host, change_id: str) -> Pending:
    change = journal.pending(host)
    if change is None or (change_id and change.change_id != change_id):
        raise Refused(Issue("C108", "error", "", "No change is waiting to be kept.", "See the Log for how it ended."))
    return change


def _refuse_if_pending(host: Host) -> None:
    change = journal.pending(host)
    if change is not None:
        text = f"A change by {change.who} on {change.line} is not decided yet."
        raise Refused(Issue("C101", "error", "", text, "Keep or revert it first; every console shows it."))


def _changed_since(path: str) -> Issue:
    text = f"{path} was changed by somebody else since Review."
    return Issue("C102", "error", "", text, "Look at Review again; it is made anew from what is there now.")


def _refused_by(error: BaseException) -> Issue:
    if isinstance(error, TimeoutError):
        text = f"The host did not take the change within {APPLY_LIMIT:.0f} seconds."
        return Issue("C103", "error", "", text, "See the Log; try again, or ask IT to look at the network service.")
    if isinstance(error, OSError) and error.filename:
        return disk(error)
    cause = getattr(error, "strerror", None) or str(error)
    text = f"The system refused the change: {cause}."
    return Issue("C103", "error", "", text, "Check address, gateway and MTU; the Log has the details.")
