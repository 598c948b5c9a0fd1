"""Sentences of the package give what Home Assistant's own agent gives, in every language.

PARLEY_LANGUAGES ("en de fr"), PARLEY_SEEDS ("1 2 3") and PARLEY_SENTENCES choose others.
"""

import itertools
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.homeassistant import furnished
from tests.homeassistant.conftest import ROOM
from tests.homeassistant.furnished import Answer, Furnished, Home
from tests.homeassistant.furniture import FLOORS, HIDDEN
from tests.homeassistant.sentences import sampled

pytestmark = pytest.mark.asyncio(loop_scope="module")
PORT, SATELLITE_PORT = 10693, 10793
LANGUAGES = os.environ.get("PARLEY_LANGUAGES", "en de").split()
SEEDS = [int(seed) for seed in os.environ.get("PARLEY_SEEDS", "2026").split()]
COUNT = int(os.environ.get("PARLEY_SENTENCES", "100"))
UNHEEDING = ("Broken light", "Lazy light", "Ceiling fan")
"""Home Assistant says that they obey"""
NO_COLOR = ("cannot show that color", "diese Farbe nicht zeigen")
"""Home Assistant says that the color is set"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(network: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    directory = tmp_path_factory.mktemp("sentences")
    async with AsyncExitStack() as stack:
        hass = Furnished(Path(ROOM) / "root", directory)
        stack.callback(hass.stop)
        home = await stack.enter_async_context(furnished.moved_in(hass, directory))
        (token_file := directory / "token").write_text(home.token, encoding="utf-8")
        service = furnished.conversation_service(
            "api",
            PORT,
            token_file,
            directory,
            "--confirm-above",
            "30",
            "--http-uri",
            "off",
            "--risky",
            "Front door",
            "--risky",
            "Garage door",
        )
        stack.callback(service.stop)
        service.start()
        await furnished.join(home, "api", PORT)
        rig = furnished.satellite(directory, SATELLITE_PORT)
        stack.callback(rig.stop)
        home.device = await furnished.place_satellite(home.client, rig, SATELLITE_PORT, "kitchen")
        yield home


@dataclass(frozen=True, slots=True)
class Result:
    """Reply of an agent to a sentence, and what had become of the home."""

    answer: Answer
    states: Mapping[str, tuple[Any, ...]]

    @property
    def refused(self) -> bool:
        # A question back does nothing, as an error does.
        return self.answer.kind == "error" or self.answer.said.endswith("?")


@dataclass(frozen=True, slots=True)
class Compared:
    intent: str
    text: str
    own: Result
    ours: Result
    names: Sequence[str]
    """Of the entities"""

    @property
    def verdict(self) -> str:
        """Return "same", "differs", or why ours differs on purpose."""
        own, ours, said = self.own, self.ours, self.ours.answer.said
        alike = own.states == ours.states
        both = own.refused == ours.refused
        reasons = {
            "same": alike and both,
            "names what did not obey": alike and any(name in said for name in UNHEEDING),
            "understood here alone": own.refused and not ours.refused,
            "nothing there to be asked after": own.answer.kind == "query_answer" and ours.refused,
            "says what a lamp cannot show": ours.refused
            and any(phrase in said for phrase in NO_COLOR),
            "asked back": ours.answer.said.endswith("?"),
        }
        return next((reason for reason, holds in reasons.items() if holds), "differs")

    def __str__(self) -> str:
        changed = {
            key: (self.own.states.get(key), value)
            for key, value in self.ours.states.items()
            if self.own.states.get(key) != value
        }
        answers = f"  HA   {self.own.answer}\n  ours {self.ours.answer} {changed or ''}"
        return f"{self.verdict}: {self.intent}: {self.text!r}\n{answers}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", SEEDS)
async def test_sentences_of_the_package_give_what_home_assistants_own_agent_gives(
    home: Home, language: str, seed: int
) -> None:
    lists = {
        "name": await _names(home),
        "area": [area["name"] for area in await home.client.call("config/area_registry/list")],
        "floor": list(FLOORS),
    }

    compared = [
        Compared(
            intent,
            text,
            await _result(home, "own", language, intent, text),
            await _result(home, "api", language, intent, text),
            lists["name"],
        )
        for intent, text in itertools.islice(sampled(language, seed, lists), COUNT)
    ]

    unlike = [one for one in compared if one.verdict != "same"]
    differ = [one for one in unlike if one.verdict == "differs"]
    report = "\n".join(map(str, unlike))
    counts = f"{len(compared) - len(unlike)} the same, {len(unlike) - len(differ)} on purpose not"
    sys.stdout.write(f"{language}, seed {seed}: of {len(compared)} {counts}\n{report}\n")
    assert len(differ) <= COUNT // 20, report


async def _names(home: Home) -> list[str]:
    states = await home.states()
    return [
        row["attributes"]["friendly_name"]
        for row in await home.client.call("get_states")
        if row["entity_id"] in states
        and row["entity_id"].partition(".")[0] not in ("input_boolean", "scene")
        and row["entity_id"] != HIDDEN
    ]


async def _result(home: Home, agent: str, language: str, intent: str, text: str) -> Result:
    await home.reset()
    if "Timer" in intent:
        await home.ask("own", "cancel all timers")
        await home.ask("own", "set a timer for 40 minutes")
    answer = await home.ask(agent, text, f"{agent} {text}"[:60], language=language)
    return Result(answer, await home.states())
