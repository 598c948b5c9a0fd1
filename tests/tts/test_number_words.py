import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.phonemes.espeak import EspeakPhonemizer
from wyoming_tts.phonemes.number_words import in_parts
from wyoming_tts.text.numbers import speller

LOCALES = {"de": "de_DE", "nl": "nl_NL", "it": "it_IT"}


@pytest.mark.parametrize(
    ("voice", "text", "parted"),
    [
        ("de", "achthunderteinundvierzig Grad", "acht-hundert-ein-und-vierzig Grad"),
        ("de", "am Vierundzwanzigsten", "am Vier-und-zwanzigsten"),
        ("de", "achtzehn und hundert Hunderttausende", "achtzehn und hundert Hunderttausende"),
        ("nl", "eenentwintigste, drieënzestig", "één-en-twintigste, drie-ën-zestig"),
        ("nl", "een achten zeven tienen", "een achten zeven tienen"),
        ("it", "settecentosessantuno", "sette-cento-sessantuno"),
        ("it", "centotto di centoventisei", "cent-otto di cento-venti-sei"),
        ("fr-fr", "cent quatre-vingt-deux, quatre-vingts", "cent quatre-vin-deux, quatre-vingts"),
        ("es", "ochocientos treinta", "ochocientos treinta"),
    ],
)
def test_a_long_number_word_is_parted_where_its_words_meet(
    voice: str, text: str, parted: str
) -> None:
    assert in_parts(text, voice) == parted


@pytest.mark.parametrize("language", LOCALES)
@given(number=st.integers(0, 10**9))
def test_parting_changes_no_letter_of_a_number(language: str, number: int) -> None:
    words = speller(LOCALES[language]).cardinal(number)

    assert in_parts(words, language).replace("-", "").replace("éé", "ee") == words


# Not with a four: espeak-ng has its vowels for words and, otherwise, for digits.
@pytest.mark.parametrize("number", [30, 33, 136, 831, 1_970, 2_026, 9_381, 99_535, 123_789])
def test_a_german_number_sounds_as_espeak_reads_its_digits(number: int) -> None:
    espeak = EspeakPhonemizer()
    words = speller("de_DE").cardinal(number)

    assert _sounds(espeak, words) == _sounds(espeak, str(number))


def test_the_t_of_eighty_is_silent_in_french() -> None:
    espeak = EspeakPhonemizer()

    assert "td" not in _sounds(espeak, "quatre-vingt-deux", "fr")
    assert "td" in _sounds(espeak, "vingt-deux", "fr")


def _sounds(espeak: EspeakPhonemizer, text: str, voice: str = "de") -> str:
    """Return the sounds alone, without accents."""
    phonemes = "".join("".join(sentence) for sentence in espeak.phonemize(voice, text))
    return "".join(sound for sound in phonemes if unicodedata.category(sound) == "Ll")
