"""How the server speaks to its sockets."""

from __future__ import annotations

import asyncio
import socket

from renderkiln.api.server import _listening


def test_no_answer_waits_until_its_head_is_acknowledged() -> None:
    delays: list[int] = []

    class Look(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted = transport.get_extra_info("socket")
            delays.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def connect() -> None:
        listening = _listening("127.0.0.1", 0)
        async with await asyncio.get_running_loop().create_server(Look, sock=listening):
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            assert await reader.read() == b""
            writer.close()

    asyncio.run(connect())
    assert delays == [1]
