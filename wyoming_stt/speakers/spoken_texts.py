"""The speakers of the last transcripts, for a conversation service that asks. Time is injected."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wyoming_common.protocol.spoken_by import GUEST

_MAX_TEXTS: Final = 64
_MAX_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Spoken:
    at: float
    speaker: str
    utterance: object


class SpokenTexts:
    """Speakers by text; one that two people have said within its time belongs to a guest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._texts: OrderedDict[str, _Spoken] = OrderedDict()

    def add(self, text: str, speaker: str, utterance: object) -> None:
        """Remember the speaker of a text; all transcripts of an utterance share `utterance`."""
        now, known = self._clock(), self._texts.pop(text.strip(), None)
        if (
            known is not None
            and now - known.at <= _MAX_SECONDS
            and known.utterance is not utterance
            and known.speaker != speaker
        ):
            speaker = GUEST
        self._texts[text.strip()] = _Spoken(now, speaker, utterance)
        while len(self._texts) > _MAX_TEXTS:
            self._texts.popitem(last=False)

    def find(self, text: str, *, last: bool) -> str | None:
        """Return the speaker of a text, None for one not said lately; `last` forgets it."""
        key = text.strip()
        known = self._texts.pop(key, None) if last else self._texts.get(key)
        return known.speaker if known and self._clock() - known.at <= _MAX_SECONDS else None
