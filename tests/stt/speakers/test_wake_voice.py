"""The voice of a wake word over TCP: of the household, a stranger's, or nothing to go by."""

from pathlib import Path

import pytest
from wyoming.client import AsyncTcpClient
from wyoming.error import Error

from tests.stt.speakers.test_household import home
from tests.stt.speakers.voices import ANNA, BEN, CARL, PitchModel, enrol, tone
from tests.support.wire import receive_until
from wyoming_common.errors import ModelError
from wyoming_common.protocol.household_voice import (
    MAX_VOICE_SECONDS,
    HouseholdVoice,
    HouseholdVoiceFound,
)
from wyoming_stt.speakers.engine import SpeakerModel


async def found(client: AsyncTcpClient, pcm: bytes) -> bool | None:
    await client.write_event(HouseholdVoice(pcm).event())
    return HouseholdVoiceFound.from_event(await receive_until(client, HouseholdVoiceFound)).found


async def test_a_voice_of_the_household_is_found_and_a_stranger_s_is_not(tmp_path: Path) -> None:
    enrol(tmp_path, "Anna", ANNA)
    enrol(tmp_path, "Ben", BEN)
    async with home(tmp_path) as client:
        assert [await found(client, tone(hertz, 1.0)) for hertz in (ANNA, BEN, CARL)] == [
            True,
            True,
            False,
        ]


async def test_without_a_profile_nothing_is_known_and_no_model_is_made(tmp_path: Path) -> None:
    made: list[SpeakerModel] = []

    def make() -> SpeakerModel:
        made.append(PitchModel())
        return made[-1]

    async with home(tmp_path, make) as client:
        assert await found(client, tone(ANNA, 1.0)) is None

    assert made == []


async def test_a_model_that_cannot_be_loaded_keeps_no_one_out(tmp_path: Path) -> None:
    def fail() -> SpeakerModel:
        raise ModelError("damaged")

    enrol(tmp_path, "Anna", ANNA)
    async with home(tmp_path, fail) as client:
        assert await found(client, tone(CARL, 1.0)) is None


@pytest.mark.parametrize("pcm", [b"", b"odd", bytes(int(MAX_VOICE_SECONDS * 32_000) + 2)])
async def test_sound_that_is_none_or_too_long_is_one_error(tmp_path: Path, pcm: bytes) -> None:
    async with home(tmp_path) as client:
        await client.write_event(HouseholdVoice(pcm).event())
        assert Error.from_event(await receive_until(client, Error)).code == "bad-audio"
