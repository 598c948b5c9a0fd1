"""The words of voice lessons: requests, names and lines in each language."""

import string

import pytest

from tests.llm.test_languages import TALK
from wyoming_llm.voices.lesson import SENTENCES
from wyoming_llm.voices.words import LANGUAGES, lesson_words

LEARN = {
    "en": ["Learn my voice.", "Please learn my voice!", "Can you learn my voice?",
           "Remember my voice"],
    "de": ["Lerne meine Stimme.", "Lern meine Stimme kennen", "Merk dir meine Stimme, bitte.",
           "Kannst du meine Stimme lernen?"],
    "fr": ["Apprends ma voix.", "Mémorise ma voix, s'il te plaît.",
           "Peux-tu apprendre ma voix ?"],
    "es": ["Aprende mi voz.", "Memoriza mi voz, por favor.", "¿Puedes aprender mi voz?"],
    "nl": ["Leer mijn stem.", "Onthoud mijn stem alsjeblieft.", "Kun je mijn stem leren kennen?"],
    "it": ["Impara la mia voce.", "Memorizza la mia voce, per favore.",
           "Puoi imparare la mia voce?"],
}  # fmt: skip
FORGET = {
    "en": "Forget my voice.", "de": "Vergiss meine Stimme.", "fr": "Oublie ma voix.",
    "es": "Olvida mi voz.", "nl": "Vergeet mijn stem.", "it": "Dimentica la mia voce.",
}  # fmt: skip
INTRODUCED = {
    "en": ["Learn my voice, I am Anna.", "I'm Anna, please learn my voice.",
           "Learn my voice. My name is Anna."],
    "de": ["Lerne meine Stimme, ich bin Anna.", "Ich heiße Anna, merk dir meine Stimme."],
    "fr": ["Apprends ma voix, je m'appelle Anna.", "Je suis Anna, apprends ma voix."],
    "es": ["Aprende mi voz, soy Anna.", "Me llamo Anna, aprende mi voz."],
    "nl": ["Leer mijn stem, ik ben Anna.", "Ik heet Anna, leer mijn stem kennen."],
    "it": ["Impara la mia voce, sono Anna.", "Mi chiamo Anna, impara la mia voce."],
}  # fmt: skip
ANSWERS = {
    "en": ["Anna.", "I'm Anna", "My name is Anna, thanks."],
    "de": ["Anna", "Ich bin die Anna.", "Mein Name ist Anna."],
    "fr": ["Anna.", "Je m'appelle Anna.", "C'est Anna"],
    "es": ["Anna", "Soy Anna.", "Me llamo Anna, gracias"],
    "nl": ["Anna", "Ik ben Anna.", "Mijn naam is Anna"],
    "it": ["Anna.", "Sono Anna", "Mi chiamo Anna, grazie."],
}
CANCEL = {
    "en": ["Cancel.", "Stop it", "Never mind, please"], "de": ["Abbrechen", "Hör auf.", "Lass es"],
    "fr": ["Annule", "Arrête !", "Laisse tomber"], "es": ["Cancela", "Déjalo.", "Para"],
    "nl": ["Annuleer", "Laat maar.", "Stop"], "it": ["Annulla", "Lascia stare", "Basta!"],
}  # fmt: skip


@pytest.mark.parametrize("code", LANGUAGES)
def test_requests_and_names_are_understood(code: str) -> None:
    words = lesson_words(code)
    assert words is not None
    for text in LEARN[code]:
        assert words.asks_to_learn(text), text
        assert not words.asks_to_forget(text), text
        assert words.introduced(text) == "", text
    assert words.asks_to_forget(FORGET[code])
    assert not words.asks_to_learn(FORGET[code])
    for text in INTRODUCED[code]:
        assert words.asks_to_learn(text), text
        assert words.introduced(text) == "Anna", text
    for text in ANSWERS[code]:
        assert words.named(text) == "Anna", text
    for text in CANCEL[code]:
        assert words.cancels(text), text
        assert not words.cancels(f"{text} Anna"), text


@pytest.mark.parametrize("code", LANGUAGES)
def test_talk_is_no_request_and_no_cancel(code: str) -> None:
    words = lesson_words(code)
    assert words is not None
    assert [text for text in TALK[code] if words.asks_to_learn(text) or words.cancels(text)] == []


@pytest.mark.parametrize(
    "text", ["Don't learn my voice.", "Learn her voice.", "My voice is tired."]
)
def test_words_that_only_resemble_a_request_are_none(text: str) -> None:
    words = lesson_words("en")
    assert words is not None
    assert not words.asks_to_learn(text)
    assert not words.asks_to_forget(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("anna", "Anna"),
        ("Anna Maria Smith.", "Anna Maria Smith"),
        ("I am Jean-Luc", "Jean-Luc"),
        ("Hmm.", ""),
        ("Yes.", ""),
        ("What?", ""),
        ("turn on the light in the kitchen", ""),
        ("", ""),
        ("42", ""),
    ],
)
def test_an_answer_is_a_name_or_not(text: str, name: str) -> None:
    words = lesson_words("en")
    assert words is not None
    assert words.named(text) == name


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_language_has_every_line_and_asks_so_that_the_satellite_listens(code: str) -> None:
    words, english = lesson_words(code), lesson_words("en")
    assert words is not None
    assert english is not None
    assert len(words.questions) == len(set(words.questions)) == SENTENCES

    def fields(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    assert {key: fields(line) for key, line in words.lines.items()} == {
        key: fields(line) for key, line in english.lines.items()
    }
    asking = {"name", "name_again", "replace", "begin", "next", "again", "forget"}
    for key in words.lines:
        said = words.say(key, "Anna", 1)
        assert said.rstrip().endswith("?") is (key in asking), said


def test_a_language_is_known_by_its_first_part() -> None:
    assert lesson_words("de-AT") is lesson_words("de")
    assert lesson_words("pl") is None
    assert lesson_words("") is None
