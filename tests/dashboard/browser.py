"""A headless Chromium of one's own, driven by the Chrome DevTools Protocol."""

import asyncio
import base64
import itertools
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

MAX_ANSWER_SECONDS = 20.0
"""Generous: it only bounds a test that fails."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.loaded = False
        self.problems: list[str] = []
        """Complaints of the page: exceptions, refused markup, failed requests."""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(MAX_ANSWER_SECONDS):
            while (message := await self._socket.receive_json()).get("id") != number:
                self._note(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    async def open(self, url: str) -> None:
        """Go to `url` and wait until it is loaded."""
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        self.loaded = False
        await self.call("Page.navigate", url=url)
        async with asyncio.timeout(MAX_ANSWER_SECONDS):
            while not self.loaded:
                self._note(await self._socket.receive_json())

    async def value(self, script: str) -> Any:
        """Return what a JavaScript expression gives, awaited if it is a promise."""
        found = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression is true, and return its value."""
        look = f"() => {{ const value = ({script}); value ? done(value) : setTimeout(look, 30); }}"
        async with asyncio.timeout(MAX_ANSWER_SECONDS):
            return await self.value(f"new Promise(done => {{ const look = {look}; look(); }})")

    async def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key, as a person would."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def screenshot(self, path: Path, *, width: int = 1280, height: int = 1000) -> None:
        """Save what the page looks like at that size."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        await self.value("new Promise(done => setTimeout(done, 400))")
        shot = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        match message.get("method"):
            case "Page.loadEventFired":
                self.loaded = True
            case "Runtime.exceptionThrown":
                self.problems.append(str(message["params"]["exceptionDetails"]))
            case "Log.entryAdded" if message["params"]["entry"]["level"] == "error":
                self.problems.append(message["params"]["entry"]["text"])


def microphone(path: Path) -> tuple[str, ...]:
    """Return the flags with which a browser hears a WAV file once, from when it is asked to."""
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    )


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Page]:
    """Start a browser with a profile of its own, and end it with the block."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="parley-chromium-", ignore_cleanup_errors=True) as data:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, *_FLAGS, *flags, f"--user-data-dir={data}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        draining: asyncio.Task[bytes] | None = None
        try:
            address = await _announced(process.stderr)
            draining = asyncio.create_task(process.stderr.read())
            async with aiohttp.ClientSession(f"http://{address}") as session:
                async with session.get("/json") as response:
                    tabs = await response.json()
                url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            if draining is not None:
                await draining


async def _announced(output: asyncio.StreamReader) -> str:
    """Return HOST:PORT of the debugger once the browser says it."""
    async with asyncio.timeout(MAX_ANSWER_SECONDS):
        while line := await output.readline():
            if found := re.search(rb"DevTools listening on ws://([^/]+)/", line):
                return found[1].decode()
    raise RuntimeError("Chromium ended before it was ready")
