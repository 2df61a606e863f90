"""The link for one download: who knows it gets the bundle once, nobody else gets anything, and no log has it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import ssl
from pathlib import Path

import pytest

from tui.models.change import Refused
from tui.models.support import Offered
from tui.services.support import link

DATA = os.urandom(300_000)
Offer = tuple["asyncio.Task[str]", Offered]


async def opened(address: str = "127.0.0.1", **more: float) -> Offer:
    """An open link, and the work that serves it."""
    ready: asyncio.Future[Offered] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(link.offer(DATA, "b.tar.gz", address, ready.set_result, **more))  # type: ignore[arg-type]
    await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
    return serving, ready.result()


async def ask(offered: Offered, path: str | None = None, method: str = "GET") -> tuple[bytes, bytes, str]:
    """Head, body, and the SHA-256 of the certificate, as a browser that warns would have them."""
    where, _, own = offered.url.removeprefix("https://").partition("/")
    host, _, port = where.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=context)
    tls = writer.get_extra_info("ssl_object")
    fingerprint = hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest()
    writer.write(f"{method} /{own if path is None else path} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
    said = await reader.read()
    writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    return head, body, fingerprint


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_one_download(address: str) -> None:
    serving, offered = await opened(address)
    head, body, fingerprint = await ask(offered)
    assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", DATA)
    assert fingerprint == offered.fingerprint
    assert await serving == address
    with pytest.raises(OSError, match=r"refused|Connect"):
        await ask(offered)


async def test_another_address_gets_nothing_and_the_link_stays() -> None:
    serving, offered = await opened()
    token = offered.url.rpartition("/")[2]
    assert len(token) == 26
    assert token != (await opened())[1].url.rpartition("/")[2]
    for path in ("", "x", token[:-1], token + "x", token.upper(), f"x/{token}", "../" + token):
        head, body, _ = await ask(offered, path)
        assert (head[:12], len(body)) == (b"HTTP/1.1 404", 23)
    assert (await ask(offered, method="POST"))[0][:12] == b"HTTP/1.1 404"
    assert (await ask(offered))[1] == DATA
    await serving


async def test_guessing_ends_it() -> None:
    serving, offered = await opened()
    for _ in range(link.MOST_WRONG):
        await ask(offered, "x")
    with pytest.raises(Refused) as refused:
        await serving
    assert refused.value.issues[0].code == "U113"


async def test_it_expires() -> None:
    serving, offered = await opened(seconds=0.2)
    with pytest.raises(Refused) as refused:
        await serving
    assert refused.value.issues[0].code == "U112"
    with pytest.raises(OSError, match=r"refused|Connect"):
        await ask(offered)


async def test_a_broken_download_may_be_tried_again() -> None:
    serving, offered = await opened()
    where, _, token = offered.url.removeprefix("https://").partition("/")
    host, _, port = where.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context, limit=1024)
    writer.write(f"GET /{token} HTTP/1.1\r\n\r\n".encode())
    await reader.readexactly(100)
    writer.transport.abort()
    while not serving.done():
        if (await ask(offered))[1] == DATA:
            break
    assert await serving == "127.0.0.1"


async def test_cancelled_is_closed() -> None:
    serving, offered = await opened()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(OSError, match=r"refused|Connect"):
        await ask(offered)


@pytest.mark.parametrize("address", ["", "192.0.2.1", "nowhere"])
async def test_no_such_address(address: str) -> None:
    with pytest.raises(Refused) as refused:
        await link.offer(DATA, "b.tar.gz", address, lambda _: None)
    assert refused.value.issues[0].code == "U111"


async def test_no_log_has_the_link(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    serving, offered = await opened()
    token = offered.url.rpartition("/")[2]
    await ask(offered, "x")
    await ask(offered)
    await serving
    assert token not in caplog.text + repr(offered)
    assert token.encode() not in Path("/proc/self/cmdline").read_bytes()


async def test_silent_strangers_do_not_hold_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_PATIENCE", 0.2)
    serving, offered = await opened()
    host, _, port = offered.url.removeprefix("https://").partition("/")[0].rpartition(":")
    silent = [await asyncio.open_connection(host, int(port)) for _ in range(5)]
    assert (await ask(offered))[1] == DATA
    await serving
    for _, writer in silent:
        writer.close()
