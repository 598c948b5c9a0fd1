"""Talk goes to the model; questions that no source here can answer do not."""

from pathlib import Path

import pytest
import yaml

from tests.llm.house import house
from wyoming_llm.dialogue.outcome import Fail, Say

QUESTIONS = yaml.safe_load(Path(__file__).with_name("talk.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("code", QUESTIONS["knowledge"])
async def test_a_question_about_the_world_is_not_refused_for_a_word_of_a_home(code: str) -> None:
    async with house() as it:
        for question in QUESTIONS["knowledge"][code]:
            asked = len(it.engine.prompts)
            await it.say(question, question, language=code)

            assert len(it.engine.prompts) == asked + 1, question


@pytest.mark.parametrize("code", QUESTIONS["unknown"])
async def test_a_question_that_no_model_can_answer_is_not_put_to_it(code: str) -> None:
    async with house() as it:
        for question in QUESTIONS["unknown"][code]:
            outcomes = await it.say(question, question, language=code)

            assert it.engine.prompts == [], question
            assert [type(outcome) for outcome in outcomes] in ([Say], [Fail]), question


async def test_a_person_may_ask_about_what_they_told() -> None:
    async with house() as it:
        await it.say("my name is Ada")
        known = await it.told("what is my name")
        unknown = await it.told("what is my name", "another conversation")

    assert known == "You said: what is my name"
    assert unknown == "I don't know."
