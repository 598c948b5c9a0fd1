"""Begin and end of turns on recordings, with the turn model, in the time of the audio."""

import json
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engines.test_stt import DATA, needs_data, rows
from wyoming_common.audio.endpointing import Endpointer, EndpointEvent
from wyoming_common.audio.pcm import MODEL_RATE, PcmFormat, read_audio
from wyoming_common.models import ModelStore
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import SpeechSegment, SpeechSegmenter
from wyoming_stt.audio.vad import SileroModel
from wyoming_stt.endpointing.completeness import completeness
from wyoming_stt.endpointing.smart_turn import SMART_TURN, SmartTurn

FRAME = 512
JUDGED_AFTER_SECONDS = 0.2
"""Silence after which the turn model judges a pause"""
Samples = NDArray[np.int16]

pytestmark = [needs_data, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def turn(store: ModelStore) -> SmartTurn:
    return SmartTurn(store.ensure(SMART_TURN))


@cache
def silero() -> SileroModel:
    return SileroModel()


def samples_of(row: dict[str, str]) -> Samples:
    return np.frombuffer(read_audio(DATA / row["audio"])[0], "<i2")


def commands(step: int) -> Iterator[tuple[str, Samples]]:
    for row in rows("command")[::step]:
        if row["text"] and float(row["seconds"]) < 15:
            yield row["audio"], samples_of(row)


def last_speech(samples: Samples) -> float:
    """Second behind the last frame that is speech for certain."""
    whole = samples[: len(samples) // FRAME * FRAME]
    probabilities = silero().stream().process(whole.tobytes())
    return float((np.flatnonzero(probabilities >= 0.5)[-1] + 1) * FRAME / MODEL_RATE)


def listen(
    samples: Samples, turn: SmartTurn | None, endpointer: Endpointer | None = None
) -> tuple[float | None, list[SpeechSegment]]:
    """Return the second at which a turn in real time ends, None if it does not, and its speech."""
    endpointer = endpointer or Endpointer()
    segmenter = SpeechSegmenter(silero().stream(), endpointer, may_end=turn is not None)
    pcm = np.concatenate([samples, np.zeros(3 * MODEL_RATE, "<i2")]).tobytes()
    segments: list[SpeechSegment] = []
    judged = False
    for at in range(0, len(pcm), 2 * FRAME):
        now = at / 2 / MODEL_RATE
        snapshot = segmenter.feed([PcmChunk(pcm[at : at + 2 * FRAME], PcmFormat(), now)])
        segments += snapshot.completed
        segment = snapshot.open_segment
        if snapshot.final:
            return now + FRAME / MODEL_RATE, [*segments, *([segment] if segment else [])]
        judged = judged and EndpointEvent.RESUMED not in snapshot.changes
        if turn is None or judged or segment is None:
            continue
        if snapshot.silence_seconds >= JUDGED_AFTER_SECONDS:
            judged = True
            opinion = completeness(turn.completeness(segment.audio), None, "en")
            assert opinion is not None
            segmenter.judge(opinion)
    last = segmenter.finish()
    segments += last.completed
    return None, [*segments, *([last.open_segment] if last.open_segment else [])]


def test_commands_are_rarely_cut_and_always_end(turn: SmartTurn) -> None:
    waits = []
    for _, samples in commands(3):
        end, _ = listen(samples, turn)
        assert end is not None
        waits.append(end - last_speech(samples))

    early = sum(wait < -0.05 for wait in waits)
    assert len(waits) > 40
    assert early <= 1
    assert np.quantile(waits, 0.5) < 0.6
    assert np.quantile(waits, 0.95) < 0.9


def test_pauses_spliced_into_commands_do_not_cut_them(turn: SmartTurn) -> None:
    cut = []
    for name, samples in commands(6):
        begin, end = (round(part * last_speech(samples) * MODEL_RATE) for part in (0.5, 0.8))
        energy = np.convolve(samples[begin:end].astype(np.float64) ** 2, np.ones(640), "valid")
        at = begin + int(energy.argmin()) + 320
        # Its own room tone, forwards and backwards.
        tone = np.tile(np.concatenate([samples[:1600], samples[1599::-1]]), 2)[
            : MODEL_RATE * 3 // 10
        ]
        spliced = np.concatenate([samples[:at], tone, samples[at:]])
        ended, _ = listen(spliced, turn)
        assert ended is not None
        if ended < last_speech(spliced) - 0.05:
            cut.append(name)

    assert len(cut) <= 1, cut


def test_segments_cover_the_speech_that_people_labelled() -> None:
    marked = [json.loads(line) for line in (DATA / "manifest.jsonl").read_text().splitlines()]
    labelled = [row for row in marked if row.get("vad")]
    assert len(labelled) > 10

    for row in labelled:
        samples = samples_of(row)
        endpointer = Endpointer()
        _, segments = listen(samples, None, endpointer)
        speech = np.zeros(len(samples), bool)
        for start, end, spoken in row["vad"]:
            speech[round(start * MODEL_RATE) : round(end * MODEL_RATE)] |= bool(spoken)
        found = np.zeros(len(samples), bool)
        for segment in segments:
            found[segment.start : segment.end] = True
        first, last = np.flatnonzero(speech)[[0, -1]] / MODEL_RATE
        assert (found & speech).sum() > 0.98 * speech.sum(), row["audio"]
        assert endpointer.speech_start is not None
        assert abs(endpointer.speech_start / MODEL_RATE - first) < 0.3, row["audio"]
        assert abs(endpointer.speech_end / MODEL_RATE - last) < 0.4, row["audio"]
