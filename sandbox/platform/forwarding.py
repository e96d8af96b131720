"""Passing an HTTP request on to another server and its answer back, streaming."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import WSMsgType, web
from multidict import CIMultiDict

# These are about one connection, not about the request.
HOP_BY_HOP = ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")


def passed(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that are for the other end."""
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


async def pass_messages(near: web.WebSocketResponse, far: aiohttp.ClientWebSocketResponse) -> None:
    """Hand on the messages of two WebSockets to each other, until one of them ends."""

    async def hand_on(source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse, target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse) -> None:
        async for message in source:
            if message.type == WSMsgType.BINARY:
                await target.send_bytes(message.data)

    tasks = [asyncio.create_task(hand_on(near, far)), asyncio.create_task(hand_on(far, near))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await far.close()
        await near.close()


async def pass_back(request: web.Request, upstream: aiohttp.ClientResponse, pause: float = 0) -> web.StreamResponse:
    """Give the client what the other server answers, as it comes; with a pause, byte by byte."""
    answer = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=passed(upstream.headers))
    await answer.prepare(request)
    async for chunk in upstream.content.iter_any():
        if not pause:
            await answer.write(chunk)
            continue
        for byte in chunk:
            await answer.write(bytes([byte]))
            await asyncio.sleep(pause)
    await answer.write_eof()
    return answer
