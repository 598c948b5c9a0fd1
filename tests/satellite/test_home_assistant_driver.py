"""One port for both protocols of Home Assistant, told apart by the first byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from wyoming.audio import AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.pipeline import RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.wake import Detection

from satellite.config import SatelliteSettings
from satellite.core.turn import TurnState
from satellite.drivers.home_assistant import HomeAssistantDriver
from satellite.wake.engine import WakeEngine
from tests.support.esphome_rig import (
    KEY,
    Assistant,
    EsphomeRig,
    connected,
    esphome_satellite,
    running,
    soon,
    until,
)
from tests.support.satellite_client import COMMAND
from tests.support.satellite_rig import VirtualClock, WakeIsVeryLoud, file_devices, rig
from tests.support.wire import receive, receive_until
from wyoming_common.errors import ConfigError

SILENCE = ((600.0, 0),)


@asynccontextmanager
async def wyoming_client(made: EsphomeRig) -> AsyncIterator[AsyncClient]:
    async with AsyncClient.from_uri(made.driver.uri) as client:
        yield client


@asynccontextmanager
async def announcing_wyoming(folder: Path, *flags: str) -> AsyncIterator[EsphomeRig]:
    """A satellite that announces Wyoming."""
    settings = SatelliteSettings.load(
        [
            *("--uri=tcp://127.0.0.1:0", "--no-zeroconf", f"--data-dir={folder}", "--name=Kitchen"),
            *("--wake=computer", *flags),
        ]
    )
    async with AsyncExitStack() as stack:
        devices = await stack.enter_async_context(
            file_devices(folder, COMMAND, WakeIsVeryLoud(), VirtualClock())
        )
        driver = HomeAssistantDriver(settings, devices, WakeEngine(("computer",)))
        made = rig(settings, devices, driver, folder)
        await stack.enter_async_context(driver)
        yield made


async def test_the_api_of_esphome_is_loaded_for_its_first_client_where_wyoming_is_announced(
    tmp_path: Path,
) -> None:
    async with announcing_wyoming(tmp_path) as made:
        assert made.driver.esphome is None

        async with connected(made) as client:
            assistant = Assistant(client)
            assistant.subscribe()
            await client.device_info()
            async with running(made):
                assert await soon(assistant.started) == "computer"
                assert await soon(assistant.ended) is False


async def test_a_key_beside_wyoming_is_said_to_encrypt_only_the_api_of_esphome(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with announcing_wyoming(tmp_path, f"--encryption-key={KEY}"):
        assert "Wyoming, which is announced, is not encrypted" in caplog.text


async def test_a_malformed_key_is_refused_at_the_start_with_either_protocol(tmp_path: Path) -> None:
    for protocol in ("wyoming", "esphome"):
        with pytest.raises(ConfigError, match="encryption_key: expected 32 bytes"):
            async with announcing_wyoming(
                tmp_path, "--encryption-key=short", f"--protocol={protocol}"
            ):
                pass


async def test_without_aioesphomeapi_its_clients_are_hung_up_on_and_wyoming_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "satellite.drivers.esphome", None)
    async with announcing_wyoming(tmp_path) as made:
        reader, writer = await asyncio.open_connection(*_address(made))
        writer.write(b"\x00")
        async with asyncio.timeout(10):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()

        async with wyoming_client(made) as client:
            await client.write_event(Describe().event())
            await receive_until(client, Info)

    assert "needs aioesphomeapi" in caplog.text


async def test_a_wyoming_client_runs_turns_where_the_api_of_esphome_is_announced(
    tmp_path: Path,
) -> None:
    async with (
        esphome_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as made,
        wyoming_client(made) as client,
    ):
        await client.write_event(RunSatellite().event())
        async with asyncio.timeout(10):
            while not made.driver.connected:  # noqa: ASYNC110 - another task sets it
                await asyncio.sleep(0)
        async with running(made):
            detection = Detection.from_event(await receive(client))
            assert RunPipeline.is_type((await receive(client)).type)
            await receive_until(client, AudioStop)
            await until(made, TurnState.THINKING)

    assert detection.name == "computer"


async def test_an_encrypted_satellite_tells_a_wyoming_client_where_to_add_it(
    tmp_path: Path,
) -> None:
    async with (
        esphome_satellite(tmp_path, SILENCE, f"--encryption-key={KEY}") as made,
        wyoming_client(made) as client,
    ):
        await client.write_event(Describe().event())
        refusal = Error.from_event(await receive(client))

    assert "ESPHome integration" in refusal.text


async def test_a_key_that_home_assistant_has_set_leaves_an_announced_wyoming_as_it_is(
    tmp_path: Path,
) -> None:
    async with announcing_wyoming(tmp_path, f"--encryption-key={KEY}") as made:
        async with connected(made, KEY) as client:
            assert (await client.device_info()).name == "kitchen"
        async with wyoming_client(made) as other:
            await other.write_event(Describe().event())
            assert Info.is_type((await receive(other)).type)


def _address(made: EsphomeRig) -> tuple[str, int]:
    host, _, port = made.driver.uri.removeprefix("tcp://").rpartition(":")
    return host, int(port)
