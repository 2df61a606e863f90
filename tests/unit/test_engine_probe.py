"""Who answers behind a service: the whole answer, however it is cut, and nobody where nobody does."""

from __future__ import annotations

import asyncio

from agent.engines import probe


async def test_an_answer_in_pieces_is_one_name() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in (b"HTTP/1.1 200 OK\r\nDate: now\r\n\r\n", b"probe-", b"7tjvr\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await probe.ask("127.0.0.1", port, 5) == ["probe-7tjvr"]


async def test_nobody_answers() -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert await probe.ask("127.0.0.1", port, 0.2) == []
