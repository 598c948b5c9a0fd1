"""Time that the sentences of a home take, language by language, without a model.

    python -m bench.llm_sentences [--languages en de fr] [--sentences 100] [--entities 150]

Sentences of home-assistant-intents chosen at random, over a home of a given number of entities;
`misheard` has two letters of each changed; `talk` is no command at all.
Milliseconds of CPU time, so that other work of the machine weighs little.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Sequence

from tests.homeassistant.sentences import sampled
from wyoming_common.home_assistant.home import Area, Entity, Home, State
from wyoming_llm.home.recognition import Recognition
from wyoming_llm.home.targets import HomeSnapshot

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "sv", "pt", "ru", "hu")
TALK = ("Tell me a story about a small boat on a wide river, please.", "Why is the sky blue?")


def home_of(count: int) -> Home:
    """Return a home with `count` lights, switches and covers in ten rooms."""
    rooms = ["kitchen", "bedroom", "hall", "study", "attic", "cellar", "garage", "bath", "porch"]
    areas = {name: Area(name, name.capitalize()) for name in rooms}
    kinds = (("light", "lamp"), ("switch", "heater"), ("cover", "blind"), ("sensor", "meter"))
    entities = {}
    for number in range(count):
        domain, noun = kinds[number % len(kinds)]
        room = rooms[number % len(rooms)]
        key = f"{domain}.{noun}_{number}"
        entities[key] = Entity(key, f"{room.capitalize()} {noun} {number}", area=room)
    return Home(entities=entities, areas=areas, language="en")


def texts_of(code: str, home: Home, count: int) -> list[str]:
    """Return `count` sentences of the package."""
    lists = {
        "name": [entity.name for entity in home.entities.values()],
        "area": [area.name for area in home.areas.values()],
        "floor": ["Upstairs"],
    }
    return [text for _, text in itertools.islice(sampled(code, 3, lists), count)]


def misheard(text: str) -> str:
    """Return `text` with two letters changed."""
    letters = list(text)
    for at in (len(letters) // 3, 2 * len(letters) // 3):
        if letters[at].isalpha():
            letters[at] = "e" if letters[at] != "e" else "a"
    return "".join(letters)


def timed(done: Callable[[str], object], texts: Sequence[str]) -> str:
    """Return median and 95th percentile of what is `done` to a text, in milliseconds of CPU."""
    times = []
    for text in texts:
        began = time.process_time()
        done(text)
        times.append((time.process_time() - began) * 1000)
    return f"{statistics.median(times):.1f}, {statistics.quantiles(times, n=20)[-1]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--sentences", type=int, default=100)
    parser.add_argument("--entities", type=int, default=150)
    arguments = parser.parse_args()
    home = home_of(arguments.entities)
    states = {name: State("on") for name in home.entities}
    print("| language | sentences: median, p95 | misheard | talk |\n|---|---|---|---|")
    for code in arguments.languages:
        known = Recognition()
        texts = texts_of(code, home, arguments.sentences)

        def understand(text: str, known: Recognition = known, code: str = code) -> bool:
            return known.recognise(text, code, HomeSnapshot(home, states)) is not None

        for text in texts:
            understand(f"{text} x")  # number words are learnt once
        groups = (
            (understand, texts),
            (understand, [misheard(text) for text in texts]),
            (understand, [f"{text} {n}" for n in range(5) for text in TALK]),
        )
        cells = []
        for done, group in groups:
            cells.append(timed(done, group) if len(group) > 1 else "")
        print(f"| {code} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
