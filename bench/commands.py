"""Spoken commands with and without the sentences of the home: right intents, WER, false commands.

    python -m bench.commands --data DATA --model tiny.en orders noise home negative speech

DATA holds `manifest.jsonl` and `home.jsonl` (see docs/benchmarks-stt.md). `orders` are right if all
slot values are in the text, also with noise of a kitchen at 6 to 24 dB; commands of `home` if
hassil finds the intent and the slots of the reference in them, in the homes of `bench/homes.yaml`;
for `negative` and `speech` the share that was changed into a sentence of the home is given.

`--half` measures one half of the speakers alone, `--stock` also faster-whisper as the stock server
calls it (wyoming-faster-whisper: the whole recording, one beam, the same model files).
"""

import argparse
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from faster_whisper import WhisperModel
from hassil import Intents, recognize_best
from hassil.intents import SlotList, TextSlotList

from bench.stt_scores import quantile, word_error_rate, words
from wyoming_common.audio.endpointing import Endpointer
from wyoming_common.audio.pcm import PcmFormat, read_audio, to_float
from wyoming_common.home_assistant.home import Area, Entity, Home
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import SpeechSegment, SpeechSegmenter
from wyoming_stt.audio.vad import SileroModel
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.model_files import obtain
from wyoming_stt.decoding.transcribe import transcribe
from wyoming_stt.engine import Audio, SttEngine, TranscriptionRequest
from wyoming_stt.home_sentences.sentences import (
    CompiledSentences,
    HomeSentences,
    NoHomeSentences,
    read_sentences,
)
from wyoming_stt.service import make_engine

HERE = Path(__file__).parent
NOISES = ("kitchen", "dishes", "pouring_water")
DECIBELS = (6, 12, 18, 24)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording and its reference."""

    name: str
    audio: Audio
    text: str | None
    slots: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Result:
    """Transcripts of one recording without and with the sentences, and the seconds they add."""

    recording: Recording
    plain: str
    steered: str
    added_seconds: float
    stock: str | None = None
    """Transcript of the stock server's engine, None where it is not measured"""


def home_of(language: str) -> Home:
    """Return the home whose names the commands of a language speak of."""
    content = yaml.safe_load((HERE / "homes.yaml").read_text(encoding="utf-8"))[language]
    entities = [
        Entity(f"{domain}.{number}", str(name))
        for domain, names in content["entities"].items()
        for number, name in enumerate(names)
    ]
    return Home(
        entities={entity.id: entity for entity in entities},
        areas={name: Area(name, name) for name in content["areas"]},
        floors={name: Area(name, name) for name in content["floors"]},
    )


class Corpus:
    """The recordings of a folder, every one or those of half the speakers."""

    def __init__(self, data: Path, half: str) -> None:
        self._data = data
        self._half = half
        self._rows = [
            json.loads(line)
            for name in ("manifest.jsonl", "home.jsonl")
            for line in (data / name).read_text(encoding="utf-8").splitlines()
        ]

    def orders(self) -> Iterator[Recording]:
        """Yield the spoken orders."""
        yield from (self._read(row) for row in self._of("command") if row.get("slots"))

    def noisy_orders(self, decibels: float) -> Iterator[Recording]:
        """Yield the spoken orders with noise of a kitchen."""
        noises = [
            self._read(row).audio
            for row in self._rows
            if row["kind"] == "noise" and row.get("noise_type") in NOISES
        ]
        for order in self.orders():
            seed = zlib.crc32(order.name.encode())
            audio = with_noise(order.audio, noises[seed % len(noises)], decibels, seed)
            yield Recording(order.name, audio, order.text, order.slots, order.language)

    def commands(self, language: str) -> Iterator[Recording]:
        """Yield home commands of a language, and speech that is none of them without a text."""
        kinds = ("home_command", "home_oov")
        for row in self._rows:
            ours = row["kind"] in kinds and row["language"].split("_")[0] == language
            english = row["kind"] == "command" and "OHF-Voice" in row["source"]
            if (ours or (english and language == "en")) and self._in_half(row):
                yield self._read(row)

    def of_kind(self, kind: str) -> Iterator[Recording]:
        """Yield the recordings of a kind that are short enough for one segment."""
        yield from (self._read(row) for row in self._of(kind) if row["seconds"] <= 28)

    def _of(self, kind: str) -> Iterator[dict[str, Any]]:
        yield from (row for row in self._rows if row["kind"] == kind and self._in_half(row))

    def _in_half(self, row: dict[str, Any]) -> bool:
        speaker = zlib.crc32(str(row.get("speaker") or row["audio"]).encode())
        return self._half == "all" or (speaker % 2 == 0) == (self._half == "first")

    def _read(self, row: dict[str, Any]) -> Recording:
        pcm, _ = read_audio(self._data / row["audio"])
        slots = tuple(map(str, (row.get("slots") or {}).values()))
        language = row.get("language", "en").split("_")[0]
        return Recording(row["audio"], to_float(pcm).copy(), row["text"], slots, language)


def with_noise(audio: Audio, noise: Audio, decibels: float, seed: int) -> Audio:
    """Return `audio` with noise at a signal-to-noise ratio over its louder half."""
    noise = np.tile(noise, 1 + 2 * len(audio) // len(noise))
    start = int(np.random.default_rng(seed).integers(0, len(noise) - len(audio)))
    part = noise[start : start + len(audio)]
    frames = audio[: len(audio) // 512 * 512].reshape(-1, 512)
    power = (frames**2).mean(axis=1)
    speech = power[power >= np.median(power)].mean()
    mixed = audio + part * np.sqrt(speech / (part**2).mean() / 10 ** (decibels / 10))
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)


class Stock:
    """faster-whisper as wyoming-faster-whisper calls it."""

    def __init__(self, settings: SttSettings) -> None:
        path = obtain(settings.model[0], settings.data_dir)
        self._model = WhisperModel(str(path), device="cpu", compute_type="int8", cpu_threads=2)

    def text(self, recording: Recording) -> str:
        """Return the transcript of a whole recording."""
        segments, _ = self._model.transcribe(
            recording.audio, language=recording.language, beam_size=1
        )
        return " ".join(segment.text.strip() for segment in segments)


class Bench:
    """One engine, with and without sentences."""

    def __init__(self, engine: SttEngine, stock: Stock | None = None) -> None:
        self._engine = engine
        self._stock = stock
        self._vad = SileroModel()

    def measure(
        self, recording: Recording, sentences: HomeSentences, home: Home | None = None
    ) -> Result:
        """Transcribe a recording both ways, with the names of `home` as the service has them."""
        plain, steered, added = [], [], 0.0
        names = tuple(home.names()) if home is not None else ()
        for segment in self._segments(recording.audio):
            request = TranscriptionRequest(language=recording.language, words=names)
            # Twice, because the engine keeps the encoding of the last audio.
            read = partial(
                transcribe,
                self._engine,
                segment.audio,
                request,
                certain_seconds=segment.certain_seconds,
            )
            read(NoHomeSentences())
            began = time.perf_counter()
            one = read(NoHomeSentences())
            middle = time.perf_counter()
            other = read(sentences)
            added += time.perf_counter() - middle - (middle - began)
            plain.append(one.text)
            steered.append(other.text)
        stock = None if self._stock is None else self._stock.text(recording)
        return Result(recording, " ".join(plain), " ".join(steered), added, stock)

    def _segments(self, audio: Audio) -> list[SpeechSegment]:
        segmenter = SpeechSegmenter(self._vad.stream(), Endpointer(), may_end=False)
        pcm = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
        first = segmenter.feed([PcmChunk(pcm, PcmFormat(), 0.0)])
        last = segmenter.finish()
        return [*first.completed, *last.completed, *filter(None, [last.open_segment])]


class Intended:
    """The intent and the slots of a text, as Home Assistant's own agent finds them."""

    def __init__(self, language: str, home: Home) -> None:
        self._language = language
        self._area = next(iter(home.areas))
        self._intents = Intents.from_dict(read_sentences(language, ()))
        names = [(one.name, one.name, {"domain": one.domain}) for one in home.entities.values()]
        self._lists: dict[str, SlotList] = {
            "name": TextSlotList.from_tuples(names, allow_template=False),
            "area": TextSlotList.from_strings(home.areas, allow_template=False),
            "floor": TextSlotList.from_strings(home.floors, allow_template=False),
        }

    def of(self, text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        """Return what a text asks for, None for nothing."""
        result = recognize_best(
            text.strip(" .!?"),
            self._intents,
            slot_lists=self._lists,
            intent_context={"area": {"value": self._area, "text": self._area}},
            language=self._language,
            best_slot_name="name",
        )
        if result is None:
            return None
        slots = {name: _plain(entity.value) for name, entity in result.entities.items()}
        return result.intent.name, tuple(sorted(slots.items()))


def _plain(value: object) -> str:
    """Return a slot value in one form: 1 is 1.0 where a number was said in words."""
    return f"{value:g}" if isinstance(value, int | float) else str(value).casefold()


def report(name: str, results: list[Result], is_right: Callable[[Result, str], bool]) -> None:
    """Print one row: the share of results whose text is right."""
    count = max(len(results), 1)
    added = quantile([1000 * result.added_seconds for result in results], 50)

    def share(text: Callable[[Result], str | None]) -> str:
        texts = [(result, text(result)) for result in results]
        if any(one is None for _, one in texts):
            return "-"
        right = sum(is_right(result, one) for result, one in texts if one is not None)
        return f"{100 * right / count:.1f} %"

    print(
        f"| {name} | {len(results)} | {share(lambda one: one.stock)} "
        f"| {share(lambda one: one.plain)} | {share(lambda one: one.steered)} | {added:.0f} ms |",
        flush=True,
    )


def has_slots(text: str, slots: tuple[str, ...]) -> bool:
    """Return whether all slot values are in a text."""
    return all(f" {' '.join(words(slot))} " in f" {' '.join(words(text))} " for slot in slots)


def orders(bench: Bench, name: str, recordings: Iterator[Recording]) -> None:
    sentences = CompiledSentences(Home, [HERE / "orders"], base=False)
    sentences.wait("en")
    results = [bench.measure(recording, sentences) for recording in recordings]
    report(name, results, lambda result, text: has_slots(text, result.recording.slots))


def home_commands(bench: Bench, corpus: Corpus, language: str) -> None:
    home = home_of(language)
    sentences, intended = CompiledSentences(lambda: home), Intended(language, home)
    sentences.wait(language)
    results = [bench.measure(one, sentences, home) for one in corpus.commands(language)]
    spoken = [one for one in results if one.recording.text and intended.of(one.recording.text)]
    report(
        f"home {language}",
        spoken,
        lambda result, text: intended.of(text) == intended.of(result.recording.text or ""),
    )
    others = [result for result in results if result.recording.text is None]
    report(f"home {language}, other speech changed", others, _is_changed)


def _is_changed(result: Result, text: str) -> bool:
    return text == result.steered != result.plain


def other_speech(bench: Bench, corpus: Corpus, kind: str) -> None:
    home = home_of("en")
    sentences = CompiledSentences(lambda: home)
    sentences.wait("en")
    results = [bench.measure(one, sentences, home) for one in corpus.of_kind(kind)]
    report(f"{kind} changed", results, _is_changed)
    texts = [one for one in results if one.recording.text]
    if kind == "speech":
        plain = word_error_rate((one.recording.text or "", one.plain) for one in texts)
        steered = word_error_rate((one.recording.text or "", one.steered) for one in texts)
        row = f"| speech, WER | {len(texts)} | | {plain:.2f} % | {steered:.2f} % | |"
        print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "parts", nargs="+", choices=["orders", "noise", "home", "negative", "speech"]
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--languages", default="en,fr,de,es,nl,it")
    parser.add_argument("--stock", action="store_true", help="measure the stock engine beside it")
    parser.add_argument("--half", choices=["all", "first", "second"], default="all")
    options = parser.parse_args()
    settings = SttSettings(device="cpu", threads=2, model=(options.model,))
    engine = make_engine(settings, options.model)
    engine.load()
    bench = Bench(engine, Stock(settings) if options.stock else None)
    corpus = Corpus(options.data, options.half)
    heading = f"| {options.model} | clips | stock | without | with sentences | p50 added |"
    print(heading, "|---|---|---|---|---|---|", sep="\n")
    for part in options.parts:
        if part == "orders":
            orders(bench, "orders, quiet", corpus.orders())
        elif part == "noise":
            for decibels in DECIBELS:
                orders(bench, f"orders, {decibels} dB", corpus.noisy_orders(decibels))
        elif part == "home":
            for language in options.languages.split(","):
                home_commands(bench, corpus, language)
        else:
            other_speech(bench, corpus, part)


if __name__ == "__main__":
    main()
