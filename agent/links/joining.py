"""The follower's side of linking: find the leader, prove the password, believe its certificate, hear of the others."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from agent.links import peers, wire
from agent.links.identity import Identity, fingerprint
from agent.links.pairing import Joining, PairingError
from agent.links.peers import Peers
from tui.models.peers import Token


class JoinError(Exception):
    """Why this host was not linked, in a sentence for the person who typed the code."""


async def join(own: Identity, token: Token, kind: str, me: dict[str, Any]) -> Peers:
    """Link this host to the leader that the token names.

    Args:
        token: of a short code only address, port and word are known; the fingerprint is "" then.
        kind: "code" or "token".
        me: this host, as the leader writes it down.

    Returns:
        The leader and its other followers.

    Raises:
        JoinError: not linked; nothing has changed here.
    """
    where = f"{token.address} port {token.port}"
    try:
        shown = await wire.presented(token.address, token.port)
    except (OSError, ValueError) as error:
        raise JoinError(f"No host answers at {where}. Is its window open, and the cable in?") from error
    if token.fingerprint and fingerprint(shown) != token.fingerprint:
        raise JoinError(f"The host at {where} is not the one that made the token: its certificate is another.")
    half = Joining(token.word, own.fingerprint, fingerprint(shown))
    try:
        async with wire.client(None, token.address, token.port, shown) as client:
            begun = await _asked(client, "begin", {"kind": kind, "host": me, "message": _text(half.message)})
            proof = half.proof(_bytes(begun["message"]))
            ended = await _asked(client, "finish", {"number": str(begun["number"]), "proof": _text(proof)})
        if not half.believes(_bytes(ended["proof"])):
            raise JoinError(f"The host at {where} does not know the code itself: somebody listens in between.")
        leader = peers.peer({**ended["host"], "address": token.address, "role": "leader", "certificate": shown})
        others = tuple(peers.peer({**each, "role": "follower"}) for each in ended["peers"] if each["id"] != me["id"])
    except httpx.HTTPError as error:
        raise JoinError(f"The host at {where} stopped answering. Try again with a new code.") from error
    except (PairingError, ValueError, KeyError, TypeError) as error:
        raise JoinError(f"What answers at {where} is no leader of Onsite's.") from error
    return Peers((leader, *others))


async def _asked(client: httpx.AsyncClient, step: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/v1/onsite/peer/pair/{step}", json=body)
    said = answer.json()
    if answer.status_code != 200:
        raise JoinError(str(said.get("message", "The leader refused.")))
    return dict(said)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    """Raises ValueError: no base64."""
    return base64.b64decode(str(text), validate=True)
