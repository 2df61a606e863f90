"""The public API of Palette for edge hosts (facts in assets/hub-api.yaml), as a `Plane`.

The description says neither how a bad token is answered nor with which codes, so refusals are told apart by status
and by the words that come with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx

from agent.registration.plane import Applicant, Forgotten, Standing, Trouble
from tui import __version__
from tui.models.change import Issue
from tui.models.contract.cluster import ClusterConfiguration
from tui.models.wrong import quoted
from tui.services import http
from tui.services.host import Host

Said = TypeVar("Said")

LARGEST = 1 << 20
SECONDS = 20.0
LONGEST_WAIT = 3600.0
"""Seconds: however long the plane asks us to wait, not longer than this."""
_REFUSALS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        r"pairing", "R128", "paired", "The entry at {plane} was made with another pairing key.",
        "Type its key here, or make the entry anew without one.",
    ),
    (r"expire", "R122", "token", "The token has expired, says {plane}.", "Ask for a new token and type it here."),
    (
        r"inactive|not active|disabled|revoked", "R131", "token", "The token was switched off at {plane}.",
        "Ask for another one, or for this one to be switched on.",
    ),
    (
        r"project.*not ?found|unknown project", "R132", "token",
        "{plane} has no project {project}, or the token may not use it.", "Correct the project.",
    ),
    (
        r"project", "R123", "token", "The token leads to no project, and this host names none.",
        "Type the project, or ask for a token with a default project.",
    ),
    (
        r"already|duplicate|exists", "R120", "known",
        "{plane} knows another machine as {uid}, or this one from before it was installed anew.",
        "Delete the old entry there, or choose another host id here.",
    ),
)  # fmt: skip
"""Words of a refusal, code, step, sentence, remedy; the first that fits."""


class Palette:
    """One plane, reached by the proxy and the authorities of the host."""

    def __init__(self, endpoint: str, host: Host) -> None:
        self.endpoint, self._host = endpoint, host
        self.skew: float | None = None

    async def register(self, applicant: Applicant) -> Standing:
        response = await self._asked("POST", "/v1/edgehosts/register", "token", json=_device(applicant))
        if response.status_code != 200:
            raise self._refused(response, applicant)
        return self._read(response, "known", _standing)

    async def health(self, uid: str, credential: str) -> None:
        body = {"state": "healthy", "agentVersion": __version__}
        path = f"/v1/edgehosts/{quote(uid, safe='')}/health"
        await self._as_host("PATCH", path, credential, "heartbeat", json=body)

    async def clusters(self, uid: str, credential: str) -> tuple[str, ...]:
        response = await self._as_host("GET", f"/v1/edgehosts/{quote(uid, safe='')}/config", credential, "cluster")
        return self._read(response, "cluster", lambda said: tuple(map(str, said.get("clusterUids") or ())))

    async def assignment(self, uid: str, credential: str) -> ClusterConfiguration | None:
        """The description says of this answer that it is a file, and no more: the vendor's own form is left alone."""
        path, headers = f"/v1/edgehosts/{quote(uid, safe='')}/spc/download", {"Authorization": credential}
        try:
            response = await self._asked("GET", path, "cluster", headers=headers)
            if response.status_code != 200:
                return None
            return ClusterConfiguration.model_validate(json.loads(response.content))
        except (Trouble, ValueError, RecursionError):  # pydantic's error is a ValueError
            return None

    async def _as_host(self, method: str, path: str, credential: str, step: str, **more: Any) -> httpx.Response:
        response = await self._asked(method, path, step, headers={"Authorization": credential}, **more)
        if response.status_code in (401, 403, 404):
            raise Forgotten
        if response.status_code // 100 != 2:
            raise self._strange(step, f"answers {response.status_code}")
        return response

    async def _asked(self, method: str, path: str, step: str, **more: Any) -> httpx.Response:
        """One request; what concerns every request is dealt with here."""
        try:
            async with (
                http.client(self._host, seconds=SECONDS) as client,
                client.stream(method, f"https://{self.endpoint}{path}", **more) as response,
            ):
                content = b""
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > LARGEST:
                        raise self._strange(step, "answers without end")
            response = httpx.Response(response.status_code, headers=_undecoded(response), content=content)
        except (httpx.HTTPError, OSError) as error:
            text = f"The connection to {self.endpoint} broke while it was asked ({type(error).__name__})."
            issue = Issue("R133", "error", "", text, "It is tried again by itself; Checks looks closer.")
            raise Trouble("reach", issue, on_the_way=True) from error
        self._look_at_clock(response)
        self._general(response, step)
        return response

    def _look_at_clock(self, response: httpx.Response) -> None:
        try:
            said = parsedate_to_datetime(response.headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return
        self.skew = said - self._host.clock.now()

    def _general(self, response: httpx.Response, step: str) -> None:
        status = response.status_code
        if status == 429:
            after = _seconds(response.headers.get("retry-after", ""))
            text = f"{self.endpoint} asks to come back later" + (f", in {after:.0f} s." if after else ".")
            raise Trouble(step, Issue("R129", "error", "", text, "Nothing; it is tried again by itself."), after=after)
        if status >= 500:
            text = f"{self.endpoint} is reached and has a fault of its own ({status})."
            issue = Issue("R126", "error", "", text, "Wait, or tell whoever runs it.")
            raise Trouble(step, issue, after=_seconds(response.headers.get("retry-after", "")))
        if 300 <= status < 400:
            where = quoted(urlsplit(response.headers.get("location", "")).hostname or "elsewhere")
            text = f"In place of {self.endpoint} a page answers that leads to {where}."
            raise Trouble("tls", Issue("R125", "error", "", text, "Ask IT for a network without a sign-in page."))

    def _refused(self, response: httpx.Response, applicant: Applicant) -> Trouble:
        words = _words(response)
        plain = f"{words} {response.status_code}".lower()
        for pattern, code, step, text, remedy in _REFUSALS:
            if re.search(pattern, plain):
                names = {"plane": self.endpoint, "uid": applicant.uid, "project": quoted(applicant.project)}
                return Trouble(step, Issue(code, "error", "", text.format(**names), remedy))
        if response.status_code == 409:
            return self._refused(httpx.Response(409, content=b'{"message": "already"}'), applicant)
        if response.status_code == 404 and not applicant.token:
            return Trouble("known", not_entered(self.endpoint, applicant.uid), waits=True)
        if response.status_code in (401, 403) and applicant.token:
            text = f"{self.endpoint} does not know this token."
            return Trouble("token", Issue("R121", "error", "", text, "Copy the token again and type it here."))
        return self._strange("token", f"answers {response.status_code}" + (f": {quoted(words)}" if words else ""))

    def _read(self, response: httpx.Response, step: str, read: Callable[[dict[str, Any]], Said]) -> Said:
        try:
            said = json.loads(response.content)
            return read(said)
        except (ValueError, RecursionError, AttributeError, TypeError) as error:
            raise self._strange(step, "answers with something that is no answer") from error

    def _strange(self, step: str, what: str) -> Trouble:
        text = f"{self.endpoint} {what}."
        remedy = "Check the endpoint: another service may be there. Tell whoever runs it."
        return Trouble(step, Issue("R127", "error", "", text, remedy))


def not_entered(plane: str, uid: str) -> Issue:
    """The manual way: nobody has entered this host yet, or accepted it."""
    text = f"{plane} waits for somebody to enter or accept {uid}."
    return Issue("R130", "note", "", text, "Read the host id to whoever runs it, or let them scan the code under R.")


def _device(a: Applicant) -> dict[str, Any]:
    """`v1EdgeHostDevice` of this host."""
    host: dict[str, Any] = {"hostUid": a.uid, "hostAddress": a.address, "hostPairingKey": a.key}
    if a.mac:
        host["macAddress"] = a.mac
    if a.token:
        host["hostAuthToken"] = a.token
    else:
        host["disableAutoRegister"] = True
    if a.project:
        host["project"] = {"name": a.project}
    labels = {name: value for name, _, value in (tag.partition(":") for tag in a.tags)}
    return {
        "metadata": {"name": a.uid, "uid": a.uid, "labels": labels},
        "spec": {"host": host, "device": a.device, "service": {"name": "onsite", "version": __version__}},
    }


def _standing(said: dict[str, Any]) -> Standing:
    status = said.get("status", {})
    state = status.get("state")
    if state not in ("unpaired", "ready", "in-use"):
        raise ValueError(state)
    clusters = tuple(str(c.get("uid") or c.get("name")) for c in status.get("inUseClustersRef") or ())
    return Standing(state, str(status.get("serviceAuthToken") or ""), clusters)


def _words(response: httpx.Response) -> str:
    """What an error says, in whatever shape: one line without anything a terminal would obey."""
    try:
        said = json.loads(response.content)
    except (ValueError, RecursionError):
        return ""
    parts = [said.get("code"), said.get("message")] if isinstance(said, dict) else [said]
    return " ".join(str(p) for p in parts if isinstance(p, str | int))[:300]


def _seconds(retry_after: str) -> float:
    """Retry-After in seconds (RFC 9110 section 10.2.3); 0 for none."""
    return min(float(retry_after), LONGEST_WAIT) if re.fullmatch(r"[0-9]{1,9}", retry_after) else 0.0


def _undecoded(response: httpx.Response) -> dict[str, str]:
    """Headers for a body that is decoded already."""
    return {
        k: v
        for k, v in response.headers.items()
        if k not in ("content-encoding", "content-length", "transfer-encoding")
    }
