"""PCM conversion: any format, cut anywhere, becomes the input of the models."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wyoming_common.audio.pcm import (
    MODEL_RATE,
    PcmConverter,
    PcmFormat,
    Reframer,
    read_audio,
    to_float,
    to_mono,
)
from wyoming_common.errors import BadAudio

formats = st.builds(
    PcmFormat,
    st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000]),
    st.integers(1, 4),
    st.integers(1, 3),
)


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def encode(samples: NDArray[np.float64], source: PcmFormat) -> bytes:
    """Return -1 to 1 as interleaved PCM, every channel the same."""
    many = np.repeat(samples, source.channels)
    match source.width:
        case 1:
            return (np.round(many * 127) + 128).astype(np.uint8).tobytes()
        case 2:
            return np.round(many * 32767).astype("<i2").tobytes()
        case 3:
            wide = np.round(many * 8388607).astype("<i4")
            return wide.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
        case _:
            return np.round(many * 2147483647).astype("<i4").tobytes()


def cut(pcm: bytes, places: Sequence[float]) -> list[bytes]:
    edges = sorted({0, len(pcm), *(int(place * len(pcm)) for place in places)})
    return [pcm[begin:end] for begin, end in pairwise(edges)]


@given(formats, st.lists(st.floats(0, 1), max_size=12))
def test_where_a_stream_is_cut_changes_nothing(source: PcmFormat, places: list[float]) -> None:
    pcm = encode(tone(source.rate, 0.1), source)
    whole, pieces = PcmConverter(source), PcmConverter(source)

    at_once = whole.feed(pcm) + whole.flush()
    bit_by_bit = b"".join(pieces.feed(piece) for piece in cut(pcm, places)) + pieces.flush()

    # soxr dithers, so the last bit differs between two runs of the same stream.
    one, other = (np.frombuffer(part, "<i2").astype(int) for part in (at_once, bit_by_bit))
    assert len(one) == len(other)
    assert np.abs(one - other).max(initial=0) <= 2


@given(formats)
def test_the_sound_and_its_length_stay(source: PcmFormat) -> None:
    converter = PcmConverter(source)

    pcm = converter.feed(encode(tone(source.rate), source)) + converter.flush()

    got = to_float(pcm)
    expected = tone(MODEL_RATE)
    assert abs(len(got) - MODEL_RATE) <= 2
    middle = slice(1000, -1000)
    size = min(len(got), len(expected))
    error = got[:size][middle] - expected[:size][middle]
    assert np.sqrt(np.mean(error**2)) < 0.01


def test_pcm_that_fits_already_passes_untouched() -> None:
    converter = PcmConverter(PcmFormat())

    assert converter.feed(b"\x01\x02\x03") == b"\x01\x02"
    assert converter.feed(b"\x04") == b"\x03\x04"
    assert converter.flush() == b""


def test_channels_are_averaged_and_loud_ones_do_not_overflow() -> None:
    loud = np.full((10, 2), 32767, "<i2")

    mono = to_mono(loud.tobytes(), PcmFormat(channels=2))

    assert mono.tolist() == [32767] * 10


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ((0, 2, 1), "rate"),
        ((3_999, 2, 1), "rate"),
        ((16_000, 0, 1), "width"),
        ((16_000, 5, 1), "width"),
        ((16_000, 2, 0), "channels"),
        ((16_000, 2, 33), "channels"),
        (("16000", 2, 1), "rate"),
        ((16_000.5, 2, 1), "rate"),
    ],
)
def test_an_impossible_format_is_refused_with_the_field_that_is_wrong(
    values: tuple[int, int, int], name: str
) -> None:
    with pytest.raises(BadAudio, match=f"{name}: expected"):
        PcmFormat(*values)


@given(st.integers(1, 50), st.lists(st.binary(max_size=200)))
def test_frames_are_whole_and_nothing_is_lost(size: int, pieces: list[bytes]) -> None:
    reframer = Reframer(size)

    frames = [frame for piece in pieces for frame in reframer.feed(piece)]

    everything = b"".join(pieces)
    assert all(len(frame) == size for frame in frames)
    assert b"".join(frames) == everything[: len(everything) // size * size]


def test_a_reset_reframer_begins_anew() -> None:
    reframer = Reframer(4)
    list(reframer.feed(b"abc"))

    reframer.reset()

    assert list(reframer.feed(b"defg")) == [b"defg"]


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 1)])
def test_a_sound_file_of_any_format_is_read(
    tmp_path: Path, subtype: str, rate: int, channels: int
) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.repeat(tone(rate)[:, None], channels, 1), rate, subtype=subtype)

    pcm, remark = read_audio(path)

    assert remark == ""
    assert abs(len(pcm) / 2 - MODEL_RATE) <= 2
    assert np.abs(to_float(pcm)).max() == pytest.approx(0.5, abs=0.02)


def test_a_file_that_was_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(16_000), 16_000)
    path.write_bytes(path.read_bytes()[:16_044])

    pcm, remark = read_audio(path)

    assert len(pcm) == 16_000
    assert remark == f"{path}: cut short; using the 0.5 s that are there"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        (b"", "not a sound file"),
        (b"This is a letter, not a sound.", "not a sound file"),
        (b"RIFF\xff\xff\xff\xffWAVE", "not a sound file"),
    ],
)
def test_a_file_that_holds_no_sound_is_refused_by_name(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "question.wav"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadAudio, match=says) as caught:
        read_audio(path)

    assert str(path) in str(caught.value)


def test_a_sound_file_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0), 16_000)

    with pytest.raises(BadAudio, match="holds no audio"):
        read_audio(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadAudio):
        read_audio(tmp_path)


def test_an_odd_number_of_bytes_is_not_taken_for_a_file_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "odd.wav"
    soundfile.write(path, np.zeros(16_001), 16_000, subtype="PCM_U8")

    pcm, remark = read_audio(path)

    assert len(pcm) == 2 * 16_001
    assert not remark
