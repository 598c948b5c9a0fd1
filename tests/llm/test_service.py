"""The service is ready when a first turn is fast, and does not start with what cannot work."""

import pytest

from tests.llm.fakes import FakeLlm
from wyoming_common.errors import ConfigError, Unavailable
from wyoming_common.model_thread import ModelThread
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.dialogue.outcome import Say
from wyoming_llm.engine import LlmEngine
from wyoming_llm.service import WarmModel, open_assistant, talks_in


class Parts:
    """A model, an assistant on it, and the model that is ready when both are."""

    def __init__(self, **settings: object) -> None:
        self.llm = FakeLlm()
        self.model: ModelThread[LlmEngine] = ModelThread("llm", lambda: self.llm)
        chosen = LlmSettings(zeroconf="off", **settings)  # type: ignore[arg-type]
        self.assistant = Assistant(chosen, GenerationQueue(self.model, 1, pause=0))
        self.warm = WarmModel(self.model, self.assistant.warm_up)


async def test_a_model_is_ready_when_a_turn_like_a_user_s_has_gone_through_it() -> None:
    parts = Parts()

    await parts.warm.engine()

    (prompt,) = parts.llm.prompts
    assert parts.warm.ready
    assert [message.role for message in prompt.messages] == ["system", "user"]
    assert prompt.messages[0].content.startswith(parts.llm.read_prompts[0].messages[0].content)
    assert parts.llm.settled.is_set()
    await parts.warm.aclose()


async def test_it_is_warmed_up_once() -> None:
    parts = Parts()

    await parts.warm.engine()
    await parts.warm.engine()

    assert len(parts.llm.prompts) == 1
    await parts.warm.aclose()


async def test_a_server_elsewhere_is_not_asked_before_a_user_asks() -> None:
    parts = Parts(engine="openai", base_url="http://127.0.0.1:1/v1")

    await parts.warm.engine()

    assert parts.warm.ready
    assert parts.llm.prompts == []
    await parts.warm.aclose()


async def test_a_failed_warm_up_leaves_the_model_unready() -> None:
    parts = Parts()

    async def fail() -> None:
        raise Unavailable("gone")

    warm = WarmModel(parts.model, fail)
    with pytest.raises(Unavailable):
        await warm.engine()

    assert not warm.ready
    await warm.aclose()


@pytest.mark.parametrize("words", [900, 5000])
async def test_a_system_prompt_that_does_not_fit_is_refused_with_what_to_do(words: int) -> None:
    parts = Parts(system_prompt="word " * words)

    with pytest.raises(ConfigError, match="--context") as refusal:
        await parts.warm.engine()

    assert "\n" not in str(refusal.value)
    assert "system_prompt" in str(refusal.value)
    await parts.warm.aclose()


async def test_a_long_conversation_in_a_small_context_forgets_instead_of_breaking_off() -> None:
    parts = Parts(system_prompt="word " * 600, history_tokens=1500)
    await parts.warm.engine()

    for number in range(30):
        text = f"number {number} " + "and so on " * 5
        outcomes = [o async for o in parts.assistant.answer(Turn(text, "en", "one"))]
        assert all(isinstance(outcome, Say) for outcome in outcomes)

    most = max(sum(len(m.content.split()) for m in prompt.messages) for prompt in parts.llm.prompts)
    assert most + 160 <= FakeLlm.prompt_limit
    await parts.warm.aclose()


@pytest.mark.parametrize(
    ("model", "spoken"),
    [
        ("smollm2-135m-instruct", "Das weiß ich nicht."),
        ("qwen2.5-coder-1.5b-instruct", "You said: Was ist Liebe?"),
        ("a model of one's own", "You said: Was ist Liebe?"),
    ],
)
async def test_a_model_of_one_language_stays_out_of_talk_in_another(
    model: str, spoken: str
) -> None:
    llm = FakeLlm()
    llm.model = model
    settings = LlmSettings(zeroconf="off", control="off")
    thread: ModelThread[LlmEngine] = ModelThread("llm", lambda: llm)
    replies = GenerationQueue(thread, 1, pause=0)

    async with open_assistant(settings, None, replies, talks_in(llm, settings)) as assistant:
        outcomes = [outcome async for outcome in assistant.answer(Turn("Was ist Liebe?", "de"))]
    await thread.aclose()

    assert "".join(outcome.text for outcome in outcomes).strip() == spoken
