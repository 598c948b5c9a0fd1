"""Identification: the person whose profile fits, and a guest in every doubt."""

from tests.stt.speakers.voices import ANNA, BEN, CARL, embedding
from wyoming_common.protocol.spoken_by import GUEST
from wyoming_stt.speakers.identification import decide
from wyoming_stt.speakers.profiles import VoiceProfile

HOUSEHOLD = [VoiceProfile("Anna", (embedding(ANNA),)), VoiceProfile("Ben", (embedding(BEN),))]


def test_a_voice_is_that_of_its_profile() -> None:
    assert decide(embedding(ANNA), HOUSEHOLD).name == "Anna"
    assert decide(embedding(BEN), HOUSEHOLD).name == "Ben"
    assert decide(embedding(BEN), HOUSEHOLD).sure


def test_an_unknown_voice_is_a_guest() -> None:
    decision = decide(embedding(CARL), HOUSEHOLD)

    assert decision.name == GUEST
    assert not decision.sure


def test_a_voice_between_two_profiles_is_a_guest() -> None:
    between = decide(embedding(ANNA, BEN, 0.98), HOUSEHOLD)

    assert between.similarity > 0.6
    assert between.name == GUEST


def test_a_voice_that_only_just_fits_teaches_nothing() -> None:
    decision = decide(embedding(ANNA, CARL, 1.2), HOUSEHOLD)

    assert decision.name == "Anna"
    assert not decision.sure
