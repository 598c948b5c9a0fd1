"""Fuzz entries: functions that read text or bytes of strangers, and fail only for a bug.

    python -m tests.fuzz.entries NAME [libFuzzer flags] [corpus folder]

runs one under atheris, which looks for inputs that reach new code. The default suite gives them
what hypothesis thinks of, see test_entries.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Final

from wyoming.event import async_read_event

from wyoming_common.errors import BadRequest, ServiceError, TimedOut
from wyoming_common.models.catalogue import Catalogue
from wyoming_common.net.limits import Limits
from wyoming_common.net.reader import FixedState, GuardedReader
from wyoming_llm.config import LlmSettings
from wyoming_llm.http.requests import parse
from wyoming_tts.text.languages import boundaries_of
from wyoming_tts.text.normalization import clean, spoken
from wyoming_tts.text.sentences import PlainScript
from wyoming_tts.text.ssml import SsmlScript

_LANGUAGES: Final = ("en_US", "en_GB", "de_DE", "fr_FR", "ja_JP", "")


def protocol(content: bytes) -> None:
    """Bytes of a connection."""
    asyncio.run(_read_all(content))


async def _read_all(content: bytes) -> None:
    source = asyncio.StreamReader(limit=65_536)
    source.feed_data(content)
    source.feed_eof()
    reader = GuardedReader(source, Limits(), state=FixedState(busy=False))
    with suppress(BadRequest, TimedOut, asyncio.IncompleteReadError):
        while (event := await async_read_event(reader)) is not None:
            assert isinstance(event.type, str)
            assert isinstance(event.data, dict)
            json.dumps(event.data, ensure_ascii=False, allow_nan=False).encode()
        assert source.at_eof(), "the library took an event for a hang-up"


def sentences(content: bytes) -> None:
    """Text for plain synthesis, in two pieces."""
    text = _text(content)
    middle = content[0] * len(text) // 255 if content else 0
    script = PlainScript(boundaries_of("en_US"), first_clause=20)
    passages = [*script.feed(text[:middle]), *script.feed(text[middle:]), *script.finish()]
    kept = "".join(passage.text for passage in passages)
    assert "".join(kept.split()) == "".join(text.split())


def ssml(content: bytes) -> None:
    """Text that says it is SSML."""
    script = SsmlScript(_LANGUAGES[len(content) % len(_LANGUAGES)], 20)
    with suppress(ServiceError):
        for passage in [*script.feed(_text(content)), *script.finish()]:
            assert passage.pause is None or 0 <= passage.pause <= 60
            assert 0 < passage.length < 100
            assert 0 <= passage.volume < 100


def normaliser(content: bytes) -> None:
    """A sentence to be written out."""
    spoken(_text(content)[:400], _LANGUAGES[len(content) % len(_LANGUAGES)])


def openai(content: bytes) -> None:
    """The body of a chat completion."""
    with suppress(ValueError, RecursionError):  # what is no JSON never gets there
        body = json.loads(content)
        with suppress(BadRequest):
            parse(body)


def settings(content: bytes) -> None:
    """A file of settings."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(content)
        file.flush()
        with suppress(ServiceError):
            LlmSettings.load(["--config", file.name])


def catalogue(content: bytes) -> None:
    """A catalogue of one's own."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(content)
        file.flush()
        with suppress(ServiceError):
            for entry in Catalogue.load([Path(file.name)]).values():
                for member in entry.files:
                    assert not Path(member.name).is_absolute()
                    assert ".." not in Path(member.name).parts


ENTRIES: Final[dict[str, Callable[[bytes], None]]] = {
    entry.__name__: entry
    for entry in (protocol, sentences, ssml, normaliser, openai, settings, catalogue)
}


def _text(content: bytes) -> str:
    return clean(content.decode(errors="replace"))


def main() -> None:
    """Fuzz one entry until it fails or is stopped."""
    import atheris  # type: ignore[import-untyped, unused-ignore] # for Linux on x86-64 only

    entry = ENTRIES[sys.argv[1]]
    # All there is would take minutes: our own code decides what is understood.
    for function in _our_functions():
        atheris.instrument_func(function)
    atheris.Setup(sys.argv[1:], entry)
    atheris.Fuzz()


def _our_functions() -> Iterator[FunctionType]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0].startswith("wyoming"):
            for member in list(vars(module).values()):
                if getattr(member, "__module__", "") == name:
                    inside = vars(member).values() if isinstance(member, type) else [member]
                    yield from (one for one in inside if isinstance(one, FunctionType))


if __name__ == "__main__":
    main()
