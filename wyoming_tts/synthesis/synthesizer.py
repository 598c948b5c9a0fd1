"""Synthesizer: text normalisation, phrase cache, engine and sample rate."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from wyoming.tts import SynthesizeVoice

from wyoming_common.audio.pcm import PcmConverter, PcmFormat
from wyoming_common.errors import ServiceError, UnknownLanguage, UnknownVoice
from wyoming_common.net.fairness import current_client
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Opening, Phrase, TtsEngine, Voice
from wyoming_tts.synthesis.cache import PhraseCache
from wyoming_tts.text.languages import boundaries_of, grammar_of
from wyoming_tts.text.normalization import spoken
from wyoming_tts.text.sentences import Passage

_LOGGER = logging.getLogger(__name__)

_MB = 1024 * 1024
_WARM_UP: Final = (
    "Ok.",
    "It is 10:30 on a fine day, and the light in the kitchen, which was on all night, is off now.",
)
"""Spoken once at the start, a short and a long one: the libraries of a model prepare the first run
of each size of a window, and the words that numbers are written out with are read from files."""


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """The voice that a request is spoken with."""

    voice: str
    speaker: str | None
    language: str
    identity: str
    """Changes when the files of the voice do."""
    installed: bool = True
    client: str = ""
    """The client that asks: clients share no cache, for a fast reply tells of an earlier one."""


@dataclass(slots=True)
class SpeechStats:
    """Time for which the voices of a service have worked, in seconds."""

    total_seconds: float = 0.0
    wasted_seconds: float = 0.0
    """Part whose sound was synthesised ahead and dropped"""


class Synthesizer:
    """An engine with the settings of the service.

    The event loop may call `choose`, `language`, `known_rate` and `cached`; `fetch` belongs on a
    thread of its own, the rest on the model thread.
    """

    def __init__(self, engine: TtsEngine, settings: TtsSettings) -> None:
        self.engine = engine
        self._settings = settings
        self._cache = PhraseCache(
            settings.cache * _MB, settings.cache_dir, settings.cache_disk * _MB
        )
        self._rates: dict[tuple[str, str], int] = {}
        self.stats = SpeechStats()

    def load(self) -> "Synthesizer":
        """Load the default voice, fetching it first where it is missing, and warm it up."""
        request = self.choose(None, fetch=True)
        if not request.installed:
            self.fetch(request)
            request = self.choose(None)
        self.engine.load()
        for text in _WARM_UP:
            for _ in self._synthesize(Passage(text), request):
                pass
        return self

    def choose(self, wanted: SynthesizeVoice | None, *, fetch: bool = False) -> VoiceRequest:
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
        return VoiceRequest(
            *(name, speaker, language, self.engine.identity(name), voice.installed),
            client=current_client(),
        )

    def language(self, wanted: SynthesizeVoice | None) -> str:
        """Return the language of a request, "" when its voice is not known; never raises."""
        try:
            return self.choose(wanted).language
        except ServiceError:
            return ""

    def fetch(self, request: VoiceRequest) -> None:
        """Download the voice of a request; blocks, on any thread but the event loop's."""
        _LOGGER.info("Fetching voice %s", request.voice)
        self.engine.fetch(request.voice)

    def known_rate(self, request: VoiceRequest) -> int | None:
        """Return `rate` if the voice has been loaded before, None if that has to be waited for."""
        return self._rates.get((request.voice, request.identity))

    def rate(self, request: VoiceRequest) -> int:
        """Return the Hz of what `speak` yields, loading the voice."""
        # Made once, so that the first sentence need not wait for them.
        grammar_of(request.language)
        boundaries_of(request.language)
        rate = self._settings.sample_rate or self.engine.sample_rate(request.voice)
        self._rates[request.voice, request.identity] = rate
        return rate

    def cached(self, passage: Passage, request: VoiceRequest) -> bytes | None:
        """Return the sound of a passage that was spoken lately, if it was."""
        return self._cache.get(self._key(passage, request))

    def can_open(self, request: VoiceRequest) -> bool:
        """Whether a sentence may be begun before its end is known."""
        return not self._settings.sample_rate and self.engine.can_open(request.voice)

    def speak(
        self,
        passage: Passage,
        request: VoiceRequest,
        ahead: float = 0.0,
        opening: Opening | None = None,
    ) -> Iterator[bytes]:
        """Yield mono s16le PCM at `rate`; nothing for a passage without a sound.

        `ahead` are the seconds of sound that the listener still has, `opening` is what was spoken
        of the passage while it was open.
        """
        if opening is not None:
            yield from self._speak_on(passage, request, ahead, opening)
            return
        key = self._key(passage, request)
        known = self._cache.load(key)
        if known is not None:
            yield known
            return
        pieces = []
        for pcm in timed(self._synthesize(passage, request, ahead), self._note):
            pieces.append(pcm)
            yield pcm
        self._cache.put(key, b"".join(pieces))

    def _speak_on(
        self, passage: Passage, request: VoiceRequest, ahead: float, opening: Opening
    ) -> Iterator[bytes]:
        for pcm in timed(self._synthesize(passage, request, ahead, opening), self._note):
            opening.pieces.append(pcm)
            yield pcm
        if not passage.is_open:
            self._cache.put(self._key(passage, request), b"".join(opening.pieces))

    def _note(self, seconds: float) -> None:
        self.stats.total_seconds += seconds

    def _synthesize(
        self,
        passage: Passage,
        request: VoiceRequest,
        ahead: float = 0.0,
        opening: Opening | None = None,
    ) -> Iterator[bytes]:
        text = passage.text
        if self._settings.normalize:
            text = spoken(text, request.language)
        if not any(character.isalnum() for character in text):
            return
        phrase = Phrase(
            text,
            request.voice,
            request.speaker,
            self._settings.length * passage.length,
            self._settings.volume * passage.volume,
            ahead,
            opening,
            passage.is_open,
        )
        yield from self._resampled(self.engine.synthesize(phrase), request)

    def _resampled(self, pieces: Iterator[bytes], request: VoiceRequest) -> Iterator[bytes]:
        source, rate = self.engine.sample_rate(request.voice), self.rate(request)
        if source == rate:
            yield from pieces
            return
        converter = PcmConverter(PcmFormat(source), rate)
        for piece in pieces:
            if pcm := converter.feed(piece):
                yield pcm
        yield converter.flush()

    def _key(self, passage: Passage, request: VoiceRequest) -> str:
        settings = self._settings
        return json.dumps(
            [
                *(
                    settings.engine,
                    request.voice,
                    request.identity,
                    request.speaker,
                    request.language,
                ),
                *(passage.text, settings.normalize, settings.sample_rate),
                *(settings.length * passage.length, settings.volume * passage.volume),
                *(settings.noise, settings.noise_w, settings.model, request.client),
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


def timed(pieces: Iterator[bytes], note: Callable[[float], None]) -> Iterator[bytes]:
    """Yield `pieces`, telling `note` the seconds that each has taken."""
    began = time.perf_counter()
    for piece in pieces:
        note(time.perf_counter() - began)
        yield piece
        began = time.perf_counter()


def _names(voices: dict[str, Voice]) -> str:
    names = sorted(name for name, voice in voices.items() if voice.installed)
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _plain(language: str) -> str:
    return language.replace("-", "_").lower()


def _base(language: str) -> str:
    return _plain(language).partition("_")[0]
