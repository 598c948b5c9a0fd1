import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.spoken import spoken

ENGLISH = [
    ("It is 21.5°C.", "It is twenty-one point five degrees Celsius."),
    ("-3 °F tonight", "minus three degrees Fahrenheit tonight"),
    ("5-10 km/h", "five to ten kilometers per hour"),
    ("1 kWh", "one kilowatt hour"),
    ("45%", "forty-five percent"),
    ("100 Mbps", "one hundred megabits per second"),
    ("5'10\"", "five foot ten"),
    ('a 32" screen', "a thirty-two inch screen"),
    ("12 in.", "twelve inches."),
    ("1,234,567", "one million two hundred thirty-four thousand five hundred sixty-seven"),
    ("3.14", "three point one four"),
    (".5", "point five"),
    ("007", "zero zero seven"),
    ("in 1984", "in nineteen eighty-four"),
    ("the 1990s", "the nineteen nineties"),
    ("1st, 22nd and 103rd", "first, twenty-second and one hundred third"),
    ("1/2 or 2 3/4", "one half or two and three quarters"),
    ("2½", "two and a half"),
    ("120/80", "one hundred twenty over eighty"),
    ("2026-11-21", "November twenty-first, twenty twenty-six"),
    ("11/21/2026", "November twenty-first, twenty twenty-six"),
    ("Nov 3, 2024", "November third, twenty twenty-four"),
    ("the 21st of March", "the twenty-first of March"),
    ("14:30", "fourteen thirty"),
    ("7:05 am", "seven oh five AM"),
    ("7:00", "seven o'clock"),
    ("at 5 p.m.", "at five PM."),
    ("$5.50", "five dollars and fifty cents"),
    ("$1", "one dollar"),
    ("£0.20", "twenty pence"),
    ("$3.5 million", "three point five million dollars"),
    ("20 EUR", "twenty euros"),
    ("(555) 123-4567", "five five five, one two three, four five six seven"),
    ("555-1234", "five five five, one two three four"),
    ("Dr. Smith at 10 Baker St.", "Doctor Smith at ten Baker Street"),
    ("near St. Mary", "near Saint Mary"),
    ("e.g. tea, etc.", "for example tea, et cetera."),
    ("see https://www.example.com/a?b=c.", "see example dot com slash a."),
    ("bob@example.com", "bob at example dot com"),
    ("192.168.0.1", "one hundred ninety-two dot one hundred sixty-eight dot zero dot one"),
    ("v2.1.3", "version two point one point three"),
    ("World War II", "World War two"),
    ("Henry VIII", "Henry the eighth"),
    ("the LED is on", "the L.E.D is on"),
    ("5G and MP3", "five G and M.P three"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("3 x 4", "three times four"),
    ("3x faster", "three times faster"),
    ("salt & pepper", "salt and pepper"),
    ("#5", "number five"),
    ("24/7", "twenty-four seven"),
]
MARKUP = [
    ("**Bold** and _thin_ and `code`", "Bold and thin and code"),
    ("## A title", "A title"),
    ("- [x] milk", "milk"),
    ("[the docs](https://a.b/c)", "the docs"),
    ("> said", "said"),
    ("| a | b |", "a, b"),
    ("snake_case stays", "snake_case stays"),
    ("It works 👍🏽!!!", "It works!"),
    ("Fine :-)", "Fine"),
    ("❤️", ""),
    ("👨‍👩‍👧", ""),
    ("---", ""),
    ("...", ""),
]
OTHERS = [
    ("de_DE", "21,5 °C", "einundzwanzig Komma fünf Grad Celsius"),
    ("de_DE", "1 km", "ein Kilometer"),
    ("de_DE", "um 14:30", "um vierzehn Uhr dreißig"),
    ("de_DE", "am 3. Mai", "am 3. Mai"),
    ("de_DE", "5,50 €", "fünf Komma fünf null Euro"),
    ("fr_FR", "45 %", "quarante-cinq pour cent"),
    ("es_ES", "1.234 personas", "mil doscientos treinta y cuatro personas"),
    ("ru_RU", "5 км", "пять км"),
    ("pl_PL", "2 kWh", "dwa kilowatogodziny"),
    ("xx_XX", "5 km", "5 km"),
]


@pytest.mark.parametrize(("written", "read"), [*ENGLISH, *MARKUP])
def test_english_is_written_out_as_it_is_read(written: str, read: str) -> None:
    assert spoken(written, "en_US") == read


@pytest.mark.parametrize(("language", "written", "read"), OTHERS)
def test_other_languages_are_written_out_by_cldr(language: str, written: str, read: str) -> None:
    assert spoken(written, language) == read


def test_dates_follow_the_country() -> None:
    assert spoken("3/4/2025", "en_US") == "March fourth, twenty twenty-five"
    assert spoken("3/4/2025", "en_GB") == "April third, twenty twenty-five"


@pytest.mark.parametrize("language", ["en_US", "en_GB", "de_DE", "ja", "xx", ""])
@given(st.text(st.sampled_from("0123456789.,:/-$€%°C km'\"()+#*|[]ABIVXst\n") | st.characters()))
def test_any_text_can_be_read(language: str, text: str) -> None:
    assert isinstance(spoken(text, language), str)


@given(st.integers(0, 10**15 - 1))
def test_no_digit_is_left_for_the_voice_to_guess(number: int) -> None:
    assert not any(character.isdigit() for character in spoken(f"{number} {number:,}", "en_US"))
