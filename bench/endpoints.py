"""End of turn, simulated on recordings: how soon commands end, and what pauses cut.

    python -m bench.endpoints --data DATA [--model tiny.en] [--sentences] [--half first]

Every recording goes through the segmenter as if it arrived in real time, with the evidence of each
pause (the turn model, the transcript so far, the sentences of the home) after the time that it
takes. Four sets are made of DATA's manifest: commands, commands with a pause of 0.3 to 0.8 s of
their own room tone between two words, read sentences, and readers of 9 to 20 s, who pause between
clauses like the speaker of a long question. Given are the median and the 95th percentile from
the last speech to the end of the turn, and the share cut.
"""

import argparse
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.commands import HERE, home_of
from bench.stt_live import speech_end
from bench.stt_scores import quantile
from wyoming_common.audio.endpointing import Endpointer
from wyoming_common.audio.pcm import PcmFormat, read_audio
from wyoming_common.models import ModelStore
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import SpeechSegment, SpeechSegmenter
from wyoming_stt.audio.target_speaker import TargetSpeaker
from wyoming_stt.audio.vad import SileroModel
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.transcribe import transcribe
from wyoming_stt.decoding.utterance import JUDGED_SECONDS
from wyoming_stt.endpointing.completeness import PauseEvidence, closing_probability
from wyoming_stt.endpointing.smart_turn import SMART_TURN, SmartTurn, TurnModel
from wyoming_stt.engine import SttEngine, TranscriptionRequest
from wyoming_stt.home_sentences.sentences import (
    CompiledSentences,
    HomeSentences,
    NoHomeSentences,
)
from wyoming_stt.service import make_engine

_CHUNK: Final = 640
_EARLY_SECONDS: Final = 0.05
"""Before the last speech: a turn that ends sooner was cut."""
_TURN_SECONDS: Final = 0.05
"""Time that the turn model takes"""
_DECODE_SECONDS: Final = 0.1
"""Time from the first of these until the transcript is there, which was begun at the pause"""
_CLOSING_SECONDS: Final = 0.03
"""Time from then until it is known whether the recogniser closes the sentence"""
_QUESTION_SECONDS: Final = (9.0, 20.0)
SETS: Final = ("commands", "spliced", "sentences", "questions")


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording with silence behind it."""

    name: str
    pcm: bytes
    speech_end: float
    """Seconds from the first sample"""


@dataclass(frozen=True, slots=True)
class SimulatedTurn:
    """One turn as the segmenter found it."""

    end: float
    """Second at which it ended"""
    ended: bool
    """Whether it ended before its audio did"""
    segments: tuple[SpeechSegment, ...]


class Simulation:
    """The end of turn of the service, without its clock."""

    def __init__(
        self,
        engine: SttEngine,
        turn: TurnModel | None,
        sentences: HomeSentences,
        target: Callable[[], TargetSpeaker | None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._turn = turn
        self._sentences = sentences
        self._target = target
        self._vad = SileroModel()

    def end(self, clip: Clip) -> float:
        """Return the second at which the turn ends."""
        return self.listen(clip.pcm + room_tone(clip.pcm, 4.0)).end

    def text(self, turn: SimulatedTurn) -> str:
        """Return the transcript of a turn."""
        request = TranscriptionRequest(language="en")
        parts = (
            transcribe(
                self._engine,
                segment.audio,
                request,
                self._sentences,
                certain_seconds=segment.certain_seconds,
            ).text
            for segment in turn.segments
        )
        return " ".join(filter(None, parts))

    def listen(self, pcm: bytes, sent_seconds: float = 0.0) -> SimulatedTurn:
        """Return the turn that PCM of 16 kHz makes which arrives in real time.

        The first `sent_seconds` of it arrive at once.
        """
        segmenter = SpeechSegmenter(
            self._vad.stream(), Endpointer(), may_end=True, target=self._target()
        )
        segments: list[SpeechSegment] = []
        pause = _Pause()
        for at in range(0, len(pcm), _CHUNK):
            now = max(sent_seconds, (at + _CHUNK) / 32_000)
            if (opinion := pause.opinion(now)) is not None:
                segmenter.judge(opinion)
            snapshot = segmenter.feed([PcmChunk(pcm[at : at + _CHUNK], PcmFormat(), now)])
            segments += snapshot.completed
            if snapshot.final:
                return SimulatedTurn(now, True, (*segments, *filter(None, [snapshot.open_segment])))
            if not snapshot.paused:
                pause = _Pause()
            elif snapshot.open_segment is not None:
                pause.note(snapshot.open_segment)
                if pause.wants(snapshot.silence_seconds):
                    self._judge(pause, now, snapshot.open_segment)
        last = segmenter.finish()
        segments += [*last.completed, *filter(None, [last.open_segment])]
        return SimulatedTurn(len(pcm) / 32_000, False, tuple(segments))

    def _judge(self, pause: "_Pause", now: float, segment: SpeechSegment) -> None:
        again = pause.judgements > 0
        pause.judgements += 1
        if not again and pause.decoded is not None:
            audio = pause.decoded.audio
            pause.evidence = PauseEvidence("en", len(segment.audio) / 16_000)
            request = TranscriptionRequest(language="en")
            said = transcribe(self._engine, audio, request, self._sentences)
            pause.learns(now + _DECODE_SECONDS, text=said.text, stage=said.stage)
            closing = closing_probability(
                said.heard or said.text, lambda texts: self._engine.score(audio, texts, request)
            )
            pause.learns(now + _DECODE_SECONDS + _CLOSING_SECONDS, closing=closing)
        if self._turn is not None and pause.evidence.wants_sound:
            whole = np.concatenate([segment.audio, segment.pause]) if again else segment.audio
            pause.learns(now + _TURN_SECONDS, sound=self._turn.completeness(whole))


@dataclass(slots=True)
class _Pause:
    """A pause in progress, and the evidence that is still to come."""

    decoded: SpeechSegment | None = None
    """The speech whose text judges it"""
    judgements: int = 0
    evidence: PauseEvidence = field(default_factory=PauseEvidence)
    coming: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def note(self, segment: SpeechSegment) -> None:
        """Keep the segment of its beginning, or a later one if its speech had only died away."""
        known = self.decoded
        if known is None or (self.judgements == 0 and known.speech_end < segment.speech_end):
            self.decoded = segment

    def wants(self, silence: float) -> bool:
        """Return whether it is to be judged, `silence` seconds after its beginning."""
        count = self.judgements
        return count < len(JUDGED_SECONDS) and silence >= JUDGED_SECONDS[count]

    def learns(self, at: float, **values: Any) -> None:
        """Set values of the evidence at the second `at`."""
        self.coming.append((at, values))

    def opinion(self, now: float) -> float | None:
        """Return how complete the turn is, if there is new evidence; else None."""
        due = [values for at, values in self.coming if at <= now]
        self.coming = [one for one in self.coming if one[0] > now]
        for values in due:
            for name, value in values.items():
                setattr(self.evidence, name, value)
        return self.evidence.completeness if due else None


def spliced(pcm: bytes, seconds: float) -> bytes:
    """Return `pcm` with a pause where it is quietest in the middle third of the speech."""
    samples = np.frombuffer(pcm, "<i2")
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320).astype(np.float64)
    energy = np.convolve((frames**2).mean(axis=1), np.ones(3) / 3, "same")
    loud = np.flatnonzero(energy > 0.05 * energy.max())
    first, last = int(loud[0]), int(loud[-1])
    third = (last - first) // 3
    cut = first + third + int(energy[first + third : last - third].argmin())
    return samples[: 320 * cut].tobytes() + room_tone(pcm, seconds) + samples[320 * cut :].tobytes()


def room_tone(pcm: bytes, seconds: float) -> bytes:
    """Return the quietest 0.2 s of `pcm` back and forth, as long as `seconds`."""
    samples = np.frombuffer(pcm, "<i2")
    size = 3200
    starts = range(0, max(1, len(samples) - size), 800)
    energies = [float((samples[at : at + size].astype(np.float64) ** 2).mean()) for at in starts]
    at = starts[int(np.argmin(energies))]
    tone = samples[at : at + size]
    both = np.concatenate([tone, tone[::-1]])
    count = round(seconds * 16_000)
    return np.tile(both, count // len(both) + 1)[:count].tobytes()


def clips(
    data: Path, half: str, step: int, sets: Sequence[str] = SETS
) -> Iterator[tuple[str, list[Clip]]]:
    """Yield the name and the recordings of each of `sets`."""
    rows = [json.loads(line) for line in (data / "manifest.jsonl").read_text().splitlines()]
    rows = [row for row in rows if _in_half(row, half)]
    commands = [row for row in rows if row["kind"] == "command" and row["seconds"] < 15]
    read = [row for row in rows if row["kind"] == "speech" and row["text"] and row["seconds"] < 28]
    low, high = _QUESTION_SECONDS
    readers = [row for row in rows if row["kind"] == "negative" and row["seconds"] >= low]
    if "commands" in sets:
        yield "commands", [_clip(data, row) for row in commands[::step]]
    if "spliced" in sets:
        yield "spliced", [_clip(data, row, splice=True) for row in commands[:: 2 * step]]
    if "sentences" in sets:
        yield "sentences", [_clip(data, row) for row in read[::step] if row["seconds"] < 15]
    if "questions" in sets:
        long = (_clip(data, row) for row in [*read, *readers][::step])
        yield "questions", [clip for clip in long if low <= clip.speech_end <= high]


def _in_half(row: dict[str, Any], half: str) -> bool:
    speaker = zlib.crc32(str(row.get("speaker") or row["audio"]).encode())
    return half == "all" or (speaker % 2 == 0) == (half == "first")


def _clip(data: Path, row: dict[str, Any], *, splice: bool = False) -> Clip:
    pcm, _ = read_audio(data / row["audio"])
    raw = bytes(pcm)
    if splice:
        seed = zlib.crc32(row["audio"].encode())
        raw = spliced(raw, 0.3 + 0.5 * (seed % 1000) / 1000)
    return Clip(row["audio"], raw, speech_end(raw + bytes(32_000)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--sentences", action="store_true", help="with the sentences of a home")
    parser.add_argument("--half", choices=["all", "first", "second"], default="all")
    parser.add_argument("--step", type=int, default=1, help="take every STEP-th recording")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="measure these only")
    parser.add_argument("--everyone", action="store_true", help="softer speakers count too")
    options = parser.parse_args()
    settings = SttSettings(device="cpu", threads=2, model=(options.model,))
    engine = make_engine(settings, options.model)
    engine.load()
    turn = SmartTurn(ModelStore(settings.data_dir).ensure(SMART_TURN))
    sentences: HomeSentences = NoHomeSentences()
    if options.sentences:
        home = home_of("en")
        sentences = CompiledSentences(lambda: home, [HERE / "orders"])
        sentences.wait("en")
    print("| | clips | p50 | p95 | cut early |\n|---|---|---|---|---|")
    simulation = Simulation(
        engine, turn, sentences, (lambda: None) if options.everyone else TargetSpeaker
    )
    measure(simulation, clips(options.data, options.half, options.step, options.sets))


def measure(simulation: Simulation, sets: Iterator[tuple[str, list[Clip]]]) -> None:
    """Print one row for each set."""
    for name, recordings in sets:
        ends = [simulation.end(clip) - clip.speech_end for clip in recordings]
        whole = [end for end in ends if end >= -_EARLY_SECONDS]
        cut = len(ends) - len(whole)
        print(
            f"| {name} | {len(ends)} | {quantile(whole, 50):.2f} s | {quantile(whole, 95):.2f} s "
            f"| {cut} ({100 * cut / max(1, len(ends)):.1f} %) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
