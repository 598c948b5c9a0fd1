"""Second stage at the wake word: does the voice that says it tell the household from a television?

    python -m bench.wake_speaker DATA fit
    python -m bench.wake_speaker DATA measure --threshold 0.5 [--seconds 1.0]
    python -m bench.wake_speaker DATA delay

People are split by name into two halves. `readers` have a profile of five clips of 2 s, as an
enrolment makes it, and say `--seconds` of another sentence in place of a wake word: no recordings
hold both of one person. `words` are the people of the recorded wake words, told apart by the
clustering of an embedding, which flatters; a profile there is of a person's other wake words.

Households are four random people of a half, and all others of it are on television: their speech
above music with vocals, or above the babble of four others, 6 dB below, through a room. People of
the household speak clean, in a room, and with kitchen noise 12 dB below.

`delay` prints how long a satellite waits for the answer of a service on this machine.
`fit` prints, for lengths and thresholds, the share of household wakes that is lost and the share
of television wakes that is stopped; `measure` does so for one threshold on the other half.
"""

import argparse
import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from wyoming.info import Info

from bench.room_acoustics import Random, Wave, convolve, measured_places
from bench.satellite_data import Data, mixed
from bench.speakers import half, people
from satellite.wake.household import RemoteWakeVoices
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.audio.vad import VAD_FRAME_SAMPLES
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.model_thread import ModelThread
from wyoming_common.models import ModelStore
from wyoming_common.net.server import serve
from wyoming_stt.audio.vad import SileroModel, VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.handler import SttHandler
from wyoming_stt.service import SttService
from wyoming_stt.speakers.campplus import CAMPPLUS, CamPlusPlus
from wyoming_stt.speakers.engine import Embedding, SpeakerModel, unit
from wyoming_stt.speakers.household import Household
from wyoming_stt.speakers.profiles import VoiceProfiles, made_now

GROUPS = ("readers", "words")
LENGTHS = (0.7, 1.0, 1.5, 2.0)
_ENROLLED = 5
_MIN_WORDS = 3
_TELEVISION_DB = 6.0
_NOISE_DB = 12.0
_HOUSEHOLD = 4
_HOUSEHOLDS = 200
_TALKERS = 4


@dataclass(slots=True)
class Person:
    """Embeddings of one person: of clean clips, and of what is tried in each condition."""

    enrolled: list[Embedding] = field(default_factory=list)
    home: dict[str, list[Embedding]] = field(default_factory=lambda: defaultdict(list))
    television: dict[str, list[Embedding]] = field(default_factory=lambda: defaultdict(list))
    own_words: bool = False
    """Whether what is tried is also among the enrolled, and left out of the profile for itself"""

    def centre(self, without: int | None = None) -> Embedding:
        """Return the centre of the profile; `without` a clip where that is the one tried."""
        leave = without if self.own_words else None
        kept = [one for number, one in enumerate(self.enrolled) if number != leave]
        return unit(np.sum(kept, axis=0))


def wake_words(data: Data) -> dict[str, list[Wave]]:
    """Return 2 s up to the end of each recorded wake word, of people who said several."""
    clips: dict[str, list[Wave]] = defaultdict(list)
    vad = SileroModel()
    for entry in data.of("wake"):
        if entry.get("speaker_source") == "embedding cluster":
            wave = data.wave(entry["audio"])
            end = _speech_end(wave, vad) + MODEL_RATE // 10
            clips[entry["speaker"]].append(wave[max(0, end - 2 * MODEL_RATE) : end])
    return {name: own for name, own in sorted(clips.items()) if len(own) >= _MIN_WORDS}


def _speech_end(wave: Wave, vad: SileroModel) -> int:
    frames = len(wave) // VAD_FRAME_SAMPLES
    pcm = wave[: frames * VAD_FRAME_SAMPLES].astype("<i2").tobytes()
    speech = np.flatnonzero(vad.stream().process(pcm) > 0.5)
    return (int(speech[-1]) + 1 if len(speech) else frames) * VAD_FRAME_SAMPLES


def embedded(
    data: Data,
    clips: dict[str, list[Wave]],
    model: SpeakerModel,
    seconds: float,
    *,
    words: bool,
    seed: int = 1,
) -> dict[str, Person]:
    """Return everybody's embeddings. The last `seconds` of a wake word are tried, else the first.

    `clips` of readers are 2 s long; the first five are enrolled.
    """
    random = np.random.default_rng(seed)
    kitchen = _noises(data, "kitchen", "dishes", "tap")
    vocals = _noises(data, "music with vocals")
    size = round(seconds * MODEL_RATE)
    found: dict[str, Person] = {}
    for name, own in clips.items():
        person = Person(own_words=words)
        enrolled = own if words else own[:_ENROLLED]
        # A profile is of sentences, or of whole wake words with what was before them.
        person.enrolled = [_embed(model, wave) for wave in enrolled]
        for wave in own if words else own[_ENROLLED:]:
            said = wave[-size:] if words else wave[:size]
            room = _in_room(random, data, said)
            person.home["clean"].append(_embed(model, said))
            person.home["room"].append(_embed(model, room))
            noise = kitchen[int(random.integers(len(kitchen)))]
            person.home["kitchen"].append(
                _embed(model, mixed(said, _from(random, noise), _NOISE_DB))
            )
            music = mixed(said, _from(random, vocals[0]), _TELEVISION_DB)
            person.television["music"].append(_embed(model, _in_room(random, data, music)))
            others = [other for other in clips if other != name]
            talkers = random.choice(others, min(_TALKERS, len(others)), replace=False)
            babble = np.sum([np.resize(clips[str(one)][0], size) for one in talkers], axis=0)
            film = mixed(said, babble.astype(np.float32), _TELEVISION_DB)
            person.television["babble"].append(_embed(model, _in_room(random, data, film)))
        found[name] = person
    return found


def _embed(model: SpeakerModel, wave: Wave) -> Embedding:
    return model.embed(np.asarray(wave / 32768, np.float32))


def _in_room(random: Random, data: Data, wave: Wave) -> Wave:
    [place] = measured_places(random, data.responses, 1)
    return np.asarray(convolve(wave, place.response)[: len(wave)], np.float32)


def _noises(data: Data, *kinds: str) -> list[Wave]:
    return [
        data.wave(entry["audio"])
        for entry in data.of("noise")
        if any(kind in (entry.get("noise_type") or "") for kind in kinds)
    ]


def _from(random: Random, noise: Wave) -> Wave:
    return np.roll(noise, int(random.integers(len(noise))))


Scores = dict[str, list[float]]
"""Similarities to the best profile of a household, by condition"""


def scores(persons: dict[str, Person], seed: int = 1) -> tuple[Scores, Scores]:
    """Return the similarities of the wakes of random households, and of television."""
    random = np.random.default_rng(seed)
    names = list(persons)
    home: Scores = defaultdict(list)
    television: Scores = defaultdict(list)
    for _ in range(_HOUSEHOLDS):
        members = {str(name) for name in random.choice(names, _HOUSEHOLD, replace=False)}
        centres = {name: persons[name].centre() for name in members}
        for name in names:
            if name not in members:
                for condition, said in persons[name].television.items():
                    television[condition] += [_best(one, centres.values()) for one in said]
                continue
            others = [centre for other, centre in centres.items() if other != name]
            for condition, said in persons[name].home.items():
                home[condition] += [
                    _best(one, [*others, persons[name].centre(number)])
                    for number, one in enumerate(said)
                ]
    return home, television


def _best(one: Embedding, centres: Iterable[Embedding]) -> float:
    return max(float(centre @ one) for centre in centres)


def row(home: Scores, television: Scores, threshold: float) -> dict[str, object]:
    """Return what a threshold loses and stops, in percent, altogether and by condition."""

    def below(said: Scores) -> dict[str, float]:
        shares = {
            key: round(100 * float(np.mean(np.array(values) < threshold)), 1)
            for key, values in said.items()
        }
        return {"all": round(sum(shares.values()) / len(shares), 1)} | shares

    return {
        "threshold": round(threshold, 2),
        "lost_percent": below(home),
        "stopped_percent": below(television),
    }


def at_loss(home: Scores, percent: float) -> float:
    """Return the threshold at which a share of the household's wakes is lost."""
    return float(np.percentile(np.concatenate([np.array(one) for one in home.values()]), percent))


async def delay(model: SpeakerModel, folder: Path, count: int = 100) -> dict[str, float]:
    """Return the time that a wake word waits for the answer of a service, in milliseconds."""
    sound = np.random.default_rng(1).normal(0, 0.1, MODEL_RATE).astype(np.float32)
    pcm = (sound * 32767).astype("<i2").tobytes()
    VoiceProfiles([folder]).save(made_now("Anna", [model.embed(sound)] * 5))
    household = Household([folder], learns=False, make_model=lambda: model)
    service = SttService(
        SttSettings(), [], ModelThread[VadModel]("vad", SileroModel), household=household
    )
    waits = []
    async with (
        serve("tcp://127.0.0.1:0", Info, partial(SttHandler, service)) as uri,
        RemoteWakeVoices(uri, seconds=10) as voices,
    ):
        for _ in range(count):
            answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            began = time.perf_counter()
            voices.judge(pcm, answered.set_result)
            await answered
            waits.append(1000 * (time.perf_counter() - began))
    await household.aclose()
    return {
        "delay_ms_p50": round(float(np.percentile(waits, 50)), 1),
        "delay_ms_p95": round(float(np.percentile(waits, 95)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("action", choices=("fit", "measure", "delay"))
    parser.add_argument("--data-dir", type=Path, default=DEFAULT_DATA_DIR)
    parser.add_argument("--groups", default=",".join(GROUPS))
    parser.add_argument("--seconds", type=float, default=0.0, help="default: several lengths")
    parser.add_argument("--threshold", type=float, default=0.0, help="for measure")
    arguments = parser.parse_args()
    data = Data(arguments.data)
    model = CamPlusPlus(ModelStore([arguments.data_dir]).ensure(CAMPPLUS))
    if arguments.action == "delay":
        with TemporaryDirectory() as folder:
            print(json.dumps(asyncio.run(delay(model, Path(folder)))))
        return
    wanted = 0 if arguments.action == "fit" else 1
    for group in arguments.groups.split(","):
        words = group == "words"
        clips = wake_words(data) if words else people(data, "books")
        clips = {name: own for name, own in clips.items() if half(name) == wanted}
        for seconds in (arguments.seconds,) if arguments.seconds else LENGTHS:
            persons = embedded(data, clips, model, seconds, words=words)
            home, television = scores(persons)
            shared = {"group": group, "people": len(persons), "seconds": seconds}
            thresholds = [arguments.threshold] if arguments.threshold else []
            if arguments.action == "fit":
                thresholds = [at_loss(home, percent) for percent in (0.5, 1.0, 2.0, 5.0, 10.0)]
            for threshold in thresholds:
                print(json.dumps(shared | row(home, television, threshold)), flush=True)


if __name__ == "__main__":
    main()
