"""Parser of WAV files that arrive as a stream."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satellite.audio.wav import WavParser
from tests.support.esphome_rig import wav
from wyoming_common.audio.pcm import PcmFormat
from wyoming_common.errors import BadAudio


def parse(data: bytes, cuts: random.Random) -> tuple[PcmFormat | None, bytes]:
    """Return the format and the samples of a file that arrives in pieces of any size."""
    parser, samples = WavParser(), b""
    while data:
        size = cuts.randint(1, 50)
        samples += parser.feed(data[:size])
        data = data[size:]
    return parser.format, samples


@given(st.randoms(use_true_random=False), st.sampled_from([None, 0, 0xFFFFFFFF]))
def test_a_file_is_read_whole_in_pieces_of_any_size(cuts: random.Random, size: int | None) -> None:
    source, samples = parse(wav(0.05, size=size), cuts)

    assert source == PcmFormat(22_050, 2, 1)
    assert samples == b"\x00\x20" * int(0.05 * 22_050)


def test_chunks_beside_the_samples_are_skipped() -> None:
    data = wav(0.01)
    extra = b"LIST" + struct.pack("<I", 5) + b"hello\0"
    behind = b"id3 " + struct.pack("<I", 4) + b"text"

    source, samples = parse(data[:36] + extra + data[36:] + behind, random.Random(1))  # noqa: S311 - cuts a file

    assert source == PcmFormat(22_050, 2, 1)
    assert samples == data[44:]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html>", "expected a WAV file"),
        (b"RIFF\0\0\0\0AVI LIST", "expected a WAV file"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "samples before their format"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\x01\0\x01\0", "too short"),
        (b"RIFF\0\0\0\0WAVELIST\xff\xff\xff\x7f", "is larger than"),
        (wav(0.01)[:20] + b"\x03\x00" + wav(0.01)[22:], "only integer PCM"),
    ],
)
def test_anything_but_integer_pcm_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(BadAudio, match=words):
        WavParser().feed(data)


@given(st.binary(max_size=300), st.integers(0, 60))
def test_any_bytes_are_samples_or_bad_audio(data: bytes, kept: int) -> None:
    parser = WavParser()
    try:
        samples = parser.feed(wav(0.001)[:kept] + data)
    except BadAudio:
        return
    assert len(samples) <= kept + len(data)
