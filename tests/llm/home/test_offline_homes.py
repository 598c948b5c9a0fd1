"""Sentences of people in very different homes come to what they mean, in six languages."""

from pathlib import Path

import pytest

from bench import home_sets, offline_home
from tests.llm.house import RECOGNITION

HOMES = Path(home_sets.OWN)


@pytest.mark.parametrize(
    ("home", "language"),
    [("terrace", "en"), *(("five", code) for code in ("de", "fr", "es", "nl", "it"))],
)
def test_sentences_come_to_what_they_mean(home: str, language: str) -> None:
    wrong = offline_home.check(HOMES / f"offline_{home}.yaml", language, RECOGNITION)

    assert wrong == []
