"""Training of a wake word from its text, the installed voices and, where there are, recordings."""

import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parley.wake_word.corpus import FOLDS, SCENE_COST, Corpus, Embeddings, Example, Recipe, cost
from parley.wake_word.fit import Perceptron, Windows, fit
from parley.wake_word.phonemes import (
    ACCENTS,
    NearMisses,
    PartsAmongOthers,
    Word,
    spelled,
    words_of,
)
from parley.wake_word.texts import common_words, sentence, vocabulary
from parley.wake_word.voices import TrainingVoice
from satellite.wake.speech_embedding import STEP_SAMPLES
from satellite.wake.trained_words import SMOOTHED, TrainedWord
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_tts.phonemes.espeak import EspeakPhonemizer

Floats = NDArray[np.float32]
PROCESSOR_SECONDS = 900.0
"""Seconds of processor time that the examples may take, on the processor they were counted on."""
MAX_SPEAKING_SECONDS = 450.0
"""Seconds after which a slower machine makes do with fewer examples."""
_SHARES = {"speech": 0.8094, "phrase": 0.1171, "near": 0.0735}
_PARTS_SHARE = 0.0493
"""Share that the parts of a phrase of several words take on top, among other words."""
_SCENES = {"speech": 10, "phrase": 6, "near": 6, "parts": 6}
_CUTS = 2
"""Scenes of each clip of the phrase in which only a part of it is heard."""
_LEFT_OUT = tuple(combinations(range(FOLDS), 2))
"""Parts of the clips from which each network does not learn.

Each clip is scored by the mean of the four networks that have not heard it, which spreads hardly
more than the mean of all. With one network for each part the threshold came out one logit higher,
at which a third fewer phrases were heard in noise.
"""
_THRESHOLD = -1.0
"""Logit from which the phrase counts, unless other speech held out or near misses raise it.

The networks of every word learn with the same share of negatives, so that a logit means much the
same for each: what people say and is likest to "computer" and to "americano" has -1.1. What is
likest among a few hundred sentences of the training voices differs by half a logit from word to
word, and not as it does for people.
"""
_SPEECH_BELOW = 0.99
"""Part of the scenes of other speech that lies below the threshold at least."""
_OWN_SCENES = 60
"""Scenes of each recording of the user's."""
_ENDS = (0, 1, 2)
"""Windows, counted from the first that holds all of the phrase, which must detect it."""
_FOREIGN = ("en", "de", "fr", "es", "it", "nl", "pt")
"""Languages of a third of the other speech: films, songs and visitors speak them."""
_MARKS = ("", ".", "!", "?", ",")

Made = Callable[[str, float], None]
"""Is told the stage and the part of all work that is done, 0 to 1."""


@dataclass(frozen=True)
class TrainingRequest:
    """A wake word to train."""

    phrase: str
    language: str
    cache: Path
    recordings: Sequence[Floats] = ()
    """The user's own recordings of the phrase, 16 kHz, -1 to 1, without silence around it."""
    false_alarms: Sequence[Floats] = ()
    """Recordings of what was wrongly taken for the phrase."""
    threads: int = 2
    processor_seconds: float = PROCESSOR_SECONDS
    seconds: float = MAX_SPEAKING_SECONDS
    networks: int = len(_LEFT_OUT)
    """Networks whose logits are averaged; at most as many."""


@dataclass
class _Progress:
    total: float
    tell: Made
    stage: str = ""
    done: float = field(default=0.0)

    def __call__(self, seconds: float) -> None:
        self.done += seconds
        self.tell(self.stage, min(0.95, self.done / self.total * 0.9))


def train(
    request: TrainingRequest,
    speakers: Sequence[TrainingVoice],
    embeddings: Embeddings,
    espeak: EspeakPhonemizer,
    tell: Made,
) -> TrainedWord:
    """Return the trained word. Continues from what an interrupted run has left in the cache.

    Raises NoSpace, ModelError.
    """
    begun = time.process_time()
    accents = ACCENTS.get(request.language, (request.language,))
    readings = [words_of(request.phrase, accent, espeak) for accent in accents]
    length = window_length(readings[0])
    recipes = {
        "speech": _speech(request, speakers, accents, espeak),
        "phrase": _phrase(request, speakers, readings),
        "near": _near(request, speakers, readings),
        "parts": _parts(request, speakers, readings, accents, espeak),
    }
    total = sum(cost(one) for some in recipes.values() for one in some)
    progress = _Progress(total, tell)
    shares = np.cumsum([*_SHARES.values(), _PARTS_SHARE if recipes["parts"] else 0.0])
    ends = shares / shares[-1] * request.seconds + time.monotonic()
    corpora = {
        kind: Corpus(
            request.cache / _folder(kind, request), embeddings, length, request.threads, until
        )
        for kind, until in zip(recipes, ends, strict=True)
    }
    progress.stage = "other speech"
    speech, others = corpora["speech"].speech(recipes["speech"], progress)
    progress.stage = "the phrase"
    phrases = corpora["phrase"].phrases("phrase", recipes["phrase"], others, progress)
    progress.stage = "near misses"
    near = corpora["near"].phrases("near", recipes["near"], others, progress)
    parts = corpora["parts"].phrases("parts", recipes["parts"], others, progress)
    tell("learning", 0.9)
    maker = corpora["phrase"]
    own = maker.recordings(request.recordings, _OWN_SCENES, others, "own")
    wrong = maker.recordings(request.false_alarms, _OWN_SCENES // 3, others, "wrong")
    positive = [*(one for one in phrases if one.end >= 0), *own]
    cut = [one for one in phrases if one.end < 0]
    learned = _learn(
        positive, [*near, *parts, *wrong, *cut, *speech], length, request.networks, request.threads
    )
    tell("measuring", 0.97)
    return _measured(request, learned, positive, [*near, *wrong], parts, speech, length, {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor_seconds": round(time.process_time() - begun),
        "speakers": sum(speaker.variety for speaker in speakers),
        "voices": sorted(speaker.name for speaker in speakers),
        "clips": {
            kind: len({one.clip for one in some})
            for kind, some in zip(recipes, (speech, phrases, near, parts), strict=True)
        },
        "recordings": len(request.recordings),
        "false_alarms": len(request.false_alarms),
    })  # fmt: skip


def window_length(words: Sequence[Word]) -> int:
    """Return how many embeddings a window has: one for each phoneme.

    A phoneme lasts about 80 ms, the step from one embedding to the next, and an embedding is of
    0.78 s itself. On recordings, windows twice as long heard a quarter as many phrases.
    """
    return min(24, max(7, sum(map(len, words))))


def _folder(kind: str, request: TrainingRequest) -> str:
    facts = [kind, request.language, "" if kind == "speech" else request.phrase]
    return f"{kind}-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]}"


def _shared(
    kind: str, request: TrainingRequest, speakers: Sequence[TrainingVoice]
) -> list[TrainingVoice]:
    """Return a speaker for each clip of a kind: voices that cost little say more."""
    seconds = {"speech": 4.0, "phrase": 1.0, "near": 1.0, "parts": 1.2}[kind]
    power = {"speech": 1.0, "phrase": 0.0, "near": 0.5, "parts": 0.0}[kind]
    share = _SHARES.get(kind, _PARTS_SHARE)
    weights = [one.variety**0.5 / one.cost**power for one in speakers]
    scenes = _SCENES[kind] + (_CUTS if kind == "phrase" else 0)
    scene = scenes * (2.5 + seconds) * SCENE_COST
    mean = sum(
        weight * (seconds * one.cost + scene) for weight, one in zip(weights, speakers, strict=True)
    ) / sum(weights)
    count = int(request.processor_seconds * share / mean)
    rng = random.Random(f"{kind} {request.language}")  # noqa: S311 - variety
    return rng.choices(speakers, weights, k=count)


def _speech(
    request: TrainingRequest,
    speakers: Sequence[TrainingVoice],
    accents: Sequence[str],
    espeak: EspeakPhonemizer,
) -> list[Recipe]:
    rng = random.Random(f"speech {request.language}")  # noqa: S311 - variety
    found = []
    for speaker in _shared("speech", request, speakers):
        language, accent = request.language, rng.choice(accents)
        if rng.random() < 1 / 3:
            language = rng.choice(_FOREIGN)
            accent = ACCENTS.get(language, (language,))[0]
        words = words_of(sentence(language, rng), accent, espeak)
        found.append(Recipe(speaker, spelled(words), _SCENES["speech"]))
    return found


def _phrase(
    request: TrainingRequest,
    speakers: Sequence[TrainingVoice],
    readings: Sequence[tuple[Word, ...]],
) -> list[Recipe]:
    rng = random.Random(f"phrase {request.phrase}")  # noqa: S311 - variety
    return [
        Recipe(
            speaker,
            spelled(rng.choice([readings[0], *readings])) + rng.choice(_MARKS),
            _SCENES["phrase"],
            _CUTS,
        )
        for speaker in _shared("phrase", request, speakers)
    ]


def _near(
    request: TrainingRequest,
    speakers: Sequence[TrainingVoice],
    readings: Sequence[tuple[Word, ...]],
) -> list[Recipe]:
    rng = random.Random(f"near {request.phrase}")  # noqa: S311 - variety
    misses = NearMisses(readings[0], rng)
    return [
        Recipe(speaker, spelled(misses()) + rng.choice(_MARKS), _SCENES["near"])
        for speaker in _shared("near", request, speakers)
    ]


def _parts(
    request: TrainingRequest,
    speakers: Sequence[TrainingVoice],
    readings: Sequence[tuple[Word, ...]],
    accents: Sequence[str],
    espeak: EspeakPhonemizer,
) -> list[Recipe]:
    """Return parts of a phrase of several words among other words, as people say them."""
    rng = random.Random(f"parts {request.phrase}")  # noqa: S311 - variety
    if len(readings[0]) < 2:
        return []
    said = {word for reading in readings for word in reading}
    known = sorted(common_words(request.language)) or vocabulary("en")

    def other() -> Word:
        while True:
            for word in words_of(rng.choice(known), accents[0], espeak):
                if word not in said:
                    return word

    return [
        Recipe(
            speaker,
            spelled(PartsAmongOthers(readings[0], other, rng)()) + rng.choice(_MARKS),
            _SCENES["parts"],
        )
        for speaker in _shared("parts", request, speakers)
    ]


@dataclass(frozen=True)
class _Learned:
    networks: list[Perceptron]
    mean: Floats
    scale: Floats

    def word(
        self,
        request: TrainingRequest,
        length: int,
        threshold: float = 0.0,
        without: int | None = None,
    ) -> TrainedWord:
        """Return a word of all networks, or of the four that have not learned from a part."""
        networks = [
            network
            for network, left_out in zip(self.networks, _LEFT_OUT, strict=False)
            if without is None or without in left_out
        ]
        layers = tuple(tuple(zip(one.weights, one.biases, strict=True)) for one in networks)
        return TrainedWord(
            request.phrase, request.language, length, self.mean, self.scale, layers, threshold
        )


def _learn(
    positive: Sequence[Example],
    negative: Sequence[Example],
    length: int,
    networks: int,
    threads: int,
) -> _Learned:
    stream = np.concatenate([one.embeddings for one in (*positive, *negative)]).astype(np.float32)
    mean, scale = stream.mean(axis=0), 1 / (stream.std(axis=0) + 1e-3)

    def network(number: int) -> Perceptron:
        known, others = (
            [one for one in some if one.fold not in _LEFT_OUT[number]]
            for some in (positive, negative)
        )
        return fit(_windows(known, others, length, mean, scale), length, seed=number)

    with ThreadPoolExecutor(threads) as pool:
        return _Learned(list(pool.map(network, range(networks))), mean, scale)


def _windows(
    positive: Sequence[Example],
    negative: Sequence[Example],
    length: int,
    mean: Floats,
    scale: Floats,
) -> Windows:
    """Return the windows to learn from."""
    streams, starts, labels = [], [], []
    at = 0
    for wanted, examples in ((True, positive), (False, negative)):
        for example in examples:
            streams.append(example.embeddings)
            for start in range(len(example.embeddings) - length + 1):
                late = start + length - 1 - example.end_window
                if wanted and late not in _ENDS and late >= -4:
                    continue  # neither the phrase nor clearly another
                starts.append(at + start)
                labels.append(wanted and late in _ENDS)
            at += len(example.embeddings)
    stream = (np.concatenate(streams).astype(np.float32) - mean) * scale
    return Windows(stream, np.array(starts), np.array(labels, np.bool_))


def _measured(
    request: TrainingRequest,
    learned: _Learned,
    positive: Sequence[Example],
    near: Sequence[Example],
    parts: Sequence[Example],
    speech: Sequence[Example],
    length: int,
    facts: dict[str, object],
) -> TrainedWord:
    """Return the word with its threshold and figures.

    A clip is scored by the networks that have not learned from it; the figures of either half of
    the clips are those at the threshold of the other half.
    """
    folds = {fold for left_out in _LEFT_OUT[: len(learned.networks)] for fold in left_out}
    words = {fold: learned.word(request, length, without=fold) for fold in folds}
    kinds = {"phrase": positive, "near": near, "parts": parts, "speech": speech}
    scored = {
        name: [(one.clip, _best(words[one.fold], one)) for one in some if one.fold in folds]
        for name, some in kinds.items()
    }  # fmt: skip

    def logits(name: str, *halves: int) -> Floats:
        return np.array(
            [logit for clip, logit in scored[name] if clip // FOLDS % 2 in halves], np.float32
        )

    def threshold(*halves: int) -> float:
        others = [one for one in scored["speech"] if one[0] // FOLDS % 2 in halves]
        return choose_threshold(
            logits("phrase", *halves), logits("near", *halves), without_likest(others)
        )

    limits = [threshold(1 - half) for half in (0, 1)]
    accepted = {
        name: np.concatenate([logits(name, half) > limits[half] for half in (0, 1)])
        for name in kinds
    }
    steps = sum(len(one.embeddings) for one in speech if one.fold in folds)
    word = learned.word(request, length, threshold(0, 1))
    word.facts.update(facts)
    word.facts.update(
        recall=_share(accepted["phrase"]),
        near_misses=_share(accepted["near"]),
        parts=_share(accepted["parts"]),
        false_accepts=int(accepted["speech"].sum()),
        minutes_of_speech=round(steps * STEP_SAMPLES / MODEL_RATE / 60, 1),
    )
    return word


def _share(found: NDArray[np.bool_]) -> float:
    return round(float(found.mean()), 3) if len(found) else 0.0


def _best(word: TrainedWord, example: Example) -> float:
    """Return the highest logit of an example, smoothed as in the satellite."""
    embeddings = example.embeddings.astype(np.float32)
    if len(embeddings) < word.length + SMOOTHED - 1:
        return -20.0
    shape = np.lib.stride_tricks.sliding_window_view(embeddings, word.length, axis=0)
    logits = word.logits(np.ascontiguousarray(shape.transpose(0, 2, 1)))
    return float(np.convolve(logits, np.ones(SMOOTHED) / SMOOTHED, "valid").max())


def without_likest(scored: Sequence[tuple[int, float]]) -> Floats:
    """Return the logits but for those of the clip, by number, with the highest.

    One clip may happen to hold the phrase, or nearly; its scenes alone would be the threshold.
    """
    likest = max(scored, key=lambda one: one[1])[0] if scored else -1
    return np.array([logit for clip, logit in scored if clip != likest], np.float32)


def choose_threshold(phrase: Floats, near: Floats, speech: Floats) -> float:
    """Return the logit from which the phrase counts, from the best logits of scenes held out.

    Other speech raises it where more than one of a hundred of its scenes would lie above: the
    voices and noises are those of the phrase, so that it is taken for the phrase more often than
    what people say at home. Near misses raise it only as far as nineteen of twenty phrases are
    still heard: real speech holds few.
    """
    threshold = _THRESHOLD
    if len(speech):
        threshold = max(threshold, float(np.quantile(speech, _SPEECH_BELOW)))
    if len(near) and len(phrase):
        threshold = max(
            threshold, min(float(np.quantile(near, 0.9)), float(np.quantile(phrase, 0.05)))
        )
    return threshold
