"""Wake words trained from text alone: recall and false accepts on real recordings.

    python -m bench.wake_word DATA [--phrase computer ...] [--own] [--leave-out NAME]

DATA is a folder with a manifest.jsonl (`audio`, `text`, `kind`, `speaker`, `language`). Every
recording whose text holds the phrase is one of it, all others are other speech. With --own, the
word is trained again with three recordings of each speaker who has more, and the rest of theirs is
heard.
"""

import argparse
import json
import random
import re
import resource
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parley.wake_word.embeddings import speech_embeddings
from parley.wake_word.phonemes import ACCENTS, spelled, words_of
from parley.wake_word.recordings import spoken
from parley.wake_word.texts import sentence
from parley.wake_word.training import (
    MAX_SPEAKING_SECONDS,
    PROCESSOR_SECONDS,
    TrainingRequest,
    train,
)
from parley.wake_word.voices import KokoroTrainingVoices, installed_voices, kokoro_folders
from satellite.wake.trained_words import THRESHOLD, TrainedWord, file_name, write_word
from wyoming_common.audio.pcm import read_audio
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.errors import BadAudio
from wyoming_tts.engines.kokoro.engine import read_styles
from wyoming_tts.phonemes.espeak import EspeakPhonemizer

Floats = NDArray[np.float32]
PHRASES = ("computer", "jarvis", "brown sugar", "americano")
_SPEECH = ("wake", "command", "speech", "negative", "home_command", "home_oov")
_NOISE_DB = 10
_OWN = 3
_BY_VOICES = 30


class Recordings:
    """Recordings of a folder, as embeddings that are computed once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._quiet: dict[str, Floats] = {}
        lines = [
            json.loads(line)
            for name in ("manifest.jsonl", "home.jsonl")
            if (folder / name).is_file()
            for line in (folder / name).read_text(encoding="utf-8").splitlines()
        ]
        self.entries = [one for one in lines if one["kind"] in _SPEECH]
        self._noises = [self.wave(one) for one in lines if one["kind"] == "noise"]

    def wave(self, entry: dict[str, Any]) -> Floats:
        """Return a recording at 16 kHz in 16-bit values."""
        return np.frombuffer(read_audio(self._folder / entry["audio"])[0], "<i2").astype(np.float32)

    def quiet(self, entry: dict[str, Any]) -> Floats:
        """Return the embeddings of a recording with silence around it, [n, 96]."""
        if (known := self._quiet.get(entry["audio"])) is None:
            known = speech_embeddings(_padded(self.wave(entry)))
            self._quiet[entry["audio"]] = known
        return known

    def noisy(self, entry: dict[str, Any]) -> Floats:
        """Return the same in a noise of the folder, 10 dB below the speech."""
        rng = random.Random(entry["audio"])  # noqa: S311 - chooses noises
        wave = _padded(self.wave(entry))
        noise = np.resize(rng.choice(self._noises), len(wave) + 32_000)
        noise = noise[rng.randrange(32_000) :][: len(wave)]
        blocks = np.mean(wave[: len(wave) // 160 * 160].reshape(-1, 160) ** 2, axis=1)
        power = blocks[blocks > 0.05 * blocks.max()].mean()
        gain = np.sqrt(power / (np.mean(noise**2) + 1e-9)) * 10 ** (-_NOISE_DB / 20)
        return speech_embeddings(np.clip(wave + noise * gain, -32768, 32767).astype(np.float32))


def _padded(wave: Floats) -> Floats:
    return np.concatenate([np.zeros(32_000, np.float32), wave, np.zeros(16_000, np.float32)])


def _heard(word: TrainedWord, embeddings: Floats) -> bool:
    return float(word.scores(embeddings).max(initial=0.0)) > THRESHOLD


def measure(word: TrainedWord, data: Recordings) -> dict[str, Any]:
    """Return the figures of a word on all recordings."""
    said = re.compile(rf"\b{re.escape(word.phrase)}\b", re.IGNORECASE)
    quiet, noisy, accepts, missed, minutes = [], [], [], [], 0.0
    for entry in data.entries:
        mine = entry.get("language", "en")[:2] == word.language
        heard = _heard(word, data.quiet(entry))
        if mine and said.search(entry["text"] or ""):
            quiet.append(heard)
            noisy.append(_heard(word, data.noisy(entry)))
            if not heard:
                missed.append(entry.get("speaker") or entry["audio"])
        else:
            minutes += entry["seconds"] / 60
            if heard:
                accepts.append(entry["text"] or entry["audio"])
    return {
        "what": "trained wake word", "phrase": word.phrase, "said": len(quiet),
        "quiet": sum(quiet), "noise_10_db": sum(noisy), "false_accepts": len(accepts),
        "minutes": round(minutes, 1), "accepted": accepts, "missed": missed,
    }  # fmt: skip


def with_own(
    request: TrainingRequest, maker: "Maker", data: Recordings
) -> Iterator[tuple[int, int]]:
    """Yield heard and said of each speaker, for a word that knows three of their recordings."""
    said = re.compile(rf"\b{re.escape(request.phrase)}\b", re.IGNORECASE)
    speakers = defaultdict(list)
    for entry in data.entries:
        alone = entry["kind"] == "wake" or len((entry["text"] or "").split()) < 4
        if alone and said.search(entry["text"] or "") and entry.get("language", "en") == "en":
            speakers[entry.get("speaker", "")].append(entry)
    for _, entries in sorted(speakers.items()):
        if len(entries) <= _OWN:
            continue
        try:
            clips = [_clip(data, entry) for entry in entries[:_OWN]]
        except BadAudio:
            continue
        word = maker(request, clips)
        rest = entries[_OWN:]
        yield sum(_heard(word, data.quiet(entry)) for entry in rest), len(rest)


def _clip(data: Recordings, entry: dict[str, Any]) -> Floats:
    return spoken(data.wave(entry).astype("<i2").tobytes(), entry["audio"])


def by_voices(
    word: TrainedWord, maker: "Maker", data_dirs: Sequence[Path], names: Sequence[str]
) -> dict[str, int]:
    """Return how often a word is heard from Kokoro's voices `names`, which did not train it."""
    rng = random.Random(3)  # noqa: S311 - variety
    folder = next(kokoro_folders(data_dirs))
    others = [name for name in read_styles(folder, load=False) if name not in names]
    voices = KokoroTrainingVoices(folder, word.language, others)
    accent = ACCENTS.get(word.language, (word.language,))[0]
    found = {"voices_said": _BY_VOICES, "voices_heard": 0, "voices_accepts": 0}
    for _ in range(_BY_VOICES):
        texts = {"heard": word.phrase, "accepts": sentence(word.language, rng)}
        for key, text in texts.items():
            clip = voices.say(spelled(words_of(text, accent, maker.espeak)), rng)
            noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(clip))
            wave = _padded((clip * 10_000 + 20 * noise).astype(np.float32))
            found[f"voices_{key}"] += _heard(word, speech_embeddings(wave))
    return found


class Maker:
    """Trains words with the installed voices."""

    def __init__(self, data_dirs: Sequence[Path], language: str, left_out: Sequence[str]) -> None:
        self._voices = installed_voices(data_dirs, language, left_out)
        self.espeak = EspeakPhonemizer()

    def __call__(self, request: TrainingRequest, clips: Sequence[Floats] = ()) -> TrainedWord:
        request = replace(request, recordings=clips)
        return train(request, self._voices, speech_embeddings, self.espeak, lambda *_: None)


def main() -> None:
    """Train and measure; one line of text and one of JSON for each phrase."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--phrase", action="append")
    parser.add_argument("--language", default="en")
    parser.add_argument("--data-dir", type=Path, action="append")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/parley-wake-word"))  # noqa: S108
    parser.add_argument("--unhurried", action="store_true", help="for a busy machine: no limit")
    parser.add_argument("--leave-out", action="append", default=[], help="voice that stays silent")
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--processor-seconds", type=float, default=PROCESSOR_SECONDS)
    arguments = parser.parse_args()
    data_dirs = arguments.data_dir or [DEFAULT_DATA_DIR]
    maker = Maker(data_dirs, arguments.language, arguments.leave_out)
    data = Recordings(arguments.data)
    for phrase in arguments.phrase or PHRASES:
        seconds = 1e6 if arguments.unhurried else MAX_SPEAKING_SECONDS
        request = TrainingRequest(
            phrase,
            arguments.language,
            arguments.cache,
            processor_seconds=arguments.processor_seconds,
            seconds=seconds,
        )
        begun, busy = time.monotonic(), _busy()
        word = maker(request)
        spent = {"seconds": round(time.monotonic() - begun), "processor": round(_busy() - busy)}
        write_word(word, arguments.cache / file_name(phrase))
        found = measure(word, data) | spent
        if arguments.leave_out:
            found |= by_voices(word, maker, data_dirs, arguments.leave_out)
        if arguments.own:
            pairs = list(with_own(request, maker, data))
            found |= {"own_heard": sum(a for a, _ in pairs), "own_said": sum(b for _, b in pairs)}
        print(
            f"{phrase}: {found['quiet']} of {found['said']} heard, {found['noise_10_db']} at 10 dB"
            f"; {found['false_accepts']} false accepts in {found['minutes']} min; trained in "
            f"{spent['seconds']} s, {spent['processor']} s of processor time"
        )
        print(json.dumps(found, ensure_ascii=False), flush=True)


def _busy() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
