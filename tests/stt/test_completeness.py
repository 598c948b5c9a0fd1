"""Turn completeness from the sound and the words."""

import math
from collections.abc import Sequence

import pytest

from wyoming_stt.endpointing.completeness import closing_probability, completeness
from wyoming_stt.engine import SentenceStage


def opinion(
    sound: float | None,
    text: str | None,
    language: str = "en",
    stage: SentenceStage | None = None,
    closing: float | None = None,
) -> float:
    result = completeness(sound, text, language, stage, closing=closing)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("complete", "open_ended"),
    [
        ("Turn on the light.", "Turn on the"),
        ("Turn on the light.", "Turn on the."),
        ("What time is it?", "What time is it,"),
        ("Stop.", "Stop..."),
        ("Turn it off!", "Turn it off and"),
    ],
)
def test_a_sentence_reads_more_complete_than_a_fragment(complete: str, open_ended: str) -> None:
    whole, part = (completeness(None, text, "en") for text in (complete, open_ended))

    assert whole is not None
    assert part is not None
    assert whole > part


def test_sound_and_words_must_both_be_complete() -> None:
    both = opinion(0.99, "Turn on the light.", closing=0.9)

    assert both == 1.0
    for sound, text, closing in (
        (0.1, "Turn on the light.", 0.9),
        (0.99, "Turn on the", 0.3),
        (0.99, "Could you turn on", 0.05),
    ):
        assert opinion(sound, text, closing=closing) < 0.61


def test_a_sentence_that_the_recogniser_hardly_closes_is_less_complete() -> None:
    opinions = [opinion(0.95, "Make me a latte.", closing=one) for one in (0.9, 0.6, 0.2)]

    assert opinions == sorted(opinions, reverse=True)
    assert opinions[0] - opinions[-1] > 0.3


def test_a_certain_sound_outweighs_a_mark_that_is_written_but_improbable() -> None:
    assert opinion(0.99, "Turn on the lamp.", closing=0.2) > 0.7
    assert opinion(0.95, "Turn on the lamp.", closing=0.2) < 0.6
    assert opinion(0.99, "Turn on the lamp", closing=0.2) < 0.6
    assert opinion(0.99, "Turn on the.", closing=0.2) < 0.3


def test_only_the_surest_sound_ends_a_turn_much_sooner() -> None:
    doubtful, likely, sure = (
        opinion(turn, "Make me a latte.", closing=0.9) for turn in (0.5, 0.9, 0.99)
    )

    assert likely - doubtful < 0.2 < sure - likely


def test_sound_alone_is_never_certain() -> None:
    assert 0.5 < opinion(1.0, None) < 0.9


def test_without_a_turn_model_words_alone_are_never_certain() -> None:
    assert 0.4 < opinion(None, "Turn on the light.", closing=1.0) < 0.8


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Turn the light on."),
        ("en", "Turn on the light, please."),
        ("de", "Mach das Licht an."),
        ("de", "Schalte die Lampe ein."),
        ("de", "Mach die Tür zu."),
        ("nl", "Doe de lamp aan."),
        ("nl", "Hoe laat is het?"),
        ("fr", "Éteins-la."),
    ],
)
def test_a_particle_or_a_pronoun_ends_a_command(language: str, text: str) -> None:
    assert opinion(0.9, text, language) > 0.6


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Turn on the."),
        ("de", "Schalte die."),
        ("fr", "Allume la."),
        ("es", "Enciende la."),
        ("it", "Accendi la."),
        ("nl", "Zet de."),
    ],
)
def test_an_article_at_the_end_keeps_a_turn_open(language: str, text: str) -> None:
    assert opinion(0.97, text, language) < 0.3


def test_no_evidence_gives_no_opinion_of_short_speech() -> None:
    assert completeness(None, None, "en", None, 5.0) is None


def test_no_evidence_of_long_speech_leaves_the_speaker_time_to_think() -> None:
    thinking = completeness(0.99, "He came home.", "en", None, 12.0)

    assert completeness(None, None, "en", None, 12.0) == thinking


@pytest.mark.parametrize("turn", [None, 0.1, 0.9, 0.97])
def test_a_sentence_that_none_continues_is_more_complete_than_one_that_may_go_on(
    turn: float | None,
) -> None:
    whole, continuable, other = (
        opinion(turn, "Turn on the lamp.", stage=stage)
        for stage in (SentenceStage.WHOLE, SentenceStage.CONTINUABLE, None)
    )

    assert whole > continuable >= other
    assert whole > 0.6


def test_a_sentence_that_none_continues_and_sounds_ended_is_complete() -> None:
    assert opinion(0.9, "Turn on the lamp.", stage=SentenceStage.WHOLE) == 1.0


@pytest.mark.parametrize("turn", [None, 0.95])
def test_the_beginning_of_a_sentence_of_the_home_is_incomplete(turn: float | None) -> None:
    text = "Set the temperature of the bedroom."

    assert opinion(turn, text, stage=SentenceStage.BEGUN, closing=0.6) < 0.1


def test_the_longer_a_turn_is_the_less_a_pause_says() -> None:
    lengths = [2.0, 5.0, 6.5, 8.0, 15.0]
    opinions = [completeness(0.95, "Did he come?", "en", None, length) for length in lengths]

    assert opinions[0] == opinions[1]
    assert opinions == sorted(opinions, key=lambda one: -(one or 0))
    assert opinions[-1] == opinions[-2] == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("language", "statement", "order"),
    [
        ("en", "My mother comes to dinner.", "Bring the shopping list."),
        ("en", "Hello there. It's cold today.", "I'd like a large latte."),
        ("de", "Meine Mutter kommt zum Essen.", "Bring den Einkaufszettel."),
        ("fr", "C’est bientôt l'hiver.", "Je voudrais un grand café."),  # noqa: RUF001
        ("es", "Mi madre viene a cenar.", "Para la música."),
        ("it", "La mamma viene a cena.", "Per favore accendi tutto."),
        ("nl", "Mijn moeder komt eten.", "Zet de muziek zachter."),
    ],
)
def test_a_statement_leaves_time_for_what_is_wanted(
    language: str, statement: str, order: str
) -> None:
    told, asked = (
        completeness(0.95, text, language, None, 2.0, closing=0.9) for text in (statement, order)
    )

    assert told is not None
    assert told < 0.0
    assert asked is not None
    assert asked > 0.6


def test_a_word_or_two_and_a_question_are_no_statements() -> None:
    for text, length in (("The second one.", 1.2), ("The kitchen light is on, isn't it?", 3.0)):
        asked = completeness(0.95, text, "en", None, length, closing=0.9)

        assert asked is not None
        assert asked > 0.6


@pytest.mark.parametrize(
    ("text", "has_time"),
    [("Continuation of the passage.", True), ("What is the capital of Peru?", False)],
)
def test_longer_speech_that_is_no_sentence_of_the_home_has_time_unless_it_asks(
    text: str, *, has_time: bool
) -> None:
    short, long = (
        completeness(0.95, text, "en", SentenceStage.OTHER, length, closing=0.9)
        for length in (1.5, 3.5)
    )

    assert short is not None
    assert short == completeness(0.95, text, "en", None, 3.5, closing=0.9)
    assert long == (pytest.approx(0.15) if has_time else short)


def test_long_speech_has_more_time_where_it_does_not_ask() -> None:
    asks, tells = (
        completeness(0.95, text, "en", None, 9.0) for text in ("Did he come?", "Tell me of him.")
    )

    assert asks is not None
    assert tells is not None
    assert tells < 0.0 < asks < 0.2


def test_a_sentence_of_the_home_ends_a_long_turn_as_well() -> None:
    for stage in (SentenceStage.WHOLE, SentenceStage.CONTINUABLE):
        short, long = (
            completeness(0.9, "Turn on the lamp.", "en", stage, length) for length in (2.0, 15.0)
        )
        assert short == long


def test_a_mark_is_as_probable_as_the_closed_texts_beside_the_open_one() -> None:
    scored: list[str] = []

    def score(texts: Sequence[str]) -> Sequence[float]:
        scored.extend(texts)
        return [{"n": 0.0, ".": math.log(0.3), "?": math.log(0.5)}[text[-1]] for text in texts]

    assert closing_probability("Is the lamp on?", score) == pytest.approx(0.8)
    assert scored == ["Is the lamp on", "Is the lamp on.", "Is the lamp on?"]


def test_the_mark_of_another_script_counts_as_well() -> None:
    def score(texts: Sequence[str]) -> Sequence[float]:
        return [math.log(0.9) if text.endswith("।") else -9.0 * ("." in text) for text in texts]

    probability = closing_probability("बत्ती जलाओ।", lambda texts: [*score(texts)])

    assert probability is not None
    assert probability > 0.85


def test_a_french_question_mark_counts_with_the_space_before_it() -> None:
    scored: list[str] = []

    def score(texts: Sequence[str]) -> Sequence[float]:
        scored.extend(texts)
        return [0.0] * len(texts)

    closing_probability("Quelle heure est-il ?", score)

    assert "Quelle heure est-il ?" in scored


def test_a_text_without_capitals_is_not_expected_to_have_a_mark() -> None:
    small, large = (
        opinion(0.98, text, closing=0.1) for text in ("lights off in here", "Lights off in here")
    )

    assert small > 0.55 > large


@pytest.mark.parametrize("text", ["", "...", " . "])
def test_a_text_without_words_has_no_mark(text: str) -> None:
    assert closing_probability(text, lambda texts: [0.0] * len(texts)) is None


def test_an_engine_without_scores_tells_nothing_of_marks() -> None:
    assert closing_probability("Turn on the lamp.", lambda _: None) is None
