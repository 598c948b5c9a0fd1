import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.spoken import spoken

# ruff: noqa: E501 - what is read aloud is long
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
    ("7:05pm", "seven oh five PM"),
    ("9am-5pm, 2–3 p.m.", "nine AM to five PM, two to three PM."),  # noqa: RUF001
    ("Jan 5-7", "January fifth to seventh"),
    (
        "2024-12-31T23:59:59Z",
        "December thirty-first, twenty twenty-four, twenty-three fifty-nine and fifty-nine seconds U.T.C",
    ),
    (
        "1.2.3.4:80 and 10.0.0.0/24",
        "one dot two dot three dot four port eight zero and ten dot zero dot zero dot zero slash twenty-four",
    ),
    ("3/4 cup and 1 1/2 tsp", "three quarters of a cup and one and a half teaspoons"),
    (
        "$20-$30, $5-10, £5m",
        "twenty dollars to thirty dollars, five to ten dollars, five million pounds",
    ),
    ("$5/month", "five dollars per month"),
    ("$.99", "ninety-nine cents"),
    ("12 µg/m³", "twelve micrograms per cubic meter"),
    (
        "60 fps at 120/80 mmHg",
        "sixty frames per second at one hundred twenty over eighty millimeters of mercury",
    ),
    ("-5 to -10°C", "minus five to minus ten degrees Celsius"),
    ("30%-50%, +12%", "thirty percent to fifty percent, plus twelve percent"),
    ("2h30m", "two hours thirty minutes"),
    ("3:1 and 1920x1080", "three to one and nineteen twenty by one thousand eighty"),
    ("apartment 4B", "apartment four B"),
    ("Dial 911", "Dial nine one one"),
    ("978-3-16-148410-0", "nine seven eight, three, one six, one four eight four one zero, zero"),
    ("Final Fantasy VII, Louis XIV", "Final Fantasy seven, Louis the fourteenth"),
    ("Super Bowl LVIII", "Super Bowl fifty-eight"),
    ("10 in. tall", "ten inches tall"),
    ("p. 5 of pp. 3-7", "page five of pages three to seven"),
    ("config.yaml in /etc/hosts", "config dot yaml in /etc/hosts"),
    ("C++, C# and UTC+2", "C plus plus, C sharp and UTC plus two"),
    ("6.02e23", "six point zero two times ten to the twenty-three"),
    ("by 12/31 or 50-50", "by December thirty-first or fifty fifty"),
    ("5ft 10in", "five feet ten inches"),
    ("4K TV", "four K TV"),
    (".75", "point seven five"),
    ("on Maple Dr. near Dr. Brown", "on Maple Drive near Doctor Brown"),
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
    ("de_DE", "am 3. Mai", "am dritten Mai"),
    (
        "de_DE",
        "am 21.11.2026 um 7:05 Uhr.",
        "am einundzwanzigsten November zweitausendsechsundzwanzig um sieben Uhr fünf.",
    ),
    ("de_DE", "5,50 €", "fünf Euro fünfzig"),
    ("de_DE", "1 Stunde, 3-5 Tage, der 2. Stock", "eine Stunde, drei bis fünf Tage, der 2. Stock"),
    ("de_DE", "z. B. Dr. Müller usw.", "zum Beispiel Doktor Müller und so weiter."),
    (
        "de_DE",
        "1 Xylit, 192.168.1.1",
        "1 Xylit, einhundertzweiundneunzig Punkt einhundertachtundsechzig Punkt eins Punkt eins",
    ),
    ("de_DE", "+49 30 123456", "plus vier neun, drei null, eins zwei drei vier fünf sechs"),
    ("de_DE", "1,5 Mio. € und € 20,-", "eins Komma fünf Millionen Euro und zwanzig Euro"),
    (
        "fr_FR",
        "à 14h30, 1:00 et 21:05",
        "à quatorze heures trente, une heure et vingt-et-une heures cinq",
    ),
    (
        "fr_FR",
        "le 1er mai, 21/11/2026",
        "le premier mai, vingt-et-un novembre deux mille vingt-six",
    ),
    (
        "fr_FR",
        "0,99 €, 1 234,56 EUR",
        "quatre-vingt-dix-neuf centimes, mille deux cent trente-quatre euros cinquante-six",
    ),
    (
        "fr_FR",
        "01 23 45 67 89",
        "zéro un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf",
    ),
    ("fr_FR", "1 000 000 personnes", "un million de personnes"),
    ("fr_FR", "M. Dupont, 1 heure", "Monsieur Dupont, une heure"),
    (
        "es_ES",
        "a la 1:00, 21 minutos, 200 personas",
        "a la una, veintiún minutos, doscientas personas",
    ),
    ("es_ES", "5,50 €, el 3.º", "cinco euros con cincuenta, el tercero"),
    ("es_ES", "21 xilófonos", "21 xilófonos"),
    ("it_IT", "1 ora, il 1° maggio, 20 °C", "un'ora, il primo maggio, venti gradi Celsius"),
    ("it_IT", "€ 5,50 alle 14:30", "cinque euro e cinquanta alle quattordici e trenta"),
    ("nl_NL", "€ 5,50 om 14:30 uur, de 2e", "vijf euro vijftig om veertien uur dertig, de tweede"),
    (
        "nl_NL",
        "120 km/u, bijv. dhr. Jansen",
        "honderdtwintig kilometer per uur, bijvoorbeeld de heer Jansen",
    ),
    ("fr_FR", "45 %", "quarante-cinq pour cent"),
    ("es_ES", "1.234 personas", "mil doscientas treinta y cuatro personas"),
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


@pytest.mark.parametrize(
    "language", ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "ja", "xx", ""]
)
@given(st.text(st.sampled_from("0123456789.,:/-$€%°C km'\"()+#*|[]ABIVXst\n") | st.characters()))
def test_any_text_can_be_read(language: str, text: str) -> None:
    assert isinstance(spoken(text, language), str)


@given(st.integers(0, 10**15 - 1))
def test_no_digit_is_left_for_the_voice_to_guess(number: int) -> None:
    assert not any(character.isdigit() for character in spoken(f"{number} {number:,}", "en_US"))
