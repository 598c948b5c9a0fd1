#!/usr/bin/env python3
"""Generated texts through the text front end and the phonemizer of each voice engine.

    python -m bench.hostile_texts --growth
    python -m bench.hostile_texts [--texts N] [--skip N] [--seed N] [--seconds S]
                                  [--engine piper|kokoro]

Texts are drawn from all Unicode blocks, long runs of letters with full stops, words, numbers,
signs and markup of six languages, and mixtures. Each is split into passages, normalised and turned
into phonemes. Prints how many texts and forks of espeak-ng died, and the slowest; fails where the
process of the phonemizer ends, or a passage takes longer than MAX_SECONDS_A_PASSAGE, the best of
three times. The same seed gives the same texts: `--skip` goes on where another run has stopped.

With --growth, each short bit of a text is repeated to 2,000 and to 16,000 characters, and the
bits are printed whose normalisation takes more than 12 times as long; it fails where one does.
"""

import argparse
import itertools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from wyoming_tts.engines.kokoro.phonemes import LANGUAGES, phonemes
from wyoming_tts.phonemes.espeak import EspeakPhonemizer
from wyoming_tts.text.languages import boundaries_of
from wyoming_tts.text.normalization import clean, spoken
from wyoming_tts.text.sentences import PlainScript

MAX_SECONDS_A_PASSAGE = 2.0
VOICES = {"en_US": "en-us", "de_DE": "de", "fr_FR": "fr", "es_ES": "es", "it_IT": "it",
          "nl_NL": "nl"}  # fmt: skip
_KOKORO = {"en_US": "a", "fr_FR": "f", "es_ES": "e", "it_IT": "i"}
# ruff: noqa: E501 - texts on one line

_WORDS = {
    "en_US": "the light is on at 5 p.m. Dr. Smith $5.50 21.5°C e.g. No. 3rd 1/2 www.a.com 12/05/2025",
    "de_DE": "das Licht ist an am 24. Dezember 14:30 Uhr z.B. Dr. 1,5 Mio. € -3,5 °C Hauptstr. 5 50%ige",
    "fr_FR": "la lumière est allumée à 14h30 le 1er mai 1 234,56 € M. Dupont l'été -1,5 °C n° 5",
    "es_ES": "la luz está encendida a las 9:30 el 3.º piso 1.234,56 € Sr. García -0,5 °C n.º 7 siglo XXI",
    "it_IT": "la luce è accesa alle 14:30 il 1° maggio € 5,50 Sig. Rossi -0,5 °C da 10 a 15 l'1:30",
    "nl_NL": "het licht is aan om 14:30 uur de 2e € 5,50 dhr. Jansen -0,5 °C 't/m 7 mei blz. 12",
}
_SIGNS = "0123456789.,:;!?/-–−+=*#_~^%$€£¥°²³½<>()[]{}'\"`@&|\\\n\t 'ʼ’…→×÷±√"  # noqa: RUF001

REPEATED_BITS = (
    "1", "1.", "1,", "1/", "-1", "1 ", "1-1-", "a.", "a.1", "$1", "€", "°", "(", "[[", "`", "*a",
    "_", "www.", "a@", "a-", "I", "1:0", "½", "\u0301", "x²", "#", "12.12.", "Dr. ", "1 000 ",
    "1.000", "<b", "| ", "Jan ", "+1 ", "no. 1", "'", "..", "0x", "1e1",
    "x^2", "\\frac{1}", "$x=", "1:00:", "1½ ", "5km-", "5 cm to ", "Sat.-", "H~2~", "](/", "1\" ",
    "IV ", "打", "1 000 000 ",
)  # fmt: skip
"""Bits of text whose repetition makes a careless pattern backtrack"""
MAX_GROWTH_OF_TIME = 12.0
"""Of 8 times the characters: 8 is linear, 64 is quadratic."""


def texts(seed: int) -> Iterator[tuple[str, str]]:
    """Yield languages and texts without end."""
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    kinds: list[Callable[[random.Random, str], str]] = [
        _from_a_block, _dotted_letters, _of_words, _of_signs, _mixed, _one_run, _numbers,
    ]  # fmt: skip
    while True:
        language = random_.choice(list(VOICES))
        for _ in range(200):  # espeak-ng reads a dictionary at each change of language
            yield language, random_.choice(kinds)(random_, language)


def _length(random_: random.Random, usual: int, longest: int) -> int:
    return random_.randint(1, longest if random_.random() < 0.05 else usual)


def _from_a_block(random_: random.Random, language: str) -> str:  # noqa: ARG001
    start = random_.randrange(0, 0x110000, 128)
    length = _length(random_, 50, 300)
    return "".join(chr(start + random_.randrange(128)) for _ in range(length))


def _dotted_letters(random_: random.Random, language: str) -> str:  # noqa: ARG001
    alphabet = random_.choice(
        ["abcxyzw", "äöüßéèñç", "абвгд", "αβγδ", "łčřž", "אבג", "हिन्", "ABCQW"]
    )
    stop = random_.choice([".", ". ", "·", ".-", "'."])
    return "".join(random_.choice(alphabet) + stop for _ in range(_length(random_, 60, 400)))


def _of_words(random_: random.Random, language: str) -> str:
    words = _WORDS[language].split()
    return " ".join(random_.choice(words) for _ in range(_length(random_, 10, 60)))


def _of_signs(random_: random.Random, language: str) -> str:  # noqa: ARG001
    return "".join(random_.choice(_SIGNS) for _ in range(_length(random_, 40, 200)))


def _mixed(random_: random.Random, language: str) -> str:
    kinds = (_from_a_block, _dotted_letters, _of_words, _of_signs, _numbers)
    return " ".join(random_.choice(kinds)(random_, language)[:60] for _ in range(4))


def _one_run(random_: random.Random, language: str) -> str:  # noqa: ARG001
    return random_.choice(
        ["a", "ä", "1", "-", ".", "ß", "1.", "a1", "1/", "€1", "é.", "(", "_"]
    ) * (_length(random_, 100, 900))


def _numbers(random_: random.Random, language: str) -> str:  # noqa: ARG001
    number = str(random_.randrange(10 ** random_.randint(1, 30)))
    shape = random_.choice(
        ["{0}", "-{0}", "{0},5", "{0}.5", "{0}/7", "{0} km/h", "{0}€", "{0}:{0}", "{0}.", "{0}%"]
    )
    return " ".join([shape.format(number)] * random_.randint(1, 6))


def growth() -> None:
    """Print the bits of text whose time grows faster than their length."""
    worst = 0.0
    for language in VOICES:
        spoken("1", language)
        for bit in REPEATED_BITS:
            short, long = (_cpu_seconds((bit * size)[:size], language) for size in (2_000, 16_000))
            worst = max(worst, long / short)
            if long > MAX_GROWTH_OF_TIME * short:
                print(f"{language} {bit!r}: {1000 * short:.1f} ms, then {1000 * long:.1f} ms")
    print(f"8 times the characters take up to {worst:.1f} times as long")
    if worst > MAX_GROWTH_OF_TIME:
        raise SystemExit(1)


def _cpu_seconds(text: str, language: str) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        spoken(text, language)
        best = min(best, time.process_time() - begun)
    return best


def _seconds(
    text: str, language: str, engine: str, espeak: EspeakPhonemizer
) -> tuple[float, float]:
    """Return how long a passage takes to be read in words, and in all."""
    begun = time.perf_counter()
    said = spoken(text, language)
    middle = time.perf_counter()
    if engine == "piper":
        espeak.phonemize(VOICES[language], said)
    else:
        letter = _KOKORO.get(language, "b")
        assert letter in LANGUAGES
        phonemes(said, letter, espeak)
    return middle - begun, time.perf_counter() - begun


def main() -> None:
    """Run until the texts or the seconds are used up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--skip", type=int, default=0, help="texts left out at the beginning")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=170.0)
    parser.add_argument("--engine", choices=("piper", "kokoro"), default="piper")
    parser.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    if arguments.growth:
        growth()
        return
    deadline = time.monotonic() + arguments.seconds
    slowest, slowest_text, count, passages, characters = 0.0, "", 0, 0, 0
    front_end = 0.0
    with closing(EspeakPhonemizer()) as espeak:
        espeak.phonemize("en-us", "ready")
        process = espeak.process_id
        for language, text in itertools.islice(texts(arguments.seed), arguments.skip, None):
            if count >= arguments.texts or time.monotonic() > deadline:
                break
            count += 1
            script = PlainScript(boundaries_of(language))
            cleaned = clean(text)
            for passage in (*script.feed(cleaned), *script.finish()):
                reading, seconds = _seconds(passage.text, language, arguments.engine, espeak)
                passages, characters = passages + 1, characters + len(passage.text)
                front_end += reading
                if seconds > slowest:
                    again = (
                        _seconds(passage.text, language, arguments.engine, espeak)[1]
                        for _ in range(2)
                    )
                    best = min(seconds, *again)
                    if best > slowest:
                        slowest, slowest_text = best, passage.text
        alive = espeak.process_id == process
        deaths = espeak.deaths
    print(
        f"{arguments.engine}, seed {arguments.seed}, from {arguments.skip}: {count} texts, {passages} passages, "
        f"{characters} characters; {deaths} forks of espeak-ng died, its process "
        f"{'lived on' if alive else 'ENDED'}; front end {1000 * front_end / max(passages, 1):.2f} ms "
        f"a passage, slowest passage {slowest:.2f} s: {slowest_text[:60]!r}"
    )
    if not alive or slowest > MAX_SECONDS_A_PASSAGE:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
