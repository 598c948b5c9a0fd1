"""Markdown of a reply that comes in pieces: marks are never spoken, words and numbers always."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.languages import boundaries_of
from wyoming_tts.text.normalization import clean, spoken
from wyoming_tts.text.sentences import PlainScript

LANGUAGE = "en_US"
MARKS = set("*_`#[]|~<>\\")
WORD = st.sampled_from(("milk", "the lamp", "Tomorrow", "twelve", "Anna said so", "warm", "Yes"))
SENTENCE = st.builds(lambda words, end: f"{' '.join(words)}{end}",
                     st.lists(WORD, min_size=1, max_size=4), st.sampled_from(".!?"))  # fmt: skip
Wrap = Callable[[str], str]
INLINE: tuple[Wrap, ...] = (
    lambda text: f"**{text}**",
    lambda text: f"*{text}*",
    lambda text: f"__{text}__",
    lambda text: f"`{text}`",
    lambda text: f"~~{text}~~",
    lambda text: f"[{text}](https://example.com/a_b)",
    lambda text: f"***{text}***",
    lambda text: text,
)
BLOCKS: tuple[Wrap, ...] = (
    lambda text: f"## {text}\n\n",
    lambda text: f"- {text}\n",
    lambda text: f"* {text}\n",
    lambda text: f"> {text}\n",
    lambda text: f"| {text} | {text} |\n|---|---|\n",
    lambda text: f"{text} ",
    lambda text: f"{text}\n\n---\n\n",
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    text = ""
    for _ in range(draw(st.integers(1, 5))):
        # Emphasis may go on over the end of a sentence.
        sentences = " ".join(draw(st.lists(SENTENCE, min_size=1, max_size=2)))
        text += "\n" * (text[-1:] not in ("", "\n"))
        text += draw(st.sampled_from(BLOCKS))(draw(st.sampled_from(INLINE))(sentences))
    return text


def read(text: str, *cuts: int) -> str:
    """Return what a voice reads of `text`, which comes in pieces."""
    script = PlainScript(boundaries_of(LANGUAGE))
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    passages = [p for a, b in pairwise(edges) for p in script.feed(clean(text[a:b]))]
    return " ".join(spoken(passage.text, LANGUAGE) for passage in (*passages, *script.finish()))


def words(text: str) -> list[str]:
    return "".join(character if character.isalpha() else " " for character in text).split()


@given(documents(), st.lists(st.integers(0, 300), max_size=8))
def test_no_mark_is_spoken_and_no_word_is_lost(text: str, cuts: list[int]) -> None:
    said = read(text, *cuts)

    without_links = text.replace("(https://example.com/a_b)", "")
    assert not MARKS & set(said), said
    assert words(said) == words(without_links)


@given(documents(), st.lists(st.integers(0, 300), max_size=8))
def test_where_a_reply_is_cut_changes_no_word(text: str, cuts: list[int]) -> None:
    assert words(read(text, *cuts)) == words(read(text))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It is **very** warm.", "It is very warm."),
        ("# Title\n\nText here.", "Title Text here."),
        ("Two things:\n- milk\n- eggs\n", "Two things: milk eggs"),
        ("See [the page](https://a.b/c) now.", "See the page now."),
        ("Sunny 🌞 today 👍🏽!", "Sunny today!"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b  one, two"),
        ("snake_case and 2 * 3", "snake case and two times three"),
        ("5 * 3 = 15, 10*10 cm and **bold**",
         "five times three equals fifteen, ten times ten centimeters and bold"),
        ("It is -5 degrees.", "It is minus five degrees."),
        ("**Note: it rains. Take** an umbrella.", "Note: it rains. Take an umbrella."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_marks_for_eyes_are_left_out(written: str, said: str, size: int) -> None:
    assert read(written, *range(0, len(written), size)) == said
