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

from satellite.audio.devices.device import SILENCE, Frame
from satellite.audio.pipeline import AudioPipeline
from satellite.wake import ENGINES, builtin_words, make_wake
from satellite.wake.engine import NoWake
from satellite.wake.remote import RemoteWakeWords
from satellite.wake.streaming import Refractory, threshold
from tests.support.satellite_rig import LoudIsSpeech, WakeIsVeryLoud, audio
from wyoming_common.errors import ConfigError, ModelError

WORDS = {"micro": ("okay_nabu", "alexa"), "open": ("okay_nabu", "alexa")}
"""Words that each engine knows"""


def test_the_words_of_every_engine_are_tried() -> None:
    assert WORDS.keys() == ENGINES.keys(), "name the words of the new engine in WORDS"


@pytest.mark.parametrize("engine", list(WORDS))
def test_an_engine_names_the_words_that_come_with_it(engine: str) -> None:
    assert set(WORDS[engine]) <= set(builtin_words(engine))


@pytest.mark.parametrize("engine", list(WORDS))
def test_an_unknown_word_is_refused_with_the_known_ones(engine: str) -> None:
    expected = rf"wake: expected .*{WORDS[engine][0]}.*, got 'computer'"

    with pytest.raises(ConfigError, match=expected):
        make_wake(engine, ("computer",), 0.5, "")


@pytest.mark.parametrize(
    ("engine", "name"), [("micro", "gone.json"), ("open", "gone.tflite"), ("open", "bad.tflite")]
)
def test_an_invalid_model_file_is_refused(tmp_path: Path, engine: str, name: str) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"no model at all")

    with pytest.raises(ModelError, match="wake:"):
        make_wake(engine, (str(tmp_path / name),), 0.5, "")


@pytest.mark.parametrize("engine", list(WORDS))
def test_silence_is_no_wake_word(engine: str) -> None:
    detector = make_wake(engine, WORDS[engine], 0.5, "")

    heard = [detector.process(bytes(detector.frame_samples * 2)) for _ in range(30)]

    assert heard == [None] * 30


def test_none_excludes_other_words() -> None:
    assert isinstance(make_wake("micro", ("none",), 0.5, ""), NoWake)
    with pytest.raises(ConfigError, match="excludes"):
        make_wake("micro", ("none", "alexa"), 0.5, "")


@given(st.floats(0.1, 0.99), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_sensitivity_never_raises_the_threshold(
    own: float, one: float, other: float
) -> None:
    low, high = sorted((one, other))

    assert 0 < threshold(own, high) <= threshold(own, low) <= 1
    assert threshold(own, 0.5) == own


def test_a_word_counts_once_and_delays_no_other() -> None:
    refractory = Refractory(10)

    assert refractory.take("alexa")
    assert not refractory.take("alexa")
    assert refractory.take("okay_nabu")
    for _ in range(10):
        refractory.step()
    assert refractory.take("alexa")


def test_a_wake_word_without_a_voice_is_a_noise() -> None:
    class Deaf(LoudIsSpeech):
        def process_chunk(self, audio: bytes) -> float:
            return 0.0

    pcm = audio((0.5, 0), (0.3, 32_000), (0.5, 0))

    assert _words(AudioPipeline(LoudIsSpeech(), WakeIsVeryLoud()), pcm) == ["computer"]
    assert _words(AudioPipeline(Deaf(), WakeIsVeryLoud()), pcm) == []


class Counting(LoudIsSpeech):
    """Counts the frames it was asked about."""

    def __init__(self) -> None:
        self.frames = 0

    def process_chunk(self, audio: bytes) -> float:
        self.frames += 1
        return super().process_chunk(audio)


def test_without_need_the_voice_detector_runs_only_after_a_wake_word() -> None:
    vad = Counting()
    pipeline = AudioPipeline(vad, WakeIsVeryLoud())

    assert _words(pipeline, audio((30.0, 5_000)), needs_vad=False) == []
    assert vad.frames == 0

    assert _words(pipeline, audio((0.3, 32_000), (0.5, 0)), needs_vad=False) == ["computer"]
    assert 0 < vad.frames <= 1.5 / 0.032 + 1


def test_at_rest_a_wake_word_without_a_voice_is_a_noise_too() -> None:
    class Deaf(LoudIsSpeech):
        def process_chunk(self, audio: bytes) -> float:
            return 0.0

    pcm = audio((0.5, 0), (0.3, 32_000), (0.5, 0))

    assert _words(AudioPipeline(LoudIsSpeech(), WakeIsVeryLoud()), pcm, needs_vad=False) == [
        "computer"
    ]
    assert _words(AudioPipeline(Deaf(), WakeIsVeryLoud()), pcm, needs_vad=False) == []


def test_voice_activity_has_its_time_from_the_first_frame_on() -> None:
    pipeline = AudioPipeline(LoudIsSpeech(), WakeIsVeryLoud())
    _words(pipeline, audio((2.005, 5_000)), needs_vad=False)
    pcm = audio((0.4, 5_000))

    voices = [
        voice
        for begin in range(0, len(pcm), 320)
        for voice in pipeline.process(
            Frame(pcm[begin : begin + 320], 2.01 + begin / 32_000)
        ).voice_activity
    ]

    assert all(voice.vad.probability == 1.0 for voice in voices)
    assert [round(b.at - a.at, 3) for a, b in pairwise(voices)] == [0.032] * (len(voices) - 1)


async def test_a_wake_word_service_is_connected_again_after_it_was_gone() -> None:
    async with _wake_service() as (uri, asked), RemoteWakeWords(uri, ["computer"]) as detector:
        words: list[str] = []
        async with asyncio.timeout(10):
            while len(words) < 2:
                if (word := detector.process(SILENCE)) is not None:
                    words.append(word)
                await asyncio.sleep(0)

    assert words == ["computer", "computer"]
    assert asked == [["computer"], ["computer"]]


def _words(pipeline: AudioPipeline, pcm: bytes, *, needs_vad: bool = True) -> list[str]:
    heard = [
        pipeline.process(
            Frame(pcm[begin : begin + 320], begin / 32_000), needs_vad=needs_vad
        ).wake_word
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
