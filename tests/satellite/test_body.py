"""Lights, buttons, commands and screens: news out, orders in."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from satellite.body.command import EventCommand
from satellite.body.control import obey
from satellite.body.websocket import EventSocket
from satellite.clock import RunClock
from tests.satellite import fakes
from tests.satellite.rig import SPEECH, FastClock, conversation, sounding
from wyoming_common.errors import BadRequest, ConfigError, MissingDependency

QUESTION = ((0.5, 0), (1.0, SPEECH), (2.0, 0))


class Recorder:
    """Stands where a satellite is told something, or tells it."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    async def __aenter__(self) -> "Recorder":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def tell(self, news: Any) -> None:
        self.done.append(news["event"])

    def press(self) -> None:
        self.done.append("press")

    def stop(self) -> None:
        self.done.append("stop")

    def mute(self, *, on: bool) -> None:
        self.done.append(("mute", on))

    def set_volume(self, gain: float) -> None:
        self.done.append(gain)


async def until(clock: RunClock, true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await clock.until(clock.now() + 0.01)


async def test_every_state_of_a_turn_is_told(tmp_path: Path) -> None:
    recorder = Recorder()
    async with (
        fakes.stt("hi") as stt,
        fakes.llm("Hello there") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts) as loop,
    ):
        loop.shows.append(recorder)
        await loop.run()

    assert recorder.done == ["listening", "thinking", "speaking", "idle"]


async def test_a_muted_satellite_hears_nothing(tmp_path: Path) -> None:
    async with (
        fakes.stt("hi", "again") as stt,
        fakes.llm("Hello") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, (*QUESTION, *QUESTION), stt, llm, tts) as loop,
    ):
        loop.mute(on=True)
        task = asyncio.create_task(loop.run())
        await until(loop.body.clock, lambda: loop.body.clock.now() > 3.4)
        loop.mute(on=False)
        await task

    assert len(stt.of("transcribe")) == 1


async def test_a_press_while_the_reply_plays_stops_it(tmp_path: Path) -> None:
    async with (
        fakes.stt("hi") as stt,
        fakes.llm(" ".join(["word"] * 100)) as llm,
        fakes.tts() as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts) as loop,
    ):
        task = asyncio.create_task(loop.run())
        recorder = Recorder()
        loop.shows.append(recorder)
        await until(loop.body.clock, lambda: "speaking" in recorder.done)

        loop.press()

        await task
    assert recorder.done[-1] == "idle"
    assert sounding(tmp_path) < 1.0


def test_orders_are_obeyed_and_others_refused() -> None:
    satellite = Recorder()

    for word in ("press", "stop", "mute", "unmute"):
        obey(satellite, {"do": word})
    obey(satellite, {"do": "volume", "gain": 0.5})

    assert satellite.done == ["press", "stop", ("mute", True), ("mute", False), 0.5]
    bad: list[dict[str, Any]] = [
        {},
        {"do": "dance"},
        {"do": []},
        {"do": "volume"},
        {"do": "volume", "gain": 9},
    ]
    for order in bad:
        with pytest.raises(BadRequest, match="expected"):
            obey(satellite, order)


async def test_a_command_is_run_with_the_event_and_its_facts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = tmp_path / "hook.sh"
    script.write_text(f'#!/bin/sh\necho "$1" >> {out}\ncat >> {out}\necho >> {out}\n')
    script.chmod(0o755)

    async with EventCommand(str(script)) as command:
        command.tell({"event": "wake", "word": "alexa"})
        command.tell({"event": "idle"})
        await asyncio.to_thread(_wait_for, out, "idle\n")

    lines = out.read_text().splitlines()
    assert lines[0] == "wake"
    assert json.loads(lines[1]) == {"event": "wake", "word": "alexa"}


async def test_what_a_command_prints_does_not_get_among_the_sound(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "hook.sh"
    script.write_text(f"#!/bin/sh\necho blink\ntouch {tmp_path}/done\n")
    script.chmod(0o755)

    async with EventCommand(str(script)) as command:
        command.tell({"event": "wake"})
        await until(FastClock(), (tmp_path / "done").exists)

    out, err = capfd.readouterr()
    assert (out, "blink" in err) == ("", True)


async def test_a_command_that_is_not_there_is_said_once_and_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with EventCommand(str(tmp_path / "gone")) as command:
        command.tell({"event": "idle"})
        await until(FastClock(), lambda: bool(caplog.records))

    assert "cannot run" in caplog.text


@pytest.mark.parametrize("word", ["", "'unclosed"])
def test_a_command_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="event-command"):
        EventCommand(word)


async def test_a_socket_gives_news_and_takes_orders() -> None:
    satellite = Recorder()
    async with _socket(satellite) as (events, socket):
        first = await socket.receive_json(timeout=5)
        events.tell({"event": "awake"})
        second = await socket.receive_json(timeout=5)
        await socket.send_json({"do": "press"})
        await socket.send_str("no json")
        answer = await socket.receive_json(timeout=5)

    assert (first, second) == ({"event": "idle"}, {"event": "awake"})
    assert satellite.done == ["press"]
    assert "error" in answer


async def test_a_light_and_buttons_on_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    gpiozero = pytest.importorskip("gpiozero")
    mock = pytest.importorskip("gpiozero.pins.mock")
    from satellite.body.gpio import Gpio

    factory = mock.MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    satellite = Recorder()
    async with Gpio(satellite, 12, 17, 27) as gpio:
        gpio.tell({"event": "listening"})
        lit = factory.pin(12).state
        gpio.tell({"event": "idle"})
        dark = factory.pin(12).state
        factory.pin(17).drive_low()
        await until(FastClock(), lambda: bool(satellite.done))

    assert (lit, dark) == (1, 0)
    assert satellite.done == ["press"]


async def test_pins_without_a_library_are_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satellite.body.gpio import Gpio

    monkeypatch.setitem(__import__("sys").modules, "gpiozero", None)

    with pytest.raises(MissingDependency, match="gpiozero"):
        async with Gpio(Recorder(), 12, 0, 0):
            pass


@asynccontextmanager
async def _socket(
    satellite: Recorder,
) -> AsyncIterator[tuple[EventSocket, aiohttp.ClientWebSocketResponse]]:
    async with (
        EventSocket("http://127.0.0.1:0", satellite, ("127.0.0.0/8",)) as events,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{events.uri}/events") as socket,
    ):
        yield events, socket


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:1"])
async def test_a_page_of_another_site_gets_neither_news_nor_a_word_in(origin: str) -> None:
    async with (
        _socket(satellite := Recorder()) as (events, _),
        aiohttp.ClientSession(headers={"Origin": origin}) as page,
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await page.ws_connect(f"{events.uri}/events")

    assert not satellite.done


@pytest.mark.parametrize("origin", ["http://house.example:8123", "http://house.example:8123/"])
async def test_a_page_that_was_named_may_connect(origin: str) -> None:
    async with (
        EventSocket("http://127.0.0.1:0", Recorder(), ("127.0.0.0/8",), [origin]) as events,
        aiohttp.ClientSession(headers={"Origin": "http://house.example:8123"}) as page,
        page.ws_connect(f"{events.uri}/events") as socket,
    ):
        assert (await socket.receive_json())["event"] == "idle"


async def test_listeners_of_one_address_leave_room_for_others() -> None:
    async with (
        EventSocket("http://127.0.0.1:0", Recorder(), ("127.0.0.0/8",)) as events,
        aiohttp.ClientSession() as session,
        AsyncExitStack() as stack,
    ):
        for _ in range(8):
            await stack.enter_async_context(session.ws_connect(f"{events.uri}/events"))

        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(f"{events.uri}/events")


def _wait_for(path: Path, text: str) -> None:
    while not (path.exists() and text in path.read_text()):
        time.sleep(0.01)
