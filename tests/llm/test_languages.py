"""Wishes that are recognised, and phrases that are said, in each language."""

import re
import string
from importlib.resources import files

import pytest
import yaml
from home_assistant_intents import get_languages

from wyoming_llm.languages import codes, language

WISHES = {
    "en": [
        "Is the front door locked?",
        "Did I leave the oven on?",
        "Could you maybe make it a bit brighter in here",
        "kill the lights",
        "open the chimney",
        "activate party mode",
        "What's the temperature in the attic?",
        "lights out",
        "the lights on please",
        "how warm is it in the bedroom",
        "I want the heating on",
        "have you locked the door",
        "when did the washing machine finish",
        "who is at the door",
        "how much battery does my phone have",
        "wake me at seven",
        "could you possibly switch that off",
        "up the volume for the old gramophone",
        "do you know the current state of my doorbell",
    ],
    "de": ["Ist die Haustür abgeschlossen?", "Mach mal das Licht aus", "Öffne den Kamin"],
    "fr": ["La porte d'entrée est-elle fermée ?", "peux-tu baisser les volets"],
    "es": ["¿Está cerrada la puerta?", "sube las persianas"],
    "nl": ["Is de voordeur op slot?", "kun je de gordijnen sluiten"],
    "it": ["La porta è chiusa?", "puoi alzare le tapparelle"],
}
TALK = {
    "en": [
        "What is the capital of France?",
        "How do I turn on a computer?",
        "Who turned off the lights in Paris?",
        "Turn left at the next corner please.",
        "tell me about the history of the light bulb",
        "Describe in five sentences how a house is built.",
        "how does a door lock work",
        "what is a light year",
        "play a game with me",
        "thank you",
        "is a tomato a fruit",
        "what is the state of the art",
        "do you know the capital of France",
        "have the courage to keep going",
    ],
    "de": ["Wie funktioniert ein Kühlschrank?", "Auf welchem Kontinent liegt Peru"],
    "fr": ["Quelle est la capitale de la France ?", "Raconte une blague"],
    "es": ["¿Por qué el cielo es azul?", "hola"],
    "nl": ["Wat is de hoofdstad van Frankrijk?", "vertel een grap"],
    "it": ["Qual è la capitale della Francia?", "ciao"],
}


VALUES = dict.fromkeys(("names", "last", "text", "state", "problem"), "x") | {
    "name": "Kamin",
    "count": "3",
    "percent": "4",
    "value": "4",
    "now": "5",
    "time": "5",
    "said": "Lamp",
    "low": "5",
    "high": "35",
}
"""Something for everything that a phrase may speak of"""


@pytest.mark.parametrize(("code", "text"), [(c, t) for c, texts in WISHES.items() for t in texts])
def test_a_wish_is_recognised_whatever_its_words(code: str, text: str) -> None:
    assert language(code).wants_home(text)


@pytest.mark.parametrize(("code", "text"), [(c, t) for c, texts in TALK.items() for t in texts])
def test_talk_is_no_wish(code: str, text: str) -> None:
    assert not language(code).wants_home(text)
    assert not language(code).wants_impossible(text)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "call my mother"),
        ("en", "Could you order a pizza?"),
        ("en", "send a text to Ann"),
        ("en", "could you get the disco ball going"),
        ("de", "kannst du die Discokugel zum Laufen bringen"),
        ("fr", "fais tourner la boule disco"),
        ("es", "pon la bola de discoteca en marcha"),
        ("it", "fai girare la palla da discoteca"),
        ("nl", "kun je de discobal in gang zetten"),
    ],
)
def test_a_wish_that_takes_more_than_words_is_recognised(code: str, text: str) -> None:
    assert language(code).wants_impossible(text)


@pytest.mark.parametrize("code", codes())
def test_every_language_says_the_same_things_about_the_same_values(code: str) -> None:
    def fields(phrases: dict[str, str]) -> dict[str, set[str | None]]:
        return {
            key: {name for _, name, _, _ in string.Formatter().parse(text)} - {None}
            for key, text in phrases.items()
        }

    assert fields(dict(language(code).phrases)) == fields(dict(language("en").phrases))


def test_wishes_and_talk_of_every_language_are_tried() -> None:
    assert sorted(WISHES) == sorted(TALK) == codes(), "add the language to WISHES and to TALK"


def test_claims_of_deeds_are_known_in_every_language() -> None:
    source = files("wyoming_llm.output").joinpath("claims.yaml").read_text(encoding="utf-8")

    assert sorted(yaml.safe_load(source)) == codes(), "add the language to output/claims.yaml"


def test_the_language_asked_for_is_taken_and_english_where_there_is_none() -> None:
    assert language("de-CH").code == "de"
    assert language("xx", "de").code == "en"
    assert language("", "nl").code == "nl"
    assert language().code == "en"


@pytest.mark.parametrize("code", sorted(get_languages()))
def test_every_language_of_the_sentences_package_has_its_own_apology(code: str) -> None:
    known, english = language(code), language("en")
    said = {key: known.say(key, **VALUES) for key in english.phrases}

    assert set(known.phrases) == set(english.phrases)
    assert all(said.values())
    assert code == "en" or said["failed"] != english.say("failed")
    assert "Kamin" in said["no_name"]
    assert not any(mark in text for text in said.values() for mark in "{}[]")


@pytest.mark.parametrize("code", ["pt_BR", "pt-br", "pt", "PT-BR", "no", "zh", "zh-Hans"])
def test_a_language_is_found_however_it_is_spelled(code: str) -> None:
    assert language(code).say("failed") != language("en").say("failed")


def test_names_are_listed_as_they_are_said() -> None:
    names = ["a", "b", "c", "d", "e"]

    assert language("en").listed(names[:1]) == "a"
    assert language("de").listed(names[:3]) == "a, b und c"
    assert re.search(r"\b2\b", language("fr").listed(names))
