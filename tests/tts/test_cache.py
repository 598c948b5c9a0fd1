from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tts.fakes import FakeTts
from wyoming_common.net.fairness import as_client
from wyoming_tts.config import TtsSettings
from wyoming_tts.synthesis.cache import PhraseCache
from wyoming_tts.synthesis.synthesizer import Synthesizer
from wyoming_tts.text.sentences import Passage

PCM = b"\x01\x00" * 100


def test_a_phrase_that_was_put_is_found() -> None:
    cache = PhraseCache(10_000)

    cache.put("a", PCM)

    assert cache.get("a") == PCM
    assert cache.get("b") is None


def test_the_phrase_not_used_for_longest_goes_first() -> None:
    cache = PhraseCache(1600)
    for key in "abcdefgh":
        cache.put(key, PCM)
    cache.get("a")

    cache.put("i", PCM)

    assert [key for key in "abcdefghi" if cache.get(key)] == list("acdefghi")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 300)), max_size=60))
def test_memory_stays_within_its_bound(puts: list[tuple[str, int]]) -> None:
    cache = PhraseCache(1000)

    for key, size in puts:
        cache.put(key, bytes(2 * size))

    held = [cache.get(key) or b"" for key in "abcdef"]
    assert sum(map(len, held)) <= 1000
    assert max(map(len, held)) <= 125


def test_phrases_on_disk_outlive_the_process(tmp_path: Path) -> None:
    PhraseCache(0, tmp_path, 10_000).put("a", PCM)

    cache = PhraseCache(10_000, tmp_path, 10_000)

    assert cache.get("a") is None
    assert cache.load("a") == PCM
    assert cache.get("a") == PCM


def test_the_disk_stays_within_its_bound(tmp_path: Path) -> None:
    cache = PhraseCache(0, tmp_path, 2000)

    for number in range(50):
        cache.put(str(number), PCM)

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2000
    assert cache.load("49") == PCM


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = PhraseCache(10_000, tmp_path / "file" / "folder", 10_000)

    cache.put("a", PCM)

    assert cache.load("a") == PCM


def test_a_phrase_is_synthesised_once_and_again_when_anything_about_it_changes() -> None:
    engine = FakeTts()
    speech = Synthesizer(engine, TtsSettings(zeroconf="off"))

    def speak(passage: Passage) -> bytes:
        return b"".join(speech.speak(passage, speech.choose(None)))

    first = speak(Passage("One two"))
    assert speak(Passage("One two")) == first
    assert len(engine.phrases) == 1
    for change in (Passage("Two"), Passage("One two", length=2), Passage("One two", volume=2)):
        speak(change)
    engine.version = "2"
    speak(Passage("One two"))
    assert len(engine.phrases) == 5


def test_clients_share_no_phrases() -> None:
    engine = FakeTts()
    speech = Synthesizer(engine, TtsSettings(zeroconf="off"))
    passage = Passage("You see the doctor on Monday")
    with as_client("192.168.1.20"):
        hers = speech.choose(None)
    with as_client("192.168.1.66"):
        his = speech.choose(None)

    spoken = b"".join(speech.speak(passage, hers))

    assert speech.cached(passage, hers) == spoken
    assert speech.cached(passage, his) is None
    assert b"".join(speech.speak(passage, his)) == spoken
    assert len(engine.phrases) == 2


def test_a_phrase_that_was_cut_off_is_not_kept() -> None:
    engine = FakeTts()
    speech = Synthesizer(engine, TtsSettings(zeroconf="off"))
    choice = speech.choose(None)

    pieces = speech.speak(Passage("One two three"), choice)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]

    assert speech.cached(Passage("One two three"), choice) is None


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_the_sample_rate_asked_for_is_the_one_sent(rate: int) -> None:
    engine = FakeTts()
    speech = Synthesizer(engine, TtsSettings(zeroconf="off", sample_rate=rate))
    choice = speech.choose(None)

    pcm = b"".join(speech.speak(Passage("word " * 800), choice))

    assert speech.rate(choice) == rate
    assert abs(len(pcm) / 2 - 1600 * rate / 16_000) < 50
