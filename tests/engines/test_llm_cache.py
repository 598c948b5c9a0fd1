"""The real model says the same words however it came to know the prompt."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.llm_engine import LlmModel, answer, make
from wyoming_llm.engine import Message, Prompt, Sampling
from wyoming_llm.llama.engine import LlamaEngine

pytestmark = pytest.mark.timeout(600)
GREEDY = Sampling(max_tokens=16, temperature=0)
HOME = "You are the voice assistant of a home. Answer in one short sentence. " + " ".join(
    f"Light {n} is in room {n % 5} and is {'on' if n % 3 else 'off'}." for n in range(12)
)
_HOME_TOKENS = 130
"""Fewer than `HOME` takes"""
QUESTIONS = (
    "What is the capital of France?",
    "Name a colour.",
    "Which room has light 2?",
    "Is light 3 on?",
    "How many lights are there?",
    "Tell me a joke.",
    "Why is the sky blue?",
    "What can I cook with eggs?",
    "Who wrote Hamlet?",
    "How do I sleep better?",
    "What is a haiku?",
    "Give me three names for a cat.",
    "How far away is the moon?",
    "What should I wear in the rain?",
    "Explain photosynthesis.",
    "Which is larger, a whale or an elephant?",
    "Say something kind.",
    "What is twelve times twelve?",
    "Is it far from Berlin to Paris?",
    "What do bees do in winter?",
)


def about(question: str, conversation: str = "") -> Prompt:
    return Prompt((Message("system", HOME), Message("user", question)), conversation=conversation)


@pytest.fixture(scope="module")
def cold(llm_model: LlmModel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The answers of a model that has read nothing before."""
    engine = make(llm_model, tmp_path_factory.mktemp("cold"), cache_disk=0)
    answers = {}
    for question in QUESTIONS:
        engine.forget()
        answers[question], usage = answer(engine, about(question), GREEDY)
        assert usage.cached == 0
    engine.close()
    return answers


@pytest.fixture
def engine(llm_model: LlmModel, tmp_path: Path) -> Iterator[LlamaEngine]:
    engine = make(llm_model, tmp_path)
    yield engine
    engine.close()


def test_after_the_beginning_of_another_conversation(
    engine: LlamaEngine, cold: dict[str, str]
) -> None:
    """Each conversation begins with what all others have read, and pushes some of them out."""
    answers, cached = {}, []
    for number, question in enumerate(QUESTIONS):
        answers[question], usage = answer(engine, about(question, f"conversation {number}"), GREEDY)
        cached.append(usage.cached)

    assert min(cached[1:]) > _HOME_TOKENS
    assert answers == cold


def test_in_one_conversation_that_asks_again_and_again(
    engine: LlamaEngine, cold: dict[str, str]
) -> None:
    answers = {}
    for question in QUESTIONS:
        answer(engine, about(question, "one"), GREEDY)
        answers[question], usage = answer(engine, about(question, "one"), GREEDY)
        assert usage.cached > _HOME_TOKENS

    assert answers == cold


def test_from_disk_after_a_restart(
    llm_model: LlmModel, tmp_path: Path, cold: dict[str, str]
) -> None:
    first = make(llm_model, tmp_path)
    list(first.read(Prompt((Message("system", HOME),))))
    first.settle()
    first.close()
    again = make(llm_model, tmp_path)

    answers = {}
    for question in QUESTIONS:
        again.forget()
        again.recall()
        answers[question], usage = answer(again, about(question), GREEDY)
        assert usage.cached > _HOME_TOKENS
    again.close()

    assert answers == cold


def test_after_replies_that_were_left(engine: LlamaEngine, cold: dict[str, str]) -> None:
    """A client hangs up while the prompt is read, and after every number of words."""
    answers = {}
    for steps, question in enumerate(QUESTIONS, start=1):
        left = engine.reply(about(QUESTIONS[-steps], "left"), GREEDY)
        for _ in range(steps):
            next(left, None)
        left.close()  # type: ignore[attr-defined]
        answers[question], _ = answer(engine, about(question, "left"), GREEDY)

    assert answers == cold


def test_side_by_side_with_other_replies(engine: LlamaEngine, cold: dict[str, str]) -> None:
    answers = dict.fromkeys(QUESTIONS, "")
    for start in range(0, len(QUESTIONS), 4):
        running = {q: engine.reply(about(q, q), GREEDY) for q in QUESTIONS[start : start + 4]}
        while running:
            for question in list(running):
                delta = next(running[question], None)
                if delta is None:
                    del running[question]
                else:
                    answers[question] += delta.text

    assert answers == cold


def test_after_it_was_pushed_out_and_kept(
    llm_model: LlmModel, tmp_path: Path, cold: dict[str, str]
) -> None:
    """Long conversations of others take the memory, again and again."""
    engine = make(llm_model, tmp_path, context=512, parallel=1)
    answers = {}
    for number, question in enumerate(QUESTIONS):
        answer(engine, about(question, question), GREEDY)
        for other in range(number % 3):
            long = Prompt((Message("user", f"{number} {other} " * 60),), conversation=str(other))
            list(engine.reply(long, Sampling(max_tokens=1)))
        answers[question], _ = answer(engine, about(question, question), GREEDY)
    engine.close()

    assert answers == cold


def test_a_prompt_of_another_client_is_read_anew_and_gets_the_same_answer(
    engine: LlamaEngine, cold: dict[str, str]
) -> None:
    """The service's own instructions are everybody's, a question is its client's."""
    list(engine.read(Prompt((Message("system", HOME),))))
    engine.settle()
    answers, cached = {}, {}
    for question in QUESTIONS[:2]:
        for client in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
            prompt = replace(about(f"{question} {question}"), client=client)
            _, usage = answer(engine, prompt, GREEDY)
            cached[client] = usage.cached
        answers[question], _ = answer(engine, replace(about(question), client="10.0.0.3"), GREEDY)
        engine.settle()
        assert cached["10.0.0.1"] > cached["10.0.0.2"] > _HOME_TOKENS

    assert answers == {question: cold[question] for question in answers}


def test_instructions_of_one_client_are_read_anew_for_another(engine: LlamaEngine) -> None:
    for _ in range(2):
        answer(engine, replace(about(QUESTIONS[0]), client="10.0.0.1"), GREEDY)
        engine.settle()

    _, usage = answer(engine, replace(about(QUESTIONS[0]), client="10.0.0.2"), GREEDY)

    assert usage.cached == 0


def test_in_a_memory_that_has_to_grow(llm_model: LlmModel, tmp_path: Path) -> None:
    """A conversation of many turns says what it would say when read at once."""
    engine = make(llm_model, tmp_path)
    turns: list[Message] = [Message("system", HOME)]
    prompts, said = [], []
    for question in QUESTIONS[:8]:
        turns.append(Message("user", question))
        prompts.append(Prompt(tuple(turns), conversation="long"))
        said.append(answer(engine, prompts[-1], GREEDY)[0])
        turns.append(Message("assistant", said[-1]))
        list(engine.read(Prompt(tuple(turns), conversation="long")))
    engine.forget()

    alone = []
    for prompt in prompts[::3]:
        alone.append(answer(engine, prompt, GREEDY)[0])
        engine.forget()
    engine.close()

    assert alone == said[::3]
