"""A model that only talks may not say that it did something, in whatever language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.llm.fakes import FakeLlm
from tests.llm.house import house
from wyoming_common.worker import ModelThread
from wyoming_llm.assistant import Assistant, Turn
from wyoming_llm.claims import Watched
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import LlmEngine
from wyoming_llm.languages import language
from wyoming_llm.languages.vocabulary import vocabulary
from wyoming_llm.outcome import Fail, Outcome
from wyoming_llm.replies import Replies

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


@pytest.mark.parametrize("code", CLAIMS)
async def test_a_deed_that_the_model_only_claims_is_denied_in_the_language_of_the_user(
    code: str,
) -> None:
    text, claim = CLAIMS[code]

    outcomes = await _told(text, claim, code)

    assert isinstance(outcomes[-1], Fail)
    assert outcomes[-1].text == language(code).say("not_understood")
    assert claim[-8:] not in "".join(map(_text, outcomes))


@pytest.mark.parametrize("code", ["en", "fr", "pl", "ja"])
async def test_no_deed_is_claimed_in_a_home_either(code: str) -> None:
    text, claim = CLAIMS[code]
    async with house(script=[claim] * 3) as it:
        outcomes = await it.say(text, language=code)

        assert isinstance(outcomes[-1], Fail)
        assert claim[-8:] not in "".join(map(_text, outcomes))
        assert it.home.handled == []


@pytest.mark.parametrize("code", TALK)
async def test_talk_is_left_as_it_is(code: str) -> None:
    outcomes = await _told("xyz", TALK[code], code)

    assert "".join(map(_text, outcomes)).strip() == TALK[code]


async def test_the_answer_to_a_question_may_tell_of_deeds() -> None:
    answer = "A switch turns on the light by closing a circuit."

    outcomes = await _told("How does a switch work?", answer, "en")

    assert "".join(map(_text, outcomes)).strip() == answer


@given(st.lists(st.text(alphabet="ab turned on the light. !\n", max_size=12), max_size=20))
def test_what_is_watched_is_said_whole_up_to_a_claim(pieces: list[str]) -> None:
    watched = Watched(vocabulary("en"))

    said = "".join(map(watched.feed, pieces)) + watched.finish()

    whole = "".join(pieces)
    assert whole.startswith(said)
    assert watched.claimed or said == whole


async def _told(text: str, reply: str, code: str) -> list[Outcome]:
    """Return what is said to `text` when the model writes `reply`."""
    engine = FakeLlm([reply])
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    assistant = Assistant(LlmSettings(zeroconf="off"), Replies(model, 1, pause=0))
    outcomes = [outcome async for outcome in assistant.answer(Turn(text, code))]
    await model.aclose()
    return outcomes


def _text(outcome: Outcome) -> str:
    return outcome.text
