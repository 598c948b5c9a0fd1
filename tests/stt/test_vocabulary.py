"""Names are put right by their sound, and other text is left alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.errors import ConfigError
from wyoming_stt.vocabulary import Vocabulary, read_vocabulary

HOUSE = Vocabulary(["Zephyra", "Quibblar", "Torvane lamp", "Living room", "Anneliese", "Drøbak"])


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("Turn on the Zephira.", "Turn on the Zephyra."),
        ("Switch off quibbler, please", "Switch off Quibblar, please"),
        ("Dim the tour vane lamp", "Dim the Torvane lamp"),
        ("Analise, what's the weather?", "Anneliese, what's the weather?"),
        ("Drobak light off", "Drøbak light off"),
    ],
)
def test_a_name_heard_wrong_is_written_right(heard: str, meant: str) -> None:
    assert HOUSE.correct(heard) == meant


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
    assert HOUSE.correct(text) == text


def test_a_plural_is_grammar_not_a_mishearing() -> None:
    assert Vocabulary(["light"]).correct("all lights off") == "all lights off"


def test_a_name_said_right_is_not_taken_for_another() -> None:
    text = "Marian and Marion are here"

    assert Vocabulary(["Marian", "Marion"]).correct(text) == text


def test_a_short_name_needs_its_very_sound() -> None:
    assert Vocabulary(["Bo"]).correct("go to bed by ten") == "go to bed by ten"


@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=5))
def test_any_text_and_any_names_give_a_text(text: str, names: list[str]) -> None:
    corrected = Vocabulary(names).correct(text)

    assert isinstance(corrected, str)
    assert Vocabulary([]).correct(text) == text


def test_a_vocabulary_file_has_a_name_a_line(tmp_path: Path) -> None:
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
    ],
)
def test_only_names_are_taken_from_a_reading_that_knew_them(
    plain: str, prompted: str, adopted: str | None
) -> None:
    house = Vocabulary(["Zephyra", "Fjordlight", "Drøbak"])

    assert house.adopt(plain, prompted) == (plain if adopted is None else adopted)


def test_the_names_that_sound_likeliest_come_first() -> None:
    house = Vocabulary([f"Lamp number {n}" for n in range(50)] + ["Zephyra", "Fjordlight"])

    assert house.likely("turn on the zephyr please", 3)[0] == "Zephyra"
    assert len(house.likely("turn on the zephyr please", 3)) == 3
    assert Vocabulary([]).likely("anything", 3) == []


@given(st.text(max_size=40), st.text(max_size=40), st.lists(st.text(max_size=8), max_size=4))
def test_any_two_readings_give_a_text(plain: str, prompted: str, names: list[str]) -> None:
    house = Vocabulary(names)

    assert isinstance(house.adopt(plain, prompted), str)
    assert house.adopt(plain, "") == plain
