"""Grammars are compiled in a thread of their own, when the home changes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from wyoming_common.errors import ConfigError
from wyoming_common.home_assistant.home import Entity, Home
from wyoming_stt.home_sentences.sentences import CompiledSentences, read_sentences

CUSTOM = """
language: en
intents:
  Brew:
    data:
      - sentences: ["brew [me] a {drink}"]
lists:
  drink:
    values: [ristretto]
"""


def home_of(name: str) -> Home:
    return Home(entities={"light.one": Entity("light.one", name)})


class Homes:
    """A home that may change."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def __call__(self) -> Home:
        return self.home


@pytest_asyncio.fixture
async def homes() -> AsyncIterator[Homes]:
    yield Homes(home_of("Zephyra"))


@pytest_asyncio.fixture
async def sentences(homes: Homes) -> AsyncIterator[CompiledSentences]:
    compiled = CompiledSentences(homes)
    yield compiled
    await compiled.aclose()


async def test_no_caller_waits_for_the_first_grammar(sentences: CompiledSentences) -> None:
    assert sentences.search("en") is None
    assert sentences.wait("en") is not None
    assert sentences.search("en") is not None


async def test_a_changed_home_is_compiled_while_the_old_one_serves(
    sentences: CompiledSentences, homes: Homes
) -> None:
    old = sentences.wait("en")
    homes.home = home_of("Quibblar")

    serving = sentences.search("en")
    new = sentences.wait("en")

    assert serving is old
    assert new is not None
    assert new.nearest("turn on quibbler").sentences[0].text == "turn on Quibblar"


async def test_the_language_of_the_home_is_compiled_with_the_ones_that_are_named(
    homes: Homes,
) -> None:
    homes.home = Home(entities=homes.home.entities, language="de")
    sentences = CompiledSentences(homes)

    sentences.refresh(["en"])
    compiled = [sentences.wait(language) for language in ("en", "de")]
    await sentences.aclose()

    assert None not in compiled


async def test_an_unknown_language_has_no_sentences(sentences: CompiledSentences) -> None:
    assert sentences.wait("xx") is None
    assert sentences.search(None) is None


def write(folder: Path, content: str, name: str = "mine.yaml") -> None:
    (folder / "en").mkdir(parents=True, exist_ok=True)
    (folder / "en" / name).write_text(content, encoding="utf-8")


def test_custom_sentences_are_added_to_the_ones_of_home_assistant(tmp_path: Path) -> None:
    write(tmp_path, CUSTOM)

    intents = read_sentences("en", [tmp_path])["intents"]

    assert {"Brew", "HassTurnOn"} <= intents.keys()


@pytest.mark.parametrize("content", ["a: [", "- a", "intents: 3"])
def test_a_file_with_mistakes_is_left_out_with_a_warning(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, content, "bad.yaml")
    write(tmp_path, CUSTOM)

    intents = read_sentences("en", [tmp_path])["intents"]

    assert "Brew" in intents
    [record] = caplog.records
    assert "bad.yaml" in record.getMessage()
    assert record.getMessage().endswith("; the file is not used")


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sentences: expected a folder"):
        CompiledSentences(Home, [tmp_path / "none"])
