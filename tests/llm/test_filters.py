from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.llm.fakes import FakeLlm
from tests.llm.house import house
from wyoming_common.model_thread import ModelThread
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.dialogue.outcome import Fail, Outcome
from wyoming_llm.engine import Delta, LlmEngine, Prompt, Sampling, Usage
from wyoming_llm.languages import language
from wyoming_llm.languages.vocabulary import vocabulary
from wyoming_llm.output.filters import (
    ClaimFilter,
    LengthLimit,
    ReplyFilter,
    Request,
    Unspeakable,
    WholeWords,
)

MARKED = st.text(alphabet="ab *_`#-[]()|\n.!🙂>1", max_size=80)


def run(one: ReplyFilter, text: str, *cuts: int) -> str:
    """Return what `one` passes on of `text`, which comes in pieces."""
    edges = [0, *sorted(cuts), len(text)]
    pieces = [piece for a, b in pairwise(edges) for piece in one.push(text[a:b])]
    return "".join([*pieces, *one.finish()])


def say(text: str, *cuts: int) -> str:
    return run(WholeWords(), text, *cuts)


@pytest.mark.parametrize(
    ("written", "passed"),
    [
        ("It is **very** warm.", "It is **very** warm."),
        ("Two things:\n- milk\n- eggs\n", "Two things:\n- milk\n- eggs"),
        ("Use `ls` or:\n```sh\nrm -rf /\n```\nDone.", "Use `ls` or:\nDone."),
        ("```\nx = 1\n", ""),
        ("5 * 3 = 15, 2*3*4", "5 * 3 = 15, 2*3*4"),
        ("  Hello\n\nthere  ", "Hello\n\nthere"),
        ("", ""),
    ],
)
def test_markdown_is_left_to_the_voice_and_code_is_left_out(written: str, passed: str) -> None:
    assert say(written).strip() == passed


@given(MARKED, st.lists(st.integers(0, 80), max_size=5))
def test_where_text_is_cut_changes_nothing(text: str, cuts: list[int]) -> None:
    assert say(text, *(min(cut, len(text)) for cut in cuts)) == say(text)


@given(st.text(alphabet="abc xyz,", max_size=60))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert say(text).split() == text.split()


def limited(limit: LengthLimit, *words: str) -> str:
    return "".join(piece for word in words for piece in limit.push(f"{word} "))


def test_a_long_reply_ends_with_the_sentence_near_its_limit() -> None:
    limit = LengthLimit(8)

    assert limited(limit, "a", "b.", "c", "d", "e", "f", "g.", "h", "i") == "a b. c d e f g."
    assert limit.ended


def test_a_reply_that_was_cut_off_ends_at_its_last_sentence() -> None:
    limit = LengthLimit(8)
    said = limited(limit, "a", "b", "c", "d", "e.", "f", "g", "h")

    limit.cut_off()

    assert said + "".join(limit.finish()) == "a b c d e. "


def test_a_short_reply_is_said_whole() -> None:
    assert run(LengthLimit(100), "Yes sir", 4) == "Yes sir"


CALL = '{"name": "HassTurnOn", "arguments": {"name": "light.bedroom"}}'
CALLS = [
    CALL,
    f"[{CALL}]",
    f"[TOOL_CALLS][{CALL}]",
    f"<tool_call>{CALL}</tool_call>",
    '<|python_tag|>HassTurnOn(name="lamp")',
    'HassTurnOn(name="Bedroom lamp")',
    'light.turn_on(entity_id="light.bedroom")',
    "<start_function_call>call:HassTurnOff{name:<escape>bedroom<escape>}<end_function_call>",
    f"`HassTurnOn` {CALL}",
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("before", ["", "Sure! ", "Okay, as you like.\n", "It is now."])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_a_call_written_as_text_is_never_said_and_apologised_for_once(
    call: str, before: str, size: int
) -> None:
    outcomes = await told("tell me something", before + call + " done", "en", size)

    said = "".join(outcome.text for outcome in outcomes[:-1])
    assert set("{}<>[]_`") & set(said) == set()
    assert "Hass" not in said
    assert before.startswith(said.strip())
    assert outcomes[-1] == Fail(language("en").say("failed"))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("before", ["", "Sure! "])
async def test_a_block_of_code_is_never_said(before: str, size: int) -> None:
    outcomes = await told("say it", f"{before}```json\n{CALL}\n```\nThere.", "en", size)

    said = "".join(outcome.text for outcome in outcomes)
    assert set("{}`") & set(said) == set()
    assert "json" not in said


@given(st.text(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_no_brace_is_ever_said(text: str, cuts: list[int]) -> None:
    chain = Unspeakable()

    said = run(chain, text, *(min(cut, len(text)) for cut in cuts))

    assert set("{}") & set(said) == set()


@pytest.mark.parametrize(
    "text",
    [
        "3 < 5 and 7 > 2.",
        "It is 20 degrees (68 Fahrenheit).",
        "Use the function sin(x) for that.",
        "See [the page] or 1. e.g. this one.",
        "Mr. O'Neill (senior) said so.",
        "f(x) = 2x, and AT&T is a company.",
    ],
)
def test_ordinary_text_is_said_whole(text: str) -> None:
    assert run(Unspeakable(), text).strip() == text


CLAIMS = {
    "en": ("make it nice", "I have turned on the lamp for you."),
    "de": ("mach es schön", "Ich habe das Licht in der Küche eingeschaltet."),
    "fr": ("fais quelque chose", "Voilà, j'ai allumé la lumière."),
    "es": ("haz algo bonito", "Las luces están encendidas ahora."),
    "it": ("fallo bello", "Ho acceso la luce in cucina."),
    "nl": ("maak het gezellig", "De lampen zijn uitgezet."),
    "pl": ("zrób coś miłego", "Włączyłem światło w kuchni."),
    "pt": ("faz algo bonito", "Pronto, as luzes foram ligadas."),
    "ru": ("сделай уютно", "Я включил свет на кухне."),
    "cs": ("udělej to hezky", "Zapnul jsem světlo v kuchyni."),
    "da": ("gør det hyggeligt", "Jeg har tændt lyset i køkkenet."),
    "fi": ("tee siitä kiva", "Sytytin keittiön valot."),
    "el": ("κάνε κάτι", "Άναψα τα φώτα στην κουζίνα."),
    "ro": ("fă ceva frumos", "Am aprins luminile din bucătărie."),
    "hu": ("csinálj valamit", "Bekapcsoltam a konyhai lámpát."),
    "ja": ("いい感じにして", "キッチンのライトをオンにしました。"),
    "zh-CN": ("弄舒服点", "客厅的灯已打开。"),
}
TALK = {
    "en": "The sky is blue because its molecules scatter short waves more.",
    "de": "Wale sind Säugetiere, die im Meer leben.",
    "fr": "Les baleines sont des mammifères marins.",
    "pl": "Dawno temu żył sobie mały zając.",
    "sv": "Det var en gång en liten båt.",
    "tr": "Ankara Türkiye'nin başkentidir.",
    "ru": "Жил-был маленький кораблик.",
    "ja": "東京は日本の首都です。",
    "zh-CN": "北京是中国的首都。",
    "fi": "Helsinki on Suomen pääkaupunki.",
}
MORE_CLAIMS = {
    "en": [
        "I've dimmed the lights for you.", "I dimmed the lights.", "I've locked the door.",
        "Temperature set.", "I made it warmer.", "The vacuum is cleaning now.",
        "I've started the music.", "I've added milk to your list.", "Your alarm is set for seven.",
        "I've set a reminder.", "I have paused the TV.", "I muted the TV.", "Heating is up.",
        "I've activated movie mode.", "Done.", "Done! The lights are now cosy.", "All set!",
        "The cosy mode is activated now.", "Turning on bedroom lamp...", "Okay, it's done.",
        "I have already closed the blinds.", "The blinds have been lowered.", "Sure, locking up.",
        "The room is brighter now.", "Everything is set.", "It is warmer.",
        "I will turn the heating down.", "I'm opening the garage.", "The fan is running.",
    ],
    "de": [
        "Ich habe das Licht gedimmt.", "Das Licht ist aus.", "Ich habe die Tür verschlossen.",
        "Ich habe den Timer gestellt.", "Erledigt, das Licht ist aus.", "Erledigt.",
        "Ich habe die Lautstärke verringert.", "Die Heizung wurde hochgedreht.",
        "Ich schalte die Lampe ein.", "Die Rollläden sind jetzt geschlossen.",
    ],
    "fr": [
        "J'ai fermé les volets.", "Le chauffage est réglé à 21 degrés.", "J'ai lancé la musique.",
        "C'est fait.", "La porte est verrouillée.", "J'éteins la lampe.",
        "Les lampes sont éteintes.",
    ],
    "es": [
        "He subido la temperatura a 21 grados.", "He cerrado la puerta.", "Hecho.",
        "La alarma está activada.", "Apagué la luz.",
    ],
    "it": [
        "Ho chiuso le tapparelle.", "Ho abbassato il volume.", "Fatto.", "La luce è spenta.",
        "Ho impostato un timer.",
    ],
    "nl": [
        "Ik heb de lamp uitgezet.", "Klaar.", "De verwarming staat op 21 graden ingesteld.",
        "Ik heb de deur vergrendeld.", "De lichten zijn aan.",
    ],
}  # fmt: skip
WISHES = {code: wish for code, (wish, _) in CLAIMS.items()}


@pytest.mark.parametrize(
    ("code", "claim"), [(code, claim) for code, claims in MORE_CLAIMS.items() for claim in claims]
)
async def test_a_claim_in_reply_to_a_wish_is_not_said(code: str, claim: str) -> None:
    outcomes = await told(WISHES[code], f"Well. {claim}", code)

    assert claim[-6:] not in "".join(outcome.text for outcome in outcomes[:-1])
    assert outcomes[-1] == Fail(language(code).say("not_understood"))


REGRETS = {
    "en": "I'm sorry, I can't make a latte, since I have no hands.",
    "de": "Es tut mir leid, das kann ich nicht machen, denn ich habe keine Hände.",
    "fr": "Désolé, je ne peux pas faire de café, car je n'ai pas de mains.",
    "es": "Lo siento, no puedo preparar café, porque no tengo manos.",
    "it": "Mi dispiace, non posso preparare un caffè, perché non ho mani.",
    "nl": "Sorry, ik kan geen koffie maken, want ik heb geen handen.",
}


@pytest.mark.parametrize("code", REGRETS)
def test_a_refusal_of_a_wish_is_said_while_it_is_written(code: str) -> None:
    claims = ClaimFilter(vocabulary(code), code, Request.WISH)
    *begun, _ = REGRETS[code].split(",")

    said = "".join(out for word in ",".join(begun).split(" ") for out in claims.push(f"{word} "))

    assert len(said.split()) >= 4


@pytest.mark.parametrize(
    "refusal", ["I can't be activated.", "I couldn't get it turned on.", "I'm afraid it can't."]
)
async def test_a_refusal_is_no_claim(refusal: str) -> None:
    outcomes = await told("make it nice", refusal, "en")

    assert "".join(outcome.text for outcome in outcomes).strip() == refusal


@pytest.mark.parametrize(
    ("code", "claim"), [(code, claim) for code, claims in MORE_CLAIMS.items() for claim in claims]
)
async def test_a_claim_behind_a_regret_is_not_said_to_its_end(code: str, claim: str) -> None:
    regret = REGRETS[code].partition(",")[0]

    outcomes = await told(WISHES[code], f"{regret}, {claim}", code)

    assert claim[-6:] not in "".join(outcome.text for outcome in outcomes[:-1])
    assert outcomes[-1] == Fail(language(code).say("not_understood"))


@pytest.mark.parametrize(
    ("question", "claim"),
    [
        ("why is it dark here", "I turned the lights on for you."),
        ("what is going on", "I have locked the front door."),
        ("make me happy", "First, a joke. Why? Because. I have turned on the lamp."),
        ("tell me about rivers", "They are long. I've set your alarm."),
    ],
)
async def test_a_claim_in_reply_to_a_question_is_not_said_wherever_it_stands(
    question: str, claim: str
) -> None:
    outcomes = await told(question, claim, "en")

    said = "".join(outcome.text for outcome in outcomes[:-1])
    assert claim.startswith(said.strip())
    assert len(said) < len(claim) // 2 + 8
    assert outcomes[-1] == Fail(language("en").say("not_understood"))


@pytest.mark.parametrize("code", CLAIMS)
async def test_a_deed_that_the_model_only_claims_is_denied_in_the_language_of_the_user(
    code: str,
) -> None:
    text, claim = CLAIMS[code]

    outcomes = await told(text, claim, code)

    assert outcomes[-1] == Fail(language(code).say("not_understood"))
    assert claim[-8:] not in "".join(outcome.text for outcome in outcomes)


@pytest.mark.parametrize("code", ["en", "fr", "pl", "ja"])
async def test_no_deed_is_claimed_in_a_home_either(code: str) -> None:
    text, claim = CLAIMS[code]
    async with house(script=[claim] * 3) as it:
        outcomes = await it.say(text, language=code)

        assert isinstance(outcomes[-1], Fail)
        assert claim[-8:] not in "".join(outcome.text for outcome in outcomes)
        assert it.home.handled == []


@pytest.mark.parametrize("code", TALK)
async def test_talk_is_left_as_it_is(code: str) -> None:
    outcomes = await told("xyz", TALK[code], code)

    assert "".join(outcome.text for outcome in outcomes).strip() == TALK[code]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How does a switch work?", "A switch turns on the light by closing a circuit."),
        ("Why is the sky dark at night?", "Turning away from the sun, your side lies in shadow."),
        ("Is the Louvre open on Mondays?", "The museum is open on Mondays."),
        ("What do you know?", "I was made to answer questions. I think a lot."),
        ("something about roads", "The road is closed for the night."),
        ("something about museums", "The museum is open on Mondays."),
        ("Napoleon", "The war was started by others."),
        ("Tell me a story", "I opened a book once. She closed the door."),
        ("Wie funktioniert ein Thermostat?", "Die Heizung ist an, wenn es zu kalt ist."),
    ],
)
async def test_an_answer_may_tell_of_deeds_of_others(question: str, answer: str) -> None:
    code = "de" if question.startswith("Wie") else "en"

    outcomes = await told(question, answer, code)

    assert "".join(outcome.text for outcome in outcomes).strip() == answer


@given(
    st.lists(st.text(alphabet="ab turned on the light. !\n", max_size=12), max_size=20),
    st.sampled_from(Request),
)
def test_a_reply_is_passed_on_up_to_a_claim(pieces: list[str], request: Request) -> None:
    claims = ClaimFilter(vocabulary("en"), "en", request)

    said = "".join(out for piece in pieces for out in claims.push(piece))
    said += "".join(claims.finish())

    whole = "".join(pieces)
    assert whole.startswith(said)
    assert claims.ended or said == whole


class InPieces(FakeLlm):
    """Writes its script in pieces of a given length."""

    def __init__(self, script: list[str], size: int) -> None:
        super().__init__(script)
        self._size = size

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        text = self.script.pop(0)
        for at in range(0, len(text), self._size):
            yield Delta(text=text[at : at + self._size])
        yield Delta(finish="stop", usage=Usage(1, 0, 1))


async def told(text: str, reply: str, code: str, size: int = 4) -> list[Outcome]:
    """Return what is said to `text` when the model writes `reply`."""
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: InPieces([reply], size))
    settings = LlmSettings(zeroconf="off", max_tokens=1000)
    assistant = Assistant(settings, GenerationQueue(model, 1, pause=0))
    outcomes = [outcome async for outcome in assistant.answer(Turn(text, code))]
    await model.aclose()
    return outcomes


@pytest.mark.parametrize(
    "claim",
    ["Done! The lights are now cosy.", "Turning on bedroom lamp...", "I've dimmed the lights."],
)
async def test_a_claim_in_reply_to_a_wish_for_words_is_not_said(claim: str) -> None:
    outcomes = await told("make me happy", claim, "en")

    assert outcomes == [Fail(language("en").say("not_understood"))]


@pytest.mark.parametrize(
    "claim",
    ["**Done.**", "- I have turned on the lamp for you\n- Enjoy", "*I turned on the lamp.* Enjoy."],
)
async def test_a_claim_in_markdown_is_not_said(claim: str) -> None:
    outcomes = await told("make it nice", claim, "en")

    assert outcomes == [Fail(language("en").say("not_understood"))]
