"""The way to the management plane, looked at before it is asked: the same steps and sentences as Proxy's test."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from agent.registration.plane import Trouble
from tui.models.change import Issue
from tui.models.proxy import ProxyConfig, bracketed
from tui.models.wrong import quoted
from tui.services import http
from tui.services.host import Host
from tui.services.proxy import kept, presented
from tui.services.proxy.trial import Trial, trials

_NAME, _REACH = ("P131",), ("P132", "P133", "P134", "P135", "P136", "P137", "P138", "P139", "P140", "P141", "P149")
PLAIN = 80
"""Where a sign-in page catches everybody who comes without TLS."""
_SOMEBODY_ELSE = ("P142", "P144", "P147", "P148")
"""What a sign-in page of a guest network looks like from here, too."""


async def look(host: Host, endpoint: str, uid: str, *, limit: float) -> list[tuple[str, str, tuple[Issue, ...]]]:
    """(step, by whom, warnings) of each step that was made.

    Raises:
        Trouble: at the first that failed.
    """
    config = kept.of(host) or ProxyConfig()
    bundle = http.bundle(host)
    # The path is one of the public API; without a credential its answer is a refusal, which is answer enough.
    url = f"https://{endpoint}/v1/edgehosts/{uid}/config"
    (trial,) = await trials(config, [url], str(bundle) if bundle else None, host.clock.now(), limit=limit)
    via = f"through {trial.via}" if trial.via else "directly"
    failed = next((issue for issue in trial.issues if issue.severity == "error"), None)
    if failed is not None:
        if failed.code in _SOMEBODY_ELSE and not trial.via and (page := await _sign_in(host, endpoint, limit)):
            text = f"A page at {quoted(page)} answers in place of {endpoint}: this network wants a sign-in."
            remedy = "Ask IT for a network, or an exemption, without a sign-in page."
            failed = Issue("R125", "error", "", text, remedy)
        raise Trouble(_step(failed.code, trial), failed, on_the_way=True)
    whose = presented.name(trial.chain[0]) if trial.chain else ""
    notes = tuple(issue for issue in trial.issues if issue.code == "P143")
    name = "by the proxy" if trial.via else urlsplit(url).hostname or ""
    return [("name", name, ()), ("reach", via, ()), ("tls", f"certificate of {whose}", notes)]


def _step(code: str, trial: Trial) -> str:
    if code in _NAME:
        return "reach" if trial.via else "name"
    return "reach" if code in _REACH and not trial.chain else "tls"


async def _sign_in(host: Host, endpoint: str, limit: float) -> str:
    """The host of a sign-in page that port 80 leads to; "" where it leads to none."""
    name = urlsplit(f"//{endpoint}").hostname or ""
    try:
        async with http.client(host, ProxyConfig(), seconds=limit) as client:
            answer = await client.get(f"http://{bracketed(name)}:{PLAIN}/", follow_redirects=False)
    except (httpx.HTTPError, OSError):
        return ""
    where = urlsplit(answer.headers.get("location", "")).hostname or ""
    if answer.status_code == 511:  # RFC 6585 section 6
        return where or name
    return where if 300 <= answer.status_code < 400 and where and where != name else ""
