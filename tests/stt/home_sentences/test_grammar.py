"""Sentence templates are compiled for the names of a home."""

import pytest

from tests.stt.home_sentences.homes import HOME, SENTENCES
from wyoming_stt.home_sentences.grammar import SentenceGrammar, compile_grammar
from wyoming_stt.home_sentences.phonetics import sounds_of


def compiled(*sentences: str, **more: object) -> SentenceGrammar:
    content = {"intents": {"Test": {"data": [{"sentences": list(sentences)}]}}, **more}
    return compile_grammar(content, HOME, "en")


def test_templates_with_mistakes_are_left_out() -> None:
    grammar = compile_grammar(SENTENCES, HOME, "en")

    assert {template.intent for template in grammar.templates} == {"TurnOn", "Open", "Dim", "Add"}


@pytest.mark.parametrize(
    ("sentence", "used"),
    [
        ("add {anything} to my list", True),
        ("add {anything} [to my list]", False),
        ("play {anything}", False),
        ("{anything} in five minutes", False),
        ("go {anything} on", False),
    ],
)
def test_free_words_must_stand_between_enough_others(sentence: str, used: bool) -> None:
    grammar = compiled(sentence, lists={"anything": {"wildcard": True}})

    assert bool(grammar.templates) == used


def test_rules_that_refer_to_each_other_are_left_out() -> None:
    rules = {"one": "<two>", "two": "<one>"}

    assert compiled("<one>", "stop", expansion_rules=rules).templates[0].max_sounds == 4
    assert len(compiled("<one>", "stop", expansion_rules=rules).templates) == 1


def test_the_longest_sentence_of_a_template_is_known() -> None:
    [template] = compiled("stop [now|at once]").templates

    assert template.max_sounds == len("stopatons")


def test_values_may_be_small_templates() -> None:
    grammar = compiled("play {what}", lists={"what": {"values": [{"in": "(pop|rock) music"}]}})

    texts = {literal.text for literal in grammar.literals}
    assert {"pop music", "rock music"} <= texts


def test_ranges_with_halves_are_written_in_digits() -> None:
    numbers = {"range": {"from": 20, "to": 22, "fractions": "halves"}}
    grammar = compiled("heat to {degrees}", lists={"degrees": numbers})

    written = {literal.sounds: literal.text for literal in grammar.literals}
    assert written[sounds_of("twenty two and a half", "en")] == "22.5"
    assert written[sounds_of("22.5", "en")] == "22.5"
    assert written[sounds_of("twenty-two", "en")] == "22"


def test_pieces_of_one_word_sound_as_the_whole_word() -> None:
    content = {"intents": {"Shut": {"data": [{"sentences": ["ferme le[s] auvent[s]"]}]}}}
    grammar = compile_grammar(content, HOME, "fr")

    sounds = {literal.text: literal.sounds for literal in grammar.literals}
    assert sounds["les"] == sounds["le"] == sounds_of("les", "fr")
    assert sounds[" auvents"] == sounds_of("auvents", "fr")
