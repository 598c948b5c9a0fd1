"""From the text of a request to what is spoken in one go."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from wyoming_tts.sentences import SentenceSplitter

_SLICE = 4096
"""Characters handed to the splitter at a time; what it holds is copied for each sentence."""
_GOES_ON = ",;،、，；—"  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence or less, and how it is spoken."""

    text: str
    """Empty for a silence alone."""
    pause: float | None = None
    """Seconds of silence before what follows; None leaves it to the service."""
    length: float = 1.0
    """Factor on the time that speech takes."""
    volume: float = 1.0


class Script(Protocol):
    """Takes text in pieces cut anywhere, gives passages as soon as each is certain."""

    def feed(self, text: str) -> Iterator[Passage]: ...

    def finish(self) -> Iterator[Passage]: ...


class PlainScript:
    """Plain text, spoken sentence by sentence."""

    def __init__(self, first_clause: int = 0) -> None:
        self._splitter = SentenceSplitter(first_clause)

    def feed(self, text: str) -> Iterator[Passage]:
        for start in range(0, len(text), _SLICE):
            for sentence in self._splitter.feed(text[start : start + _SLICE]):
                yield _passage(sentence)

    def finish(self) -> Iterator[Passage]:
        for sentence in self._splitter.finish():
            yield _passage(sentence)


def _passage(text: str) -> Passage:
    # A voice pauses by itself where it reads a comma.
    return Passage(text, pause=0.0 if text[-1] in _GOES_ON else None)
