"""Decision who of the household speaks, or that it is a guest. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wyoming_common.protocol.spoken_by import GUEST
from wyoming_stt.speakers.engine import Embedding
from wyoming_stt.speakers.profiles import VoiceProfile

THRESHOLD: Final = 0.6
"""Similarity from which a voice is that of a profile.

`bench.speakers fit`: there, 0.3 % of other people's clips pass and 1 % of one's own do not."""
MARGIN: Final = 0.05
"""Similarity by which the best profile is ahead of the next one"""
WAKE_THRESHOLD: Final = 0.5
"""Similarity from which a second of sound may be a wake word of the household.

`bench.wake_speaker fit`: there, at most 2 % of the household's are below it."""
SURE: Final = 0.7
"""Similarity from which a turn may add to a profile"""


@dataclass(frozen=True, slots=True)
class Decision:
    """The person who speaks, or a guest."""

    name: str
    """Name of a profile, or GUEST"""
    similarity: float
    """To the best profile, -1 to 1"""

    @property
    def sure(self) -> bool:
        """Whether the turn may add to the profile."""
        return self.name != GUEST and self.similarity >= SURE


def decide(embedding: Embedding, profiles: Sequence[VoiceProfile]) -> Decision:
    """Return the profile, of at least one, that an embedding fits; a doubtful one is a guest."""
    ranked = sorted(((float(p.centre @ embedding), p.name) for p in profiles), reverse=True)
    best, name = ranked[0]
    close = len(ranked) > 1 and best - ranked[1][0] < MARGIN
    return Decision(GUEST if best < THRESHOLD or close else name, best)
