"""From a passage to sound: words for the ear, cache, engine, sample rate."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from wyoming.tts import SynthesizeVoice

from wyoming_common.audio import PcmConverter, PcmFormat
from wyoming_common.errors import ServiceError, UnknownLanguage, UnknownVoice
from wyoming_common.turns import current_client
from wyoming_tts.cache import PhraseCache
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase, TtsEngine, Voice
from wyoming_tts.script import Passage
from wyoming_tts.text.spoken import spoken

_LOGGER = logging.getLogger(__name__)

_MB = 1024 * 1024
_WARM_UP = "ok"
"""Read aloud once at the start: the first run of a model allocates its memory."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The voice of one request."""

    voice: str
    speaker: str | None
    language: str
    identity: str
    """Changes when the voice does"""
    installed: bool = True
    client: str = ""
    """For whom: a phrase that is there at once tells that it was spoken before"""


class Speech:
    """An engine with the settings of the service.

    `choose`, `language`, `known_rate` and `cached` are for the event loop, `fetch` is for a thread
    of its own, the rest for the model thread.
    """

    def __init__(self, engine: TtsEngine, settings: TtsSettings) -> None:
        self.engine = engine
        self._settings = settings
        self._cache = PhraseCache(
            settings.cache * _MB, settings.cache_dir, settings.cache_disk * _MB
        )
        self._rates: dict[tuple[str, str], int] = {}

    def load(self) -> "Speech":
        """Get the default voice ready, so that the first request need not wait for it."""
        choice = self.choose(None, fetch=True)
        if not choice.installed:
            self.fetch(choice)
            choice = self.choose(None)
        for _ in self._synthesize(Passage(_WARM_UP), choice):
            pass
        return self

    def choose(self, wanted: SynthesizeVoice | None, *, fetch: bool = False) -> Choice:
        """Return the voice for a request.

        Raises UnknownVoice, or UnknownLanguage for a language that no voice has.
        """
        wanted = wanted or SynthesizeVoice()
        voices = {voice.name: voice for voice in self.engine.voices()}
        if not voices:
            raise UnknownVoice(
                f"The {self._settings.engine} engine has no voice whose language can be read here "
                f"(Kokoro's Japanese and Chinese need misaki[ja] and misaki[zh])"
            )
        name = wanted.name or self._of_language(wanted.language, voices) or self.engine.default
        voice = voices.get(name)
        if voice is None:
            raise UnknownVoice(f"No voice '{name:.80}'; there are {_names(voices)}")
        if not (voice.installed or fetch or self._settings.allow_download):
            raise UnknownVoice(
                f"Voice '{name}' is not installed; fetch it with `parley models pull {name}`, "
                f"or let clients do so with --allow-download"
            )
        speaker = wanted.speaker
        if speaker is None and name == self.engine.default:
            speaker = self._settings.speaker
        language = voice.languages[0] if voice.languages else ""
        return Choice(
            *(name, speaker, language, self.engine.identity(name), voice.installed),
            client=current_client(),
        )

    def language(self, wanted: SynthesizeVoice | None) -> str:
        """Return the language of a request, "" when its voice is not known; never raises."""
        try:
            return self.choose(wanted).language
        except ServiceError:
            return ""

    def fetch(self, choice: Choice) -> None:
        """Download the voice of a request; blocks, on any thread but the event loop's."""
        _LOGGER.info("Fetching voice %s", choice.voice)
        self.engine.fetch(choice.voice)

    def known_rate(self, choice: Choice) -> int | None:
        """Return `rate` if the voice has been loaded before, None if that has to be waited for."""
        return self._rates.get((choice.voice, choice.identity))

    def rate(self, choice: Choice) -> int:
        """Return the Hz of what `speak` yields, loading the voice."""
        rate = self._settings.sample_rate or self.engine.sample_rate(choice.voice)
        self._rates[choice.voice, choice.identity] = rate
        return rate

    def cached(self, passage: Passage, choice: Choice) -> bytes | None:
        """Return the sound of a passage that was spoken lately, if it was."""
        return self._cache.get(self._key(passage, choice))

    def speak(self, passage: Passage, choice: Choice, ahead: float = 0.0) -> Iterator[bytes]:
        """Yield mono s16le PCM at `rate`; nothing for a passage without a sound.

        `ahead` are the seconds of sound that the listener still has.
        """
        key = self._key(passage, choice)
        known = self._cache.load(key)
        if known is not None:
            yield known
            return
        pieces = []
        for pcm in self._synthesize(passage, choice, ahead):
            pieces.append(pcm)
            yield pcm
        self._cache.put(key, b"".join(pieces))

    def _synthesize(self, passage: Passage, choice: Choice, ahead: float = 0.0) -> Iterator[bytes]:
        text = passage.text
        if self._settings.normalize:
            text = spoken(text, choice.language)
        if not any(character.isalnum() for character in text):
            return
        phrase = Phrase(
            text,
            choice.voice,
            choice.speaker,
            self._settings.length * passage.length,
            self._settings.volume * passage.volume,
            ahead,
        )
        yield from self._resampled(self.engine.synthesize(phrase), choice)

    def _resampled(self, pieces: Iterator[bytes], choice: Choice) -> Iterator[bytes]:
        source, rate = self.engine.sample_rate(choice.voice), self.rate(choice)
        if source == rate:
            yield from pieces
            return
        converter = PcmConverter(PcmFormat(source), rate)
        for piece in pieces:
            if pcm := converter.feed(piece):
                yield pcm
        yield converter.flush()

    def _key(self, passage: Passage, choice: Choice) -> str:
        settings = self._settings
        return json.dumps(
            [
                *(settings.engine, choice.voice, choice.identity, choice.speaker, choice.language),
                *(passage.text, settings.normalize, settings.sample_rate),
                *(settings.length * passage.length, settings.volume * passage.volume),
                *(settings.noise, settings.noise_w, settings.model, choice.client),
            ]
        )

    def _of_language(self, language: str | None, voices: dict[str, Voice]) -> str | None:
        if not language:
            return None
        there = [voice for voice in voices.values() if voice.installed]
        there.sort(key=lambda voice: voice.name != self.engine.default)
        for same in (_plain, _base):
            for voice in there:
                if same(language) in map(same, voice.languages):
                    return voice.name
        known = sorted({name for voice in there for name in voice.languages})
        raise UnknownLanguage(
            f"No installed voice speaks '{language:.20}'; there are {', '.join(known)}"
        )


def _names(voices: dict[str, Voice]) -> str:
    names = sorted(name for name, voice in voices.items() if voice.installed)
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _plain(language: str) -> str:
    return language.replace("-", "_").lower()


def _base(language: str) -> str:
    return _plain(language).partition("_")[0]
