"""What clients call a language, and what a model calls it."""

import pytest

from wyoming_common.errors import UnknownLanguage
from wyoming_stt.languages import WHISPER, chosen, match


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("en", "en"), ("en_US", "en"), ("EN-gb", "en"), ("nb", "no"), ("zh-CN", "zh"), ("de", "de")],
)
def test_a_region_or_another_code_means_the_language(wanted: str, code: str) -> None:
    assert match(wanted, WHISPER, "base") == code


@pytest.mark.parametrize("wanted", [None, "", "auto"])
def test_no_language_is_left_to_the_model(wanted: str | None) -> None:
    assert match(wanted, WHISPER, "base") is None
    assert match(wanted, ["en"], "tiny.en") == "en"


def test_an_unknown_language_names_those_there_are() -> None:
    with pytest.raises(UnknownLanguage, match=r"tiny\.en understands en; got 'de'"):
        match("de", ["en"], "tiny.en")


def test_a_household_names_the_languages_it_speaks() -> None:
    assert chosen(["de", "en_GB", "de"], WHISPER, "base") == ("de", "en")
    assert chosen([], WHISPER, "base") == WHISPER
    with pytest.raises(UnknownLanguage):
        chosen(["xx"], WHISPER, "base")
