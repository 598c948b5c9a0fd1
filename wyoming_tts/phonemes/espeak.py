"""Phonemes by espeak-ng, in a process whose death harms nothing."""

import json
import logging
import re
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterable

from wyoming_common.errors import ModelError, Unavailable
from wyoming_tts.phonemes.number_words import in_parts

_LOGGER = logging.getLogger(__name__)

_MIN_CHARACTERS = 12
"""A text this short on which espeak-ng dies is left out; a longer one is tried in halves."""
_MAX_WORD_LETTERS = 64
_MAX_WORD_CHARACTERS = 40
"""Of a word with more than letters in it, which espeak-ng may spell. A word of 200 phonemes and
stresses (N_WORD_PHONEMES in its translate.h) damages its memory; it may live on and read nonsense,
so longer words are divided."""
_LONG_WORD = re.compile(rf"[^\s-]{{{_MAX_WORD_CHARACTERS + 1},}}")


class EspeakPhonemizer:
    """Turns text to phonemes. Starts its process with the first text, and again after a death."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = _nothing
        self.deaths = 0
        """Texts on which espeak-ng has died."""

    @property
    def process_id(self) -> int | None:
        """The process, None before the first text."""
        return self._process.pid if self._process is not None else None

    def phonemize(
        self, voice: str, text: str, vowel_clusters: Iterable[tuple[str, ...]] = ()
    ) -> list[list[str]]:
        """Return the phonemes of each sentence of `text`, as espeak's `voice` ("en-us") reads it.

        What espeak-ng cannot read without dying is left out. Raises ModelError for a voice that
        espeak-ng does not have, Unavailable where its process cannot be started.
        """
        said = _LONG_WORD.sub(_divided, in_parts(text, voice))
        found = self._ask(voice, said, [list(names) for names in vowel_clusters])
        if found is not None:
            return found
        self.deaths += 1
        if len(text) < _MIN_CHARACTERS:
            _LOGGER.warning("espeak-ng died of %r, which is left out", text)
            return []
        middle = _cut(text)
        return [
            sentence
            for part in (text[:middle], text[middle:])
            for sentence in self.phonemize(voice, part, vowel_clusters)
        ]

    def close(self) -> None:
        """End the process."""
        self._process = None
        self._end()

    def _ask(self, voice: str, text: str, clusters: list[list[str]]) -> list[list[str]] | None:
        request = json.dumps([voice, text, clusters]).encode() + b"\n"
        for _ in range(2):  # the system may have killed the process since the last text
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(request)
                process.stdin.flush()
                answer = process.stdout.readline()
            except OSError:
                answer = b""
            if answer.endswith(b"\n"):
                return _sentences(answer)
            self.close()
        raise Unavailable("the espeak-ng process ends as soon as it is started; see the log")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            command = [sys.executable, "-m", "wyoming_tts.phonemes.espeak_server"]
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    # Not ended by the Ctrl-C that lets this program finish its work.
                    start_new_session=True,
                )
            except OSError as err:
                raise Unavailable(f"the espeak-ng process cannot be started: {err}") from err
            self._end = weakref.finalize(self, _end, self._process)
        return self._process


def _nothing() -> None:
    """End no process."""


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _sentences(answer: bytes) -> list[list[str]] | None:
    """Return what the process answered; None where its fork died."""
    if not answer.strip():
        return None
    found: list[list[str]] | str = json.loads(answer)
    if isinstance(found, str):
        raise ModelError(f"espeak-ng: {found}")
    return found


def _divided(match: re.Match[str]) -> str:
    """Return a long word in parts, behind signs where there are some."""
    rest, parts = match[0], []
    # Parts of an abbreviation that only a space divides are one word to espeak-ng.
    size, between = (_MAX_WORD_LETTERS, " ") if rest.isalpha() else (_MAX_WORD_CHARACTERS, "\n")
    while len(rest) > size:
        signs = [place + 1 for place in range(size // 2, size) if not rest[place].isalnum()]
        end = signs[-1] if signs else size
        parts.append(rest[:end])
        rest = rest[end:]
    return between.join([*parts, rest])


def _cut(text: str) -> int:
    """Return where to halve `text`: behind the space nearest to its middle, if one is near."""
    middle = len(text) // 2
    before = text.rfind(" ", middle // 2, middle)
    after = text.find(" ", middle, middle + middle // 2)
    spaces = [place + 1 for place in (before, after) if place >= 0]
    return min(spaces, key=lambda place: abs(place - middle), default=middle)
