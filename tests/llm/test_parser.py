import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_llm.engine import Delta
from wyoming_llm.output.parser import ReplyText, StopText, parse_call

CALL = '<tool_call>\n{"name": "turn_on", "arguments": {"name": "lamp"}}\n</tool_call>'


def run(text: str, size: int = 3, *, calls: bool = True, thinking: bool = False) -> list[Delta]:
    reply = ReplyText(calls=calls, thinking=thinking)
    deltas: list[Delta] = []
    for start in range(0, len(text), size):
        deltas += reply.feed(text[start : start + size])
    return [*deltas, *reply.finish()]


def shown(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


@given(st.integers(1, 40))
def test_thoughts_are_left_out_wherever_the_text_is_cut(size: int) -> None:
    assert shown(run("<think>secret</think>\n\nIt is five.", size)) == "It is five."


@given(st.integers(1, 40))
def test_a_thought_that_the_prompt_opened_is_left_out(size: int) -> None:
    assert shown(run("secret</think>It is five.", size, thinking=True)) == "It is five."


def test_a_thought_that_never_ends_is_not_shown() -> None:
    assert shown(run("<think>on and on and on")) == ""


@given(st.integers(1, 60))
def test_calls_are_found_wherever_the_text_is_cut(size: int) -> None:
    deltas = run(f"Right. {CALL}{CALL}", size)

    calls = [call for delta in deltas for call in delta.tool_calls]
    assert [call.name for call in calls] == ["turn_on", "turn_on"]
    assert json.loads(calls[0].arguments) == {"name": "lamp"}
    assert len({call.id for call in calls}) == 2
    assert shown(deltas) == "Right. "


def test_a_call_without_its_closing_mark_counts() -> None:
    deltas = run(CALL.removesuffix("</tool_call>"))

    assert [call.name for delta in deltas for call in delta.tool_calls] == ["turn_on"]


@pytest.mark.parametrize(
    "content",
    ["", "not json", "[]", '{"name": 5}', '{"name": "x", "arguments": []}', "[" * 100_000],
)
def test_malformed_calls_are_ignored(content: str) -> None:
    assert parse_call(content) is None


def test_fifty_calls_are_cut_to_a_few() -> None:
    deltas = run(CALL * 50, 50)

    assert sum(len(delta.tool_calls) for delta in deltas) == 16


@given(st.text(alphabet="<>/thinkol_ca{}", max_size=60), st.integers(1, 7))
def test_anything_at_all_ends(text: str, size: int) -> None:
    assert len(shown(run(text, size))) <= len(text)


@given(st.text(alphabet="ab", max_size=30), st.integers(1, 5))
def test_a_stop_word_ends_the_text_wherever_it_is_cut(text: str, size: int) -> None:
    stop = StopText(["bba", "aaaa"])

    said = "".join(stop.feed(text[at : at + size]) for at in range(0, len(text), size))
    said += stop.finish()

    ends = [at for word in ("bba", "aaaa") if (at := text.find(word)) >= 0]
    assert said == text[: min(ends)] if ends else said == text
