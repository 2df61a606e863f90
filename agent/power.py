"""Restart, shut down, and back to the state that the host was delivered in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.auth import caller
from agent.engines.machine import Machine
from agent.engines.steps import driver
from agent.jobs import Jobs, Kind, Step, Work
from tui.models.change import FileImage, Issue, Refused
from tui.services import registration, system
from tui.services.change import audit, files, journal
from tui.services.facts import cluster
from tui.services.host import Host

BASE = "/v1/edge-mgmt/edgehosts/current/actions"
GRACE = 2.0
"""Seconds between the answer and the deed, so that whoever asked hears it."""
GONE = ("/var/lib/onsite/content", "/var/lib/onsite/links", "/var/lib/onsite/support", "/var/log/files")
"""Folders that a factory reset empties. Addresses, proxy, certificates, name, time, settings and audit stay."""
GONE_FILES = (registration.KEPT, "/etc/onsite/userdata.json")
ENGINES = ("kubeadm",)
_log = logging.getLogger("agent")


async def reboot(request: Request) -> Response:
    """POST .../actions/reboot"""
    return await _ends(request, "reboot", "The host restarts.")


async def shutdown(request: Request) -> Response:
    """POST .../actions/shutdown"""
    return await _ends(request, "poweroff", "The host shuts down.")


async def _ends(request: Request, verb: str, said: str) -> Response:
    host: Host = request.app.state.host
    who = caller(request)
    await run_in_threadpool(possible, host)
    audit.note(host, verb, who.name, who.line)
    return JSONResponse({"message": said}, 202, background=BackgroundTask(later, verb))


async def later(verb: str) -> None:
    await asyncio.sleep(GRACE)
    await now(verb)


async def now(verb: str) -> None:
    try:
        await system.output("systemctl", verb)
    except OSError:
        _log.exception("systemctl %s", verb)


def possible(host: Host) -> None:
    """Raises Refused: A133 not on a practice host, C101 a change waits for its Keep."""
    if not system.booted(host):
        text = "This is no host with systemd of its own, so it is not restarted or shut down from here."
        raise Refused(Issue("A133", "error", "", text, "Restart it where it was started."))
    if journal.pending(host) is not None:
        text = "A change waits for its Keep; a restart would take it back."
        raise Refused(Issue("C101", "error", "", text, "Keep or revert it first."))


# --- factory reset ---------------------------------------------------------------------------------------------------


async def reset(request: Request) -> Response:
    """POST .../actions/reset: in local mode only, as the contract's product has it."""
    host: Host = request.app.state.host
    jobs: Jobs = request.app.state.jobs
    who = caller(request)
    wish = await run_in_threadpool(registration.of, host)
    if wish is not None and wish.mode == "central":
        text = "A centrally managed host is reset from its management plane."
        raise Refused(Issue("A134", "error", "", text, "Reset it there, or change its management to local first."))
    await run_in_threadpool(possible, host)
    busy = jobs.store.rows("SELECT title FROM jobs WHERE state IN ('running', 'undoing') AND kind != 'reset'")
    if busy:
        text = f"{busy[0]['title']} is under way."
        raise Refused(Issue("A120", "error", "", text, "Wait until it has ended, or cancel it."))
    jobs.start("reset", {}, who.name)
    audit.note(host, "factory reset", who.name, who.line)
    return JSONResponse({"message": "The host goes back to its factory state and restarts."}, 202)


def kind(host: Host) -> Kind:
    """The job. It cannot be cancelled in the middle: what is gone is gone."""

    async def leave_cluster(work: Work) -> None:
        if not await run_in_threadpool(cluster.present, host):
            return
        machine = Machine(host)
        for name in ENGINES:
            engine = driver(name, machine)
            if engine.detect().get("state") == "ours":
                left = await engine.reset(True, lambda event: work.told(None, event.text))
                if left:
                    text = f"The engine left something behind: {', '.join(left)[:300]}."
                    raise Refused(Issue("A135", "error", "", text, "Restart the host, then reset it again."))

    async def forget(_work: Work) -> None:
        def act() -> None:
            for folder in GONE:
                with contextlib.suppress(FileNotFoundError):
                    shutil.rmtree(host.path(folder))
            for path in GONE_FILES:
                files.write_image(host, FileImage(path))

        await run_in_threadpool(act)

    async def restart(_work: Work) -> None:
        asyncio.get_running_loop().call_later(GRACE, lambda: asyncio.ensure_future(now("reboot")))

    def steps(_argument: Mapping[str, Any]) -> Sequence[Step]:
        return [
            Step("ClusterLeft", "Take Kubernetes off this host", leave_cluster),
            Step("ContentRemoved", "Remove content, links, registration and user data", forget),
            Step("RestartAsked", "Restart", restart),
        ]

    return Kind("reset", "Factory reset", "host", "reset", steps)


ROUTES = [
    Route(f"{BASE}/reboot", reboot, methods=["POST"]),
    Route(f"{BASE}/shutdown", shutdown, methods=["POST"]),
    Route(f"{BASE}/reset", reset, methods=["POST"]),
]
