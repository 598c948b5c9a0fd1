"""Misrecognised names are corrected by their sound, and other text is left alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.errors import ConfigError
from wyoming_stt.text.names import NameCorrector, read_vocabulary

CORRECTOR = NameCorrector(
    ["Zephyra", "Quibblar", "Torvane lamp", "Living room", "Anneliese", "Drøbak"]
)


@pytest.mark.parametrize(
    ("recognised", "meant"),
    [
        ("Turn on the Zephira.", "Turn on the Zephyra."),
        ("Switch off quibbler, please", "Switch off Quibblar, please"),
        ("Dim the tour vane lamp", "Dim the Torvane lamp"),
        ("Analise, what's the weather?", "Anneliese, what's the weather?"),
        ("Drobak light off", "Drøbak light off"),
    ],
)
def test_a_misrecognised_name_is_corrected(recognised: str, meant: str) -> None:
    assert CORRECTOR.correct(recognised) == meant


@pytest.mark.parametrize(
    "text",
    [
        "Turn on the living room lights.",
        "Set the temperature to 20 degrees in the kitchen",
        "What's the weather like tomorrow?",
        "Set a timer for five minutes",
        "Play some quiet music, and close the blinds.",
        "turn off everything",
        "",
        "...",
    ],
)
def test_other_sentences_are_left_alone(text: str) -> None:
    assert CORRECTOR.correct(text) == text


def test_a_plural_is_not_a_misrecognised_name() -> None:
    assert NameCorrector(["light"]).correct("all lights off") == "all lights off"


def test_a_recognised_name_is_not_replaced_by_a_similar_one() -> None:
    text = "Marian and Marion are here"

    assert NameCorrector(["Marian", "Marion"]).correct(text) == text


def test_a_short_name_must_sound_exactly_alike() -> None:
    assert NameCorrector(["Bo"]).correct("go to bed by ten") == "go to bed by ten"


@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=5))
def test_any_text_and_any_names_give_a_text(text: str, names: list[str]) -> None:
    corrected = NameCorrector(names).correct(text)

    assert isinstance(corrected, str)
    assert NameCorrector([]).correct(text) == text


def test_a_vocabulary_file_has_one_name_per_line(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# lamps\nZephyra\n\nTorvane lamp  # the tall one\nZephyra\n")

    assert read_vocabulary(file) == ("Zephyra", "Torvane lamp")


def test_a_missing_vocabulary_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="vocabulary: cannot read"):
        read_vocabulary(tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("plain", "prompted", "adopted"),
    [
        ("Switch off the cauldron, please.", "Switch of Zephyra.", None),
        ("What time is it?", "What time is it?", None),
        ("Set the award light to 50%.", "Set the Fjordlight to 50%.", "Set the Fjordlight to 50%."),
        ("Is drove back still open?", "Is Drøbak still open?", "Is Drøbak still open?"),
        ("", "Zephyra", None),
        ("Is drove back closed.", "Is Drøbak.", "Is Drøbak closed."),
        ("Please fjord lied off.", "Fjordlight off.", "Please Fjordlight off."),
    ],
)
def test_only_names_are_adopted_from_the_prompted_transcript(
    plain: str, prompted: str, adopted: str | None
) -> None:
    corrector = NameCorrector(["Zephyra", "Fjordlight", "Drøbak"])

    assert corrector.adopt(plain, prompted) == (plain if adopted is None else adopted)


def test_the_most_similar_names_come_first() -> None:
    corrector = NameCorrector([f"Lamp number {n}" for n in range(50)] + ["Zephyra", "Fjordlight"])

    assert corrector.likely("turn on the zephyr please", 3)[0] == "Zephyra"
    assert len(corrector.likely("turn on the zephyr please", 3)) == 3
    assert NameCorrector([]).likely("anything", 3) == []


@given(st.text(max_size=40), st.text(max_size=40), st.lists(st.text(max_size=8), max_size=4))
def test_any_two_transcripts_give_a_text(plain: str, prompted: str, names: list[str]) -> None:
    corrector = NameCorrector(names)

    assert isinstance(corrector.adopt(plain, prompted), str)
    assert corrector.adopt(plain, "") == plain
