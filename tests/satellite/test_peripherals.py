"""Peripherals: lights, buttons, commands and the WebSocket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from satellite.core.clock import RunClock
from satellite.peripherals.command import EventCommand
from satellite.peripherals.control import execute_command
from satellite.peripherals.websocket import EventSocket
from tests.support.fake_services import fake_llm, fake_stt
from tests.support.satellite_rig import SPEECH, VirtualClock, sounding
from tests.support.standalone_turn import standalone_satellite
from wyoming_common.errors import BadRequest, ConfigError, MissingDependency

QUESTION = ((0.5, 0), (1.0, SPEECH), (2.0, 0))


class Recorder:
    """Records commands to a satellite and events of one."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    async def __aenter__(self) -> "Recorder":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def on_event(self, event: Any) -> None:
        self.done.append(event["event"])

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


async def test_every_state_of_a_turn_is_published(tmp_path: Path) -> None:
    recorder = Recorder()
    async with standalone_satellite(tmp_path, QUESTION, stt=fake_stt("hi")) as run:
        with run.rig.satellite.events.observed(recorder.on_event):
            await run.run()

    assert recorder.done == ["listening", "thinking", "speaking", "idle"]


async def test_a_muted_satellite_hears_nothing(tmp_path: Path) -> None:
    heard = (*QUESTION, *QUESTION)
    async with standalone_satellite(tmp_path, heard, stt=fake_stt("hi", "again")) as run:
        satellite, clock = run.rig.satellite, run.rig.clock
        satellite.mute(on=True)
        task = asyncio.create_task(run.run())
        await until(clock, lambda: clock.now() > 3.4)
        satellite.mute(on=False)
        await task

    assert len(run.stt.of("transcribe")) == 1


async def test_a_press_while_the_reply_plays_stops_it(tmp_path: Path) -> None:
    recorder = Recorder()
    llm = fake_llm(" ".join(["word"] * 100))
    async with standalone_satellite(tmp_path, QUESTION, llm=llm) as run:
        with run.rig.satellite.events.observed(recorder.on_event):
            task = asyncio.create_task(run.run())
            await until(run.rig.clock, lambda: "speaking" in recorder.done)

            run.rig.satellite.press()

            await task
    assert recorder.done[-1] == "idle"
    assert sounding(tmp_path) < 1.0


def test_known_commands_are_executed_and_others_refused() -> None:
    satellite = Recorder()

    for word in ("press", "stop", "mute", "unmute"):
        execute_command(satellite, {"do": word})
    execute_command(satellite, {"do": "volume", "gain": 0.5})

    assert satellite.done == ["press", "stop", ("mute", True), ("mute", False), 0.5]
    bad: list[dict[str, Any]] = [
        {},
        {"do": "dance"},
        {"do": []},
        {"do": "volume"},
        {"do": "volume", "gain": 9},
    ]
    for command in bad:
        with pytest.raises(BadRequest, match="expected"):
            execute_command(satellite, command)


async def test_a_command_is_run_with_the_event_and_its_facts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = tmp_path / "hook.sh"
    script.write_text(f'#!/bin/sh\necho "$1" >> {out}\ncat >> {out}\necho >> {out}\n')
    script.chmod(0o755)

    async with EventCommand(str(script)) as command:
        command.on_event({"event": "wake", "word": "alexa"})
        command.on_event({"event": "idle"})
        await asyncio.to_thread(_wait_for, out, "idle\n")

    lines = out.read_text().splitlines()
    assert lines[0] == "wake"
    assert json.loads(lines[1]) == {"event": "wake", "word": "alexa"}


async def test_the_output_of_a_command_stays_out_of_the_audio(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "hook.sh"
    script.write_text(f"#!/bin/sh\necho blink\ntouch {tmp_path}/done\n")
    script.chmod(0o755)

    async with EventCommand(str(script)) as command:
        command.on_event({"event": "wake"})
        await until(VirtualClock(), (tmp_path / "done").exists)

    out, err = capfd.readouterr()
    assert (out, "blink" in err) == ("", True)


async def test_a_missing_command_is_logged_and_delays_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with EventCommand(str(tmp_path / "gone")) as command:
        command.on_event({"event": "idle"})
        await until(VirtualClock(), lambda: bool(caplog.records))

    assert "cannot run" in caplog.text


@pytest.mark.parametrize("word", ["", "'unclosed"])
def test_a_command_that_cannot_be_parsed_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="event-command"):
        EventCommand(word)


async def test_a_socket_sends_events_and_takes_commands() -> None:
    satellite = Recorder()
    async with _socket(satellite) as (events, socket):
        first = await socket.receive_json(timeout=5)
        events.on_event({"event": "awake"})
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
    from satellite.peripherals.gpio import Gpio

    factory = mock.MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    satellite = Recorder()
    async with Gpio(satellite, 12, 17, 27) as gpio:
        gpio.on_event({"event": "listening"})
        lit = factory.pin(12).state
        gpio.on_event({"event": "idle"})
        dark = factory.pin(12).state
        factory.pin(17).drive_low()
        await until(VirtualClock(), lambda: bool(satellite.done))

    assert (lit, dark) == (1, 0)
    assert satellite.done == ["press"]


async def test_pins_without_a_library_are_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from satellite.peripherals.gpio import Gpio

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
async def test_a_page_of_another_site_is_refused(origin: str) -> None:
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
