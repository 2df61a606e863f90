"""Is our clock right? By NTP, and by the Date of the HTTP answer where no time server is set."""

from __future__ import annotations

from tui.services.checks import sntp
from tui.services.checks.climb import Climb, Finding, failed, ok, skipped
from tui.services.checks.rungs import ntp

LIMIT = 6.0


async def check(climb: Climb) -> Finding:
    if not climb.wanted.ntp:
        return _by_date(climb)
    await ntp.ask_all(climb)
    told = {server: time for server, time in climb.times.items() if isinstance(time, sntp.Time)}
    silent = {s: why for s, why in climb.times.items() if isinstance(why, str) and not why.startswith("not asked")}
    raw = ", ".join(f"{s}: {t if isinstance(t, str) else f'{t.offset:+.3f} s'}" for s, t in climb.times.items())
    if not told and not silent:
        return skipped(raw)
    known = {server: time for server, time in told.items() if time.synchronised}
    if not told:
        text = f"The time server {next(iter(silent))} does not answer."
        remedy = "Check it in Name & time; NTP (UDP port 123) needs a direct way, no proxy carries it."
        return failed("D261", text, remedy, raw)
    if not known:
        text = f"The time server {next(iter(told))} does not know the time itself (it is not synchronised)."
        return failed("D262", text, "Ask IT, or set another one in Name & time.", raw)
    wrong = {server: time.offset for server, time in known.items() if abs(time.offset) > ntp.TOLERATED}
    if wrong and len(wrong) == len(known) and (climb.date is None or abs(climb.date) > ntp.TOLERATED):
        return ntp.wrong_clock(next(iter(wrong.values())), raw)
    if wrong:
        server, offset = next(iter(wrong.items()))
        text = f"The time server {server} is {ntp.in_words(offset)} {'ahead' if offset > 0 else 'behind'}; it is wrong."
        return failed("D263", text, "Ask IT, or set another one in Name & time.", raw)
    if silent:
        text = f"The time server {next(iter(silent))} does not answer; another one does."
        return failed("D261", text, "Take it out in Name & time, or ask IT about it.", raw, "warning")
    return ok(raw)


def _by_date(climb: Climb) -> Finding:
    if climb.date is None:
        return skipped("no time server is set, and no HTTP answer told the time")
    raw = f"HTTP Date of the answer: {climb.date:+.0f} s"
    return ntp.wrong_clock(climb.date, raw) if abs(climb.date) > ntp.TOLERATED else ok(raw)
