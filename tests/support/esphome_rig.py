"""Rig of an ESPHome satellite: file devices, the official client, and a server of WAV files."""

import asyncio
import base64
import io
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aioesphomeapi import VoiceAssistantEventType
from aioesphomeapi.client import APIClient
from aiohttp import web

from satellite.config import SatelliteSettings
from satellite.core.turn import TurnState
from satellite.drivers.home_assistant import HomeAssistantDriver
from satellite.wake.engine import WakeDetector, WakeEngine
from tests.support.satellite_rig import SatelliteRig, VirtualClock, file_devices, rig

EsphomeRig = SatelliteRig[HomeAssistantDriver]
KEY = base64.b64encode(bytes(range(32))).decode()
MAX_WAIT_SECONDS = 20.0
"""Generous: it only bounds a test that fails."""


def wav(seconds: float, rate: int = 22_050, size: int | None = None) -> bytes:
    """Return a tone as a WAV file; `size` overrides the length in its header."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(b"\x00\x20" * int(rate * seconds))
    data = file.getvalue()
    if size is None:
        return data
    return data[:40] + size.to_bytes(4, "little") + data[44:]


@asynccontextmanager
async def esphome_satellite(
    folder: Path,
    heard: Sequence[tuple[float, int]],
    *flags: str,
    wake: WakeDetector | None = None,
    engine: WakeEngine | None = None,
) -> AsyncIterator[EsphomeRig]:
    """A satellite whose API is served on a free port; `running` runs it."""
    settings = SatelliteSettings.load(
        [
            "--protocol=esphome",
            "--uri=tcp://127.0.0.1:0",
            "--no-zeroconf",
            f"--data-dir={folder}",
            "--name=Kitchen",
            f"--wake={'computer' if wake else 'none'}",
            *flags,
        ]
    )
    async with AsyncExitStack() as stack:
        devices = await stack.enter_async_context(file_devices(folder, heard, wake, VirtualClock()))
        words = ("computer", "alexa", "jarvis") if wake else ()
        driver = HomeAssistantDriver(settings, devices, engine or WakeEngine(words))
        made = rig(settings, devices, driver, folder)
        await stack.enter_async_context(driver)
        yield made


@asynccontextmanager
async def running(made: EsphomeRig) -> AsyncIterator[None]:
    """Run the satellite until the block ends; its recording begins with the block."""
    task = asyncio.create_task(made.satellite.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


@asynccontextmanager
async def connected(made: EsphomeRig, key: str | None = None) -> AsyncIterator[APIClient]:
    """The official client, connected."""
    port = int(made.driver.uri.rpartition(":")[2])
    client = APIClient("127.0.0.1", port, None, noise_psk=key)
    await client.connect(login=True)
    try:
        yield client
    finally:
        await client.disconnect(force=True)


@dataclass(slots=True)
class Assistant:
    """Home Assistant's side of the voice assistant, as its integration implements it."""

    client: APIClient
    started: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    """Wake word phrase of each pipeline."""
    ended: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)
    """End of the audio of each pipeline; True: the pipeline is to be aborted."""
    finished: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)
    """Each reply that has been played, and whether it was."""
    audio: bytearray = field(default_factory=bytearray)

    def subscribe(self) -> None:
        self.client.subscribe_voice_assistant(
            handle_start=self._start,
            handle_stop=self._stop,
            handle_audio=self._hear,
            handle_announcement_finished=self._finish,
        )

    async def _start(
        self, _conversation: str, _flags: int, _settings: Any, phrase: str | None
    ) -> int:
        self.audio.clear()
        self.started.put_nowait(phrase)
        return 0

    async def _stop(self, abort: bool) -> None:
        self.ended.put_nowait(abort)

    async def _hear(self, data: bytes, _data2: bytes | None = None) -> None:
        self.audio += data

    async def _finish(self, finished: Any) -> None:
        self.finished.put_nowait(finished.success)

    def send(self, event: VoiceAssistantEventType, **data: str) -> None:
        self.client.send_voice_assistant_event(event, data)

    def answer(self, text: str, url: str, *, continues: bool = False) -> None:
        """Send the events of a pipeline from the transcript to the reply."""
        kind = VoiceAssistantEventType
        self.send(kind.VOICE_ASSISTANT_STT_END, text=text)
        self.send(kind.VOICE_ASSISTANT_INTENT_START)
        self.send(kind.VOICE_ASSISTANT_INTENT_END, continue_conversation=str(int(continues)))
        self.send(kind.VOICE_ASSISTANT_TTS_START, text="Yes it is.")
        self.send(kind.VOICE_ASSISTANT_TTS_END, url=url)
        self.send(kind.VOICE_ASSISTANT_RUN_END)


async def soon(queue: "asyncio.Queue[Any]") -> Any:
    """Return the next item of a queue."""
    async with asyncio.timeout(MAX_WAIT_SECONDS):
        return await queue.get()


async def until(made: EsphomeRig, state: TurnState) -> None:
    """Wait until the turn machine is in a state."""
    async with asyncio.timeout(MAX_WAIT_SECONDS):
        while made.machine.state is not state:
            await made.clock.until(made.clock.now() + 0.03)


async def until_music(made: EsphomeRig, *, plays: bool) -> None:
    """Wait until the satellite has begun to play music, or has ended it."""
    async with asyncio.timeout(MAX_WAIT_SECONDS):
        while made.devices.player.music_active is not plays:
            await made.clock.until(made.clock.now() + 0.03)


@asynccontextmanager
async def files(**contents: bytes | None) -> AsyncIterator[str]:
    """An HTTP server of files by name; None: it sends half a second and then nothing.

    The file "endless" never ends, and "silent" never begins.
    """
    stalled = asyncio.Event()

    async def get(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        response = web.StreamResponse()
        if name == "silent":
            await stalled.wait()
        await response.prepare(request)
        if name == "endless":
            await response.write(wav(1.0, size=0xFFFFFFFF))
            while not stalled.is_set():
                await response.write(wav(1.0)[44:])
            return response
        content = contents[name]
        await response.write(wav(0.5, size=0xFFFFFFFF) if content is None else content)
        if content is None:
            await stalled.wait()
        return response

    app = web.Application()
    app.router.add_get("/{name}", get)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        stalled.set()
        await runner.cleanup()
