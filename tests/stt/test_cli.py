"""`wyoming-stt transcribe`: sound files as participants of a meeting."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from tests.stt.fakes import LoudnessVad, silence, speech
from wyoming_common.errors import BadAudio
from wyoming_stt.audio.sound_files import open_sound
from wyoming_stt.cli import segments_of, speakers_of
from wyoming_stt.text.transcript_formats import TranscriptEntry, as_json, as_srt, as_text, as_vtt

MEETING = [
    TranscriptEntry(start=12.0, end=14.5, speaker="Kitchen", text="Tea & cake?", language="en"),
    TranscriptEntry(start=3725.25, end=3726.0, speaker="Hall", text="Yes <please>.", language="en"),
]


def write(path: Path, pcm: bytes, rate: int = 16_000, channels: int = 1) -> Path:
    samples = np.frombuffer(pcm, "<i2").reshape(-1, channels)
    soundfile.write(path, samples, rate)
    return path


def test_text_has_one_line_per_utterance() -> None:
    assert as_text(MEETING) == ("[00:12] Kitchen: Tea & cake?\n[1:02:05] Hall: Yes <please>.\n")


def test_subtitles_have_start_and_end_times() -> None:
    assert "1\n00:00:12,000 --> 00:00:14,500\nKitchen: Tea & cake?\n" in as_srt(MEETING)
    assert "01:02:05.250 --> 01:02:06.000\n<v Hall>Yes &lt;please&gt;.\n" in as_vtt(MEETING)
    assert as_vtt(MEETING).startswith("WEBVTT\n\n")


def test_json_holds_everything() -> None:
    assert [TranscriptEntry(**one) for one in json.loads(as_json(MEETING))] == MEETING


def test_a_single_speaker_has_no_name_in_the_text() -> None:
    assert (
        as_text([TranscriptEntry(start=0, end=1, speaker="", text="Hello.")]) == "[00:00] Hello.\n"
    )


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "m4a", "webm"])
def test_any_format_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"kitchen.{suffix}"
    pcm = speech(2.0, 48_000)
    if suffix in ("m4a", "webm"):
        _encode(path, pcm)
    else:
        write(path, pcm, 48_000)

    sound = open_sound(path)
    samples = np.concatenate(list(sound.blocks()))

    assert sound.channels == 1
    assert len(samples) / sound.rate == pytest.approx(2.0, abs=0.1)
    assert np.abs(samples).max() > 4000


@pytest.mark.parametrize("content", [None, b"", b"this is no sound" * 100, b"RIFF\x00\x00"])
def test_a_file_without_sound_is_one_clear_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "kitchen.wav"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadAudio, match=r"^[^\n]*kitchen\.wav: [^\n]+$"):
        open_sound(path)


def test_an_empty_sound_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match="holds no audio"):
        open_sound(write(tmp_path / "empty.wav", b""))


def test_the_channels_of_a_file_are_participants(tmp_path: Path) -> None:
    left, right = speech(1.0) + silence(2.0), silence(2.0) + speech(1.0)
    both = np.stack([np.frombuffer(left, "<i2"), np.frombuffer(right, "<i2")], axis=1)
    sound = open_sound(write(tmp_path / "call.wav", both.tobytes(), channels=2))

    split = list(
        segments_of(sound, speakers_of([sound], 0, split=True), LoudnessVad(), lambda _: None)
    )
    mixed = list(
        segments_of(sound, speakers_of([sound], 0, split=False), LoudnessVad(), lambda _: None)
    )

    assert [name for name, _ in split] == ["call 1", "call 2"]
    assert split[0][1].end < split[1][1].start
    assert [name for name, _ in mixed] == [""]


def test_a_long_recording_is_segmented_by_utterance(tmp_path: Path) -> None:
    pcm = b"".join(speech(7.0) + silence(1.0) for _ in range(6))
    sound = open_sound(write(tmp_path / "talk.wav", pcm))

    segments = [
        segment for _, segment in segments_of(sound, [("", None)], LoudnessVad(), lambda _: None)
    ]

    assert len(segments) == 6
    for number, segment in enumerate(segments):
        assert segment.start / 16_000 == pytest.approx(8 * number, abs=0.5)


@given(st.floats(0, 1e5), st.floats(0, 100))
def test_subtitle_times_never_run_backwards(start: float, length: float) -> None:
    line = as_srt(
        [TranscriptEntry(start=start, end=start + length, speaker="", text="x")]
    ).splitlines()[1]

    begin, end = line.split(" --> ")
    assert begin.rjust(16) <= end.rjust(16)


def _encode(path: Path, pcm: bytes) -> None:
    av = pytest.importorskip("av")
    codec = {"m4a": "aac", "webm": "libopus"}[path.suffix[1:]]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        samples = np.frombuffer(pcm, "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 48_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
