"""Wake words of Home Assistant's folder: fetched, checked, loaded, and kept over a restart."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from aioesphomeapi import VoiceAssistantExternalWakeWord

from satellite.wake import make_wake
from satellite.wake.engine import WakeDetector, WakeEngine
from satellite.wake.probe import probe
from tests.support.esphome_rig import (
    MAX_WAIT_SECONDS,
    Assistant,
    EsphomeRig,
    connected,
    esphome_satellite,
    files,
)
from tests.support.satellite_rig import WakeIsVeryLoud
from wyoming_common.errors import ModelError

SILENCE = ((600.0, 0),)
MODEL = b"\x1c\x00\x00\x00TFL3" + bytes(1000)
CONFIG = json.dumps({"type": "micro", "wake_word": "Front Door", "model": "x.tflite"}).encode()


class Loader:
    """Notes what is loaded in place of a model library."""

    def __init__(self) -> None:
        self.loads: list[tuple[tuple[str, ...], float]] = []
        self.bad = False

    def load(self, words: Sequence[str], sensitivity: float) -> WakeDetector:
        self.loads.append((tuple(words), sensitivity))
        return WakeIsVeryLoud()

    def probe(self, _path: str) -> None:
        if self.bad:
            raise ModelError("wake: damaged")

    @property
    def engine(self) -> WakeEngine:
        return WakeEngine(("computer", "alexa"), "micro", self.load, self.probe)

    async def until(self, loads: int) -> None:
        async with asyncio.timeout(MAX_WAIT_SECONDS):
            while len(self.loads) < loads:  # noqa: ASYNC110 - another task loads
                await asyncio.sleep(0.01)


def offered(server: str, model: bytes = MODEL, **changed: object) -> VoiceAssistantExternalWakeWord:
    values = {
        "id": "front_door",
        "wake_word": "Front Door",
        "trained_languages": ["en"],
        "model_type": "micro",
        "model_size": len(model),
        "model_hash": hashlib.sha256(model).hexdigest(),
        "url": f"{server}/front_door.json",
    }
    return VoiceAssistantExternalWakeWord.from_dict(values | changed)


async def choose(made: EsphomeRig, server: str, *ids: str, **changed: object) -> list[str]:
    """Offer the wake word, choose words, and return the ids that are available."""
    async with connected(made) as client:
        Assistant(client).subscribe()
        offer = [offered(server, **changed)]  # type: ignore[arg-type]
        configuration = await client.get_voice_assistant_configuration(
            5.0, external_wake_words=offer
        )
        await client.set_voice_assistant_configuration(list(ids))
        await client.device_info()
        return [word.id for word in configuration.available_wake_words]


def folder_of(data_dir: Path, suffix: str) -> list[Path]:
    """Return the files of the models that have been fetched."""
    return list((data_dir / "wake_words").glob(f"*{suffix}"))


async def active(made: EsphomeRig) -> list[str]:
    async with connected(made) as client:
        configuration = await client.get_voice_assistant_configuration(5.0)
        return list(configuration.active_wake_words)


async def test_a_custom_wake_word_is_fetched_and_loaded_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    loader = Loader()
    contents = {"front_door.json": CONFIG, "front_door.tflite": MODEL}
    async with (
        files(**contents) as url,
        esphome_satellite(tmp_path, SILENCE, wake=WakeIsVeryLoud(), engine=loader.engine) as made,
    ):
        available = await choose(made, url, "alexa", "front_door")
        await loader.until(1)
        assert await active(made) == ["alexa", "front_door"]

    assert available == ["front_door", "computer", "alexa"]
    (alexa, custom), _ = loader.loads[-1]
    assert alexa == "alexa"
    (kept,) = folder_of(tmp_path, ".tflite")
    assert kept.read_bytes() == MODEL
    assert custom == str(kept.with_suffix(".json"))

    again = Loader()
    async with esphome_satellite(
        tmp_path, SILENCE, wake=WakeIsVeryLoud(), engine=again.engine
    ) as made:
        assert again.loads == [((alexa, custom), 0.5)]
        assert await active(made) == ["alexa", "front_door"]
        assert made.driver.accepts(custom)
        assert not made.driver.accepts("computer")


@pytest.mark.parametrize(
    ("contents", "changed"),
    [
        ({"front_door.json": CONFIG, "front_door.tflite": MODEL[:-1]}, {}),
        ({"front_door.json": CONFIG, "front_door.tflite": MODEL + b"more"}, {}),
        ({"front_door.json": CONFIG, "front_door.tflite": MODEL[::-1]}, {}),
        ({"front_door.json": b"<html>", "front_door.tflite": MODEL}, {}),
        ({"front_door.json": b"[" * 60_000, "front_door.tflite": MODEL}, {}),
        ({"front_door.json": b"x" * 70_000, "front_door.tflite": MODEL}, {}),
        ({"front_door.json": CONFIG}, {}),
        ({}, {"model_size": 4_000_000_000}),
        ({}, {"model_hash": "../../etc/passwd"}),
        ({}, {"url": "file:///etc/passwd"}),
    ],
)
async def test_a_model_that_is_not_the_announced_one_is_refused_and_the_words_before_stay(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    contents: dict[str, bytes],
    changed: dict[str, object],
) -> None:
    loader = Loader()
    async with (
        files(**contents) as url,
        esphome_satellite(tmp_path, SILENCE, wake=WakeIsVeryLoud(), engine=loader.engine) as made,
    ):
        await choose(made, url, "alexa", "front_door", **changed)
        await loader.until(1)

        assert await active(made) == ["alexa"]

    assert loader.loads == [(("alexa",), 0.5)]
    assert "The wake word 'front_door' is not available" in caplog.text
    assert not folder_of(tmp_path, ".json")


async def test_a_damaged_model_is_tried_before_it_is_loaded(tmp_path: Path) -> None:
    loader = Loader()
    loader.bad = True
    contents = {"front_door.json": CONFIG, "front_door.tflite": MODEL}
    async with (
        files(**contents) as url,
        esphome_satellite(tmp_path, SILENCE, wake=WakeIsVeryLoud(), engine=loader.engine) as made,
    ):
        for loads in (1, 2):
            await choose(made, url, *["alexa", "computer"][:loads], "front_door")
            await loader.until(loads)
            assert "front_door" not in await active(made)


async def test_models_for_another_engine_are_not_offered(tmp_path: Path) -> None:
    loader = Loader()
    async with (
        files() as url,
        esphome_satellite(tmp_path, SILENCE, wake=WakeIsVeryLoud(), engine=loader.engine) as made,
    ):
        assert await choose(made, url, model_type="openWakeWord") == ["computer", "alexa"]


async def test_a_changed_sensitivity_is_loaded_and_kept(tmp_path: Path) -> None:
    loader = Loader()
    for expected in ([], [(("computer",), 0.75)]):
        async with (
            esphome_satellite(
                tmp_path, SILENCE, wake=WakeIsVeryLoud(), engine=loader.engine
            ) as made,
            connected(made) as client,
        ):
            assert loader.loads == expected
            entities, _ = await client.list_entities_services()
            keys = {entity.object_id: entity.key for entity in entities}
            if not expected:
                client.number_command(keys["wake_sensitivity"], 0.75)
                await loader.until(1)
                loader.loads.clear()


def test_a_file_that_is_no_model_fails_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(MODEL)
    (tmp_path / "bad.json").write_bytes(
        json.dumps(
            {
                "wake_word": "bad",
                "model": "bad.tflite",
                "micro": {"probability_cutoff": 0.9, "sliding_window_size": 5},
                "trained_languages": ["en"],
            }
        ).encode()
    )

    with pytest.raises(ModelError, match="damaged"):
        probe("micro", str(tmp_path / "bad.json"))
    assert probe("micro", "okay_nabu") is None  # type: ignore[func-returns-value]
    assert make_wake("micro", ("okay_nabu",), 0.5, "") is not None
