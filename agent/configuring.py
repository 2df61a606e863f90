"""Proxy, authorities and user data over the API: the same plan, lock, journal and audit as a change at the console.

Nobody stands there to say Keep, so a change that was seen to work is kept at once, and one that was not is taken back.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent import bodies
from agent.auth import caller
from agent.jobs import Jobs, Kind, Step, Work
from tui.models.change import Issue, Refused
from tui.models.contract import host as contract
from tui.models.host import HostConfig
from tui.models.masking import MASK
from tui.models.proxy import ProxyConfig
from tui.models.trust import TrustConfig
from tui.services import facts
from tui.services.change import journal, transaction
from tui.services.change.planner import plan
from tui.services.host import Host
from tui.services.network import backends
from tui.services.proxy import kept
from tui.services.trust import reading as authorities

BASE = "/v1/edge-mgmt/edgehosts/current/configurations"
_END = "-----END CERTIFICATE-----"
_AGAIN = 60
"""Seconds between two tries."""
log = logging.getLogger(__name__)


async def undecided(host: Host) -> None:
    """Take back what a power cut interrupted and the boot could not end; somebody has to, and no console may start."""
    while True:
        try:
            waiting = journal.pending(host)
            if waiting is None or waiting.boot_id == host.boot_id():
                return
            outcome = await transaction.recover(host, backends())
            log.warning("an interrupted change: %s", outcome.text if outcome else "decided by somebody else")
        except (OSError, ValueError, Refused):
            log.exception("an interrupted change is not decided yet")
            await asyncio.sleep(_AGAIN)


async def apply(host: Host, config: HostConfig, work: Work) -> None:
    """Make the change and keep it; nothing is done where the host has it already, as after a kill.

    Args:
        work: of the job; its argument says `who` asked and on which `line`.

    Raises:
        Refused: nothing has changed, or what changed has been taken back.
    """
    waiting = journal.pending(host)
    if waiting is not None and waiting.change_id == work.kept.get("change") and waiting.phase == "waiting":
        await transaction.keep(host, backends(), waiting.change_id)
        return
    await transaction.recover(host, backends())
    read = await run_in_threadpool(facts.read, host)
    planned = await run_in_threadpool(plan, config, read, backends())
    if planned.errors:
        raise Refused(*planned.errors)
    if planned.empty:
        return
    said = work.argument
    change = await transaction.apply(host, planned, backends(), who=said["who"], line=said["line"])
    work.keep(change=change.change_id)
    await transaction.keep(host, backends(), change.change_id)


async def checked(host: Host, config: HostConfig) -> None:
    """Raises Refused where the plan of it has errors: at once, and not in a job that somebody has to look for."""
    read = await run_in_threadpool(facts.read, host)
    planned = await run_in_threadpool(plan, config, read, backends())
    if planned.errors:
        raise Refused(*planned.errors)


# --- the contract's words and ours -----------------------------------------------------------------------------------


def proxy_of(http: str, https: str, exceptions: str) -> ProxyConfig:
    """Three strings as the part of the document. One of the two alone is for everything, as ours cannot be for half.

    Raises:
        Refused: one of them is no proxy.
    """
    first, second = http or https, https or http
    if not first:
        return ProxyConfig()
    data: dict[str, Any] = {"method": "one" if first == second else "two", "http": _upstream("httpProxy", first)}
    if first != second:
        data["https"] = _upstream("httpsProxy", second)
    data["exceptions"] = [x for x in exceptions.replace(",", " ").split() if x]
    try:
        return ProxyConfig.model_validate(data)
    except ValidationError as error:
        raise Refused(issue_of(error)) from error


def _upstream(name: str, text: str) -> dict[str, Any]:
    """`http://user:password@host:port`; a masked password is the one that the host keeps."""
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        found: dict[str, Any] = {"scheme": url.scheme, "host": url.hostname or "", "port": url.port or 3128}
        if url.scheme not in ("http", "https") or url.path not in ("", "/") or url.query or url.fragment:
            raise ValueError("no proxy")
    except ValueError as error:
        text, remedy = "This is not a proxy.", "Write it as http://proxy.site.example:3128."
        raise Refused(Issue("P102", "error", name, text, remedy)) from error
    if url.username:
        found["user"] = unquote(url.username)
        if url.password and unquote(url.password) != MASK:
            found["password"] = unquote(url.password)
    return found


def trust_of(texts: Sequence[str]) -> TrustConfig:
    """Certificates in base64 or in PEM, one or several in each text.

    Raises:
        Refused: S110, one of them is no certificate in PEM.
    """
    pems: list[str] = []
    for number, text in enumerate(texts):
        pem = text
        if "-----BEGIN" not in text:
            try:
                pem = base64.b64decode("".join(text.split()), validate=True).decode("ascii")
            except (binascii.Error, ValueError) as error:
                raise Refused(_no_certificate(number)) from error
        parts = [part.strip() + f"\n{_END}\n" for part in pem.split(_END)[:-1]]
        if not parts or pem.split(_END)[-1].strip():
            raise Refused(_no_certificate(number))
        pems += parts
    try:
        return TrustConfig(authorities=tuple(dict.fromkeys(pems)))
    except ValidationError as error:
        raise Refused(issue_of(error)) from error


def _no_certificate(number: int) -> Issue:
    text = f"caCerts.{number} is not a certificate in PEM, nor one in base64."
    return Issue(
        "S110", "error", "caCerts", text, "Send the PEM text in base64, each authority in an entry of its own."
    )


def issue_of(error: ValidationError) -> Issue:
    """The first thing that a model refuses, which begins with its code where it is one of ours."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    said = first["msg"].removeprefix("Value error, ")
    code, colon, text = said.partition(": ")
    where = ".".join(str(x) for x in first["loc"])
    if colon and len(code) == 4 and code[1:].isdigit():
        return Issue(code, "error", where or "body", text, "Correct it and send it again.")
    return Issue("D107", "error", where or "body", f"{where}: {said}.", "Correct it and send it again.")


def configurations(host: Host) -> dict[str, Any]:
    """`v1EdgeHostConfigurations` as the host has it; passwords masked."""
    read = facts.read(host)
    proxy = kept.kept(read)
    http, https = proxy.upstreams if proxy is not None else (None, None)
    ours = [x for x in authorities.installed(read, host.clock.now()) if x.ours and x.certificate is not None]
    return {
        "httpProxy": http.shown if http else "",
        "httpsProxy": https.shown if https else "",
        "noProxy": ",".join(proxy.exceptions) if proxy else "",
        "caCerts": [base64.b64encode(x.certificate.pem.encode()).decode() for x in ours if x.certificate],
    }


# --- the operations --------------------------------------------------------------------------------------------------


def get(request: Request) -> Response:
    """GET .../configurations"""
    return JSONResponse(configurations(request.app.state.host))


async def put(request: Request) -> Response:
    """PUT .../configurations: the whole of it; what is left out is gone afterwards."""
    asked = await bodies.read(request, contract.Configurations)
    who, state = caller(request), request.app.state
    await checked(state.host, wish(asked.sent(), state.host))
    argument = {"configurations": asked.sent(), "who": who.name, "line": who.line}
    state.jobs.start("configure", argument, who.name)
    return JSONResponse({"message": "Accepted; see configurations/status."})


def status(request: Request) -> Response:
    """GET .../configurations/status"""
    jobs: Jobs = request.app.state.jobs
    row = jobs.store.row("SELECT * FROM jobs WHERE kind = 'configure' ORDER BY created DESC, rowid DESC LIMIT 1")
    if row is None or row["state"] in ("done", "cancelled"):
        there = any(configurations(request.app.state.host).values())
        return JSONResponse({"state": "Configured" if there else "Not Configured", "errorMessage": ""})
    if row["state"] == "failed":
        return JSONResponse({"state": "Failed", "errorMessage": f"{row['code']}: {row['message']}"})
    return JSONResponse({"state": "In Progress", "errorMessage": ""})


def wish(said: Mapping[str, Any], host: Host) -> HostConfig:
    """The document that a body of `v1EdgeHostConfigurations` means; kept passwords filled in.

    Raises:
        Refused: it means nothing.
    """
    proxy = proxy_of(said.get("httpProxy", ""), said.get("httpsProxy", ""), said.get("noProxy", ""))
    return HostConfig(proxy=kept.completed(proxy, facts.read(host)), trust=trust_of(said.get("caCerts", ())))


def kind(host: Host) -> Kind:
    """The job that makes the change. Applied again after a kill, it finds what is done."""

    async def run(work: Work) -> None:
        await apply(host, await run_in_threadpool(wish, work.argument["configurations"], host), work)

    def steps(_argument: Mapping[str, Any]) -> Sequence[Step]:
        return [Step("HostConfigured", "Set proxy and certificate authorities", run)]

    return Kind("configure", "Proxy and certificates", "host", "configuring", steps)


ROUTES = [
    Route(BASE, get, methods=["GET"]),
    Route(BASE, put, methods=["PUT"]),
    Route(f"{BASE}/status", status, methods=["GET"]),
]
