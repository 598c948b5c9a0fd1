"""Transcripts are corrected to sentences of the home if the sound supports it."""

from collections.abc import Sequence

import pytest

from tests.stt.home_sentences.homes import HOME, SENTENCES
from wyoming_stt.engine import SentenceStage
from wyoming_stt.home_sentences.correction import correct
from wyoming_stt.home_sentences.grammar import compile_grammar
from wyoming_stt.home_sentences.search import PhoneticSearch

SEARCH = PhoneticSearch(compile_grammar(SENTENCES, HOME, "en"))


class Sound:
    """Scores texts as if one sentence was spoken: 3 for each word of it that is missing."""

    def __init__(self, spoken: str) -> None:
        self._spoken = set(spoken.lower().split())
        self.scored: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[float]:
        self.scored = list(texts)
        return [
            -12.0 * len(self._spoken ^ set(text.lower().rstrip(".?!").split())) for text in texts
        ]


def no_scores(texts: Sequence[str]) -> None:
    return None


def test_a_sentence_that_the_sound_supports_replaces_the_transcript() -> None:
    sound = Sound("turn on the bedroom lamp")

    assert correct(SEARCH, "Turn on the bedroom leap.", sound).text == "Turn on the Bedroom Lamp."


def test_a_sentence_that_the_sound_contradicts_does_not() -> None:
    sound = Sound("turn on the bedroom leap")

    assert correct(SEARCH, "Turn on the bedroom leap.", sound).text == "Turn on the bedroom leap."


def test_sentences_are_scored_as_a_recogniser_writes_them() -> None:
    sound = Sound("turn on the torvane light")

    correct(SEARCH, "Turn on the tour vane light", sound)

    assert sound.scored[:2] == ["Turn on the tour vane light.", "Turn on the torvane light."]


def test_a_known_sentence_is_written_with_the_names_of_the_home_and_not_scored() -> None:
    sound = Sound("")

    assert correct(SEARCH, "Turn on the bedroom lamp.", sound).text == "Turn on the Bedroom Lamp."
    assert sound.scored == []


def test_a_sentence_does_not_win_narrowly_over_one_with_another_intent() -> None:
    content = {
        "intents": {
            "Lock": {"data": [{"sentences": ["lock the {name}"]}]},
            "Unlock": {"data": [{"sentences": ["unlock the {name}"]}]},
        }
    }
    search = PhoneticSearch(compile_grammar(content, HOME, "en"))

    def score(texts: Sequence[str]) -> list[float]:
        likely = {"Onlock the garbage door.": -6.0, "Unlock the garage door.": -7.0}
        return [likely.get(text, -7.5) for text in texts]

    assert correct(search, "Onlock the garbage door.", score).text == "Onlock the garbage door."


@pytest.mark.parametrize(
    ("said", "taken"),
    [("to", "Set the bedroom lamp to."), ("to red", "Set the Bedroom Lamp to red.")],
)
def test_a_value_of_which_nothing_was_heard_is_taken_only_where_it_is_the_more_probable(
    said: str, taken: str
) -> None:
    content = {
        "intents": {"Set": {"data": [{"sentences": ["set the {name} to {colour}"]}]}},
        "lists": {"colour": {"values": ["red", "turquoise"]}},
    }
    search = PhoneticSearch(compile_grammar(content, HOME, "en"))
    sound = Sound(f"set the bedroom lamp {said}")

    assert correct(search, "Set the bedroom lamp to.", sound).text == taken


@pytest.mark.parametrize(
    ("transcript", "corrected"),
    [
        ("Turn on the bedroom lemp.", "Turn on the Bedroom Lamp."),
        ("Turn on the bed and leave.", "Turn on the bed and leave."),
        ("Dim the torvane light to 30%.", "Dim the Torvane Light to 30 %."),
    ],
)
def test_without_scores_only_very_near_sentences_are_taken(transcript: str, corrected: str) -> None:
    assert correct(SEARCH, transcript, no_scores).text == corrected


@pytest.mark.parametrize("transcript", ["", "What a day!", "The lamp in the bedroom is old."])
def test_other_speech_is_left_alone(transcript: str) -> None:
    assert correct(SEARCH, transcript, no_scores).text == transcript


@pytest.mark.parametrize(
    ("transcript", "stage"),
    [
        ("Turn on the bedroom lamp.", SentenceStage.WHOLE),
        ("Turn on the", SentenceStage.BEGUN),
        ("Turned on the bathroom clamp.", SentenceStage.CONTINUABLE),
        ("What a day!", SentenceStage.OTHER),
        ("", None),
    ],
)
def test_the_stage_tells_sentences_from_beginnings_and_other_speech(
    transcript: str, stage: SentenceStage | None
) -> None:
    assert correct(SEARCH, transcript, no_scores).stage is stage


@pytest.mark.parametrize(
    ("transcript", "stage"),
    [
        ("Turn on the lamp.", SentenceStage.CONTINUABLE),
        ("Turn on the lamp in the hall.", SentenceStage.WHOLE),
        ("Turn on the lamp in the hall, please.", SentenceStage.WHOLE),
        ("Turn on the lamp in", SentenceStage.BEGUN),
        ("Play kitchen", SentenceStage.BEGUN),
    ],
)
def test_a_sentence_is_continuable_where_more_than_courtesy_may_follow(
    transcript: str, stage: SentenceStage
) -> None:
    content = {
        "intents": {
            "TurnOn": {"data": [{"sentences": ["turn on the lamp [in the (hall|kitchen)]"]}]},
            "Play": {"data": [{"sentences": ["play kitchen radio"]}]},
        },
        "skip_words": ["please"],
    }
    search = PhoneticSearch(compile_grammar(content, HOME, "en"))

    assert correct(search, transcript, no_scores).stage is stage
