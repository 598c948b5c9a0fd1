import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.languages import boundaries_of
from wyoming_tts.text.sentences import MAX_CHARACTERS, SentenceSplitter


def split(text: str, language: str = "en_US") -> list[str]:
    splitter = SentenceSplitter(boundaries=boundaries_of(language))
    return splitter.feed(text) + splitter.finish()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It is 5. 10 people came.", ["It is 5.", "10 people came."]),
        ("Pi is 3.14 today. Fine.", ["Pi is 3.14 today.", "Fine."]),
        ("Dr. Smith met Mrs. J. F. Doe.", ["Dr. Smith met Mrs. J. F. Doe."]),
        ("At 5 p.m. The door opens.", ["At 5 p.m.", "The door opens."]),
        ("The U.S. Army came.", ["The U.S. Army came."]),
        ("Use milk, e.g. Oat milk.", ["Use milk, e.g. Oat milk."]),
        ("He said “Go.” Then he left.", ["He said “Go.”", "Then he left."]),
        ('"Really?" she asked.', ['"Really?" she asked.']),
        ("So... what now? Well…", ["So...", "what now?", "Well…"]),
        ("See www.example.com. Bye.", ["See www.example.com.", "Bye."]),
        ("- milk\n- eggs\n- tea", ["- milk", "- eggs", "- tea"]),
        ("1. Milk\n2. Eggs", ["1. Milk", "2. Eggs"]),
        (
            "a line that is longer than most and that\nwraps here. End",
            ["a line that is longer than most and that\nwraps here.", "End"],
        ),
        ("Roses are red\nviolets are blue", ["Roses are red", "violets are blue"]),
        ("Lights: on\nheating: off", ["Lights: on", "heating: off"]),
        ("Good night, Max. The door is locked.", ["Good night, Max.", "The door is locked."]),
        ("Happy birthday, Jan. Have fun.", ["Happy birthday, Jan.", "Have fun."]),
        ("Ask Gen. She knows Gen. Smith.", ["Ask Gen.", "She knows Gen. Smith."]),
        ("It was on Jan. 5 at noon.", ["It was on Jan. 5 at noon."]),
        ("Tea, milk, etc. The list is long.", ["Tea, milk, etc.", "The list is long."]),
        ("你好。今天天气很好！再见", ["你好。", "今天天气很好！", "再见"]),  # noqa: RUF001
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("هل أنت هنا؟ نعم.", ["هل أنت هنا؟", "نعم."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_text_is_cut_where_a_reader_would_pause(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("de_DE", "Am 24. Dezember ist Heiligabend.", 1),
        ("de_DE", "Das ist mein 4. Versuch. Und der 2. Fehler.", 2),
        ("de_DE", "Im 19. Jahrhundert war das so.", 1),
        ("de_DE", "Der Wecker klingelt um 6. Die Tür ist zu.", 2),
        ("de_DE", "Dr. med. Müller wohnt in der Hauptstr. 5. Das Haus ist rot.", 2),
        ("de_DE", "Noch 2 Std. Wartezeit, 1,5 Mio. Euro, 20 Proz. Rabatt, Kap. 3", 1),
        ("de_DE", "vom 1. bis 3. Mai, am 5. Jan. 2025, 21.–23. Mai", 1),  # noqa: RUF001
        ("de_DE", "Es gibt Tee usw. Das ist alles.", 2),
        ("es_ES", "¿Todo apagado? No. 3 luces siguen encendidas.", 3),
        ("es_ES", "El Sr. García vive en la Avda. Mayor, mín. 5 °C.", 1),
        ("it_IT", "È spento? No. 3 luci sono accese.", 3),
        ("fr_FR", "M. Dupont arrive. Il est 8 h.", 2),
        ("cs_CZ", "Dnes je 3. října a je pátek.", 1),
        ("sv_SE", "Klockan är kl. 14:30.", 1),
        ("xx", "One. Two", 2),
    ],
)
def test_full_stops_mean_what_they_do_in_the_language(
    language: str, text: str, sentences: int
) -> None:
    assert len(split(text, language)) == sentences, split(text, language)


def test_a_sentence_is_given_once_the_next_word_has_begun() -> None:
    splitter = SentenceSplitter()

    assert splitter.feed("The light is on.") == []
    assert splitter.feed(" ") == []
    assert splitter.feed("An") == ["The light is on."]


def test_the_first_clause_may_go_ahead_of_its_sentence() -> None:
    splitter = SentenceSplitter(first_clause=10)

    pieces = splitter.feed("Yes, of course I can, if you wish, and gladly. Soon, or later.")

    assert pieces == ["Yes, of course I can,", "if you wish, and gladly."]


def test_a_first_clause_does_not_leave_a_single_word_behind() -> None:
    splitter = SentenceSplitter(first_clause=10)

    assert splitter.feed("Turn on the light, please. Now") == ["Turn on the light, please."]


def test_a_number_is_no_clause_mark() -> None:
    splitter = SentenceSplitter(first_clause=3)

    assert splitter.feed("It is 1,000,000 to one") == []


def test_a_sentence_that_does_not_end_is_cut_at_a_clause() -> None:
    text = "and so on, " * 200

    pieces = split(text)

    assert all(len(piece) <= MAX_CHARACTERS for piece in pieces)
    assert all(piece.endswith("on,") for piece in pieces)


def test_text_without_any_space_is_cut_all_the_same() -> None:
    pieces = split("ä" * 100_000)

    assert "".join(pieces) == "ä" * 100_000
    assert max(map(len, pieces)) <= MAX_CHARACTERS


_TEXT = st.text(st.sampled_from("aA1 .,!?\n-)“。é\u0301🙂") | st.characters(), max_size=300)


@given(_TEXT)
def test_no_letter_is_lost_or_moved(text: str) -> None:
    joined = "".join(split(text))

    assert "".join(joined.split()) == "".join(text.split())


@given(_TEXT, st.integers(1, 7), st.sampled_from([0, 5]))
def test_pieces_of_any_size_give_the_same_sentences(text: str, size: int, clause: int) -> None:
    splitter, other = SentenceSplitter(clause), SentenceSplitter(clause)

    pieces = []
    for start in range(0, len(text), size):
        pieces += splitter.feed(text[start : start + size])
    pieces += splitter.finish()

    assert pieces == other.feed(text) + other.finish()
