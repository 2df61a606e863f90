"""Is the certificate chain one that this host trusts, for this name, at this time?

The four ways in which it goes wrong look alike in a log and need four different people: the clock of this host, an
expired certificate, somebody in between who presents another one, and a name that the certificate does not have.
"""

from __future__ import annotations

import asyncio
import ssl

from tui.models.check import Target
from tui.services.checks import http
from tui.services.checks.climb import Climb, Finding, Trouble, failed, ok, skipped
from tui.services.checks.rungs import mtu, ntp
from tui.services.checks.rungs.certificate import Presented, context, read
from tui.services.checks.rungs.proxy import opened
from tui.services.checks.stream import Stream

LIMIT = 16.0
PATIENCE = 4.0
"""Seconds for the handshake of a peer that took the connection."""
_NOT_YET, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_UNKNOWN = frozenset({2, 19, 20, 21})
_MISMATCH = frozenset({62, 64})
"""X509_V_ERR_* of openssl/x509_vfy.h."""


async def check(climb: Climb) -> Finding:
    target = climb.wanted.main
    if target is None:
        return skipped("nothing to reach is set")
    if target.scheme == "http":
        return skipped(f"{target.authority} is reached without TLS")
    try:
        async with opened(climb, target) as stream:
            tls = await secured(climb, stream, target)
            shown = await asyncio.to_thread(read, tls.getpeercert(binary_form=True) or b"")
            return ok(f"{tls.version()}, issued by {shown.issuer}, valid until {shown.until:%Y-%m-%d}")
    except Trouble as trouble:
        climb.lost[target] = "its certificate check has failed"
        return trouble.finding


async def secured(climb: Climb, stream: Stream, target: Target) -> ssl.SSLObject:
    """Speak TLS on `stream`.

    Raises:
        Trouble: why not.
    """
    wanted = await asyncio.to_thread(context, climb.way.trust)
    try:
        async with asyncio.timeout(PATIENCE):
            return await stream.secure(wanted, target.host)
    except ssl.SSLCertVerificationError as error:
        raise Trouble(await _distrust(climb, target, error)) from error
    except ssl.SSLError as error:
        raise Trouble(_no_tls(target, error.reason or str(error))) from error
    except TimeoutError as error:
        if hole := await mtu.vanishing(climb, target, stream.address):
            raise Trouble(hole) from error
        raise Trouble(_no_tls(target, "it took the connection and then said nothing")) from error
    except OSError as error:
        raise Trouble(_no_tls(target, error.strerror or str(error))) from error


def _no_tls(target: Target, reason: str) -> Finding:
    text = f"{target.host} port {target.port} does not speak TLS with this host."
    return failed("D247", text, "Check the port; a firewall that inspects TLS can do this, too.", reason)


async def _distrust(climb: Climb, target: Target, error: ssl.SSLCertVerificationError) -> Finding:
    """Which of the ways in which a certificate is refused this is."""
    shown, date = await _presented(climb, target)
    reason = f"{error.verify_message}; subject {shown.subject}, issuer {shown.issuer}"
    if error.verify_code in (_NOT_YET, _EXPIRED):
        return await _out_of_time(climb, target, shown, date, reason)
    if error.verify_code == _SELF_SIGNED:
        text = f"{target.host} presents a certificate that it has signed itself."
        remedy = "Ask who runs it for a certificate of a CA, or add this one in Certificates after comparing it."
        return failed("D245", text, remedy, reason)
    if error.verify_code in _UNKNOWN:
        who = "the proxy" if climb.proxied(target) else "a firewall"
        text = f"{target.host} presents a certificate of {shown.issuer}, which this host does not trust."
        remedy = f"If {who} inspects TLS here, add its CA in Certificates; else ask who runs {target.host}."
        return failed("D244", text, remedy, reason)
    if error.verify_code in _MISMATCH:
        text = f"The certificate of {target.host} is for {shown.names}, not for {target.host}."
        return failed("D246", text, "Check the name; ask who runs it for a certificate with this name.", reason)
    return failed("D247", f"The certificate of {target.host} is refused: {error.verify_message}.",
                  "Ask who runs it for a valid certificate.", reason)  # fmt: skip


async def _out_of_time(climb: Climb, target: Target, shown: Presented, date: float | None, reason: str) -> Finding:
    """An expired certificate, or a clock that is wrong? Whoever has the time is asked before anybody is blamed."""
    await ntp.ask_all(climb)
    told = [time.offset for time in climb.times.values() if not isinstance(time, str) and time.synchronised]
    told += [date] if date is not None else []
    now = climb.clock.now()
    # Nobody agrees with our clock, and by theirs the certificate is fine.
    if told and all(abs(offset) > ntp.TOLERATED for offset in told):
        there = now + told[0]
        if shown.since.timestamp() <= there <= shown.until.timestamp():
            return ntp.wrong_clock(told[0], f"{reason}; clock {told[0]:+.0f} s")
    if now > shown.until.timestamp():
        text = f"The certificate of {target.host} has expired on {shown.until:%Y-%m-%d}."
        return failed("D242", text, f"Ask who runs {target.host} to renew it.", reason)
    text = f"The certificate of {target.host} is not valid before {shown.since:%Y-%m-%d %H:%M} UTC."
    return failed("D243", text, f"Check this host's clock; else ask who runs {target.host}.", reason)


async def _presented(climb: Climb, target: Target) -> tuple[Presented, float | None]:
    """The certificate and the clock of the peer, taken from a second connection that trusts anything."""
    shown, date = Presented(), None
    try:
        async with opened(climb, target) as stream, asyncio.timeout(PATIENCE):
            tls = await stream.secure(await asyncio.to_thread(context, None), target.host)
            shown = await asyncio.to_thread(read, tls.getpeercert(binary_form=True) or b"")
            head = await http.get(stream, target)
            date = None if head.date is None else head.date - climb.clock.now()
    except (OSError, Trouble, http.NotHttp):  # ssl.SSLError is an OSError
        pass
    return shown, date
