"""Text that will not change any more, from texts that do."""

from itertools import takewhile


class Agreement:
    """Says what two readings in a row agree on, once: words that were said are never unsaid.

    LocalAgreement-2 of "Turning Whisper into Real-Time Transcription System" (Macháček, Dabre
    and Bojar, 2023, https://arxiv.org/abs/2307.14743), on words.
    """

    def __init__(self) -> None:
        self._last: list[str] = []
        self._said: list[str] = []

    def read(self, text: str) -> str:
        """Take the text of all speech so far; returns what is certain and new, maybe ""."""
        words = text.split()
        agreed = [one for one, _ in takewhile(_same, zip(words, self._last, strict=False))]
        self._last = words
        return self._extend(agreed)

    def finish(self, text: str) -> str:
        """Take the final text; returns what is new in it."""
        return self._extend(text.split())

    def _extend(self, words: list[str]) -> str:
        said = len(self._said)
        if len(words) <= said or not all(map(_same, zip(words, self._said, strict=False))):
            return ""
        new = words[said:]
        self._said = words
        return ("" if said == 0 else " ") + " ".join(new)


def _same(pair: tuple[str, str]) -> bool:
    one, other = (word.strip(".,!?;:\u2026\"'").casefold() for word in pair)
    return one == other
