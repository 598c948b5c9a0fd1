"""Recognition of speakers: equal error rate, wrong accepts and rejects, and the time it takes.

    python -m bench.speakers DATA fit
    python -m bench.speakers DATA measure [--tried-seconds 1]
    python -m bench.speakers DATA renew

`renew` prints, of both halves, how alike the centre of several clips is to the profile of the same
person and of others, by which a voice lesson may replace a profile.

People are split by name into two halves: `fit` prints what thresholds would do on one, `measure`
what `wyoming_stt.speakers.identification` does on the other. A clip is 2 s in which a person
speaks; a clip that is tried is its first `--tried-seconds`. `books` are readers of
LibriSpeech, named by their publisher. `orders` are the people of the spoken orders, who were told
apart by the clustering of an embedding: their figures flatter.

A profile is made of five clean clips. Further clips of its owner and all clips of the others are
tried as they are, in a room (a recorded impulse response at 0.5 to 2.5 m), and with kitchen noise
12 dB below.
"""

import argparse
import json
import time
import zlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.room_acoustics import Wave, convolve, measured_places
from bench.satellite_data import Data, mixed
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.audio.vad import VAD_FRAME_SAMPLES
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.models import ModelStore
from wyoming_common.protocol.spoken_by import GUEST
from wyoming_stt.audio.vad import SileroModel
from wyoming_stt.speakers.campplus import CAMPPLUS, CamPlusPlus
from wyoming_stt.speakers.engine import Embedding, SpeakerModel, unit
from wyoming_stt.speakers.identification import MARGIN, THRESHOLD, decide
from wyoming_stt.speakers.profiles import VoiceProfile, made_now

CONDITIONS = ("clean", "room", "kitchen")
_CLIP_SAMPLES = 2 * MODEL_RATE
_ENROLLED = 5
_MAX_CLIPS = 12
_MIN_SPEECH = 0.6
"""Share of the frames of a clip that hold speech"""
_NOISE_DB = 12.0
_HOUSEHOLD = 4
_HOUSEHOLDS = 200

Voices = dict[str, dict[str, list[Embedding]]]
"""Embeddings of the clips of each person in each condition"""


def people(data: Data, group: str) -> dict[str, list[Wave]]:
    """Return clips of 2 s, of each person who has enough of them."""
    clips: dict[str, list[Wave]] = defaultdict(list)
    vad = SileroModel()
    for entry in data.entries:
        if _group(entry) == group:
            clips[entry["speaker"]] += _cut(data.wave(entry["audio"]), vad)
    return {name: own[:_MAX_CLIPS] for name, own in sorted(clips.items()) if len(own) > _ENROLLED}


def _group(entry: dict[str, Any]) -> str | None:
    if "LibriSpeech" in entry["source"] and (entry.get("speaker") or "").startswith("librispeech"):
        return "books"
    if entry.get("speaker_source") == "embedding cluster":
        return "orders" if entry["kind"] == "command" else None
    return None


def _cut(wave: Wave, vad: SileroModel) -> list[Wave]:
    """Return the pieces of 2 s that hold speech, from its beginning on."""
    frames = len(wave) // VAD_FRAME_SAMPLES
    pcm = wave[: frames * VAD_FRAME_SAMPLES].astype("<i2").tobytes()
    speech = vad.stream().process(pcm) > 0.5
    if not speech.any():
        return []
    pieces, at = [], int(np.argmax(speech))
    size = _CLIP_SAMPLES // VAD_FRAME_SAMPLES
    while at + size <= frames:
        if speech[at : at + size].mean() >= _MIN_SPEECH:
            start = at * VAD_FRAME_SAMPLES
            pieces.append(wave[start : start + _CLIP_SAMPLES])
            at += size
        else:
            at += 1
    return pieces


def half(name: str) -> int:
    return zlib.crc32(name.encode()) % 2


def embeddings(
    data: Data,
    clips: dict[str, list[Wave]],
    model: SpeakerModel,
    tried_samples: int = _CLIP_SAMPLES,
    seed: int = 1,
) -> Voices:
    """Return the embeddings of all clips in every condition."""
    random = np.random.default_rng(seed)
    kinds = ("kitchen", "dishes", "tap")
    kitchen = [
        data.wave(entry["audio"])
        for entry in data.of("noise")
        if any(kind in (entry.get("noise_type") or "") for kind in kinds)
    ]
    voices: Voices = {}
    for name, own in clips.items():
        sounds: dict[str, list[Wave]] = {condition: [] for condition in CONDITIONS}
        for clip in own:
            sounds["clean"].append(clip)
            [place] = measured_places(random, data.responses, 1)
            sounds["room"].append(convolve(clip, place.response)[:_CLIP_SAMPLES])
            noise = np.roll(kitchen[int(random.integers(len(kitchen)))], random.integers(1 << 16))
            sounds["kitchen"].append(mixed(clip, noise, _NOISE_DB))
        voices[name] = {
            condition: [
                model.embed(wave[: _samples(condition, number, tried_samples)] / np.float32(32768))
                for number, wave in enumerate(waves)
            ]
            for condition, waves in sounds.items()
        }
    return voices


def _samples(condition: str, number: int, tried: int) -> int:
    return _CLIP_SAMPLES if condition == "clean" and number < _ENROLLED else tried


def scores(voices: Voices, condition: str) -> tuple[list[float], list[float]]:
    """Return the similarities of profiles to further clips of their owners, and to others'."""
    own, others = [], []
    for name, clips in voices.items():
        centre = _profile(name, voices).centre
        own += [float(centre @ one) for one in clips[condition][_ENROLLED:]]
        others += [
            float(centre @ one)
            for other, theirs in voices.items()
            if other != name
            for one in theirs[condition]
        ]
    return own, others


def pairs(voices: Voices, condition: str) -> tuple[list[float], list[float]]:
    """Return the similarities of single clips, of one person and of two."""
    own, others = [], []
    names = list(voices)
    for number, name in enumerate(names):
        clips = voices[name]["clean"], voices[name][condition]
        own += [
            float(one @ other)
            for i, one in enumerate(clips[0])
            for j, other in enumerate(clips[1])
            if i != j
        ]
        for other_name in names[number + 1 :]:
            others += [float(a @ b) for a in clips[0] for b in voices[other_name][condition]]
    return own, others


def equal_error(own: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Return the equal error rate in percent, and the threshold at which it is."""
    levels = np.sort(np.concatenate([own, others]))
    kept_out = np.searchsorted(np.sort(own), levels) / len(own)
    let_in = 1 - np.searchsorted(np.sort(others), levels) / len(others)
    best = int(np.argmin(np.abs(kept_out - let_in)))
    return round(50 * float(kept_out[best] + let_in[best]), 2), float(levels[best])


def _profile(name: str, voices: Voices) -> VoiceProfile:
    return made_now(name, voices[name]["clean"][:_ENROLLED])


def households(voices: Voices, condition: str, seed: int = 1) -> dict[str, float]:
    """Return what is decided in random households of four, in percent."""
    random = np.random.default_rng(seed)
    names = list(voices)
    counts = dict.fromkeys(("members", "kept_out", "confused", "guests", "let_in"), 0)
    for _ in range(_HOUSEHOLDS):
        members = [str(name) for name in random.choice(names, _HOUSEHOLD, replace=False)]
        profiles = [_profile(name, voices) for name in members]
        for name in names:
            at_home = name in members
            for one in voices[name][condition][_ENROLLED if at_home else 0 :]:
                said = decide(one, profiles).name
                counts["members" if at_home else "guests"] += 1
                counts["kept_out"] += at_home and said == GUEST
                counts["confused"] += at_home and said not in (GUEST, name)
                counts["let_in"] += not at_home and said != GUEST
    return {
        key: round(100 * counts[key] / counts["guests" if key == "let_in" else "members"], 2)
        for key in ("kept_out", "confused", "let_in")
    }


def fit(voices: Voices) -> list[dict[str, object]]:
    """Return what thresholds would do, over all conditions together."""
    both = [scores(voices, condition) for condition in CONDITIONS]
    own = np.concatenate([one for one, _ in both])
    others = np.concatenate([other for _, other in both])
    rows: list[dict[str, object]] = [
        {"equal_error_percent": (found := equal_error(list(own), list(others)))[0], "at": found[1]}
    ]
    return rows + [
        {
            "threshold": round(float(level), 2),
            "let_in_percent": round(100 * float(np.mean(others >= level)), 2),
            "kept_out_percent": round(100 * float(np.mean(own < level)), 2),
        }
        for level in np.arange(0.30, 0.72, 0.02)
    ]


def measure(voices: Voices) -> list[dict[str, object]]:
    """Return the figures of each condition."""
    rows: list[dict[str, object]] = []
    for condition in CONDITIONS:
        own, others = scores(voices, condition)
        rows.append(
            {
                "condition": condition,
                "people": len(voices),
                "own": len(own),
                "others": len(others),
                "pair_equal_error_percent": equal_error(*pairs(voices, condition))[0],
                "equal_error_percent": equal_error(own, others)[0],
                "let_in_percent": round(100 * float(np.mean(np.array(others) >= THRESHOLD)), 2),
                "kept_out_percent": round(100 * float(np.mean(np.array(own) < THRESHOLD)), 2),
                "household_of_four": (
                    households(voices, condition) if len(voices) > _HOUSEHOLD else None
                ),
            }
        )
    return rows


def renewals(voices: Voices, seed: int = 0) -> list[dict[str, object]]:
    """Return the similarities of the centres of two and of five clips to profiles."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for count in (2, 5):
        own: list[float] = []
        others: list[float] = []
        for name in voices:
            centre = _profile(name, voices).centre
            for other, clips in voices.items():
                for condition in CONDITIONS:
                    pool = clips[condition][_ENROLLED if other == name else 0 :]
                    for _ in range(10 if len(pool) >= count else 0):
                        chosen = random.choice(len(pool), count, replace=False)
                        alike = float(unit(np.sum([pool[i] for i in chosen], axis=0)) @ centre)
                        (own if other == name else others).append(alike)
        rows.append(
            {
                "clips": count,
                "own": len(own),
                "lowest_own": round(min(own, default=0.0), 2),
                "highest_other": round(max(others, default=0.0), 2),
            }
        )
    return rows


def cost(model: SpeakerModel, count: int = 60) -> dict[str, float]:
    """Return processor time for 2 s of speech, in milliseconds."""
    sound = np.random.default_rng(1).normal(0, 0.1, _CLIP_SAMPLES).astype(np.float32)
    spent = []
    for _ in range(count):
        began = time.thread_time()
        model.embed(sound)
        spent.append(1000 * (time.thread_time() - began))
    return {
        "cpu_ms_p50": round(float(np.percentile(spent, 50)), 1),
        "cpu_ms_p95": round(float(np.percentile(spent, 95)), 1),
    }


def _print_renewals(data: Data, model: SpeakerModel, groups: Sequence[str]) -> None:
    for group in groups:
        everyone = people(data, group)
        for number in (0, 1):
            some = {name: own for name, own in everyone.items() if half(name) == number}
            for row in renewals(embeddings(data, some, model)):
                print(json.dumps({"group": group, "half": number} | row), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("action", choices=("fit", "measure", "renew"))
    parser.add_argument("--data-dir", type=Path, default=DEFAULT_DATA_DIR)
    parser.add_argument("--groups", default="books,orders")
    parser.add_argument("--tried-seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    data = Data(arguments.data)
    model = CamPlusPlus(ModelStore([arguments.data_dir]).ensure(CAMPPLUS))
    wanted = 0 if arguments.action == "fit" else 1
    if arguments.action == "renew":
        _print_renewals(data, model, arguments.groups.split(","))
        return
    for group in arguments.groups.split(","):
        clips = {n: own for n, own in people(data, group).items() if half(n) == wanted}
        if len(clips) < 2:
            print(json.dumps({"group": group, "people": len(clips)}))
            continue
        voices = embeddings(data, clips, model, int(arguments.tried_seconds * MODEL_RATE))
        for row in fit(voices) if arguments.action == "fit" else measure(voices):
            print(json.dumps({"group": group} | row))
    if arguments.action == "measure":
        print(json.dumps({"threshold": THRESHOLD, "margin": MARGIN} | cost(model)))


if __name__ == "__main__":
    main()
