"""A page in a browser without a window: Chromium, spoken to by its own protocol."""

from __future__ import annotations

import base64
import contextlib
import itertools
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.toolchain import BROWSERS, find
from tests.helpers import until


@dataclass
class Page:
    """A page that is open: everything that it logs or refuses is kept in `events`."""

    _socket: aiohttp.ClientWebSocketResponse
    events: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers to a method of its protocol."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=60)
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                answer: dict[str, Any] = message["result"]
                return answer
            self.events.append(message)

    async def evaluate(self, expression: str) -> Any:
        """The value of a piece of JavaScript, which may be a promise."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def open(self, file: Path) -> None:
        """Load a page, and come back when it is painted."""
        await self.call("Page.navigate", url=file.as_uri())
        painted = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
        await self.evaluate(f"new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done)).then(() => {painted})")

    async def metrics(self) -> dict[str, float]:
        """The browser's own counters of the page; durations are seconds of its processor time, whatever else the machine does."""
        return {metric["name"]: metric["value"] for metric in (await self.call("Performance.getMetrics"))["metrics"]}

    async def press(self, key: str, code: int) -> None:
        """Press a key as a person would."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **(text if kind == "keyDown" else {}))

    async def picture(self, width: int, height: int, scheme: str, quality: int) -> bytes:
        """What a window of this size shows, as WebP. On a busy machine, the first pictures may lack parts."""
        await self.show_as(width, scheme, height)
        before = ""
        for _attempt in range(30):
            taken = (await self.call("Page.captureScreenshot", format="webp", quality=quality))["data"]
            if taken == before:
                return base64.b64decode(taken)
            before = taken
        raise AssertionError("the page does not stop changing")

    async def show_as(self, width: int, scheme: str = "light", height: int = 900) -> None:
        """Take the size of a window or a phone, and the colours that the person prefers."""
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


@contextlib.asynccontextmanager
async def browser_page() -> AsyncIterator[Page]:
    """An empty page in a browser of its own, which ends afterwards."""
    program = find(*BROWSERS)
    assert program, f"none of {', '.join(BROWSERS)} is installed: apt-get install chromium"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # Its own sandbox needs rights that containers do not give.
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0"]
        command = [str(program), *options, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                active = Path(profile, "DevToolsActivePort")
                until(lambda: active.exists() and len(active.read_text().splitlines()) == 2)
                port = active.read_text().splitlines()[0]
                async with aiohttp.ClientSession(trust_env=False) as session:
                    async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                        [tab] = [target for target in await answer.json() if target["type"] == "page"]
                    async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                        page = Page(socket)
                        for domain in ("Page", "Runtime", "Log", "Network"):
                            await page.call(f"{domain}.enable")
                        await page.call("Performance.enable", timeDomain="threadTicks")
                        yield page
            finally:
                process.terminate()
