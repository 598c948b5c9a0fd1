"""Audio context of Whisper's encoder and silence for its decoder: WER and time of each choice.

    python -m bench.stt_contexts --manifest data/manifest.jsonl --model tiny.en

The engine of the service with its one decision replaced by each choice in turn. Clips are
trimmed by the service's segmenter unless the choice says otherwise; beams as named.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.stt_scores import Clip, clips, quantile, word_error_rate
from wyoming_common.audio.endpointing import Endpointer
from wyoming_common.audio.pcm import PcmFormat, to_float
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import SpeechSegmenter
from wyoming_stt.audio.vad import SileroModel
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Audio, TranscriptionRequest
from wyoming_stt.engines.faster_whisper import FasterWhisper, fit


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    trimmed: bool = True
    min_seconds: float = 0.0
    """Audio that the encoder is given at least"""
    margin_seconds: float = 1.0
    """Silence that the encoder is given behind the speech"""
    silence_seconds: float = 0.0
    """Silence whose encoder states are appended for the decoder"""
    beams: int = 5


CHOICES = (
    Choice("30 s, as recorded, greedy", trimmed=False, min_seconds=30, beams=1),
    Choice("at least 20 s", min_seconds=20),
    Choice("at least 12 s", min_seconds=12),
    Choice("speech + 1 s"),
    Choice("speech + 1 s, then 2 s of silence states", silence_seconds=2),
    Choice("speech + 1 s, then 8 s of silence states", silence_seconds=8),
    Choice("speech + 0.5 s, then silence to 30 s", margin_seconds=0.5, silence_seconds=30),
    Choice("speech + 1 s, then silence to 30 s, greedy", silence_seconds=30, beams=1),
    Choice("speech + 1 s, then silence to 30 s, 2 beams", silence_seconds=30, beams=2),
    Choice("speech + 1 s, then silence to 30 s (the default)", silence_seconds=30),
    Choice("speech + 3 s, then silence to 30 s", margin_seconds=3.0, silence_seconds=30),
)


REQUEST = TranscriptionRequest(language="en")


class Chosen(FasterWhisper):
    """The engine, encoding as a choice says."""

    choice = CHOICES[0]

    def _encode(self, audio: Audio) -> NDArray[np.float32]:
        choice = self.choice
        self._beam_size = choice.beams
        seconds = max(len(audio) / 16_000 + choice.margin_seconds, choice.min_seconds)
        frames = min(2 * round(50 * seconds), 3000)
        features = self._whisper.feature_extractor(audio, padding=160)
        states = self._states(fit(features, frames))
        end = states.shape[1] + round(50 * choice.silence_seconds)
        whole = np.concatenate([states, self._silence[:, states.shape[1] : end]], axis=1)
        return np.ascontiguousarray(whole)


def segments(clip: Clip, vad: SileroModel, *, trimmed: bool) -> list[Audio]:
    """Return the audio of a clip that the engine is given."""
    if not trimmed:
        return [to_float(clip.pcm)]
    segmenter = SpeechSegmenter(vad.stream(), Endpointer(), may_end=False)
    first = segmenter.feed([PcmChunk(clip.pcm, PcmFormat(), 0.0)])
    last = segmenter.finish()
    found = [*first.completed, *last.completed, *filter(None, [last.open_segment])]
    return [segment.audio for segment in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--kinds", default="command,speech")
    parser.add_argument("--step", type=int, default=6)
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, default=DEFAULT_DATA_DIR)
    options = parser.parse_args()
    settings = SttSettings(
        device="cpu", threads=2, data_dir=(options.data_dir,), model=(options.model,)
    )
    engine = Chosen(settings)
    engine.load()
    vad = SileroModel()
    corpus = clips(options.manifest, options.kinds.split(","), options.step, options.offset)
    corpus = [clip for clip in corpus if clip.seconds <= 29]
    texts: dict[str, list[str]] = {choice.name: [] for choice in CHOICES}
    times: dict[str, list[float]] = {choice.name: [] for choice in CHOICES}
    for clip in corpus:
        for choice in CHOICES:
            engine.choice = choice
            began = time.perf_counter()
            audios = segments(clip, vad, trimmed=choice.trimmed)
            said = [
                engine.transcribe(audio, TranscriptionRequest(language="en")).text
                for audio in audios
            ]
            times[choice.name].append(time.perf_counter() - began)
            texts[choice.name].append(" ".join(said))
    print(f"| {options.model}, {len(corpus)} clips | WER | mean | p50 |\n|---|---|---|---|")
    for name, said in texts.items():
        wer = word_error_rate((clip.text, text) for clip, text in zip(corpus, said, strict=True))
        mean = 1000 * sum(times[name]) / len(corpus)
        print(
            f"| {name} | {wer:.2f} % | {mean:.0f} ms | {1000 * quantile(times[name], 50):.0f} ms |"
        )


if __name__ == "__main__":
    main()
