"""A speech engine without a model."""

import threading
from collections.abc import Iterator, Sequence

from wyoming_common.errors import BadRequest, UnknownVoice
from wyoming_tts.engine import Phrase, Voice

RATE = 16_000


class FakeTts:
    """Yields two samples a word. "forever" never ends, "boom" is a bug, "bad" a refusal.

    With `opens` it takes open phrases, and keeps their last word back.
    """

    default = "plain"

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.opens = False
        self.version = "1"
        self.fetched: list[str] = []
        self.phrases: list[Phrase] = []

    def load(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def voices(self) -> Sequence[Voice]:
        return (
            Voice("plain", ("en_US",)),
            Voice("deutsch", ("de_DE",), speakers=("anna", "bert")),
            Voice("absent", ("fr_FR",), installed="absent" in self.fetched),
        )

    def identity(self, voice: str) -> str:
        return self.version

    def fetch(self, voice: str) -> None:
        self.fetched.append(voice)

    def sample_rate(self, voice: str) -> int:
        if voice not in {known.name for known in self.voices()}:
            raise UnknownVoice(voice)
        return RATE

    def can_open(self, voice: str) -> bool:
        return self.opens

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        self.phrases.append(phrase)
        words = phrase.text.lower().strip(".").split()
        if phrase.opening is not None:
            spoken = phrase.opening.state or 0
            words = words[: -1 if phrase.is_open else None]
            phrase.opening.state = len(words)
            words = words[spoken:]
        try:
            if "boom" in words:
                raise RuntimeError(phrase.text)
            if "bad" in words:
                raise BadRequest("no such speaker")
            for _ in iter(int, 1) if "forever" in words else words:
                yield b"\x01\x00\x02\x00"
        finally:
            self.closed.set()
