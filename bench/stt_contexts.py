"""How much audio Whisper's encoder is given, and how much silence its decoder: WER and time.

    python -m bench.stt_contexts --manifest data/manifest.jsonl --model tiny.en

The engine of the service with its one decision replaced by each choice in turn. Clips are
trimmed by the service's own listener unless the choice says otherwise; beams as named.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np

from bench.stt_scores import Clip, clips, quantile, word_error_rate
from wyoming_common.audio import PcmFormat, to_float
from wyoming_common.endpoint import Endpoint
from wyoming_common.settings import DEFAULT_DATA_DIR
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Audio, Request
from wyoming_stt.engines.faster_whisper import FasterWhisper, fit
from wyoming_stt.listener import Listener, Pcm
from wyoming_stt.vad import SileroModel


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    trimmed: bool = True
    least_seconds: float = 0.0
    """The encoder hears at least so much"""
    margin_seconds: float = 1.0
    """Silence it hears behind the speech"""
    silence_seconds: float = 0.0
    """Silence whose states the decoder is given behind that"""
    beams: int = 5


CHOICES = (
    Choice("30 s, as recorded, greedy", trimmed=False, least_seconds=30, beams=1),
    Choice("at least 20 s", least_seconds=20),
    Choice("at least 12 s", least_seconds=12),
    Choice("speech + 1 s"),
    Choice("speech + 1 s, then 2 s of silence states", silence_seconds=2),
    Choice("speech + 1 s, then 8 s of silence states", silence_seconds=8),
    Choice("speech + 0.5 s, then silence to 30 s", margin_seconds=0.5, silence_seconds=30),
    Choice("speech + 1 s, then silence to 30 s, greedy", silence_seconds=30, beams=1),
    Choice("speech + 1 s, then silence to 30 s, 2 beams", silence_seconds=30, beams=2),
    Choice("speech + 1 s, then silence to 30 s (the default)", silence_seconds=30),
    Choice("speech + 3 s, then silence to 30 s", margin_seconds=3.0, silence_seconds=30),
)


class Chosen(FasterWhisper):
    """The engine, encoding as a choice says."""

    choice = CHOICES[0]

    def _encode(self, audio: Audio) -> Any:
        choice = self.choice
        self._beam_size = choice.beams
        seconds = max(len(audio) / 16_000 + choice.margin_seconds, choice.least_seconds)
        frames = min(2 * round(50 * seconds), 3000)
        features = self._whisper.feature_extractor(audio, padding=160)
        states = self._states(fit(features, frames))
        end = states.shape[1] + round(50 * choice.silence_seconds)
        whole = np.concatenate([states, self._silence[:, states.shape[1] : end]], axis=1)
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(whole))


def pieces(clip: Clip, ears: SileroModel, *, trimmed: bool) -> list[Audio]:
    """Return what the engine is given of a clip."""
    if not trimmed:
        return [to_float(clip.pcm)]
    listener = Listener(ears.stream(), Endpoint(), may_end=False)
    listener.feed([Pcm(clip.pcm, PcmFormat(), 0.0)])
    listener.finish()
    tail = listener.tail()
    return [piece.audio for piece in (*listener.windows(), *([tail] if tail else []))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--kinds", default="command,speech")
    parser.add_argument("--step", type=int, default=6)
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, default=DEFAULT_DATA_DIR)
    options = parser.parse_args()
    settings = SttSettings(device="cpu", threads=2, data_dir=(options.data_dir,))
    engine = Chosen(settings, options.model)
    ears = SileroModel()
    corpus = clips(options.manifest, options.kinds.split(","), options.step, options.offset)
    corpus = [clip for clip in corpus if clip.seconds <= 29]
    texts: dict[str, list[str]] = {choice.name: [] for choice in CHOICES}
    times: dict[str, list[float]] = {choice.name: [] for choice in CHOICES}
    for clip in corpus:
        for choice in CHOICES:
            engine.choice = choice
            began = time.perf_counter()
            heard = pieces(clip, ears, trimmed=choice.trimmed)
            said = [engine.transcribe(audio, Request(language="en")).text for audio in heard]
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
