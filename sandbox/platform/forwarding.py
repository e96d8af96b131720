"""Passing an HTTP request on to another server and its answer back, streaming."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

# These are about one connection, not about the request.
HOP_BY_HOP = ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")


def passed(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that are for the other end."""
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


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
