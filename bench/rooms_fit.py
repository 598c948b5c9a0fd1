"""Training of the network by which the nearest satellite has the highest merit.

    python -m bench.rooms_fit DATA simulate FOLDER [--rounds 600] [--seed 1]    # and more seeds
    python -m bench.rooms_fit DATA train FOLDER [--write]

`simulate` puts words into rooms of `bench.room_acoustics` and notes the traits that two to four
satellites find in them, each with a noise and a microphone gain of its own. The words are wake
words, and stretches of other speech, of the speakers of one half (`bench.rooms.halves`); of the
recorded responses the last one is left out. So neither speakers nor rooms are the ones that
`bench.rooms` measures with.

`train` fits the network of `satellite.rooms.merit` to three quarters of the rounds, prints how
often it finds the nearest satellite in the rest, and with `--write` replaces the one in use.
"""

import argparse
import json
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.room_acoustics import Place, Wave, computed_places, measured_places
from bench.rooms import LEAD_SAMPLES, MIN_FIT_RATIO, first_half, heard
from bench.satellite_data import Data
from satellite.rooms.bands import Floats, WordBands
from satellite.rooms.merit import MAX_AUDIO_SECONDS, NETWORK, MeritNetwork, traits

_WORDS_A_ROOM: Final = 3
_MEASURED_SHARE: Final = 0.4
_WAKE_SHARE: Final = 0.5
_SPEECH_SECONDS: Final = (1.0, 2.0)
_END_SECONDS: Final = (-0.15, 0.25)
"""Detection of a word before and after its end"""
_NETWORKS: Final = 3
"""Networks that are averaged, which makes one of as many times the units"""
_UNITS: Final = 16
_STEPS: Final = 1_500
_BATCH: Final = 256
_RATE: Final = 3e-3
_DECAY: Final = 2e-3
_NOISE: Final = 0.2
"""Noise on the traits, in deviations"""


@dataclass(frozen=True, slots=True)
class WordInRoom:
    """One word as its satellites heard it."""

    directs: tuple[float, ...]
    """Levels of the direct sound"""
    traits: Floats
    """Shape [satellites, traits]"""


def simulate(data: Data, count: int, seed: int) -> Iterator[WordInRoom]:
    """Yield words in rooms."""
    random = np.random.default_rng(seed)
    noises = [data.wave(entry["audio"]) for entry in data.of("noise")]
    wake = [entry["audio"] for entry in data.of("wake") if first_half(entry["speaker"])]
    speech = [
        entry["audio"]
        for entry in data.of("negative", "speech")
        if first_half(str(entry.get("speaker") or entry["audio"])) and entry["seconds"] < 15
    ]
    places: Sequence[Place] = ()
    for number in range(count):
        if number % _WORDS_A_ROOM == 0:
            size = int(random.integers(2, 5))
            if random.random() < _MEASURED_SHARE:
                places = measured_places(random, data.responses[:-1], size)
            else:
                places = computed_places(random, size)
        if random.random() < _WAKE_SHARE:
            word = data.wave(str(random.choice(wake)))
        else:
            word = _stretch(random, data.wave(str(random.choice(speech))))
        end = LEAD_SAMPLES + _end(word) + int(random.uniform(*_END_SECONDS) * 16_000)
        begin = max(0, end - round(MAX_AUDIO_SECONDS * 16_000))
        sounds = heard(random, word, places, noises)
        heard_pcm = [sound[begin:end].astype("<i2").tobytes() for sound in sounds]
        found = [traits(WordBands.of(pcm)) for pcm in heard_pcm]
        yield WordInRoom(tuple(place.direct for place in places), np.array(found))


def _stretch(random: np.random.Generator, speech: Wave) -> Wave:
    """Return a stretch of speech that is not mostly a pause."""
    length = int(random.uniform(*_SPEECH_SECONDS) * 16_000)
    part = speech[:length]
    for _ in range(10):
        begin = int(random.integers(max(1, len(speech) - length)))
        part = speech[begin : begin + length]
        if np.mean(part**2) > 0.5 * np.mean(speech**2):
            break
    return part


def _end(word: Wave) -> int:
    """Return the sample at which the sound of a word ends."""
    power = np.convolve(word**2, np.ones(800) / 800, "same")
    return int(np.flatnonzero(power > power.max() * 0.01)[-1])


def train(rounds: Sequence[WordInRoom]) -> MeritNetwork:
    """Return a network by which the strongest direct sound wins against each rival."""
    pairs = [
        (one.traits[best], one.traits[rival])
        for one in rounds
        for best in [int(np.argmax(one.directs))]
        for rival, direct in enumerate(one.directs)
        if one.directs[best] > MIN_FIT_RATIO * direct
    ]
    both = np.array(pairs)
    mean, scale = both.mean((0, 1)), both.std((0, 1)) + 1e-9
    networks = [_train(both, mean, scale, seed) for seed in range(_NETWORKS)]
    return MeritNetwork(
        mean,
        scale,
        np.concatenate([one.hidden for one in networks], axis=1),
        np.concatenate([one.bias for one in networks]),
        np.concatenate([one.output for one in networks]) / _NETWORKS,
        np.mean([one.linear for one in networks], axis=0),
    )


def _train(pairs: Floats, mean: Floats, scale: Floats, seed: int) -> MeritNetwork:
    """Return a network after steps of Adam on the logistic loss of pairs, [pairs, 2, traits]."""
    random = np.random.default_rng(seed)
    count = pairs.shape[2]
    weights: list[Floats] = [
        random.normal(0, count**-0.5, (count, _UNITS)),
        np.zeros(_UNITS),
        random.normal(0, 0.1 * _UNITS**-0.5, _UNITS),
        np.zeros(count),
    ]
    network = MeritNetwork(mean, scale, *weights)
    given = network.scaled(pairs)
    first = [np.zeros_like(one) for one in weights]
    second = [np.zeros_like(one) for one in weights]
    for step in range(1, _STEPS + 1):
        drawn = given[random.integers(len(given), size=_BATCH)]
        drawn = drawn + random.normal(0, _NOISE, drawn.shape)
        rate = _RATE * (1 + np.cos(np.pi * step / _STEPS)) / 2
        for number, gradient in enumerate(_gradients(drawn, weights)):
            decay = 0.0 if weights[number] is network.bias else _DECAY
            slope = gradient + decay * weights[number]
            first[number] = 0.9 * first[number] + 0.1 * slope
            second[number] = 0.999 * second[number] + 0.001 * slope**2
            change = first[number] / (1 - 0.9**step)
            weights[number] -= rate * change / (np.sqrt(second[number] / (1 - 0.999**step)) + 1e-8)
    return MeritNetwork(mean, scale, *weights)


def _gradients(pairs: Floats, weights: Sequence[Floats]) -> list[Floats]:
    hidden, bias, output, linear = weights
    units = np.tanh(pairs @ hidden + bias)
    logits = units @ output + pairs @ linear
    lost = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1])) / len(pairs)
    # Of the better one of each pair, and of the other.
    slopes = np.stack([-lost, lost], axis=1)
    inner = slopes[..., None] * output * (1 - units**2)
    return [
        np.einsum("pst,psu->tu", pairs, inner),
        inner.sum((0, 1)),
        np.einsum("ps,psu->u", slopes, units),
        np.einsum("ps,pst->t", slopes, pairs),
    ]


def share_right(rounds: Sequence[WordInRoom], network: MeritNetwork) -> float:
    """Return the percentage of rounds in which the nearest satellite has the highest merit."""
    right = [int(np.argmax(network(one.traits))) == np.argmax(one.directs) for one in rounds]
    return round(100 * float(np.mean(right)), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("what", choices=("simulate", "train"))
    parser.add_argument("folder", type=Path, help="folder of the simulated words")
    parser.add_argument("--rounds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="replace the network in use")
    arguments = parser.parse_args()
    if arguments.what == "simulate":
        arguments.folder.mkdir(parents=True, exist_ok=True)
        rounds = list(simulate(Data(arguments.data), arguments.rounds, arguments.seed))
        (arguments.folder / f"words-{arguments.seed}.pickle").write_bytes(pickle.dumps(rounds))
        return
    fitted: list[WordInRoom] = []
    tried: list[WordInRoom] = []
    for file in sorted(arguments.folder.glob("words-*.pickle")):
        rounds = pickle.loads(file.read_bytes())  # noqa: S301
        border = len(rounds) * 3 // 4 // _WORDS_A_ROOM * _WORDS_A_ROOM
        fitted += rounds[:border]
        tried += rounds[border:]
    network = train(fitted)
    counts = {"fitted": len(fitted), "tried": len(tried)}
    print(json.dumps(counts | {"right": share_right(tried, network)}))
    if arguments.write:
        arrays = {name: getattr(network, name).astype(np.float32) for name in network.__slots__}
        with NETWORK.open("wb") as file:
            np.savez_compressed(file, **arrays)


if __name__ == "__main__":
    main()
