"""Requests that nothing in the home can fulfil, to a model that claims to have done them."""

from pathlib import Path

import pytest

from bench.home_sets import LANGUAGES, read_set
from tests.llm.fakes import FakeLlm
from tests.llm.house import house

CLAIMS = {
    "en": ["Done! I have turned it on for you.", "Okay, it is on now.", "Sure, I have sent it."],
    "de": [
        "Erledigt! Ich habe es eingeschaltet.",
        "Okay, es ist jetzt an.",
        "Ich habe es bestellt.",
    ],
    "fr": ["C'est fait ! Je l'ai allumé.", "D'accord, c'est allumé maintenant.", "Je l'ai envoyé."],
    "es": ["¡Hecho! Lo he encendido.", "Vale, ya está encendido.", "Lo he enviado."],
    "nl": ["Klaar! Ik heb het aangezet.", "Oké, het staat nu aan.", "Ik heb het besteld."],
    "it": ["Fatto! L'ho acceso.", "Va bene, ora è acceso.", "L'ho ordinato."],
}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_request_that_nothing_can_fulfil_is_neither_done_nor_claimed(language: str) -> None:
    texts = [case.text for case in read_set("nonsense", Path()).cases if case.language == language]
    claims, engine = CLAIMS[language], FakeLlm()
    said = {}
    async with house(engine=engine) as one:
        for number, text in enumerate(texts):
            engine.script = [claims[number % len(claims)]] * 3
            said[text] = await one.told(text, f"conversation {number}", language)
        handled = list(one.home.handled)

    assert handled == []
    assert {
        text: reply
        for text, reply in said.items()
        if not reply or any(claim[:9] in reply for claim in claims)
    } == {}
