"""Wake word engines: what they refuse, what they hear, and a service in their place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.audio import AudioChunk
from wyoming.event import async_read_event, async_write_event
from wyoming.wake import Detect, Detection

from satellite.devices.device import SILENCE, Frame
from satellite.ears import Ears
from satellite.wake import ENGINES, make_wake
from satellite.wake.engine import NoWake
from satellite.wake.remote import RemoteWakeWords
from satellite.wake.threshold import Refractory, threshold
from tests.satellite.rig import LoudIsSpeech, WakeIsVeryLoud, audio
from wyoming_common.errors import ConfigError, ModelError


@pytest.mark.parametrize("engine", list(ENGINES))
def test_an_unknown_word_names_those_there_are(engine: str) -> None:
    with pytest.raises(ConfigError, match=r"wake: expected .*okay_nabu.*, got 'computer'"):
        make_wake(engine, ("computer",), 0.5, "")


@pytest.mark.parametrize(
    ("engine", "name"), [("micro", "gone.json"), ("open", "gone.tflite"), ("open", "bad.tflite")]
)
def test_a_model_file_that_is_none_is_refused(tmp_path: Path, engine: str, name: str) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"no model at all")

    with pytest.raises(ModelError, match="wake:"):
        make_wake(engine, (str(tmp_path / name),), 0.5, "")


@pytest.mark.parametrize("engine", list(ENGINES))
def test_silence_is_no_wake_word(engine: str) -> None:
    detector = make_wake(engine, ("okay_nabu", "alexa"), 0.5, "")

    heard = [detector.process(bytes(detector.frame_samples * 2)) for _ in range(30)]

    assert heard == [None] * 30


def test_none_excludes_other_words() -> None:
    assert isinstance(make_wake("micro", ("none",), 0.5, ""), NoWake)
    with pytest.raises(ConfigError, match="excludes"):
        make_wake("micro", ("none", "alexa"), 0.5, "")


@given(st.floats(0.1, 0.99), st.floats(0, 1), st.floats(0, 1))
def test_more_sensitive_never_asks_for_more(own: float, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert 0 < threshold(own, high) <= threshold(own, low) <= 1
    assert threshold(own, 0.5) == own


def test_a_word_counts_once_and_holds_no_other_up() -> None:
    refractory = Refractory(10)

    assert refractory.take("alexa")
    assert not refractory.take("alexa")
    assert refractory.take("okay_nabu")
    for _ in range(10):
        refractory.step()
    assert refractory.take("alexa")


def test_a_wake_word_without_a_voice_is_a_noise() -> None:
    class Deaf(LoudIsSpeech):
        def process(self, frame: bytes) -> float:
            return 0.0

    pcm = audio((0.5, 0), (0.3, 32_000), (0.5, 0))

    assert _words(Ears(LoudIsSpeech(), WakeIsVeryLoud()), pcm) == ["computer"]
    assert _words(Ears(Deaf(), WakeIsVeryLoud()), pcm) == []


class Counting(LoudIsSpeech):
    """Counts the frames it was asked about."""

    def __init__(self) -> None:
        self.frames = 0

    def process(self, frame: bytes) -> float:
        self.frames += 1
        return super().process(frame)


def test_at_rest_nothing_looks_for_speech_until_a_wake_word_is_reported() -> None:
    vad = Counting()
    ears = Ears(vad, WakeIsVeryLoud())

    assert _words(ears, audio((30.0, 5_000)), attentive=False) == []
    assert vad.frames == 0

    assert _words(ears, audio((0.3, 32_000), (0.5, 0)), attentive=False) == ["computer"]
    assert 0 < vad.frames <= 1.5 / 0.032 + 1


def test_at_rest_a_wake_word_without_a_voice_is_a_noise_too() -> None:
    class Deaf(LoudIsSpeech):
        def process(self, frame: bytes) -> float:
            return 0.0

    pcm = audio((0.5, 0), (0.3, 32_000), (0.5, 0))

    assert _words(Ears(LoudIsSpeech(), WakeIsVeryLoud()), pcm, attentive=False) == ["computer"]
    assert _words(Ears(Deaf(), WakeIsVeryLoud()), pcm, attentive=False) == []


def test_speech_is_told_in_time_as_soon_as_somebody_attends() -> None:
    ears = Ears(LoudIsSpeech(), WakeIsVeryLoud())
    _words(ears, audio((2.005, 5_000)), attentive=False)
    pcm = audio((0.4, 5_000))

    voices = [
        voice
        for begin in range(0, len(pcm), 320)
        for voice in ears.hear(Frame(pcm[begin : begin + 320], 2.01 + begin / 32_000)).voices
    ]

    assert all(voice.probability == 1.0 for voice in voices)
    assert [round(b.at - a.at, 3) for a, b in pairwise(voices)] == [0.032] * (len(voices) - 1)


async def test_a_service_hears_in_our_place_and_is_found_again_when_it_was_gone() -> None:
    async with _wake_service() as (uri, asked), RemoteWakeWords(uri, ["computer"]) as detector:
        words: list[str] = []
        async with asyncio.timeout(10):
            while len(words) < 2:
                if (word := detector.process(SILENCE)) is not None:
                    words.append(word)
                await asyncio.sleep(0)

    assert words == ["computer", "computer"]
    assert asked == [["computer"], ["computer"]]


def _words(ears: Ears, pcm: bytes, *, attentive: bool = True) -> list[str]:
    heard = [
        ears.hear(Frame(pcm[begin : begin + 320], begin / 32_000), attentive=attentive).wake
        for begin in range(0, len(pcm), 320)
    ]
    return [word for word in heard if word is not None]


@asynccontextmanager
async def _wake_service() -> AsyncIterator[tuple[str, list[list[str] | None]]]:
    """Detects the first word asked for after some audio, and then hangs up."""
    asked: list[list[str] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (event := await async_read_event(reader)) is not None:
            if Detect.is_type(event.type):
                asked.append(Detect.from_event(event).names)
            elif AudioChunk.is_type(event.type):
                await async_write_event(Detection(name=(asked[-1] or [""])[0]).event(), writer)
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        await server.wait_closed()
