"""Language codes of clients are matched to the ones of a model."""

import pytest

from wyoming_common.errors import UnknownLanguage
from wyoming_stt.text.languages import WHISPER, choose_languages, match_language


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("en", "en"), ("en_US", "en"), ("EN-gb", "en"), ("nb", "no"), ("zh-CN", "zh"), ("de", "de")],
)
def test_a_region_or_another_code_means_the_language(wanted: str, code: str) -> None:
    assert match_language(wanted, WHISPER, "base") == code


@pytest.mark.parametrize("wanted", [None, "", "auto"])
def test_an_open_language_is_left_to_the_model(wanted: str | None) -> None:
    assert match_language(wanted, WHISPER, "base") is None
    assert match_language(wanted, ["en"], "tiny.en") == "en"


def test_the_error_for_an_unknown_language_lists_the_known_ones() -> None:
    with pytest.raises(UnknownLanguage, match=r"tiny\.en understands en; got 'de'"):
        match_language("de", ["en"], "tiny.en")


def test_a_household_limits_the_languages_to_the_ones_it_speaks() -> None:
    assert choose_languages(["de", "en_GB", "de"], WHISPER, "base") == ("de", "en")
    assert choose_languages([], WHISPER, "base") == WHISPER
    with pytest.raises(UnknownLanguage):
        choose_languages(["xx"], WHISPER, "base")
