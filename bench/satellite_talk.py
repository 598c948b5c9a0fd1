"""Talking over the reply: how soon it is silent, and how often it is for nothing."""

import random
from typing import Any

import numpy as np

from bench.satellite_data import Data, reply, room, speech_start
from bench.satellite_rooms import Room, Simulation, Wave
from satellite.barge_in import Talk
from satellite.frontend import FrontEndSettings, WebRtc
from satellite.wake.engine import NoWake


def barge_in(data: Data, minutes: float, talks: int, *, noise: bool) -> list[dict[str, Any]]:
    """False stops over replies nobody talks into, and the time until a talker is given room."""
    rng = random.Random(2)  # noqa: S311 - chooses recordings
    _false_stops(data, rng, minutes, noise)
    _echo_pairs(data, noise)
    return [{"what": "barge-in", "delays_ms": _talkers(data, rng, talks, noise)}]


def _false_stops(data: Data, rng: random.Random, minutes: float, noise: bool) -> None:
    counts = dict.fromkeys(Talk, 0)
    heard = 0.0
    while heard < minutes * 60:
        for at, what in _simulate(data, rng, np.zeros(30 * 16_000, np.float32), noise):
            if isinstance(what, Talk):
                counts[what] += 1
                if what is Talk.REAL:
                    heard += at - 30
                    break
        heard += 30
    print(
        f"barge-in, nobody speaks, {heard / 60:.1f} min of replies in simulated rooms: "
        f"{counts[Talk.REAL]} false stops, {counts[Talk.LIKELY]} pauses that went on, "
        f"{counts[Talk.MAYBE]} times ducked"
    )


def _talkers(data: Data, rng: random.Random, talks: int, noise: bool) -> list[float]:
    delays: list[float] = []
    missed = before = 0
    commands = [entry for entry in data.of("command") if 2 < entry["seconds"] < 12]
    for _ in range(talks):
        command = data.wave(rng.choice(commands)["audio"])
        command *= rng.choice([6_000, 10_000, 16_000]) / max(1.0, float(np.abs(command).max()))
        # By then the echo canceller knows the room, as it does after a satellite's first reply.
        begin = rng.uniform(8, 12)
        onset = begin + speech_start(command)
        near = np.zeros(22 * 16_000, np.float32)
        piece = command[: len(near) - int(begin * 16_000)]
        near[int(begin * 16_000) : int(begin * 16_000) + len(piece)] = piece
        events = []
        for at, what in _simulate(data, rng, near, noise):
            events.append((at, what))
            if what is Talk.REAL:
                break
        ended = events[-1] if events else (0.0, None)
        if ended[1] is not Talk.REAL:
            missed += 1
        elif ended[0] < onset:
            before += 1
        else:
            # The first silence counts, although a pause may end once before the talker is believed.
            delays.append(1000 * max(0.0, _silences(events, onset)[0] - onset))
    print(
        f"barge-in, {talks} talkers: silence {np.percentile(delays, 50):.0f} ms (p50), "
        f"{np.percentile(delays, 95):.0f} ms (p95) after speech starts; {missed} not given room, "
        f"{before} stopped before they spoke"
    )
    return delays


def _silences(events: list[tuple[float, Any]], onset: float) -> list[float]:
    """Return when pauses began: those after `onset`, and one that lasted until then."""
    pauses = [at for at, what in events if what is Talk.LIKELY]
    ends = [at for at, what in events if what in (Talk.NONE, Talk.REAL)]
    return [at for at in pauses if at > onset or not any(at < end <= onset for end in ends)]


def _simulate(data: Data, rng: random.Random, near: Wave, noise: bool) -> Any:
    front_end = WebRtc(FrontEndSettings(noise=noise), 16_000)
    played = reply(data, rng, len(near) / 16_000 + 1)
    return Simulation(room(data, rng), near, played, front_end, NoWake()).run(obey=True)


def _echo_pairs(data: Data, noise: bool) -> None:
    """Real recordings of a device that plays while nobody, or somebody, speaks."""
    references = {entry["pair"]: entry for entry in data.of("echo_ref")}
    for entry in data.of("echo_mic"):
        near = data.wave(entry["audio"])
        far = data.wave(references[entry["pair"]]["audio"])
        front_end = WebRtc(FrontEndSettings(noise=noise), 16_000)
        silent = Room(np.ones(1, np.float32), 0.0, 0.0, 0.0)
        found = [
            f"{what.name} at {at:.1f} s"
            for at, what in Simulation(silent, near, far, front_end, NoWake()).run(obey=False)
            if isinstance(what, Talk)
        ]
        # The recording goes on where we would have paused: only its first event is ours.
        print(f"  recorded pair, {entry['scenario']}: {', '.join(found) or 'nothing'}")
