"""How long the sentences of a home take, language by language, without a model.

    python -m bench.llm_sentences [--languages en de fr] [--sentences 60] [--entities 60]

Sentences of home-assistant-intents chosen at random over a home of so many entities; `misheard`
has two letters of each changed, `talk` is no command at all. Milliseconds of CPU time, so that what
else the machine does weighs little.
"""

import argparse
import itertools
import random
import statistics
import time
from collections.abc import Iterator, Sequence

from wyoming_common.home import Area, Entity, Home
from wyoming_llm.home.sentences import Sentences

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "sv", "pt", "ru")
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


def sampled(code: str, home: Home, count: int) -> Iterator[str]:
    """Yield sentences of the package."""
    from hassil import Intents
    from hassil.intents import TextSlotList
    from hassil.sample import sample_expression
    from home_assistant_intents import get_intents

    chance = random.Random(3)  # noqa: S311 - no secret
    intents = Intents.from_dict(dict(get_intents(code) or {}))
    slots = intents.slot_lists | {
        "name": TextSlotList.from_strings([entity.name for entity in home.entities.values()]),
        "area": TextSlotList.from_strings([area.name for area in home.areas.values()]),
        "floor": TextSlotList.from_strings(["Upstairs"]),
    }
    pool = [
        (data, sentence)
        for intent in intents.intents.values()
        for data in intent.data
        for sentence in data.sentences
    ]
    chance.shuffle(pool)
    for data, sentence in pool[: 2 * count]:
        rules = intents.expansion_rules | data.expansion_rules
        expression = sentence.expression
        try:
            texts = sample_expression(
                expression, slot_lists=slots, expansion_rules=rules, language=code
            )
            yield chance.choice(list(itertools.islice(texts, 50)))
        except Exception:  # noqa: BLE001, S112 - lists that only Home Assistant fills
            continue


def misheard(text: str) -> str:
    """Return `text` with two letters changed."""
    letters = list(text)
    for at in (len(letters) // 3, 2 * len(letters) // 3):
        if letters[at].isalpha():
            letters[at] = "e" if letters[at] != "e" else "a"
    return "".join(letters)


def timed(known: Sentences, texts: Sequence[str], code: str, home: Home) -> tuple[float, float]:
    """Return the median and the 95th percentile of a recognition, in milliseconds of CPU."""
    times = []
    for text in texts:
        began = time.process_time()
        known.recognize(text, code, home, {})
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--sentences", type=int, default=60)
    parser.add_argument("--entities", type=int, default=60)
    arguments = parser.parse_args()
    home = home_of(arguments.entities)
    print("| language | sentences: median, p95 | misheard | talk |\n|---|---|---|---|")
    for code in arguments.languages:
        known = Sentences()
        texts = list(
            itertools.islice(sampled(code, home, arguments.sentences), arguments.sentences)
        )
        known.recognize("x", code, home, {})
        cells = [
            "{:.1f}, {:.1f}".format(*timed(known, group, code, home))
            for group in (texts, [misheard(text) for text in texts], TALK * 5)
        ]
        print(f"| {code} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
