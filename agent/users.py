"""Logging in over HTTPS, and the user who did: their password and their keys.

On the Unix socket the user is who the kernel says; there is nothing to log in to.
"""

from __future__ import annotations

import asyncio
import subprocess

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent import bodies, people
from agent.auth import COOKIE, address, caller
from agent.errors import error
from agent.throttle import ADDRESS, Throttle, network
from agent.tokens import LONG, SHORT, Tokens
from tui.models.change import Refused
from tui.models.contract import users as contract
from tui.models.contract.common import Accepted
from tui.services import reading
from tui.services.change import audit
from tui.services.host import Host
from tui.services.login import pam, password

SERVICE = pam.SERVICE
_LARGEST = 64 << 10
_WRONG = "The user or the password is wrong, or this user may not administer the host."


async def login(request: Request) -> Response:
    """POST /v1/users/default/login"""
    asked = await bodies.read(request, contract.Login, _LARGEST)
    cookie, long = flag(request, "setCookie", True), flag(request, "extendedSession", False)
    user, peer = asked.username, over_network(request)
    if not user or len(user) > 256 or not user.isprintable():
        return error(400, _WRONG)
    if (refusal := await tried(request, user, asked.password, peer)) is not None:
        return refusal
    state = request.app.state
    tokens: Tokens = state.tokens
    first = await run_in_threadpool(tokens.logged_in, user)
    token = tokens.issue(user, long=long)
    audit.note(state.host, "login", user, _line(peer))
    body = contract.LoggedIn(is_first_login=first, token=contract.UserToken(authorization=token))
    answer = JSONResponse(body.sent(), headers={"Cache-Control": "no-store"})
    if cookie:
        _set_cookie(answer, token, LONG if long else SHORT)
    return answer


async def tried(request: Request, user: str, secret: str, peer: str) -> Response | None:
    """Ask PAM, as often as the throttle lets us. None where the password is right; the refusal otherwise."""
    host: Host = request.app.state.host
    throttle: Throttle = request.app.state.throttle
    names = [user.casefold(), *([ADDRESS + network(peer)] if peer else [])]
    async with throttle.turn(names[0]) as ours:
        if not ours:
            return _later(60, "Too many tries under this name wait already.")
        if (left := max(map(throttle.locked, names))) > 0:
            audit.note(host, "login refused: locked", user, _line(peer))
            return _later(int(left) + 1, "Too many wrong passwords.")
        await asyncio.sleep(max(map(throttle.delay, names)))
        folder = None if host.kind == "real" else host.path("/etc/pam.d")
        verdict = await asyncio.to_thread(pam.check, SERVICE, user, secret, peer=peer, folder=folder)
        if verdict == "accepted" and await run_in_threadpool(people.may_administer, host, user):
            throttle.succeeded(names[0])
            return None
        if verdict == "unavailable":
            audit.note(host, "login impossible", user, _line(peer))
            return error(500, "This host cannot check passwords: PAM is not set up for Onsite.")
        for name in names:
            throttle.failed(name)
        audit.note(host, "login refused", user, _line(peer))
        if verdict == "expired":
            return error(400, "The password has expired. Renew it at the console or by SSH.")
        if verdict == "locked" or max(map(throttle.locked, names)) > 0:
            return _later(int(max(map(throttle.locked, names))) + 1, "Too many wrong passwords.")
    return error(400, _WRONG)


async def logout(request: Request) -> Response:
    """POST /v1/users/default/logout"""
    who = caller(request)
    if who.token is not None:
        await run_in_threadpool(request.app.state.tokens.revoke, who.token)
        audit.note(request.app.state.host, "logout", who.name, who.line)
    answer = Response()
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
    return answer


async def renewal(request: Request) -> Response:
    """POST /v1/users/default/token/renewal: a new token; the old one ends by itself."""
    who = caller(request)
    if who.token is None:
        return error(400, "There is no token on this socket, and none is needed.")
    if not await run_in_threadpool(people.may_administer, request.app.state.host, who.name):
        return error(401, "This user may not administer the host any more.")
    long = flag(request, "extendedSession", False)
    token = request.app.state.tokens.issue(who.name, long=long)
    answer = JSONResponse(contract.UserToken(authorization=token).sent(), headers={"Cache-Control": "no-store"})
    if COOKIE in request.cookies:
        _set_cookie(answer, token, LONG if long else SHORT)
    return answer


async def reset_password(request: Request) -> Response:
    """POST /v1/users/default/password/reset: ends every other session of this user."""
    who, state = caller(request), request.app.state
    asked = await bodies.read(request, contract.PasswordReset, _LARGEST)
    new = asked.new_password
    if (issue := password.wrong(new, who.name, reading.line(state.host, "/etc/hostname"))) is not None:
        raise Refused(issue)
    if new == asked.old_password:
        return error(400, "The new password is the old one.")
    if state.host.kind != "real":
        return error(400, "A practice host has no passwords of its own.")
    if (refusal := await tried(request, who.name, asked.old_password, who.peer)) is not None:
        return refusal
    done = await asyncio.to_thread(
        subprocess.run,
        ["chpasswd"],
        input=f"{who.name}:{new}\n",
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )
    if done.returncode != 0:
        return error(400, "This host does not take the new password; its rules may want a better one.")
    await run_in_threadpool(state.tokens.end_all, who.name)
    audit.note(state.host, "password changed", who.name, who.line)
    return Response(status_code=204)


def current(request: Request) -> Response:
    """GET /v1/users/current"""
    found = _account(request)
    keys = people.ssh_keys(request.app.state.host, found)
    answer = contract.User(user_name=found.name, ssh_keys=keys, disable_password_update=False)
    return JSONResponse(answer.sent())


async def patch_current(request: Request) -> Response:
    """PATCH /v1/users/current: the keys, where they are given; the name is what it is."""
    asked = await bodies.read(request, contract.User)
    found, host = await run_in_threadpool(_account, request), request.app.state.host
    if "user_name" in asked.model_fields_set and asked.user_name != found.name:
        return error(400, "The name of a user cannot be changed here.")
    if "disable_password_update" in asked.model_fields_set and asked.disable_password_update:
        return error(400, "Whether passwords may be changed is not decided here.")
    if "ssh_keys" in asked.model_fields_set:
        wrong = [n for n, key in enumerate(asked.ssh_keys, 1) if not people.is_key(key)]
        if wrong or len(asked.ssh_keys) > 100:
            return error(400, f"Key {wrong[0]} is not a public SSH key in one line." if wrong else "Too many keys.")
        try:
            await run_in_threadpool(people.set_ssh_keys, host, found, asked.ssh_keys)
        except OSError as why:
            return error(400, f"The keys cannot be kept in {found.home}/.ssh: {why.strerror or why}.")
        audit.note(host, "SSH keys changed", found.name, caller(request).line)
    return JSONResponse(Accepted(message="changed").sent(), 202)


def over_network(request: Request) -> str:
    """The address that asks; "" on the socket."""
    return address(request.client.host if request.client else "")


def flag(request: Request, name: str, default: bool) -> bool:
    """A boolean of the query. Raises HTTPException 400."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.lower() not in ("true", "false"):
        raise HTTPException(400, f"{name} is true or false.")
    return text.lower() == "true"


def _account(request: Request) -> people.Account:
    who = caller(request)
    found = people.account(request.app.state.host, who.name if who.over == "https" else who.uid)
    if found is None and who.over == "socket":
        return people.Account(who.name, who.uid, who.uid, "/nonexistent")
    if found is None:
        raise HTTPException(401, "This user is gone from the host.")
    return found


def _later(seconds: int, why: str) -> Response:
    answer = error(429, f"{why} Try again in {seconds} s.")
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _set_cookie(answer: Response, token: str, seconds: int) -> None:
    answer.set_cookie(COOKIE, token, max_age=seconds, secure=True, httponly=True, samesite="strict")


def _line(peer: str) -> str:
    return f"HTTPS from {peer}" if peer else "agent socket"


ROUTES = [
    Route("/v1/users/default/login", login, methods=["POST"]),
    Route("/v1/users/default/logout", logout, methods=["POST"]),
    Route("/v1/users/default/token/renewal", renewal, methods=["POST"]),
    Route("/v1/users/default/password/reset", reset_password, methods=["POST"]),
    Route("/v1/users/current", current, methods=["GET"]),
    Route("/v1/users/current", patch_current, methods=["PATCH"]),
]
