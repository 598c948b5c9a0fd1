"""Turns scores of a wake word model into detections. No audio, no I/O."""

_LOWEST = 0.2
"""Score from which even the most sensitive setting takes a word as said."""


def threshold(own: float, sensitivity: float) -> float:
    """Return the score from which a word counts.

    `sensitivity` 0.5 is the model's `own` threshold, 0 hears almost nothing, 1 almost anything.
    """
    if sensitivity <= 0.5:
        return own + (0.5 - sensitivity) * 2 * (0.999 - own)
    return own - (sensitivity - 0.5) * 2 * (own - min(own, _LOWEST))


class Refractory:
    """Keeps one word from being heard twice; the next command, and other words, are not held up.

    Counts in frames of the model, whatever they are.
    """

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._deaf: dict[str, int] = {}

    def step(self) -> None:
        """A frame has gone by."""
        self._deaf = {word: left - 1 for word, left in self._deaf.items() if left > 1}

    def take(self, word: str) -> bool:
        """Whether `word`, heard in this frame, counts."""
        deaf = word in self._deaf
        # A word that goes on scoring is the same word.
        self._deaf[word] = self._frames
        return not deaf
