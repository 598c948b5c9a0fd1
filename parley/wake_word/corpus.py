"""Examples to train with: spoken by the installed voices, heard in scenes, as embeddings.

Made in small parts, each a file in a cache, so that an interrupted run continues where it was.
Examples of other speech do not depend on the phrase and serve every phrase of a language.
"""

import errno
import hashlib
import io
import json
import os
import random
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from parley.wake_word.embeddings import SPAN_SAMPLES
from parley.wake_word.scenes import another_speaker, heard
from parley.wake_word.voices import TrainingVoice
from satellite.wake.speech_embedding import STEP_SAMPLES
from wyoming_common.audio.pcm import MODEL_RATE, to_float
from wyoming_common.errors import ModelError, NoSpace

Floats = NDArray[np.float32]
_VERSION = 4
"""Changes with what an example holds: older caches are not read."""
PART_CLIPS = 10
SCENE_COST = 0.0105
"""Seconds of processor time that a second of a scene takes, roughly."""
_AFTER_SAMPLES = 9_600
_MIN_CLIP_SAMPLES = 1_600
MIN_PART = 1 / 3
"""Part of the clips that is spoken however long it takes."""
FOLDS = 5
"""Parts of the clips; each network learns without two of them, which it is measured on."""


class Embeddings(Protocol):
    def __call__(self, sound: Floats) -> Floats:
        """Return an embedding for every 80 ms of sound in 16-bit values, shape [n, 96]."""
        ...


@dataclass(frozen=True)
class Example:
    """Embeddings of one scene."""

    embeddings: Floats
    """[n, 96]"""
    end: int
    """Sample at which the phrase or the near miss ends; -1 in other speech and cut phrases."""
    clip: int
    """Number of its clip, of which scenes are alike; -1 for a recording of the user's."""

    @property
    def fold(self) -> int:
        """Number of the part of the clips that it belongs to; -1: all networks learn from it."""
        return self.clip % FOLDS if self.clip >= 0 else -1

    @property
    def end_window(self) -> int:
        """Number of the first embedding that holds all of the phrase."""
        return -((SPAN_SAMPLES - self.end) // STEP_SAMPLES)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One clip: who says what, and how often it is heard."""

    speaker: TrainingVoice
    text: str
    scenes: int
    cuts: int = 0
    """Scenes in which only the beginning or the end of it is heard."""


class Corpus:
    """Makes examples on `threads` threads. `folder` is the cache.

    From `until` on, by time.monotonic, nothing more is spoken but for a third of the clips.
    """

    def __init__(
        self,
        folder: Path,
        embeddings: Embeddings,
        length: int,
        threads: int = 2,
        until: float = float("inf"),
    ) -> None:
        self._folder = folder
        self._until = until
        self._embeddings = embeddings
        self._before = length * STEP_SAMPLES + SPAN_SAMPLES
        """Samples of a scene before the end of its phrase."""
        self._threads = threads
        self._lock = threading.Lock()

    def speech(
        self, recipes: Sequence[Recipe], made: Callable[[float], None]
    ) -> tuple[list[Example], list[Floats]]:
        """Return examples of other speech, and the speech itself for babble."""
        parts = self._parts("speech", recipes, [], made)
        clips = [to_float(clip.tobytes()) for part in parts for clip in part.clips]
        return [one for part in parts for one in part.examples], clips

    def phrases(
        self,
        kind: str,
        recipes: Sequence[Recipe],
        others: Sequence[Floats],
        made: Callable[[float], None],
    ) -> list[Example]:
        """Return examples of phrases or near misses, some of them between other speech.

        Those of cut phrases have no end.
        """
        parts = self._parts(kind, recipes, others, made)
        return [one for part in parts for one in part.examples]

    def recordings(
        self, clips: Sequence[Floats], scenes: int, others: Sequence[Floats], seed: str
    ) -> list[Example]:
        """Return examples of recorded phrases, each heard in several scenes."""
        rng = random.Random(seed)  # noqa: S311 - variety
        return [
            self._scene(clip, -1, others, rng, own=True) for clip in clips for _ in range(scenes)
        ]

    def _parts(
        self,
        kind: str,
        recipes: Sequence[Recipe],
        others: Sequence[Floats],
        made: Callable[[float], None],
    ) -> "list[_Part]":
        starts = range(0, len(recipes), PART_CLIPS)

        def make(start: int) -> _Part:
            late = start >= len(recipes) * MIN_PART and time.monotonic() > self._until
            some = recipes[start : start + PART_CLIPS]
            part = self._part(kind, start, some, others, only_kept=late)
            with self._lock:
                made(sum(map(cost, some)))
            return part

        pool = ThreadPoolExecutor(self._threads)
        try:
            return list(pool.map(make, starts))
        finally:
            pool.shutdown(cancel_futures=True)

    def _part(
        self,
        kind: str,
        start: int,
        recipes: Sequence[Recipe],
        others: Sequence[Floats],
        *,
        only_kept: bool,
    ) -> "_Part":
        facts: list[Any] = [kind, start, 0 if kind == "speech" else self._before]
        facts += [[one.speaker.name, one.text, one.scenes, one.cuts] for one in recipes]
        key = hashlib.sha256(json.dumps([_VERSION, facts]).encode()).hexdigest()[:16]
        path = self._folder / f"{kind}-{start:04}-{key}.npz"
        if (part := _Part.read(path)) is not None:
            return part
        if only_kept:
            return _Part([], [])
        examples: list[Example] = []
        clips: list[NDArray[np.int16]] = []
        for number, recipe in enumerate(recipes, start):
            rng = random.Random(f"{kind} {number} {recipe.text}")  # noqa: S311 - variety
            clip = recipe.speaker.say(recipe.text, rng)
            if len(clip) < _MIN_CLIP_SAMPLES:
                continue
            if kind == "speech":
                clips.append((clip * 32767).astype(np.int16))
            for _ in range(recipe.scenes):
                if kind == "speech":
                    examples.append(self._stream(clip, number, rng, clips))
                else:
                    examples.append(self._scene(clip, number, others, rng))
            examples += [self._cut(clip, number, others, rng) for _ in range(recipe.cuts)]
        part = _Part(examples, clips)
        part.write(path)
        # The file holds rounded values, from which a second run learns as well.
        return _Part.read(path) or part

    def _scene(
        self,
        clip: Floats,
        number: int,
        others: Sequence[Floats],
        rng: random.Random,
        *,
        own: bool = False,
    ) -> Example:
        if rng.random() < (0.5 if own else 0.85):
            clip = another_speaker(clip, rng)
        before, after = self._room(rng)
        end = len(before)
        clip = clip[-end:]
        before[end - len(clip) :] = clip
        if others and rng.random() < 0.35:
            _put_before(before[: end - len(clip)], others, rng, _pause(rng))
        if others and rng.random() < 0.5:
            _put_after(after, others, rng, max(0.05, _pause(rng)))
        sound = heard(np.concatenate([before, after]), rng, others)
        return Example(self._embeddings(sound), end, number)

    def _cut(
        self, clip: Floats, number: int, others: Sequence[Floats], rng: random.Random
    ) -> Example:
        """Return an example of the beginning or the end of a clip, mostly run into other speech."""
        clip = another_speaker(clip, rng)
        before, after = self._room(rng)
        begins = rng.random() < 0.5
        if begins:
            clip = clip[: int(len(clip) * rng.uniform(0.3, 0.55))]
        else:
            clip = clip[int(len(clip) * rng.uniform(0.45, 0.7)) :]
        clip = clip[-len(before) :]
        before[len(before) - len(clip) :] = clip
        pause = _pause(rng) if rng.random() < 0.3 else rng.uniform(0, 0.04)
        if others and rng.random() < (0.35 if begins else 0.6):
            at = _pause(rng) if begins else pause
            _put_before(before[: len(before) - len(clip)], others, rng, at)
        if others and rng.random() < (0.8 if begins else 0.5):
            _put_after(after, others, rng, pause if begins else _pause(rng))
        sound = heard(np.concatenate([before, after]), rng, others)
        return Example(self._embeddings(sound), -1, number)

    def _room(self, rng: random.Random) -> tuple[Floats, Floats]:
        """Return silence for what comes before the end of a phrase, and for what comes after."""
        before = np.zeros(self._before + rng.randrange(STEP_SAMPLES), np.float32)
        return before, np.zeros(_AFTER_SAMPLES, np.float32)

    def _stream(
        self, clip: Floats, number: int, rng: random.Random, others: Iterable[NDArray[np.int16]]
    ) -> Example:
        if rng.random() < 0.85:
            clip = another_speaker(clip, rng)
        lead = np.zeros(int(rng.uniform(0.5, 1) * MODEL_RATE), np.float32)
        sound = np.concatenate([lead, clip, np.zeros(MODEL_RATE // 2, np.float32)])
        babble = [to_float(one.tobytes()) for one in others]
        return Example(self._embeddings(heard(sound, rng, babble)), -1, number)


def cost(recipe: Recipe) -> float:
    """Return the seconds of processor time that a clip and its scenes take, roughly."""
    seconds = 0.3 + 0.08 * len(recipe.text)
    scenes = recipe.scenes + recipe.cuts
    return seconds * recipe.speaker.cost + scenes * (2.5 + seconds) * SCENE_COST


def _pause(rng: random.Random) -> float:
    return rng.uniform(0.02, 0.5)


def _put_before(room: Floats, others: Sequence[Floats], rng: random.Random, pause: float) -> None:
    """Put other speech at the end of `room`, a pause in seconds before what follows."""
    speech = another_speaker(rng.choice(others), rng)
    last = max(0, len(room) - int(pause * MODEL_RATE))
    speech = speech[max(0, len(speech) - last) :]
    room[last - len(speech) : last] = speech * np.float32(rng.uniform(0.4, 1.2))


def _put_after(room: Floats, others: Sequence[Floats], rng: random.Random, pause: float) -> None:
    """Put other speech, from anywhere in it, a pause in seconds after the beginning of `room`."""
    gap = int(pause * MODEL_RATE)
    speech = another_speaker(rng.choice(others), rng)
    speech = speech[rng.randrange(max(1, len(speech) // 2)) :][: len(room) - gap]
    room[gap : gap + len(speech)] = speech * np.float32(rng.uniform(0.4, 1.2))


@dataclass(frozen=True)
class _Part:
    examples: list[Example]
    clips: list[NDArray[np.int16]]

    @classmethod
    def read(cls, path: Path) -> "_Part | None":
        """Return a part from the cache, None where it is missing or damaged."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
                embeddings = np.split(found["embeddings"], np.cumsum(found["lengths"])[:-1])
                rows = zip(embeddings, found["ends"], found["numbers"], strict=True)
                clips = np.split(found["clips"], np.cumsum(found["sizes"])[:-1])
                return cls([Example(e, int(end), int(n)) for e, end, n in rows], clips)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def write(self, path: Path) -> None:
        """Write the part, whole or not at all. Raises NoSpace and ModelError."""
        clips = self.clips or [np.zeros(0, np.int16)]
        found: dict[str, Any] = {
            "embeddings": np.concatenate([e.embeddings for e in self.examples]).astype(np.float16),
            "lengths": [len(e.embeddings) for e in self.examples],
            "ends": [e.end for e in self.examples],
            "numbers": [e.clip for e in self.examples],
            "clips": np.concatenate(clips),
            "sizes": [len(clip) for clip in clips],
        }
        scratch = path.with_name(f".{path.name}.{os.getpid()}.npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(scratch, allow_pickle=False, **found)
            scratch.replace(path)
        except OSError as err:
            raise disk_error(err, path.parent) from err
        finally:
            scratch.unlink(missing_ok=True)


def disk_error(err: OSError, folder: Path) -> NoSpace | ModelError:
    """Return what a user is told about a file that could not be written to `folder`."""
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"The disk of {folder} is full: make room, or choose --data-dir")
    return ModelError(f"{folder} cannot be written to: {err.strerror or err}")
