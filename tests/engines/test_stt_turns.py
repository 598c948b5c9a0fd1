"""Where turns begin and end on recordings, with the turn model, in the time of the audio."""

import json
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engines.test_stt import DATA, needs_data, rows
from wyoming_common.audio import MODEL_RATE, PcmFormat, read_audio
from wyoming_common.endpoint import FINAL, Change, Endpoint
from wyoming_common.smart_turn import SMART_TURN, SmartTurn
from wyoming_common.store import ModelStore
from wyoming_stt.completeness import completeness
from wyoming_stt.listener import Listener, Pcm, Piece
from wyoming_stt.vad import SileroModel

FRAME = 512
ASKED_AFTER = 0.2
"""Seconds of a pause after which the turn model is asked"""
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


def hear(samples: Samples, turn: SmartTurn | None) -> tuple[float | None, Listener]:
    """Speak it in real time; returns the second at which the turn ends, None if it does not."""
    listener = Listener(silero().stream(), Endpoint(), may_end=turn is not None)
    pcm = np.concatenate([samples, np.zeros(3 * MODEL_RATE, "<i2")]).tobytes()
    asked = False
    for at in range(0, len(pcm), 2 * FRAME):
        now = at / 2 / MODEL_RATE
        changes = listener.feed([Pcm(pcm[at : at + 2 * FRAME], PcmFormat(), now)])
        if changes and changes[-1] in FINAL:
            return now + FRAME / MODEL_RATE, listener
        asked = asked and Change.RESUMED not in changes
        if turn is None or asked or not listener.paused:
            continue
        if listener.silence_seconds >= ASKED_AFTER and (piece := listener.tail()) is not None:
            asked = True
            opinion = completeness(turn.completeness(piece.audio), None, "en")
            assert opinion is not None
            listener.judge(opinion)
    return None, listener


def pieces(listener: Listener) -> list[Piece]:
    tail = listener.tail()
    return [*listener.windows(), *([tail] if tail is not None else [])]


def test_hardly_a_command_is_cut_short_and_none_hangs(turn: SmartTurn) -> None:
    waits = []
    for _, samples in commands(3):
        end, _ = hear(samples, turn)
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
        # Its own room tone, to and fro.
        tone = np.tile(np.concatenate([samples[:1600], samples[1599::-1]]), 2)[
            : MODEL_RATE * 3 // 10
        ]
        spliced = np.concatenate([samples[:at], tone, samples[at:]])
        ended, _ = hear(spliced, turn)
        assert ended is not None
        if ended < last_speech(spliced) - 0.05:
            cut.append(name)

    assert len(cut) <= 1, cut


def test_speech_lies_where_people_marked_it() -> None:
    marked = [json.loads(line) for line in (DATA / "manifest.jsonl").read_text().splitlines()]
    labelled = [row for row in marked if row.get("vad")]
    assert len(labelled) > 10

    for row in labelled:
        samples = samples_of(row)
        _, listener = hear(samples, None)
        speech = np.zeros(len(samples), bool)
        for start, end, spoken in row["vad"]:
            speech[round(start * MODEL_RATE) : round(end * MODEL_RATE)] |= bool(spoken)
        heard = np.zeros(len(samples), bool)
        for piece in pieces(listener):
            heard[piece.start : piece.end] = True
        first, last = np.flatnonzero(speech)[[0, -1]] / MODEL_RATE
        endpoint = listener._endpoint
        assert endpoint.speech_start is not None
        assert (heard & speech).sum() > 0.98 * speech.sum(), row["audio"]
        assert abs(endpoint.speech_start / MODEL_RATE - first) < 0.3, row["audio"]
        assert abs(endpoint.speech_end / MODEL_RATE - last) < 0.4, row["audio"]
