"""Telemetry of the satellite: levels as they are measured, and each turn."""

from collections.abc import Mapping
from math import log10
from pathlib import Path
from typing import Final

import numpy as np

from satellite.audio.pipeline import FrameAnalysis
from satellite.telemetry.turn_report import TurnReport
from wyoming_common.telemetry.recorder import Telemetry

_NO_SCORES: Final[Mapping[str, float]] = {}
_FULL_SCALE = 32768.0
_SILENCE_DBFS = -96.0
"""One step of 16 bits."""


def record_levels(
    telemetry: Telemetry, analysis: FrameAnalysis, wake_scores: Mapping[str, float] = _NO_SCORES
) -> None:
    """Record the microphone's level in dBFS, the probability of speech, wake words and scores."""
    samples = np.frombuffer(analysis.frame.pcm, np.int16).astype(np.float32)
    power = float(np.dot(samples, samples)) / max(1, samples.size) / _FULL_SCALE**2
    level = 10 * log10(power) if power > 0 else _SILENCE_DBFS
    telemetry.meter("level_dbfs", max(level, _SILENCE_DBFS))
    for activity in analysis.voice_activity:
        telemetry.meter("speech", activity.vad.probability)
    for word, score in wake_scores.items():
        telemetry.meter(f"wake:{Path(word).stem}", score)
    if analysis.wake_word is not None:
        telemetry.count(f"wake:{analysis.wake_word}")


def record_turn(telemetry: Telemetry, report: TurnReport) -> None:
    """Record a turn; its stage `turn` is ready at the end of speech and first at the reply."""
    # The text-to-speech service itself measures from the first words that can be spoken.
    telemetry.budgets.pop("tts", None)
    trace = report.trace
    stages = {stage.name: stage for stage in trace.stages}
    outcome = {"failed": True} if report.error else {"cancelled": True}
    trace.begin("turn", at=0.0, **(outcome if report.error or report.interrupted else {}))
    if (listening := stages.get("listening")) is not None and listening.end is not None:
        trace.ready("turn", at=listening.end)
    if (playback := stages.get("playback")) is not None:
        trace.first("turn", at=playback.start)
        telemetry.count("underruns", int(playback.facts.get("underruns", 0)))
    trace.end("turn")
    telemetry.record(trace, {"transcript": report.transcript, "reply": report.reply})
