"""Offers: whether a satellite may still detect a wake word that a peer has detected. Pure.

Peers wait for a better placed satellite that offers, so an offer that comes to nothing costs time.
Progress is `AudioPipeline.wake_progress`: the score as a part of its threshold, None where the
engine has no scores; such a satellite always offers.
"""

from dataclasses import dataclass
from typing import Final

MIN_OFFER_PROGRESS: Final = 0.6
"""Progress from which a wake word may still be detected. Of satellites that are at 0.5 to 0.7 when
the first one detects the word, two in three do so too within 0.12 s; of those below, one in
eight."""


def may_offer(progress: float | None) -> bool:
    """Return whether a satellite may soon detect the word."""
    return progress is None or progress >= MIN_OFFER_PROGRESS


@dataclass(slots=True)
class Offer:
    """An offer for a wake word, followed until it is detected or will hardly be any more."""

    word: str
    progress: float | None
    """Progress at the last look, at first that of the time at which the offer was made"""

    def missed(self, progress: float | None) -> bool:
        """Take the progress now, at which the word is not detected; return whether it is missed.

        The score of microWakeWord is a mean over some of its steps, which rises less with each.
        """
        before, self.progress = self.progress, progress
        if progress is None or before is None:
            return False
        # A word over its threshold that is not detected will not be: there was no speech.
        if progress > 1.0:
            return True
        step = progress - before
        return step != 0.0 and progress + step < 1.0
