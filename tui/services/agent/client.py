"""The one client of the agent's API: for screens and headless verbs, for the embedded agent and for others.

It speaks over the embedded agent's Unix socket, or by HTTPS with `agent.url` of the settings; there it logs in, and
keeps the token in memory only. Whatever goes wrong is an Issue. Import it late: httpx takes its time.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import httpx

from tui.models.change import Issue, Refused
from tui.models.contract import users
from tui.models.contract.base import Operation, Wire
from tui.services.agent.answers import Absent, LoginNeeded, refusal, value
from tui.services.host import Host
from tui.settings import Settings

Answer = TypeVar("Answer")
Told = Callable[[int], None]
"""Called with the bytes that went by so far."""

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For the Unix socket, which has none: without it httpx reads every authority of certifi for each request."""
SECONDS = 5.0
"""An answer may take that long; what takes longer by nature says how long."""
TRANSFER = 60.0
"""Seconds without one byte, after which an upload or a download has failed."""
LARGEST_ANSWER = 32 << 20
RENEW_AFTER = 3600.0
"""Seconds after which a token is renewed; the shortest ones hold two hours."""


class Agent:
    """The agent of one host.

    Attributes:
        remote: reached by `agent.url` and not by the socket, so that it wants a login.
    """

    def __init__(self, host: Host, settings: Settings) -> None:
        self.remote = bool(settings.agent_url)
        self.base = settings.agent_url.rstrip("/") if self.remote else "http://agent"
        self._host = host
        self._socket = host.path(settings.agent_socket)
        self._token, self._renewed = "", 0.0

    @property
    def logged_in(self) -> bool:
        return not self.remote or bool(self._token)

    async def call(
        self,
        operation: Operation[Answer],
        body: Wire | None = None,
        *,
        query: Mapping[str, str | int | bool] | None = None,
        seconds: float = SECONDS,
        **path: str,
    ) -> Answer:
        """Do it and wait for the answer.

        Raises:
            NotOffered: this agent does not have it.
            LoginNeeded: it wants a login first.
            Refused: anything else that went wrong.
        """
        if operation is not users.RENEW:
            await self._renew()
        content = body.sent() if body is not None else None
        request = httpx.Request(
            operation.method, self.base + operation.at(**path), json=content, params=_params(query),
            headers=self._headers(), extensions={"timeout": httpx.Timeout(seconds).as_dict()},
        )  # fmt: skip
        response = await self._sent(operation, request, seconds)
        if response.status_code != operation.good:
            raise refusal(operation, response)
        return value(operation, response)

    async def find(self, operation: Operation[Answer], **more: Any) -> Answer | None:
        """As `call`, for an operation that may say that there is none: None then."""
        try:
            return await self.call(operation, **more)
        except Absent:
            return None

    async def upload(
        self, operation: Operation[Answer], file: Path, signature: Path | None = None, told: Told | None = None
    ) -> Answer:
        """Send a file as `uploadFile`, and its detached signature.

        Raises:
            OSError: the file cannot be read.
            Refused: as `call`.
        """
        await self._renew()
        with file.open("rb") as opened:
            parts: dict[str, Any] = {"uploadFile": (file.name, _Watched(opened, told), "application/octet-stream")}
            if signature is not None:
                parts["signature"] = (signature.name, signature.read_bytes(), "application/octet-stream")
            request = httpx.Request(
                operation.method, self.base + operation.path, files=parts, headers=self._headers(),
                extensions={"timeout": httpx.Timeout(TRANSFER, read=None).as_dict()},
            )  # fmt: skip
            response = await self._sent(operation, request, None)
        if response.status_code != operation.good:
            raise refusal(operation, response)
        return value(operation, response)

    async def download(
        self, operation: Operation[bytes], target: BinaryIO, *, largest: int, told: Told | None = None, **path: str
    ) -> int:
        """Write a file's bytes into `target`. Returns how many they were.

        Raises:
            OSError: `target` does not take them.
            Refused: as `call`; A106 where there are more than `largest`.
        """
        await self._renew()
        request = httpx.Request(
            operation.method, self.base + operation.at(**path), headers=self._headers(),
            extensions={"timeout": httpx.Timeout(TRANSFER).as_dict()},
        )  # fmt: skip
        done = 0
        async with self._client() as client:
            try:
                response = await client.send(request, stream=True)
                if response.status_code != operation.good:
                    await response.aread()
                    raise refusal(operation, response)
                async for chunk in response.aiter_bytes(1 << 16):
                    done += len(chunk)
                    if done > largest:
                        raise Refused(_too_large(largest))
                    target.write(chunk)
                    if told is not None:
                        told(done)
                await response.aclose()
            except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
                raise Refused(self._unreachable(error)) from error
        return done

    async def login(self, user: str, password: str, *, long: bool = False) -> bool:
        """Log in; the token stays in this object. Returns whether it is this user's first login.

        Raises:
            Refused: A112 for a wrong user or password, A111 while the agent takes no more tries, as `call` otherwise.
        """
        self._token = ""
        body = users.Login(username=user, password=password)
        try:
            answer = await self.call(
                users.LOGIN, body, query={"setCookie": False, "extendedSession": long}, seconds=30.0
            )
        except LoginNeeded as refused:
            raise Refused(_wrong_login()) from refused
        except Refused as refused:
            if refused.issues[0].code == "A109":  # the contract has 400 for it
                raise Refused(_wrong_login()) from refused
            raise
        self._keep(answer.token)
        return answer.is_first_login

    async def logout(self) -> None:
        """End the session at the agent; the token is forgotten whatever it says."""
        try:
            if self._token:
                await self.call(users.LOGOUT)
        finally:
            self._token = ""

    def _keep(self, token: users.UserToken | None) -> None:
        self._token = token.authorization if token is not None else ""
        self._renewed = time.monotonic()

    async def _renew(self) -> None:
        if not self._token or time.monotonic() - self._renewed < RENEW_AFTER:
            return
        self._keep(await self._renewal())

    async def _renewal(self) -> users.UserToken:
        return await self.call(users.RENEW)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._token} if self._token else {}

    async def _sent(self, operation: Operation[Any], request: httpx.Request, seconds: float | None) -> httpx.Response:
        """The response with its body, of a limited size, within `seconds` in all."""
        try:
            async with asyncio.timeout(seconds), self._client() as client:
                response = await client.send(request, stream=True)
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > LARGEST_ANSWER:
                        raise Refused(_too_large(LARGEST_ANSWER))
                whole = httpx.Response(response.status_code, headers=_kept(response), content=bytes(content))
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:  # TimeoutError is an OSError
            raise Refused(self._unreachable(error)) from error
        if whole.status_code == 401:
            self._token = ""
        return whole

    def _client(self) -> httpx.AsyncClient:
        """One for each request: a kept connection would be that of an agent which has restarted since."""
        if self.remote:
            from tui.services import http

            return http.client(self._host, seconds=SECONDS)
        transport = httpx.AsyncHTTPTransport(uds=str(self._socket), verify=NO_TLS)
        return httpx.AsyncClient(transport=transport, trust_env=False)

    def _unreachable(self, error: Exception) -> Issue:
        cause = _root(error)
        if isinstance(error, (httpx.TimeoutException, TimeoutError)):
            text = "The agent did not answer in time."
            return Issue("A102", "error", "", text, "It may be busy. Wait a moment, then try again.")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Issue(
                "A108", "error", "", f"The certificate of the agent at {self.base} is not believed: "
                f"{cause.verify_message or 'it does not fit'}.",
                "Add its certificate or its authority at Certificates, or correct agent.url in the settings.",
            )  # fmt: skip
        if self.remote:
            reason = getattr(cause, "strerror", "") or type(cause).__name__
            return Issue(
                "A110", "error", "", f"There is no agent at {urlsplit(self.base).netloc}: {reason}.",
                "See whether that agent runs, and whether agent.url in the settings is right.",
            )  # fmt: skip
        if isinstance(cause, PermissionError):
            text = "Only root may speak to the agent of this host."
            return Issue("A103", "error", "", text, "Start the console as root, or by sudo.")
        if isinstance(cause, (FileNotFoundError, ConnectionRefusedError)) or not self._socket.exists():
            text = "The agent of this host is not running."
            return Issue(
                "A101", "error", "", text, "Start it: systemctl start onsite-agent. Its log says why it ended."
            )
        text = "The agent of this host ended the connection."
        return Issue("A101", "error", "", text, "It may be starting again. Wait a moment, then try again.")


class _Watched:
    """A file that says how much of it was read."""

    def __init__(self, file: BinaryIO, told: Told | None) -> None:
        self._file, self._told = file, told
        self.seek, self.tell, self.fileno = file.seek, file.tell, file.fileno

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if self._told is not None:
            self._told(self._file.tell())
        return data


def _params(query: Mapping[str, str | int | bool] | None) -> dict[str, str] | None:
    return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in query.items()} if query else None


def _kept(response: httpx.Response) -> dict[str, str]:
    """Headers that describe the content as it is now: decoded and whole."""
    return {k: response.headers[k] for k in ("content-type", "retry-after") if k in response.headers}


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _too_large(largest: int) -> Issue:
    text = f"The agent sent more than {largest >> 20} MiB, which is more than belongs there."
    return Issue("A106", "error", "", text, "Tell support the agent's version, which Home shows.")


def _wrong_login() -> Issue:
    text = "The agent does not take this user and password."
    return Issue("A112", "error", "", text, "Type a user of this host and its password. A few wrong tries lock it.")
