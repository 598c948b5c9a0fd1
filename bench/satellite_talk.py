"""Barge-in: the time until the reply is silent, and false stops."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.satellite_data import Data, reply, room, speech_start
from bench.satellite_rooms import Room, Simulation, Wave
from satellite.audio.frontend import FrontEndSettings, WebRtc
from satellite.core.barge_in import BargeInEvent
from satellite.wake.engine import NoWake


@dataclass(frozen=True, slots=True)
class Case:
    """Number and kind of talkers over replies."""

    minutes: float
    """Length of replies without a talker."""
    talks: int
    by: str
    """Kind of the recordings that talk."""
    seed: int
    noise: bool
    """Whether noise suppression is on."""


def barge_in(data: Data, case: Case) -> Iterator[dict[str, Any]]:
    """Count false stops without a talker, and time the silence after a talker begins."""
    rng = random.Random(case.seed)  # noqa: S311 - chooses recordings
    told = {"what": "barge-in", "by": case.by, "seed": case.seed}
    yield told | _false_stops(data, rng, case.minutes, case.noise)
    _echo_pairs(data, case.noise)
    yield told | _talkers(data, rng, case)


def _false_stops(data: Data, rng: random.Random, minutes: float, noise: bool) -> dict[str, Any]:
    counts = dict.fromkeys(BargeInEvent, 0)
    heard = 0.0
    while heard < minutes * 60:
        for at, what in _simulate(data, rng, np.zeros(30 * 16_000, np.float32), noise):
            if isinstance(what, BargeInEvent):
                counts[what] += 1
                if what is BargeInEvent.CONFIRMED:
                    heard += at - 30
                    break
        heard += 30
    print(
        f"barge-in, no talker, {heard / 60:.1f} min of replies in simulated rooms: "
        f"{counts[BargeInEvent.CONFIRMED]} false stops, "
        f"{counts[BargeInEvent.LIKELY]} pauses that went on, "
        f"{counts[BargeInEvent.POSSIBLE]} times ducked"
    )
    stops = {
        "stops": counts[BargeInEvent.CONFIRMED],
        "pauses": counts[BargeInEvent.LIKELY],
        "ducks": counts[BargeInEvent.POSSIBLE],
    }
    return {"minutes": heard / 60} | stops


def _talkers(data: Data, rng: random.Random, case: Case) -> dict[str, Any]:
    delays: list[float] = []
    missed = before = 0
    commands = [entry for entry in data.of(case.by) if 2 < entry["seconds"] < 12]
    for _ in range(case.talks):
        command = data.wave(rng.choice(commands)["audio"])
        command *= rng.choice([6_000, 10_000, 16_000]) / max(1.0, float(np.abs(command).max()))
        # By then the echo canceller knows the room, as it does after a satellite's first reply.
        begin = rng.uniform(8, 12)
        onset = begin + speech_start(command)
        near = np.zeros(22 * 16_000, np.float32)
        piece = command[: len(near) - int(begin * 16_000)]
        near[int(begin * 16_000) : int(begin * 16_000) + len(piece)] = piece
        events = []
        for at, what in _simulate(data, rng, near, case.noise):
            events.append((at, what))
            if what is BargeInEvent.CONFIRMED:
                break
        ended = events[-1] if events else (0.0, None)
        if ended[1] is not BargeInEvent.CONFIRMED:
            missed += 1
        elif ended[0] < onset:
            before += 1
        else:
            # The first silence counts, although a pause may end once before the talker is believed.
            delays.append(1000 * max(0.0, _silences(events, onset)[0] - onset))
    p50, p95 = np.percentile(delays, [50, 95])
    print(
        f"barge-in, {case.talks} talkers ({case.by}): silence {p50:.0f} ms (p50), {p95:.0f} ms "
        f"(p95) after speech starts; {missed} not given room, {before} stopped before they spoke"
    )
    return {"delays_ms": [round(delay) for delay in delays], "missed": missed, "before": before}


def _silences(events: list[tuple[float, Any]], onset: float) -> list[float]:
    """Return when pauses began: those after `onset`, and one that lasted until then."""
    pauses = [at for at, what in events if what is BargeInEvent.LIKELY]
    ends = [at for at, what in events if what in (BargeInEvent.FALSE_ALARM, BargeInEvent.CONFIRMED)]
    return [at for at in pauses if at > onset or not any(at < end <= onset for end in ends)]


def _simulate(data: Data, rng: random.Random, near: Wave, noise: bool) -> Any:
    front_end = WebRtc(FrontEndSettings(noise=noise), 16_000)
    played = reply(data, rng, len(near) / 16_000 + 1)
    return Simulation(room(data, rng), near, played, front_end, NoWake()).run(obey=True)


def _echo_pairs(data: Data, noise: bool) -> None:
    """Run real recordings of a device that plays, with and without a talker."""
    references = {entry["pair"]: entry for entry in data.of("echo_ref")}
    for entry in data.of("echo_mic"):
        near = data.wave(entry["audio"])
        far = data.wave(references[entry["pair"]]["audio"])
        front_end = WebRtc(FrontEndSettings(noise=noise), 16_000)
        silent = Room(np.ones(1, np.float32), 0.0, 0.0, 0.0)
        found = [
            f"{what.name} at {at:.1f} s"
            for at, what in Simulation(silent, near, far, front_end, NoWake()).run(obey=False)
            if isinstance(what, BargeInEvent)
        ]
        # The recording goes on where we would have paused: only its first event is ours.
        print(f"  recorded pair, {entry['scenario']}: {', '.join(found) or 'nothing'}")
