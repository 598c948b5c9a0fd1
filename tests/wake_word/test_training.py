"""Training from text alone, with a voice of tones and spectra for embeddings."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from parley.wake_word.corpus import PART_CLIPS, Corpus, Recipe
from parley.wake_word.training import TrainingRequest, choose_threshold, train, without_likest
from satellite.wake.trained_words import TrainedWord
from tests.wake_word.fakes import RATE, FakeEspeak, ToneVoice, spectra
from wyoming_common.errors import NoSpace

MAX_PROCESSOR_SECONDS = 12.0


def trained(request: TrainingRequest, voice: ToneVoice) -> TrainedWord:
    return train(
        request, [voice], cast(Any, spectra), cast(Any, FakeEspeak()), lambda stage, part: None
    )


def score(word: TrainedWord, text: str) -> float:
    clip = ToneVoice().say(text, random.Random(text)) * 9_000  # noqa: S311
    sound = np.concatenate([np.zeros(3 * RATE), clip, np.zeros(RATE)]).astype(np.float32)
    sound += np.random.default_rng(1).standard_normal(len(sound)).astype(np.float32) * 20
    return float(word.scores(spectra(sound)).max())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def request_(cache: Path) -> TrainingRequest:
    return TrainingRequest(
        "kebudolima", "en", cache, processor_seconds=MAX_PROCESSOR_SECONDS, networks=1
    )


@pytest.fixture(scope="module")
def word(request_: TrainingRequest) -> TrainedWord:
    return trained(request_, ToneVoice())


def test_the_phrase_scores_above_other_speech(word: TrainedWord) -> None:
    assert score(word, "turnonthelight") < score(word, "kebudolima")


def test_the_figures_of_a_word_are_of_voices_that_were_held_out(word: TrainedWord) -> None:
    assert 0 <= word.facts["recall"] <= 1
    assert word.facts["minutes_of_speech"] > 0
    assert word.facts["voices"] == ["tones"]


def test_a_phrase_of_one_word_has_no_parts_among_others(word: TrainedWord) -> None:
    assert word.facts["clips"]["parts"] == 0


def test_a_phrase_of_two_words_is_learned_with_its_words_among_others(tmp_path: Path) -> None:
    request = TrainingRequest("kebu dolima", "en", tmp_path, processor_seconds=12.0, networks=1)

    word = trained(request, ToneVoice())

    assert word.facts["clips"]["parts"] > 0
    assert 0 <= word.facts["parts"] <= 1


def test_a_second_run_speaks_nothing_again(word: TrainedWord, request_: TrainingRequest) -> None:
    voice = ToneVoice()

    again = trained(request_, voice)

    assert voice.said == 0
    assert score(again, "kebudolima") == pytest.approx(score(word, "kebudolima"), abs=0.02)


def test_a_word_is_the_same_on_any_number_of_threads(request_: TrainingRequest) -> None:
    one, three = (
        trained(replace(request_, networks=3, threads=threads), ToneVoice()) for threads in (1, 3)
    )

    assert one.threshold == pytest.approx(three.threshold, abs=1e-3)
    assert [layers[0][1] for layers in one.networks] == [
        pytest.approx(layers[0][1], abs=1e-4) for layers in three.networks
    ]


def test_an_interrupted_run_continues(tmp_path: Path) -> None:
    class Interrupted(ToneVoice):
        def say(self, text: str, rng: Any) -> Any:
            if self.said == 9:
                raise KeyboardInterrupt
            return super().say(text, rng)

    request = TrainingRequest(
        "kebudolima", "en", tmp_path, threads=1, processor_seconds=10.0, networks=1
    )
    with pytest.raises(KeyboardInterrupt):
        trained(request, Interrupted())
    whole, rest = ToneVoice(), ToneVoice()
    trained(request, rest)
    trained(replace(request, cache=tmp_path / "new"), whole)

    assert 0 < whole.said - rest.said <= 9, "the parts that were whole are kept"


def test_a_slow_machine_speaks_a_third_and_the_next_run_goes_on(tmp_path: Path) -> None:
    voice = ToneVoice()
    recipes = [Recipe(voice, f"kebu{number}", 1) for number in range(3 * PART_CLIPS)]

    def examples(until: float) -> int:
        corpus = Corpus(tmp_path, spectra, 8, until=until)
        return len(corpus.speech(recipes, lambda _: None)[0])

    assert (examples(until=0.0), voice.said) == (PART_CLIPS, PART_CLIPS)
    assert (examples(until=float("inf")), voice.said) == (len(recipes), len(recipes))


def test_a_damaged_cache_is_made_again(tmp_path: Path) -> None:
    request = TrainingRequest("kebudolima", "en", tmp_path, processor_seconds=10.0, networks=1)
    trained(request, ToneVoice())
    for path in list(tmp_path.rglob("phrase-*.npz")):
        path.write_bytes(path.read_bytes()[:100])
    voice = ToneVoice()

    trained(request, voice)

    assert voice.said > 0


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)

    with pytest.raises(NoSpace, match="is full: make room"):
        trained(
            TrainingRequest("kebudolima", "en", tmp_path, processor_seconds=10.0, networks=1),
            ToneVoice(),
        )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_sentence_that_happens_to_be_like_the_phrase_does_not_set_the_threshold() -> None:
    scored = [(number, -2.0) for number in range(50) for _ in range(4)] + [(7, 3.0)] * 4

    assert without_likest(scored).max() == -2.0
    assert len(without_likest(scored)) == 49 * 4


def test_the_threshold_lies_above_other_speech_and_below_the_phrase() -> None:
    phrase, near = np.linspace(3, 9, 50), np.linspace(-9, 1, 50)
    speech = np.linspace(-12, -2, 500)

    found = choose_threshold(phrase, near, speech)  # type: ignore[arg-type]

    assert np.quantile(near, 0.9) <= found < np.quantile(phrase, 0.1)
    assert found > np.quantile(speech, 0.99)


def test_a_few_likely_sentences_do_not_move_the_threshold() -> None:
    phrase, near = np.linspace(-2, 9, 50), np.linspace(-9, 1, 50)
    speech = np.linspace(-12, -2, 500)
    likely = np.concatenate([speech, [3.0, 2.0, 1.0]])

    found = choose_threshold(phrase, near, likely)  # type: ignore[arg-type]

    assert found == choose_threshold(phrase, near, speech)  # type: ignore[arg-type]


def test_much_other_speech_that_is_like_the_phrase_raises_the_threshold() -> None:
    phrase, near = np.linspace(-2, 9, 50), np.linspace(-9, 1, 50)
    speech = np.linspace(-12, 2, 500)

    found = choose_threshold(phrase, near, speech)  # type: ignore[arg-type]

    assert found == pytest.approx(np.quantile(speech, 0.99))
