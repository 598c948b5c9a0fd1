import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.sentences import Passage
from wyoming_tts.text.ssml import SsmlScript


def read(document: str) -> list[Passage]:
    script = SsmlScript("en_US")
    return [*script.feed(document), *script.finish()]


def texts(document: str) -> list[str]:
    return [passage.text for passage in read(document)]


@pytest.mark.parametrize(
    ("document", "pause"),
    [
        ('<speak>One.<break time="1.5s"/>Two.</speak>', 1.5),
        ('<speak>One.<break time="300ms"/>Two.</speak>', 0.3),
        ('<speak>One.<break strength="strong"/>Two.</speak>', 0.8),
        ("<speak>One.<break/>Two.</speak>", 0.5),
        ('<speak>One.<break time="1s"/><break time="1s"/>Two.</speak>', 2.0),
        ('<speak>One.<break time="99s"/>Two.</speak>', 10.0),
        ("<speak>One." + '<break time="9s"/>' * 500 + "Two.</speak>", 10.0),
        ('One.<break time="1s"/>Two.', 1.0),
        ("<speak><p>One.</p><p>Two.</p></speak>", 0.6),
    ],
)
def test_a_break_is_the_silence_before_what_follows(document: str, pause: float) -> None:
    one, two = read(document)[:2]

    assert (one.text, two.text) == ("One.", "Two.")
    assert one.pause == pytest.approx(pause)


def test_a_break_may_come_first() -> None:
    assert read('<speak><break time="2s"/>One.</speak>') == [
        Passage("", pause=2.0),
        Passage("One."),
    ]


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ('<say-as interpret-as="characters">Ab1</say-as>', "A.B one"),
        ('<say-as interpret-as="digits">105</say-as>', "one zero five"),
        ('<say-as interpret-as="telephone">555-12</say-as>', "five five five, one two"),
        ('<say-as interpret-as="ordinal">3</say-as>', "third"),
        ('<say-as interpret-as="date">2026-11-21</say-as>', "2026-11-21"),
        ('<sub alias="World Wide Web Consortium">W3C</sub>', "World Wide Web Consortium"),
        ("<voice name='x'>inside <w>this</w></voice>", "inside this"),
        ("a &amp; b", "a & b"),
        ("AT&T &eacute;t&eacute; &bogus; &", "AT&T été &bogus; &"),
        ("a<!-- unheard --> <![CDATA[<b>]]> c", "a <b> c"),
        ('<prosody rate="nonsense">so</prosody> much', "so much"),
    ],
)
def test_elements_are_read_as_they_say(element: str, text: str) -> None:
    assert texts(f'<speak xmlns="http://www.w3.org/2001/10/synthesis">{element}</speak>') == [text]


@pytest.mark.parametrize(
    ("open_tag", "length", "volume"),
    [
        ('<prosody rate="slow">', 1 / 0.75, 1),
        ('<prosody rate="200%">', 0.5, 1),
        ('<prosody rate="+25%" volume="soft">', 0.8, 0.65),
        ('<prosody volume="+6dB">', 1, 1.995),
        ('<emphasis level="strong">', 1.15, 1.3),
    ],
)
def test_manner_is_a_factor_on_length_and_volume(
    open_tag: str, length: float, volume: float
) -> None:
    element = open_tag.split(maxsplit=1)[0].strip("<>")

    before, inside, after = read(f"<speak>So {open_tag}much</{element}> better.</speak>")

    assert (before.length, after.volume) == (1, 1)
    assert inside.length == pytest.approx(length, abs=0.001)
    assert inside.volume == pytest.approx(volume, abs=0.001)
    assert before.pause == inside.pause == 0.0


@pytest.mark.parametrize(
    ("tag", "element"),
    [
        ("prosody rate='x-slow' volume='x-loud'", "prosody"),
        ("prosody rate='99999%'", "prosody"),
        ("prosody volume='+99999dB'", "prosody"),
        (f"prosody volume='{'9' * 400}%' rate='{'9' * 400}%'", "prosody"),
        ("emphasis level='strong'", "emphasis"),
    ],
)
def test_nested_manners_stay_within_what_can_be_spoken(tag: str, element: str) -> None:
    document = f"<speak>{f'<{tag}>' * 40}word{f'</{element}>' * 40}</speak>"

    (passage,) = read(document)

    assert 0.25 <= passage.length <= 4
    assert 0 <= passage.volume <= 4


def test_silence_made_endlessly_loud_is_silence() -> None:
    loud = f"<prosody volume='{'9' * 400}%'>"

    (passage,) = read(f"<speak><prosody volume='silent'>{loud}a</prosody></prosody></speak>")

    assert passage.volume == 0


@pytest.mark.parametrize("how", ["characters", "digits", "telephone"])
def test_nothing_long_is_spelled(how: str) -> None:
    text = "1" * 5000

    passages = read(f"<speak><say-as interpret-as='{how}'>{text}</say-as></speak>")

    assert "".join(passage.text for passage in passages) == text


@pytest.mark.parametrize(
    "document",
    [
        "<speak>One <b>two</speak>",
        "One <two three",
        '<!DOCTYPE x [<!ENTITY a "b">]><speak>One &a; two</speak>',
        "<a>" * 60 + "One two" + "</a>" * 60,
    ],
)
def test_a_document_that_is_not_well_formed_is_spoken_as_text(document: str) -> None:
    spoken = " ".join(texts(document))

    assert "One" in spoken
    assert "speak>" not in spoken


def test_a_document_may_arrive_in_pieces() -> None:
    script = SsmlScript("en_US")

    pieces = [list(script.feed(piece)) for piece in ("<spe", "ak>One.</", "speak>")]

    assert pieces == [[], [], []]
    assert list(script.finish()) == [Passage("One.")]


@given(st.text(st.sampled_from('<>/="&;spbreak time1 \n') | st.characters(), max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    assert all(isinstance(passage, Passage) for passage in read(text))
