"""The sentences of a home that sound most like a transcript are found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stt.home_sentences.homes import HOME, SENTENCES
from wyoming_common.home_assistant.home import Area, Entity, Home
from wyoming_stt.home_sentences.grammar import compile_grammar
from wyoming_stt.home_sentences.search import PhoneticSearch

SEARCH = PhoneticSearch(compile_grammar(SENTENCES, HOME, "en", ["Quibblar"]))


@pytest.mark.parametrize(
    ("transcript", "sentence"),
    [
        ("Turn on the bedroom leap.", "turn on the Bedroom Lamp"),
        ("Switch the tour vane lied on", "switch the Torvane Light on"),
        ("Open garbage door", "open Garage Door"),
        ("to 30 % dim the knight light", "to 30 % dim the Night Light"),
        ("Turn on quibbler", "turn on Quibblar"),
        ("dim Torvane light to thirty percent", "dim Torvane Light to 30 percent"),
        (
            "Could you turn on the bedroom leap, please?",
            "could you turn on the Bedroom Lamp please",
        ),
        ("At oat milk to my lest.", "add oat milk to my list"),
    ],
)
def test_the_nearest_sentence_is_the_one_that_was_meant(transcript: str, sentence: str) -> None:
    assert SEARCH.nearest(transcript).sentences[0].text == sentence


def test_a_sentence_as_it_is_written_has_no_distance() -> None:
    [first, *others] = SEARCH.nearest("turn on the Bedroom Lamp").sentences

    assert (first.text, first.cost, first.intent) == ("turn on the Bedroom Lamp", 0.0, "TurnOn")
    assert all(other.cost > 0 for other in others)


def test_names_are_offered_only_in_sentences_for_their_domain() -> None:
    texts = [near.text for near in SEARCH.nearest("open the garage lamp", 50).sentences]

    assert "open the Garage Door" in texts
    assert "open the Bedroom Lamp" not in texts


def test_other_speech_is_far_from_every_sentence() -> None:
    near = SEARCH.nearest("It was followed by remorse, and I tried to drive it away.").sentences

    assert near == [] or near[0].share > 0.5


def test_a_home_without_names_has_the_sentences_without_names() -> None:
    search = PhoneticSearch(compile_grammar(SENTENCES, Home(), "en"))

    assert search.nearest("turn on the bedroom lamp").sentences == []


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_transcript_gives_sentences_in_order_of_distance(transcript: str) -> None:
    near = SEARCH.nearest(transcript).sentences

    costs = [one.cost for one in near]
    assert costs == sorted(costs)
    assert len({one.text for one in near}) == len(near) <= 8
    assert all(cost > -1e-3 for cost in costs)


def test_a_large_home_is_compiled_and_searched_whole() -> None:
    names = [f"{kind} {number}" for number in range(250) for kind in ("Lamp", "Plug")]
    home = Home(
        entities={
            f"light.{number}": Entity(f"light.{number}", name) for number, name in enumerate(names)
        },
        areas={f"a{number}": Area(f"a{number}", f"Room {number}") for number in range(30)},
    )

    search = PhoneticSearch(compile_grammar(SENTENCES, home, "en"))

    assert search.nearest("turn on the lump 249").sentences[0].text == "turn on the Lamp 249"


@pytest.mark.parametrize("transcript", ["Turn on", "turn on the", "Switch the", "dim"])
def test_the_beginning_of_a_sentence_is_open(transcript: str) -> None:
    assert SEARCH.nearest(transcript).is_open


@pytest.mark.parametrize(
    "transcript", ["turn on the bedroom lamp", "What a day!", "Open the garage door", "lamp"]
)
def test_whole_sentences_and_other_speech_are_not_open(transcript: str) -> None:
    assert not SEARCH.nearest(transcript).is_open


def french(*sentences: str) -> PhoneticSearch:
    content = {"intents": {"Shut": {"data": [{"sentences": list(sentences)}]}}}
    return PhoneticSearch(compile_grammar(content, HOME, "fr"))


@pytest.mark.parametrize(
    ("transcript", "sentence"),
    [
        ("Ferme les ovans dans le garage.", "ferme les auvents"),
        ("Ferme l'auvin dans le garage.", "ferme l'auvent"),
    ],
)
def test_of_words_of_one_sound_the_one_in_the_transcript_is_taken(
    transcript: str, sentence: str
) -> None:
    search = french("ferme (le |la |les |l')auvent[s] dans le garage")

    assert search.nearest(transcript).sentences[0].text.startswith(sentence)


@pytest.mark.parametrize("transcript", ["oat", "Computer.", "one two three four five six seven"])
def test_free_words_alone_are_no_sentence(transcript: str) -> None:
    near = SEARCH.nearest(transcript).sentences

    assert all(one.share > 0.6 for one in near if one.intent == "Add")


def test_other_words_for_the_same_thing_mean_the_same() -> None:
    near = SEARCH.nearest("switch on the bedroom lamp").sentences
    lamp, *others = near

    assert [one.text for one in others if one.means(lamp)] == ["turn on the Bedroom Lamp"]
