"""A segment's text is corrected to sentences of the home, and what was heard is known."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from tests.stt.home_sentences.homes import HOME, SENTENCES
from wyoming_stt.decoding.transcribe import transcribe
from wyoming_stt.engine import SentenceStage, SttEngine, Transcription, TranscriptionRequest
from wyoming_stt.home_sentences.grammar import compile_grammar
from wyoming_stt.home_sentences.search import PhoneticSearch
from wyoming_stt.home_sentences.sentences import NoHomeSentences

SEARCH = PhoneticSearch(compile_grammar(SENTENCES, HOME, "en"))
REQUEST = TranscriptionRequest(language="en")


class Sentences(NoHomeSentences):
    """The sentences of a small home."""

    def search(self, language: str | None) -> PhoneticSearch | None:
        return SEARCH


class Engine:
    """Hears one text, and finds texts probable as `scores` says; others are improbable."""

    def __init__(self, heard: Transcription, scores: dict[str, float] | None = None) -> None:
        self._heard = heard
        self._scores = scores

    def transcribe(self, audio: Any, request: Any) -> Transcription:
        return self._heard

    def score(self, audio: Any, texts: Sequence[str], request: Any) -> list[float] | None:
        if self._scores is None:
            return None
        return [self._scores.get(text.lower().strip(" ."), -90.0) for text in texts]


def transcribed(
    heard: str,
    *alternatives: str,
    scores: dict[str, float] | None = None,
    certain_seconds: float | None = None,
    seconds: float = 1.0,
    likelihood: float | None = None,
) -> Transcription:
    transcription = Transcription(
        text=heard, language="en", alternatives=alternatives, likelihood=likelihood
    )
    engine = cast("SttEngine", Engine(transcription, scores))
    audio = np.zeros(round(16_000 * seconds), np.float32)
    return transcribe(engine, audio, REQUEST, Sentences(), certain_seconds=certain_seconds)


def test_a_text_whose_place_a_sentence_takes_is_known_with_the_margin() -> None:
    scores = {"open the garbage door": -4.0, "open the garage door": -6.0}
    found = transcribed("Open the garbage door.", scores=scores)

    assert (found.text, found.heard) == ("Open the Garage Door.", "Open the garbage door.")
    assert found.margin is not None
    assert found.margin > 0


def test_an_engine_without_scores_is_corrected_by_sound_alone() -> None:
    assert transcribed("Turn on the bedroom lemp.").text == "Turn on the Bedroom Lamp."
    assert transcribed("What a day!").text == "What a day!"


def test_an_alternative_may_lead_to_the_sentence() -> None:
    scores = {"often the carriage tour": -8.0, "open the garage door": -7.0}

    found = transcribed("Often the carriage tour.", "Open the garage doe.", scores=scores)

    assert found.text == "Open the Garage Door."


def test_a_command_in_what_seemed_no_speech_needs_the_better_score() -> None:
    doubted = "Opened garage door."
    likely = {"opened garage door": -15.0, "open the garage door": -9.0}
    unlikely = {"opened garage door": -9.0, "open the garage door": -15.0}

    assert transcribed("", doubted, scores=likely).text == "Open the Garage Door."
    assert transcribed("", doubted, scores=unlikely).text == ""
    assert transcribed("", doubted).text == ""


def test_short_speech_of_which_the_voice_detector_is_certain_is_written_down() -> None:
    written = transcribed("", "(sighs) Niente!", "Miante!", certain_seconds=0.5, likelihood=-1.2)

    assert written.text == "Niente!"
    assert transcribed("", "Niente!", "Miante!", certain_seconds=0.1).text == ""
    assert transcribed("", "Il problema", certain_seconds=0.5, likelihood=-2.5).text == ""


def test_an_unlikely_text_of_sound_that_is_never_surely_speech_is_not_written_down() -> None:
    assert transcribed("Blah!", certain_seconds=0.0, likelihood=-1.67).text == ""
    assert transcribed("Blah!", certain_seconds=0.1, likelihood=-1.67).text == "Blah!"
    assert transcribed("Never mind.", certain_seconds=0.0, likelihood=-1.3).text == "Never mind."


def test_long_sound_in_which_no_words_were_found_stays_empty() -> None:
    assert transcribed("", "La la la.", certain_seconds=4.0, seconds=8.0).text == ""


def test_a_sentence_that_was_only_begun_is_not_complete() -> None:
    scores = {"turn on the bedroom": -3.0, "turn on the bedroom lamp": -9.0}

    found = transcribed("Turn on the bedroom.", scores=scores)

    assert found.stage is not SentenceStage.WHOLE
