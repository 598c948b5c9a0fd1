#!/usr/bin/env python3
"""Round trip: numbers in sentences, spoken by our text-to-speech and by stock Piper, read back.

    python -m bench.tts_roundtrip --whisper FOLDER [--voice FOLDER] [--language en] [--sentences N]
    python -m bench.tts_roundtrip --stt tcp://127.0.0.1:10300 ...

With `--stt` a running `wyoming-stt` listens. FOLDER of --voice holds a Piper voice; without it both
sides speak by espeak-ng, ours with the normalised text and the other with the text as it is
written. --diphones names voices of the installed espeak-ng (`mb/mb-de6` of Debian's package
mbrola-de6), which are understood more often than the formants of espeak-ng. Sentences hold
numbers, dates, times, units, sums and names, made from templates of the language. Whisper writes
down what it understands, several sentences at a time; a sentence is right when its numbers come
back, as digits or as words. The first voice says all of them. Where the other side alone is right,
ours is said again, alone, at two other paces and in the other voices: it is lost if never right. Fails where one is lost, unless both say
the numbers that were misheard of us in the same phonemes: then a voice or the recogniser failed by
chance. `--losses` looks for such sentences alone: the other side is asked where ours was not
understood, and neither where both have the same phonemes.
"""

import argparse
import asyncio
import itertools
import random
import re
import subprocess
import tempfile
import time
import unicodedata
import wave
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error

from bench.normalization import LOCALES
from tests.engines.espeak import speak as espeak
from wyoming_tts.config import TtsSettings
from wyoming_tts.engines.piper.engine import PiperEngine
from wyoming_tts.phonemes.espeak import EspeakPhonemizer
from wyoming_tts.phonemes.number_words import in_parts
from wyoming_tts.synthesis.synthesizer import Synthesizer
from wyoming_tts.text.languages import boundaries_of
from wyoming_tts.text.normalization import spoken
from wyoming_tts.text.numbers import speller
from wyoming_tts.text.sentences import PlainScript

# ruff: noqa: E501 - sentences on one line


class Say(Protocol):
    """Text to speech: mono, 16 kHz, -1 to 1; `pace` is a factor on its speed."""

    def __call__(self, text: str, pace: float = 1.0) -> NDArray[np.float32]: ...


_PACES = (1.0, 0.85, 1.15)
"""At which a sentence is said again, alone, before it counts as lost"""
_RATE = 16_000
_WINDOW_SECONDS = 27.0
_PAUSE = np.zeros(int(1.2 * _RATE), np.float32)
_WORDS_A_MINUTE = 130
_MAX_WORDS = 9
"""Words of one number"""
_ARTICLES = frozenset({"un", "una", "une", "uno", "ein", "eine", "einen", "een", "eins"})
_PERCENT = frozenset({"pour", "por", "per"})
"""Before the hundred of "per cent\" in one of the languages"""
_YEARS = range(1100, 2100)
_SERVICE_SECONDS = 120.0
_PART = 20
"""Sentences compared in one go"""
ESPEAK = {"en": "en-us", "de": "de", "fr": "fr", "es": "es", "it": "it", "nl": "nl"}
TEMPLATES = {
    "en": (
        "The kitchen lights are set to {n}%.", "It is {d} °C in the bedroom.", "Your alarm is set for {h12}:{m} AM.",
        "The train to Boston leaves at {h}:{m} from platform {s}.", "Dr. Miller will see you on March {day}.",
        "I added {n} kg of flour to your list.", "The bill from Greenfield Energy is ${n}.{c}.", "Outside it is -{s} °C with {n}% humidity.",
        "The package arrives on {month}/{day}/2026.", "Turn left after {n}00 m, then drive {s} km.", "The house was built in 19{c}.",
        "The marathon is {d} km long.", "Olivia finished in {s} hours and {n} minutes.", "Room {n}, floor {s}, seat {n}.",
    ),
    "de": (
        "Das Licht in der Küche ist auf {n} %.", "Es sind {d} °C im Schlafzimmer.", "Der Wecker ist auf {h}:{m} Uhr gestellt.",
        "Am {day}. März kommt Herr Müller.", "Das kostet {n},{c} €.", "Draußen sind es -{s} °C.", "Das Paket kommt am {day}.{month}.2026.",
        "Nach {n} km links abbiegen.", "Das Haus wurde 19{c} gebaut.", "Noch {n} Minuten und {s} Sekunden.",
    ),
    "fr": (
        "La lumière de la cuisine est à {n} %.", "Il fait {d} °C dans la chambre.", "Le train part à {h}h{m}.",
        "Le {day} mars, Mme Dupont arrive.", "Cela coûte {n},{c} €.", "Dehors il fait -{s} °C.", "Le colis arrive le {day}/{month}/2026.",
        "Tournez à gauche après {n} km.", "Il reste {n} minutes et {s} secondes.",
    ),
    "es": (
        "La luz de la cocina está al {n} %.", "Hay {d} °C en el dormitorio.", "El tren sale a las {h}:{m}.", "El {day} de marzo viene el Sr. García.",
        "Cuesta {n},{c} €.", "Fuera hace -{s} °C.", "El paquete llega el {day}/{month}/2026.", "Gire a la izquierda después de {n} km.",
        "Quedan {n} minutos y {s} segundos.",
    ),
    "it": (
        "La luce della cucina è al {n} %.", "Ci sono {d} °C in camera.", "Il treno parte alle {h}:{m}.", "Il {day} marzo arriva il Sig. Rossi.",
        "Costa {n},{c} €.", "Fuori ci sono -{s} °C.", "Il pacco arriva il {day}/{month}/2026.", "Girare a sinistra dopo {n} km.",
        "Mancano {n} minuti e {s} secondi.",
    ),
    "nl": (
        "Het licht in de keuken staat op {n} %.", "Het is {d} °C in de slaapkamer.", "De trein vertrekt om {h}:{m} uur.", "Op {day} maart komt mevr. Jansen.",
        "Het kost € {n},{c}.", "Buiten is het -{s} °C.", "Het pakket komt op {day}-{month}-2026.", "Sla linksaf na {n} km.",
        "Nog {n} minuten en {s} seconden.",
    ),
}  # fmt: skip


def sentences(language: str, count: int, seed: int) -> list[str]:
    """Return `count` sentences of `language` ("en")."""
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    found = []
    for number in range(count):
        template = TEMPLATES[language][number % len(TEMPLATES[language])]
        found.append(
            template.format(
                n=random_.randint(11, 99),
                s=random_.randint(2, 12),
                d=f"{random_.randint(3, 38)}.{random_.randint(1, 9)}",
                c=random_.randint(11, 99),
                h=random_.randint(13, 23),
                h12=random_.randint(1, 11),
                m=random_.randint(11, 59),
                day=random_.randint(13, 28),
                month=f"{random_.randint(1, 12):02}",
            )
        )
    return found


def by_piper(folder: Path) -> tuple[Say, Say]:
    """Return our service and stock Piper with the voice in `folder`."""
    import piper  # its own import of espeak-ng, in this process

    stock = piper.PiperVoice.load(str(next(folder.glob("*.onnx"))))
    settings = TtsSettings(zeroconf="off", voice=str(folder), cache=0)
    ours = Synthesizer(PiperEngine(settings), settings).load()

    def say_stock(text: str, pace: float = 1.0) -> NDArray[np.float32]:  # noqa: ARG001
        audio = np.concatenate([chunk.audio_int16_array for chunk in stock.synthesize(text)])
        return _resampled(audio, int(stock.config.sample_rate))

    def say_ours(text: str, pace: float = 1.0) -> NDArray[np.float32]:
        request = ours.choose(None)
        script = PlainScript(boundaries_of(request.language), settings.first_clause)
        passages = [
            replace(passage, length=1 / pace) for passage in (*script.feed(text), *script.finish())
        ]
        pcm = b"".join(pcm for passage in passages for pcm in ours.speak(passage, request))
        return _resampled(np.frombuffer(pcm, np.int16), ours.rate(request))

    return say_ours, say_stock


def by_espeak(language: str) -> tuple[Say, Say]:
    """Return espeak-ng with normalised text, and with the text as it is."""
    voice = ESPEAK[language]

    def say_ours(text: str, pace: float = 1.0) -> NDArray[np.float32]:
        said = in_parts(read(text, language), voice)
        return espeak(said, voice, int(_WORDS_A_MINUTE * pace))

    def say_stock(text: str, pace: float = 1.0) -> NDArray[np.float32]:
        return espeak(text, voice, int(_WORDS_A_MINUTE * pace))

    return say_ours, say_stock


def by_diphones(language: str, voice: str) -> tuple[Say, Say]:
    """Return a voice of the installed espeak-ng with normalised text, and with it as it is."""

    def say(text: str, pace: float) -> NDArray[np.float32]:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            speed = str(int(_WORDS_A_MINUTE * pace))
            command = ["espeak-ng", "-v", voice, "-s", speed, "-w", file.name, "--stdin"]
            subprocess.run(command, input=text.encode(), check=True, stderr=subprocess.DEVNULL)
            with wave.open(file.name) as opened:
                audio = np.frombuffer(opened.readframes(opened.getnframes()), np.int16)
                return _resampled(audio, opened.getframerate())

    def say_ours(text: str, pace: float = 1.0) -> NDArray[np.float32]:
        return say(in_parts(read(text, language), ESPEAK[language]), pace)

    def say_stock(text: str, pace: float = 1.0) -> NDArray[np.float32]:
        return say(text, pace)

    return say_ours, say_stock


def by_service(uri: str, language: str) -> Callable[[NDArray[np.float32]], str]:
    """Return what a running speech-to-text service understands."""

    async def understand(pcm: bytes) -> str:
        async with asyncio.timeout(_SERVICE_SECONDS), AsyncClient.from_uri(uri) as client:
            await client.write_event(Transcribe(language=language).event())
            await client.write_event(AudioStart(_RATE, 2, 1).event())
            await client.write_event(AudioChunk(_RATE, 2, 1, pcm).event())
            await client.write_event(AudioStop().event())
            while (event := await client.read_event()) is not None:
                if Error.is_type(event.type):
                    raise RuntimeError(Error.from_event(event).text)
                if Transcript.is_type(event.type):
                    return Transcript.from_event(event).text
        return ""

    def understood(audio: NDArray[np.float32]) -> str:
        whole = np.concatenate((audio, _PAUSE))
        pcm = (np.clip(whole, -1, 1) * 32767).astype(np.int16).tobytes()
        return asyncio.run(understand(pcm))

    return understood


def by_whisper(whisper: WhisperModel, language: str) -> Callable[[NDArray[np.float32]], str]:
    """Return what faster-whisper understands."""

    def understood(audio: NDArray[np.float32]) -> str:
        segments, _ = whisper.transcribe(audio, language=language, beam_size=1)
        return " ".join(segment.text for segment in segments).strip()

    return understood


def read(text: str, language: str) -> str:
    """Return `text` as our text-to-speech reads it."""
    script = PlainScript(boundaries_of(LOCALES[language]))
    passages = (*script.feed(text), *script.finish())
    return " ".join(spoken(passage.text, LOCALES[language]) for passage in passages)


def _resampled(audio: NDArray[np.int16], rate: int) -> NDArray[np.float32]:
    return np.asarray(soxr.resample(audio.astype(np.float32) / 32768, rate, _RATE), np.float32)


def numbers(text: str, language: str) -> str:
    """Return the digits of `text`, whether they are written as digits or as words."""
    said = numbers_said(spoken(text, LOCALES[language]), language)
    return "".join(str(number) for number, _ in said)


def numbers_said(said: str, language: str) -> list[tuple[int, str]]:
    """Return the numbers of a text in words, each with its words."""
    written = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", said).replace("-", " "))
    words = [_plain(word) for word in written]
    values, at = _values(language), 0
    found: list[tuple[int, str]] = []
    while at < len(words):
        if words[at].isdecimal():  # It is left to the voice.
            found.append((int(words[at]), written[at]))
            at += 1
            continue
        end = next(
            (end for end in range(at + _MAX_WORDS, at, -1) if "".join(words[at:end]) in values), at
        )
        before = words[at - 1] if at else ""
        counted = before not in _PERCENT and (
            words[at] not in _ARTICLES
            or end > at + 1
            or (found and before == _plain(found[-1][1]).split()[-1])
            or before == _plain(speller(LOCALES[language]).point)
        )
        if end > at and counted:
            found.append((values["".join(words[at:end])], " ".join(written[at:end])))
        at = max(end, at + 1)
    return found


def misheard(heard: str, said: str, language: str) -> list[str]:
    """Return the words of the numbers in `said` that were not `heard`."""
    left = Counter(number for number, _ in numbers_said(spoken(heard, LOCALES[language]), language))
    missing = []
    for number, words in numbers_said(said, language):
        if not left[number]:
            missing.append(words)
        left[number] = max(0, left[number] - 1)
    return missing


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower().replace("-", " "))
    return "".join(one for one in decomposed if not unicodedata.combining(one))


@cache
def _values(language: str) -> dict[str, int]:
    """Return the numbers below ten thousand by their words, written together."""
    say, values = speller(LOCALES[language]), dict[str, int]()
    for number in range(10_000):
        year = say.year(number) if number in _YEARS else ""
        day = say.ordinal(number) if 0 < number < 32 else ""
        for words in (say.cardinal(number), year, day):
            for form in (words, *(re.sub(r"uno?$", one, words) for one in ("un", "una", "une"))):
                values.setdefault("".join(re.findall(r"[^\W_]+", _plain(form))), number)
            if language == "de" and words == day:
                values.setdefault(f"{_plain(words)}n", number)
    values.pop("", None)
    return values


@dataclass(frozen=True)
class Trial:
    """One sentence, as both sides said it and as the recogniser wrote it down; "" if not asked."""

    text: str
    ours: str
    stock: str
    right: bool
    lost: bool
    """Whether the other side alone was right"""
    alike: bool
    """Whether both sides have the same phonemes"""
    by_chance: bool = False
    """Whether a sentence is lost that both sides say in the same sounds, as far as it was misheard"""


class Comparison:
    """Both sides, the recogniser and the phonemizer, for one language."""

    def __init__(
        self,
        language: str,
        understood: Callable[[NDArray[np.float32]], str],
        whisper: WhisperModel | None,
        sides: Sequence[tuple[Say, Say]],
        losses: bool,
    ) -> None:
        """`whisper` listens to many sentences at once, where there is one.

        `sides` are both sides in each voice; the first says everything.
        """
        self._language = language
        self._understood = understood
        self._whisper = whisper
        self._ours, self._stock = sides[0]
        self._other_voices = [ours for ours, _ in sides[1:]]
        self._losses = losses
        self._espeak = EspeakPhonemizer()

    def compare(self, texts: list[str]) -> Iterator[Trial]:
        """Let both sides say each of `texts`; only as far as it takes to find losses, if wanted."""
        alike = {text: self._phonemes(read(text, self._language)) == self._phonemes(text)
                 for text in texts}  # fmt: skip
        asked = [text for text in texts if not (self._losses and alike[text])]
        ours = self._heard(asked, self._ours)
        doubtful = [text for text in asked if not (self._losses and self._right(ours[text], text))]
        stock = self._heard(doubtful, self._stock)
        for text in texts:
            if text not in ours:
                yield Trial(text, "", "", right=True, lost=False, alike=True)
                continue
            heard, other = ours[text], stock.get(text, "")
            right = self._right(heard, text)
            lost = not right and self._right(other, text)
            if lost:
                right = any(
                    self._right(self._understood(audio), text) for audio in self._again(text)
                )
                lost = not right
            chance = lost and (alike[text] or self._said_alike(heard, text))
            yield Trial(text, heard, other, right, lost, alike[text], chance)

    def _again(self, text: str) -> Iterator[NDArray[np.float32]]:
        """Yield our side's speech at other paces and in other voices."""
        for pace in _PACES:
            yield self._ours(text, pace)
        for ours in self._other_voices:
            yield ours(text)

    def _heard(self, texts: list[str], say: Say) -> dict[str, str]:
        """Return what is understood of `texts`."""
        if self._whisper is not None:
            return self._together(texts, say, self._whisper)
        return {text: self._understood(say(text)) for text in texts}

    def _said_alike(self, heard: str, text: str) -> bool:
        """Whether the other side says the numbers that were misheard of us in the same sounds."""
        sounds = self._sounds(text)
        missing = misheard(heard, read(text, self._language), self._language)
        return all(self._sounds(words) in sounds for words in missing)

    def _right(self, heard: str, text: str) -> bool:
        return numbers(heard, self._language) == numbers(text, self._language)

    def _together(self, texts: list[str], say: Say, whisper: WhisperModel) -> dict[str, str]:
        """Return what is understood of a side's speech, many sentences in one window of Whisper."""
        found = dict.fromkeys(texts, "")
        window: list[NDArray[np.float32]] = []
        spans: list[tuple[float, str]] = []
        seconds = 0.0
        for text in [*texts, None]:
            audio = say(text) if text is not None else _PAUSE
            if window and (text is None or seconds + len(audio) / _RATE > _WINDOW_SECONDS):
                segments, _ = whisper.transcribe(
                    np.concatenate(window),
                    language=self._language,
                    beam_size=1,
                    condition_on_previous_text=False,
                )
                for segment in segments:
                    middle = (segment.start + segment.end) / 2
                    owner = next((name for end, name in spans if middle < end), spans[-1][1])
                    found[owner] += segment.text
                window, spans, seconds = [], [], 0.0
            if text is not None:
                window += [audio, _PAUSE]
                seconds += (len(audio) + len(_PAUSE)) / _RATE
                spans.append((seconds, text))
        return found

    def _sounds(self, text: str) -> str:
        """Return the phonemes without the accents, which depend on the sentence."""
        return re.sub("[ˈˌ]", "", self._phonemes(text))

    def _phonemes(self, text: str) -> str:
        found = self._espeak.phonemize(ESPEAK[self._language], text)
        return "".join(filter(str.isalpha, "".join(itertools.chain(*found))))


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    listener = parser.add_mutually_exclusive_group(required=True)
    listener.add_argument("--whisper", type=Path, help="folder of a model for faster-whisper")
    listener.add_argument("--stt", help="address of a running wyoming-stt")
    parser.add_argument("--voice", type=Path)
    parser.add_argument(
        "--diphones", nargs="+", default=[], help="voices of the installed espeak-ng: mb/mb-de6"
    )
    parser.add_argument("--language", choices=sorted(TEMPLATES), default="en")
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--skip", type=int, default=0, help="sentences left out at the beginning")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--losses", action="store_true", help="see above")
    parser.add_argument("--verbose", action="store_true", help="print what was not understood")
    arguments = parser.parse_args()
    language = arguments.language
    whisper = (
        WhisperModel(str(arguments.whisper), compute_type="int8") if arguments.whisper else None
    )
    understood = by_whisper(whisper, language) if whisper else by_service(arguments.stt, language)
    sides = [by_piper(arguments.voice)] if arguments.voice else []
    sides += [by_diphones(language, voice) for voice in arguments.diphones]
    sides.append(by_espeak(language))
    comparison = Comparison(language, understood, whisper, sides, arguments.losses)
    deadline = time.monotonic() + arguments.seconds
    every: list[Trial] = []
    texts = sentences(language, arguments.sentences, 1)[arguments.skip :]
    parts = [texts[at : at + _PART] for at in range(0, len(texts), _PART)]
    for heard in itertools.chain.from_iterable(map(comparison.compare, parts)):
        every.append(heard)
        if time.monotonic() > deadline:
            break
        if heard.lost or (arguments.verbose and not heard.right):
            mark = "LOST " * heard.lost + "by chance " * heard.by_chance + "alike " * heard.alike
            print(f"  {mark}{heard.text!r}\n    read  {read(heard.text, language)!r}")
            print(f"    ours  {heard.ours!r}\n    stock {heard.stock!r}", flush=True)
    lost = sum(heard.lost and not heard.by_chance for heard in every)
    print(
        f"{language}: {len(every)} sentences, {sum(heard.alike for heard in every)} with the same "
        f"phonemes on both sides; numbers right: {sum(heard.right for heard in every)}; right by "
        f"stock alone: {lost}, and {sum(heard.lost for heard in every) - lost} by chance",
        flush=True,
    )
    if lost:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
