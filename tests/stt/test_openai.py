"""Answers of transcription servers, in every form that servers use."""

import json

import pytest

from wyoming_common.errors import Unavailable
from wyoming_stt.engines.openai import parse_answer

URL = "http://server/v1/audio/transcriptions"


def answer(body: str, content_type: str = "application/json") -> tuple[str, str]:
    """Return an answer as the client hands it over, its mark of the byte order removed."""
    return content_type, body.removeprefix("\ufeff")


@pytest.mark.parametrize(
    "response",
    [
        answer('{"text": " Turn on the light.\\n"}'),
        answer('\ufeff{"text": "Turn on the light."}'),
        answer('{"text": "Turn on the light.", "language": "english", "segments": []}'),
        answer('{"segments": [{"text": " Turn on"}, {"text": " the light. "}]}'),
        answer('[{"text": "Turn on the light."}]'),
        answer('"Turn on the light."'),
        answer("Turn on the light.\n", "text/plain"),
        answer('{"text": "Turn on the light."}', "text/plain"),
    ],
)
def test_every_form_of_an_answer_gives_its_text(response: tuple[str, str]) -> None:
    assert parse_answer(URL, *response) == ("Turn on the light.", None)


def test_the_language_is_taken_if_it_is_a_code() -> None:
    assert parse_answer(URL, *answer('{"text": "Hallo.", "language": "de"}')) == ("Hallo.", "de")


@pytest.mark.parametrize("body", ['{"text": ""}', '{"segments": []}', "[]", '""'])
def test_an_answer_without_speech_is_an_empty_text(body: str) -> None:
    assert parse_answer(URL, *answer(body)) == ("", None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html>", "expected JSON with a text, got '<html>'"),
        ('{"text": null}', "expected JSON with a text"),
        ('{"segments": [{"words": 3}]}', "expected JSON with a text"),
        ("17", "expected JSON with a text"),
        (json.dumps({"error": {"message": "out of memory"}}), "an error: out of memory"),
        (json.dumps({"error": "failed to process audio"}), "an error: failed to process audio"),
    ],
)
def test_anything_else_is_one_clear_error(body: str, message: str) -> None:
    with pytest.raises(Unavailable, match=message):
        parse_answer(URL, *answer(body))
