"""Overviews of homes in prompts: as Home Assistant writes them, odd, cut and hostile."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.llm.assist_request import HOME, TOOLS, live, system
from wyoming_llm.assist.home import AssistHome
from wyoming_llm.assist.overview import find_list, overview_of, read_list
from wyoming_llm.assist.request import AssistRequest, without_home
from wyoming_llm.engine import Message, Prompt

_HEADING = "Static Context: An overview of the areas and the devices in this smart home:\n"
_LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=",")
_NAME = st.text(_LETTERS, min_size=1, max_size=40).map(str.strip).filter(bool)
_ENTITY = st.fixed_dictionaries(
    {"names": st.lists(_NAME, min_size=1, max_size=3).map(", ".join),
     "domain": st.sampled_from(["light", "lock", "cover", "sensor"])},
    optional={"areas": _NAME, "state": st.sampled_from(["on", "off", "21.5"])},
)  # fmt: skip
_ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


def request(text: str, system_prompt: str) -> AssistRequest | None:
    messages = (Message("system", system_prompt), Message("user", text))
    return AssistRequest.of(Prompt(messages, tuple(TOOLS)))


@given(st.lists(_ENTITY, min_size=1, max_size=8))
def test_an_overview_of_home_assistants_is_read_in_full(home: list[dict[str, Any]]) -> None:
    text = _HEADING + yaml.dump(home, sort_keys=False, allow_unicode=True) + "\nWhen you\n- x: y"

    listed = read_list(text)

    assert listed is not None
    assert [", ".join(one.names) for one in listed] == [one["names"] for one in home]
    assert [one.domain for one in listed] == [one["domain"] for one in home]
    assert [one.state.value if one.state else None for one in listed] == [
        one.get("state") for one in home
    ]
    entities = overview_of(listed).home.entities
    assert len(entities) == len(home)
    assert all(entity.domain == name.partition(".")[0] for name, entity in entities.items())


@settings(max_examples=300)
@given(st.text(max_size=300) | _ODD.map(yaml.dump))
def test_other_text_gives_no_home_and_never_an_error(content: str) -> None:
    asked = request("turn on the light", f"Be kind.\n{_HEADING}{content}")

    if asked is not None:
        home = AssistHome.of(asked)
        assert home is None or home.home.entities is not None
        without_home(asked.system)


@given(st.integers(0, 2000))
def test_an_overview_that_is_cut_is_read_or_none(length: int) -> None:
    asked = request("turn on the light", system()[:length])

    if asked is not None:
        AssistHome.of(asked)


@pytest.mark.parametrize(
    "content",
    [
        "- names: &a Lamp\n  domain: light\n- names: *a\n  domain: light\n",
        "- " * 100_000 + "x\n",
        "- names: " + "[" * 100_000 + "\n",
        "- names: " + "{a: " * 50_000 + "\n",
        "- names: !!python/object/apply:os.system ['true']\n  domain: light\n",
        "- names: Lamp\n  domain: ../light\n",
        "- names: ''\n  domain: light\n",
        "- names: Lamp\n",
        "- Lamp\n",
        "- names: 'Lamp\n  domain: light\n",
        "- ? [a]\n  : b\n",
        "- names: Lamp\n  domain: light\n" * 6000,
    ],
)
def test_a_hostile_overview_is_none(content: str) -> None:
    assert read_list(_HEADING + content) is None


def test_states_are_found_by_what_both_overviews_have() -> None:
    static = read_list(system())
    told = read_list(live()["result"])
    assert static is not None
    assert told is not None

    overview = overview_of(static)
    states = overview.states_of(told)

    entities = overview.home.entities
    assert [(entities[name].names[0], state.value) for name, state in states.items()] == [
        (one["names"].split(", ")[0], one["state"]) for one in HOME
    ]
    lamp = next(e for e in overview.home.entities.values() if "night light" in e.names)
    assert states[lamp.id].attributes["brightness"] == 51


def test_the_prompt_without_the_home_is_the_clients_own() -> None:
    extra = system() + "\nSpeak like a pirate.\nCurrent time is 12:00:00. Today's date is today.\n"

    assert without_home(extra) == (
        "You are a voice assistant for Home Assistant.\nAnswer questions about the world "
        "truthfully.\nRespond simply and to the point in plain text.\n\nSpeak like a pirate.\n"
        "Current time is 12:00:00. Today's date is today."
    )
    assert find_list(without_home(extra)) is None


def test_the_room_of_the_speaker_is_read() -> None:
    asked = request("turn on the light", system())

    assert asked is not None
    assert (asked.area, asked.floor) == ("Kitchen", "Ground floor")
    home = AssistHome.of(asked)
    assert home is not None
    assert home.area == "Kitchen"
    assert home.home.areas["Kitchen"].aliases == ("Küche",)
