"""LocalAgreement-2: the part of changing partial transcripts that is stable enough to send."""

from itertools import takewhile


class LocalAgreement:
    """Commits the words on which two partial transcripts in a row agree; none is taken back.

    "Turning Whisper into Real-Time Transcription System" (Macháček, Dabre and Bojar, 2023,
    https://arxiv.org/abs/2307.14743), on words.
    """

    def __init__(self) -> None:
        self._last: list[str] = []
        self._committed: list[str] = []

    def update(self, text: str) -> str:
        """Take the transcript of all speech so far; returns the newly committed text, maybe ""."""
        words = text.split()
        agreed = [one for one, _ in takewhile(_same, zip(words, self._last, strict=False))]
        self._last = words
        return self._commit(agreed)

    def finish(self, text: str) -> str:
        """Take the final transcript; returns the text that is new in it."""
        return self._commit(text.split())

    def _commit(self, words: list[str]) -> str:
        count = len(self._committed)
        if len(words) <= count or not all(map(_same, zip(words, self._committed, strict=False))):
            return ""
        new = words[count:]
        self._committed = words
        return ("" if count == 0 else " ") + " ".join(new)


def _same(pair: tuple[str, str]) -> bool:
    one, other = (word.strip(".,!?;:\u2026\"'").casefold() for word in pair)
    return one == other
