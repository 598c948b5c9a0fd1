"""The real model behind the real service."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncClient
from wyoming.handle import Handled
from wyoming.info import Info

from tests.engines.llm_engine import LlmModel, answer, create, make
from tests.support.wire import receive_until
from wyoming_common.errors import BadRequest, ModelError, TooLarge, UnknownModel
from wyoming_common.model_thread import ModelThread
from wyoming_common.models.defaults import SMALLEST_LLM
from wyoming_common.net.server import serve
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.generation_queue import GenerationQueue, idle_work
from wyoming_llm.engine import Delta, LlmEngine, Message, Prompt, Sampling, Usage
from wyoming_llm.handler import LlmHandler
from wyoming_llm.info import llm_info
from wyoming_llm.llama.engine import LlamaEngine

pytestmark = pytest.mark.timeout(300)
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
GREEDY = Sampling(max_tokens=24, temperature=0)
HOME = "You are a voice assistant. " + " ".join(
    f"Light {n} is in room {n % 5} and is {'on' if n % 3 else 'off'}." for n in range(10)
)
QUESTIONS = ["What is the capital of France?", "Name a colour.", "Which room has light 7?"]
TOOL = {
    "type": "function",
    "function": {
        "name": "turn_on",
        "description": "Turn on a light",
        "parameters": {
            "type": "object",
            "properties": {"name": {"enum": ["lamp", "spot"]}},
            "required": ["name"],
        },
    },
}


@pytest.fixture(scope="module")
def engine(llm_model: LlmModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaEngine]:
    engine = make(llm_model, tmp_path_factory.mktemp("prompts"), context=1024)
    yield engine
    engine.close()


def counting(engine: LlamaEngine) -> tuple[list[Prompt], list[Usage]]:
    """Return two lists: the prompt of each reply that `engine` begins, its usage when it ends.

    A reply whose text a filter cuts short begins and does not end.
    """
    begun: list[Prompt] = []
    asked: list[Usage] = []
    reply = engine.reply

    def counted(prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        begun.append(prompt)
        for delta in reply(prompt, sampling):
            if delta.finish:
                asked.append(delta.usage)
            yield delta

    engine.reply = counted  # type: ignore[method-assign]
    return begun, asked


def about(question: str, conversation: str = "") -> Prompt:
    return Prompt((Message("system", HOME), Message("user", question)), conversation=conversation)


def test_the_same_words_come_with_and_without_the_cache(
    llm_model: LlmModel, tmp_path: Path
) -> None:
    prompt = about(QUESTIONS[2], "a")
    fresh = make(llm_model, tmp_path, cache_disk=0)
    cold, usage = answer(fresh, prompt, GREEDY)
    warm, warm_usage = answer(fresh, prompt, GREEDY)
    fresh.close()

    first = make(llm_model, tmp_path)
    list(first.read(Prompt(prompt.messages[:1])))
    first.settle()
    first.close()
    again = make(llm_model, tmp_path)
    restored, restored_usage = answer(again, prompt, GREEDY)
    again.close()

    assert usage.cached == 0
    assert min(warm_usage.cached, restored_usage.cached) > 100
    assert warm == restored == cold


def test_a_cancelled_reply_leaves_the_cache_right(engine: LlamaEngine) -> None:
    for steps in (1, 2, 3, 5, 9):
        deltas = engine.reply(about(QUESTIONS[2], "left"), GREEDY)
        for _ in range(steps):
            next(deltas)
        deltas.close()  # type: ignore[attr-defined]

    assert "Paris" in answer(engine, about(QUESTIONS[0], "left"), GREEDY)[0]


def test_replies_that_take_turns_do_not_mix(engine: LlamaEngine) -> None:
    running = [engine.reply(about(question), GREEDY) for question in QUESTIONS[:2]]
    texts = [""] * len(running)
    alive = set(range(len(running)))
    while alive:
        for number in sorted(alive):
            delta = next(running[number], None)
            if delta is None:
                alive.discard(number)
            else:
                texts[number] += delta.text

    assert "Paris" in texts[0]
    assert "colo" in texts[1]
    assert "Paris" not in texts[1]


def test_a_prompt_that_does_not_fit_is_refused(engine: LlamaEngine) -> None:
    with pytest.raises(TooLarge, match="1024"):
        list(engine.reply(about("word " * 5000), GREEDY))


def test_a_text_that_never_fits_is_refused_unread(engine: LlamaEngine) -> None:
    with pytest.raises(TooLarge, match="characters"):
        list(engine.reply(about("a" * 4_000_000), GREEDY))


def test_more_conversations_than_the_memory_holds_push_out_the_oldest(
    engine: LlamaEngine,
) -> None:
    for number in range(5):
        long = Prompt((Message("user", f"{number} " * 120),), conversation=str(number))
        answer(engine, long, Sampling(max_tokens=1))

    assert answer(engine, about(QUESTIONS[0]), GREEDY)[1].completion > 0


def test_a_call_names_a_function_that_exists_and_fits_its_schema(engine: LlamaEngine) -> None:
    prompt = Prompt((Message("user", "Fire the missiles"),), (TOOL,), tool_choice="required")

    deltas = list(engine.reply(prompt, Sampling(max_tokens=60, temperature=1.5, seed=3)))

    (call,) = [call for delta in deltas for call in delta.tool_calls]
    assert call.name == "turn_on"
    assert call.arguments in ('{"name": "lamp"}', '{"name": "spot"}')
    assert deltas[-1].finish == "tool_calls"


def test_functions_that_may_be_called_leave_room_for_words(engine: LlamaEngine) -> None:
    prompt = Prompt((Message("user", "What is the capital of France?"),), (TOOL,))

    deltas = list(engine.reply(prompt, Sampling(max_tokens=30, temperature=0)))

    assert any(delta.text or delta.tool_calls for delta in deltas)


def test_an_answer_follows_its_schema(engine: LlamaEngine) -> None:
    schema = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}},
              "required": ["colour"]}  # fmt: skip
    prompt = Prompt((Message("user", "Name a fruit"),), schema=schema)

    text, _ = answer(engine, prompt, Sampling(max_tokens=40, temperature=1))

    assert text.replace(" ", "") in ('{"colour":"red"}', '{"colour":"blue"}')


def test_a_schema_that_makes_no_sense_is_refused(engine: LlamaEngine) -> None:
    with pytest.raises(BadRequest):
        list(engine.reply(Prompt((Message("user", "x"),), schema={"type": "wrong"}), GREEDY))


def test_a_stop_word_ends_the_answer(engine: LlamaEngine) -> None:
    whole, _ = answer(engine, about(QUESTIONS[0]), GREEDY)
    word = whole.split()[2]

    text, _ = answer(
        engine, about(QUESTIONS[0]), Sampling(max_tokens=24, temperature=0, stop=(word,))
    )

    assert text == whole[: whole.index(word)]


@pytest.mark.parametrize("most", range(1, 12))
def test_a_character_that_the_limit_cuts_is_left_out(engine: LlamaEngine, most: int) -> None:
    prompt = Prompt((Message("user", "repeat 거북이 🐢 ß 👩\u200d👩\u200d👧"),))

    text, usage = answer(engine, prompt, Sampling(max_tokens=most, temperature=0))

    assert usage.completion <= most
    assert "\ufffd" not in text


def resident() -> int:
    """Return this process's memory in bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


async def test_sixty_turns_stay_within_memory_and_the_trimmed_size(
    llm_model: LlmModel, tmp_path: Path
) -> None:
    settings = llm_model.settings(
        tmp_path, context=2048, history_tokens=150, max_tokens=8, answer_seconds=0
    )
    engine = create(settings)
    begun, asked = counting(engine)

    def load() -> LlmEngine:
        engine.load()
        return engine

    thread: ModelThread[LlmEngine] = ModelThread("llm", load)
    replies = GenerationQueue(thread, 2, pause=0)
    assistant = Assistant(settings, replies)
    memory = []
    async with idle_work(replies):
        for number in range(60):
            turn = Turn(f"Number {number}: tell me about rivers.", "en", "long")
            assert [outcome async for outcome in assistant.answer(turn)]
            memory.append(resident())
    await thread.aclose()

    prompts = [usage.prompt for usage in asked]
    known = [usage.cached for usage in asked]
    assert len(begun) == 60
    assert len(prompts) > 50
    assert max(prompts[30:]) <= max(prompts[:30])
    # Each turn reads the last exchange, and the trimmed rest now and then.
    assert sum(known) > sum(prompts) // 2
    assert max(memory[30:]) - max(memory[10:30]) < 30 * 10**6


@pytest.mark.parametrize("kept", [0, 3, 5_000, 2_000_000, 98_000_000])
def test_a_model_file_cut_short_is_one_line(llm_model: LlmModel, tmp_path: Path, kept: int) -> None:
    (source,) = llm_model.path.glob("*.gguf")
    path = tmp_path / "cut.gguf"
    path.write_bytes(source.read_bytes()[:kept])

    with pytest.raises(ModelError) as refusal:
        make(LlmModel(path, llm_model.engine), tmp_path)

    assert "\n" not in str(refusal.value)


def test_an_unknown_model_names_the_known_ones(llm_model: LlmModel, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match=SMALLEST_LLM):
        make(LlmModel(Path("no-such-model"), llm_model.engine), tmp_path)


async def test_a_question_over_tcp_gets_a_spoken_answer(
    llm_model: LlmModel, tmp_path: Path
) -> None:
    settings = llm_model.settings(tmp_path, temperature=0)
    engine = create(settings)

    def load() -> LlmEngine:
        engine.load()
        return engine

    thread: ModelThread[LlmEngine] = ModelThread("llm", load)
    replies = GenerationQueue(thread, 2)
    assistant = Assistant(settings, replies, now=lambda: NOON)

    def info() -> Info:
        return llm_info("x", engine.model, controls=False)

    async with (
        idle_work(replies),
        serve("tcp://127.0.0.1:0", info, partial(LlmHandler, assistant)) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        await assistant.warm_up()
        question = Transcript(text="Who wrote Romeo and Juliet?", context={"conversation_id": "a"})
        await client.write_event(question.event())
        reply = Handled.from_event(await receive_until(client, Handled)).text or ""

    await thread.aclose()
    assert "Romeo" in reply
    assert reply.rstrip()[-1] in ".!?"
