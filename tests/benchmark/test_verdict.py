"""From waits to the stage that is worth changing."""

from hypothesis import given
from hypothesis import strategies as st

from parley.benchmark.verdict import STAGES, Row, advise, judge

WAITS = st.lists(st.floats(0, 100), min_size=1, max_size=20).map(tuple)


def row(stage: str, wait: float, budget: float | None = 1.0, **values: object) -> Row:
    given = {"model": wait, "queue": 0.0, "outside": 0.0, "facts": {}, **values}
    return Row(stage, (wait,) * 4, budget, **given)  # type: ignore[arg-type]


@given(st.lists(WAITS, min_size=3, max_size=3), st.lists(st.floats(0.01, 10), min_size=3))
def test_a_stage_is_called_slow_exactly_when_one_is_beyond_its_budget(
    waits: list[tuple[float, ...]], budgets: list[float]
) -> None:
    rows = [
        Row(stage, waits[number], budgets[number], None, None, None, {})
        for number, stage in enumerate(("stt", "llm", "tts"))
    ]

    verdict = judge(rows)

    named = next(one for one in rows if one.stage == verdict.stage)
    assert verdict.slow == any(one.beyond > 0.01 for one in rows)
    assert not verdict.slow or named.beyond > 0.01


def test_the_stage_furthest_beyond_its_budget_is_named_and_not_the_longest() -> None:
    rows = [row("stt", 0.8, 0.9), row("llm", 1.5, 1.4), row("tts", 1.2, 0.4)]

    assert judge(rows).stage == "tts"


def test_the_share_of_quick_turns_is_told() -> None:
    turns = Row("turn", (0.4, 0.5, 0.7, 0.9), 1.5, None, None, None, {})

    assert (turns.within(0.5), turns.within(0.8)) == (0.5, 0.75)


def test_a_queue_is_told_from_a_slow_model() -> None:
    assert "wait 900 ms for the model" in advise(row("llm", 1.0, queue=0.9))


def test_a_slow_network_is_told_from_a_slow_model() -> None:
    assert "network" in advise(row("llm", 1.0, outside=0.8))


def test_a_long_prompt_is_told_from_a_slow_model() -> None:
    facts = {"prompt_tokens": 1200.0, "cached_tokens": 100.0}

    assert "1100 new words of prompt" in advise(row("llm", 1.0, facts=facts))


def test_a_patient_end_of_turn_is_told_from_a_slow_model() -> None:
    assert "end of speech" in advise(row("stt", 1.0, model=0.1))


def test_there_is_advice_for_every_stage() -> None:
    assert all(advise(row(stage, 1.0)) for stage in STAGES if stage != "turn")
