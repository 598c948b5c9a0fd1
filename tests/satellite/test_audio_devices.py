"""Files and pipes in place of the microphone and the speaker."""

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from satellite.audio.devices import open_microphone, open_speaker
from satellite.audio.devices.device import FRAME_BYTES, Frame, Microphone
from satellite.audio.devices.files import FileMicrophone, FileSpeaker
from satellite.audio.devices.pipes import PipeMicrophone, PipeSpeaker
from satellite.audio.player import Player
from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from tests.support.satellite_rig import VirtualClock, audio, write_wav
from wyoming_common.audio.pcm import PcmFormat
from wyoming_common.errors import BadAudio, ConfigError

SPEECH = audio((0.123, 8000))


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def listen(microphone: Microphone, frames: int) -> list[Frame]:
    heard: list[Frame] = []
    async with microphone:
        async for frame in microphone.frames():
            heard.append(frame)
            if len(heard) == frames:
                break
    return heard


async def test_a_file_is_heard_whole_and_then_silence(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "mic.wav", SPEECH)

    frames = await listen(FileMicrophone(path, VirtualClock()), 20)

    heard = b"".join(frame.pcm for frame in frames)
    assert heard == SPEECH + bytes(len(heard) - len(SPEECH))
    assert {len(frame.pcm) for frame in frames} == {FRAME_BYTES}
    assert [round(frame.at, 2) for frame in frames[:3]] == [0.01, 0.02, 0.03]


async def test_a_file_is_not_heard_before_its_time(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "mic.wav", SPEECH)
    clock = RunClock()
    microphone = FileMicrophone(path, clock)
    clock.start()

    async for frame in microphone.frames():
        assert clock.now() >= frame.at
        if frame.at > 0.05:
            break


@pytest.mark.parametrize(
    ("subtype", "rate", "channels"),
    [("PCM_U8", 16_000, 1), ("PCM_16", 44_100, 2), ("PCM_24", 48_000, 1), ("FLOAT", 8_000, 2)],
)
async def test_any_format_is_heard_as_mono_at_16_khz(
    tmp_path: Path, subtype: str, rate: int, channels: int
) -> None:
    path = tmp_path / "mic.wav"
    tone = np.sin(2 * np.pi * 300 * np.arange(rate) / rate) * 0.5
    soundfile.write(path, np.stack([tone] * channels, 1), rate, subtype=subtype)

    frames = await listen(FileMicrophone(path, VirtualClock()), 60)

    samples = np.frombuffer(b"".join(frame.pcm for frame in frames), "<i2")
    spectrum = np.abs(np.fft.rfft(samples[1600:8000]))
    assert np.argmax(spectrum) * 16_000 / 6400 == pytest.approx(300, abs=5)
    assert np.abs(samples).max() == pytest.approx(16_384, rel=0.05)


@pytest.mark.parametrize("content", [b"", b"no sound at all" * 100, SPEECH])
async def test_a_file_without_sound_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mic.wav"
    path.write_bytes(content)

    with pytest.raises(BadAudio, match=r"mic\.wav: [^\n]+$"):
        FileMicrophone(path, VirtualClock())


async def test_a_file_that_is_cut_short_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "mic.wav", SPEECH)
    os.truncate(path, 1044)

    frames = await listen(FileMicrophone(path, VirtualClock()), 5)

    assert b"".join(frame.pcm for frame in frames)[:1000] == SPEECH[:1000]


async def test_a_recording_is_as_long_as_the_run_and_silent_where_nothing_plays(
    tmp_path: Path,
) -> None:
    clock, player = VirtualClock(), Player(16_000)
    clock.start()
    async with FileSpeaker(tmp_path / "out.wav", player, clock):
        await clock.until(1.0)
        player.begin()
        player.write(np.full(1600, 500, "<i2").tobytes())
        wrote_at = clock.now()
        await clock.until(2.0)
    ended_at = clock.now()

    samples, rate = soundfile.read(tmp_path / "out.wav", dtype="int16")
    sound = np.flatnonzero(samples)
    assert len(samples) / rate == pytest.approx(ended_at, abs=0.5)
    assert len(sound) == 1600
    assert 1.0 <= sound[0] / rate <= wrote_at
    assert player.playback.started_at == pytest.approx(sound[0] / rate, abs=0.001)


@pytest.mark.parametrize("name", ["out.xyz", "out", "nowhere/out.wav"])
async def test_a_recording_that_cannot_be_made_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="speaker:"):
        async with FileSpeaker(tmp_path / name, Player(16_000), VirtualClock()):
            pass

    assert files(tmp_path) == []


async def test_a_pipe_is_heard_until_its_writer_leaves() -> None:
    read_fd, write_fd = os.pipe()
    os.write(write_fd, SPEECH)
    os.close(write_fd)
    microphone = PipeMicrophone(PcmFormat(), VirtualClock(), read_fd)

    frames = await listen(microphone, 16)

    os.close(read_fd)
    heard = b"".join(frame.pcm for frame in frames)
    assert heard.startswith(SPEECH)
    assert microphone.ended


async def test_a_file_on_standard_input_is_heard_whole(tmp_path: Path) -> None:
    (tmp_path / "said.raw").write_bytes(SPEECH)
    with (tmp_path / "said.raw").open("rb") as file:
        microphone = PipeMicrophone(PcmFormat(), VirtualClock(), file.fileno())

        frames = await listen(microphone, 16)

    assert b"".join(frame.pcm for frame in frames).startswith(SPEECH)
    assert microphone.ended


async def test_nothing_on_standard_input_is_silence() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    microphone = PipeMicrophone(PcmFormat(), VirtualClock(), nothing)

    frames = await listen(microphone, 10)

    os.close(nothing)
    assert not any(b"".join(frame.pcm for frame in frames))
    assert microphone.ended


async def test_a_piped_microphone_may_have_any_format() -> None:
    read_fd, write_fd = os.pipe()
    os.write(write_fd, np.repeat(np.frombuffer(SPEECH, "<i2"), 2).tobytes())
    os.close(write_fd)

    frames = await listen(PipeMicrophone(PcmFormat(16_000, 2, 2), VirtualClock(), read_fd), 12)

    os.close(read_fd)
    assert b"".join(frame.pcm for frame in frames) == SPEECH[: 12 * FRAME_BYTES]


async def test_a_piped_speaker_writes_what_is_played() -> None:
    read_fd, write_fd = os.pipe()
    clock, player = VirtualClock(), Player(16_000)
    clock.start()
    async with PipeSpeaker(player, clock, write_fd):
        player.sound(np.full(160, 700, "<i2").tobytes())
        await clock.until(0.2)
    os.close(write_fd)

    with os.fdopen(read_fd, "rb") as pipe:
        out = await asyncio.to_thread(pipe.read)
    assert np.count_nonzero(np.frombuffer(out, "<i2")) == 160


async def test_a_speaker_pipe_without_a_reader_delays_nothing() -> None:
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    clock, player = VirtualClock(), Player(16_000)
    clock.start()

    async with PipeSpeaker(player, clock, write_fd):
        player.begin()
        player.write(bytes(3200))
        player.finish()
        await clock.until(0.5)

    os.close(write_fd)
    assert not player.active


@pytest.mark.parametrize("word", ["file", "file:", "pipe:x", "speakers", ""])
def test_an_unknown_device_word_is_refused_with_the_known_ones(word: str) -> None:
    settings = SatelliteSettings(mic=word, speaker=word)

    with pytest.raises(ConfigError, match=r"mic: expected portaudio"):
        open_microphone(settings, RunClock())
    with pytest.raises(ConfigError, match=r"speaker: expected portaudio"):
        open_speaker(settings, Player(16_000), RunClock())
