"""Piper engine: VITS voices on ONNX Runtime. piper-tts, which makes the phonemes, is GPL-3.0."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
import piper
from piper.config import PhonemeType, PiperConfig
from piper.tashkeel import TashkeelDiacritizer

from wyoming_common.audio.pcm import Limiter
from wyoming_common.errors import ModelError, UnknownVoice
from wyoming_common.models import ModelStore
from wyoming_common.process.allocator import return_large_blocks
from wyoming_common.process.cpu import usable_cores
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Opening, Phrase, Voice
from wyoming_tts.engines.piper.split_cache import Inputs, SplitVoice, load_split, run
from wyoming_tts.engines.piper.vocoder import Begun, Floats, WindowedVocoder
from wyoming_tts.phonemes.espeak import EspeakPhonemizer
from wyoming_tts.synthesis.voices import VoiceFile, VoiceFolders, voice_file

_LOGGER = logging.getLogger(__name__)

MakeInputs = Callable[[list[int]], Inputs]
"""Makes the inputs of the voice from ids of phonemes"""
DEFAULT_VOICE = "en_US-joe-medium"
_MB = 1024 * 1024
_PROBE = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10."
"""Sentence that a voice is measured with; every language of espeak reads digits."""
_MIN_BEGUN_FRAMES = 26
"""0.3 s of sound with which a sentence is begun before its end: the next words come meanwhile."""
_FRAMES_BEFORE_SPEECH: Final = 1
"""Of the silence that the mark of a beginning (BOS) stands for, 12 ms at 22,050 Hz: no sound was
heard earlier than a frame before its end (37 sentences three times, en_US-joe-medium)."""
_HEAD_LOOKAHEAD_WORDS: Final = 2
_LOOKAHEAD_WORDS: Final = 1
"""Words of an unfinished sentence that are encoded with its beginning and spoken later."""
_MIN_HEAD_PHONEMES: Final = 20
"""Of the head of a sentence that is encoded apart: 1 s of speech, more than the first window."""
_MIN_REST_PHONEMES: Final = 30
"""A shorter rest is encoded along with the head."""
_STRESS: Final = frozenset("ˈˌ")
"""Marks that may move when a sentence goes on."""
_LONG_PHONEMES = 150
"""Beyond it a passage is longer than most."""
_MAX_PHONEMES = 450
"""Spoken in one go. A sentence has one for a letter, nearly; a row of amounts, of signs or of
letters that the language does not have has up to twenty, and time and memory grow by their square.
"""


class PiperVoice:
    """A voice that is ready to speak. Raises ModelError for files that are not one."""

    def __init__(
        self, file: VoiceFile, settings: TtsSettings, phonemizer: EspeakPhonemizer
    ) -> None:
        self._file = file
        self._settings = settings
        self._phonemizer = phonemizer
        self._seen = (file, file.model.stat().st_mtime_ns)
        self.size = file.model.stat().st_size
        """Bytes of memory that the voice takes, nearly."""
        try:
            self._config = PiperConfig.from_dict(file.settings)
            self._piper = piper.PiperVoice(session=None, config=self._config)
            self._speak = self._load()
        except ModelError:
            raise
        except Exception as err:
            # onnxruntime and piper pass on all that their parsers raise.
            raise ModelError(f"{file.model}: not a Piper voice, or cut short: {err}") from err

    def _load(self) -> "_Windowed | _Whole":
        probe = self._inputs(self._ids(_PROBE)[0], self._file.speaker(None), (0.0, 1.0, 0.0))
        lanes = self._cores > 1 and self._settings.device != "cuda"
        voice = load_split(self._file.model, probe, self._open, self._open_half if lanes else None)
        if voice is not None:
            return _Windowed(voice, int(self._config.hop_length), self.sample_rate)
        return _Whole(self._open(str(self._file.model)), probe)

    @property
    def _cores(self) -> int:
        return self._settings.threads or usable_cores()

    def _open(self, model: str | bytes) -> Any:
        return self._session(model, self._settings.threads)

    def _open_half(self, model: str | bytes) -> Any:
        return self._session(model, self._cores // 2)

    def _session(self, model: str | bytes, threads: int) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait take the processor from the other sessions and from
        # the other stages; none that spin are slow to begin. With one core busy a sentence took
        # 546 ms with the library's own spinning, 444 so; idle 293 without any, 271 so.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.add_session_config_entry("session.intra_op.spin_duration_us", "50")
        gpu = ["CUDAExecutionProvider"] if self._settings.device == "cuda" else []
        return onnxruntime.InferenceSession(
            model, options, providers=[*gpu, "CPUExecutionProvider"]
        )

    @property
    def sample_rate(self) -> int:
        return int(self._config.sample_rate)

    def stale(self, file: VoiceFile) -> bool:
        """Whether the voice has changed on disk since it was loaded."""
        seen, stamp = self._seen
        return file is not seen or file.model.stat().st_mtime_ns != stamp

    def accept(self, file: VoiceFile) -> None:
        """Take the file on disk, which could not be loaded, for the one of this voice."""
        self._seen = (file, file.model.stat().st_mtime_ns)

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        """Yield mono s16le PCM, window by window.

        Raises BadRequest for an unknown speaker, and ModelError where the model fails.
        """
        speaker = self._file.speaker(phrase.speaker)
        config, settings = self._config, self._settings
        scales = (
            config.noise_scale if settings.noise is None else settings.noise,
            config.length_scale * phrase.length,
            config.noise_w_scale if settings.noise_w is None else settings.noise_w,
        )
        limiter = Limiter(self._speak.peak, phrase.volume)
        make = partial(self._inputs, speaker=speaker, scales=scales)
        try:
            for audio in self._spoken(phrase, make):
                yield limiter(audio)
        except ModelError:
            raise
        except Exception as err:
            # Damaged weights may show only in what they lead to.
            raise ModelError(f"{self._file.model}: the model fails: {err}") from err

    @property
    def can_open(self) -> bool:
        """Whether a sentence can be begun before its end is known, and be kept up with."""
        return self._can_join and self._speak.at_ease

    @property
    def _can_join(self) -> bool:
        return self._speak.can_join and self._config.phoneme_type == PhonemeType.ESPEAK

    def _spoken(self, phrase: Phrase, make: MakeInputs) -> Iterator[Floats]:
        parts = self._parts(phrase.text)
        if phrase.is_open and phrase.opening is not None:
            if len(parts) == 1:
                yield from self._begin(phrase.opening, parts[0], make, phrase.ahead)
            return
        if parts and phrase.opening is not None and phrase.opening.state is not None:
            yield from self._end(phrase.opening.state, phrase, parts[0], make)
            del parts[0]
        for phonemes in parts:
            yield from self._whole(phonemes, make, phrase.ahead)

    def _whole(self, phonemes: list[str], make: MakeInputs, ahead: float) -> Iterator[Floats]:
        """Speak a sentence; of a long one the head is encoded and heard first."""
        head = head_of(phonemes) if self._can_join and not ahead else None
        begun = _Spoken()
        if head is not None:
            end, known = head
            ends = self._size(phonemes[:end])
            inputs = make(self._piper.phonemes_to_ids(phonemes[:known]))
            yield from self._speak.carry_on(inputs, begun, 0, ends, ahead)
            joint = ends
        else:
            joint = 0
        inputs = make(self._piper.phonemes_to_ids(phonemes))
        yield from self._speak.carry_on(inputs, begun, joint, None, ahead)

    def _begin(
        self, opening: Opening, phonemes: list[str], make: MakeInputs, ahead: float
    ) -> Iterator[Floats]:
        """Speak more of an unfinished sentence, but for its last words."""
        begun: _Spoken = opening.state or _Spoken()
        joint = behind(begun.phonemes, phonemes) if begun.phonemes else 0
        end = settled(phonemes)
        if joint is None or end <= joint:
            return
        inputs = make(self._piper.phonemes_to_ids(phonemes))
        joints = self._size(phonemes[:joint]) if joint else 0
        ends = self._size(phonemes[:end])
        for audio in self._speak.carry_on(inputs, begun, joints, ends, ahead):
            # Set with the first sound: without any, the next attempt begins with more words.
            begun.phonemes = phonemes[:end]
            opening.state = begun
            yield audio

    def _end(
        self, begun: "_Spoken", phrase: Phrase, phonemes: list[str], make: MakeInputs
    ) -> Iterator[Floats]:
        """Speak the rest of a sentence that was begun."""
        joint = behind(begun.phonemes, phonemes)
        if joint is not None:
            inputs = make(self._piper.phonemes_to_ids(phonemes))
            yield from self._speak.carry_on(
                inputs, begun, self._size(phonemes[:joint]), None, phrase.ahead
            )
            return
        # The words are read in another way now: the rest is spoken by itself.
        yield from self._speak.finish(make([]), begun, phrase.ahead)
        words = phrase.text.split()
        for count in range(1, len(words) + 1):
            if sum(map(len, self._phonemes(" ".join(words[:count])))) >= len(begun.phonemes):
                for part in self._parts(" ".join(words[count:])):
                    yield from self._whole(part, make, phrase.ahead)
                return

    def _size(self, phonemes: list[str]) -> int:
        """Return the number of ids before the mark of the end."""
        return len(self._piper.phonemes_to_ids(phonemes)) - 1

    def _ids(self, text: str) -> list[list[int]]:
        return [self._piper.phonemes_to_ids(part) for part in self._parts(text)]

    def _parts(self, text: str) -> list[list[str]]:
        """Return the phonemes of each sentence or part of one that is spoken in one go."""
        return [part for sentence in self._phonemes(text) for part in within_limit(sentence)]

    def _phonemes(self, text: str) -> list[list[str]]:
        """Return the phonemes of each sentence."""
        if self._config.phoneme_type != PhonemeType.ESPEAK:
            return self._piper.phonemize(text)
        if self._config.espeak_voice == "ar":
            text = _diacritizer()(text, taskeen_threshold=self._piper.taskeen_threshold)
        clusters = self._config.vowel_clusters or ()
        return self._phonemizer.phonemize(self._config.espeak_voice, text, clusters)

    def _inputs(
        self, ids: list[int], speaker: int | None, scales: tuple[float, float, float]
    ) -> Inputs:
        inputs: Inputs = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": np.array(scales, dtype=np.float32),
        }
        if speaker is not None:
            inputs["sid"] = np.array([speaker], dtype=np.int64)
        return inputs


@cache
def _diacritizer() -> TashkeelDiacritizer:
    """Return what adds the vowels that Arabic does not write."""
    return TashkeelDiacritizer()


def within_limit(phonemes: list[str], most: int = _MAX_PHONEMES) -> Iterator[list[str]]:
    """Yield `phonemes` in parts of at most `most`, cut between words where there are any."""
    start = 0
    while len(phonemes) - start > most:
        last = start + most
        spaces = (at for at in range(last, start + most // 3, -1) if phonemes[at].isspace())
        end = next(spaces, last)
        yield phonemes[start:end]
        start = end
    if phonemes[start:]:
        yield phonemes[start:]


def head_of(phonemes: Sequence[str]) -> tuple[int, int] | None:
    """Return where the head of a sentence ends, and its lookahead; None for a short sentence.

    A sentence is begun before its end is known: its head is encoded with the words behind it that
    are known by then, and what is encoded later is joined to it at a space. With one word of
    lookahead the duration of the head differs by 4.6 % from that in the whole sentence, with two
    by 3.9 %, without any by 13 %; two runs of the same sentence differ by 2.8 % (15 cuts in 5
    sentences, en_US-joe-medium). Prefix-to-prefix synthesis: Ma et al., 2020,
    https://arxiv.org/abs/1911.02750
    """
    spaces = [place for place, phoneme in enumerate(phonemes) if phoneme == " "]
    for number, end in enumerate(spaces):
        if end < _MIN_HEAD_PHONEMES:
            continue
        if number + _HEAD_LOOKAHEAD_WORDS >= len(spaces):
            return None
        known = spaces[number + _HEAD_LOOKAHEAD_WORDS]
        return (end, known) if len(phonemes) - known >= _MIN_REST_PHONEMES else None
    return None


def settled(phonemes: Sequence[str]) -> int:
    """Return how many of the phonemes of an unfinished sentence may be spoken, 0 for none yet."""
    spaces = [place for place, phoneme in enumerate(phonemes) if phoneme == " "]
    return spaces[-_LOOKAHEAD_WORDS] if len(spaces) >= _LOOKAHEAD_WORDS else 0


def behind(beginning: Sequence[str], phonemes: Sequence[str]) -> int | None:
    """Return where `phonemes` go on behind `beginning`, None where they begin otherwise."""
    place = 0
    for phoneme in beginning:
        if phoneme in _STRESS:
            continue
        while place < len(phonemes) and phonemes[place] in _STRESS:
            place += 1
        if place == len(phonemes) or phonemes[place] != phoneme:
            return None
        place += 1
    return place if place < len(phonemes) and phonemes[place] in " ,.;:!?" else None


@dataclass(slots=True)
class _Spoken(Begun):
    """A sentence that is being spoken, and the phonemes of the part that stays."""

    phonemes: list[str] = field(default_factory=list)


class _Windowed:
    """A voice in three parts, spoken in windows."""

    def __init__(self, voice: SplitVoice, hop: int, rate: int) -> None:
        self.peak = voice.facts.peak
        self._voice = voice
        self._vocoder = WindowedVocoder(
            partial(run, voice.flow),
            partial(run, voice.decoder),
            voice.facts.latent,
            hop,
            rate,
            voice.facts.halo,
            partial(run, voice.half_decoder) if voice.half_decoder else None,
        )

    @property
    def can_join(self) -> bool:
        """Whether the frames of each phoneme are known."""
        return bool(self._voice.facts.durations)

    @property
    def at_ease(self) -> bool:
        """Whether the machine has lately computed sound much faster than it is heard."""
        return self._vocoder.at_ease

    def __call__(self, inputs: Inputs, ahead: float = 0.0) -> Iterator[Floats]:
        """Yield the sound of a whole sentence."""
        return self.carry_on(inputs, _Spoken(), 0, None, ahead)

    def carry_on(
        self, inputs: Inputs, begun: "_Spoken", joint: int, end: int | None, ahead: float
    ) -> Iterator[Floats]:
        """Yield the sound of a sentence behind what `begun` has spoken of it.

        The ids before `joint` stay as they were, the ones before `end` stay from now on, and the
        sound that depends on others is left for later. Without `end` all do. To a listener who
        waits (`ahead` is 0) the silence before the first word is not sent.
        """
        names = list(self._voice.facts.between)
        counted = [*filter(None, [self._voice.facts.durations])]
        found = self._voice.encoder.run([*names, *counted], inputs, _run_options(inputs))
        encoded = dict(zip(names, found, strict=False))
        ends = np.cumsum(found[-1]).astype(int) if counted else None
        start = int(ends[joint - 1]) if joint and ends is not None else 0
        kept = begun.frames
        if ends is not None and not (ahead or kept or begun.sent):
            begun.sent = max(0, int(ends[0]) - _FRAMES_BEFORE_SPEECH)
        if kept:
            encoded = {
                name: np.concatenate((begun.encoded[name], tensor[..., start:]), axis=-1)
                for name, tensor in encoded.items()
            }
        frames = int(ends[end - 1]) - start + kept if end and ends is not None else None
        least = self._vocoder.reach + _MIN_BEGUN_FRAMES + begun.sent
        if frames is not None and not kept and frames < least:
            return
        for audio in self._vocoder(encoded, inputs, ahead, begun, frames):
            begun.encoded = {name: tensor[..., :frames] for name, tensor in encoded.items()}
            yield audio

    def finish(self, inputs: Inputs, begun: "_Spoken", ahead: float) -> Iterator[Floats]:
        """Yield the rest of the sound of the part that stays."""
        return self._vocoder(begun.encoded, inputs, ahead, begun)


class _Whole:
    """A voice in one piece, spoken a sentence at a time."""

    def __init__(self, session: Any, probe: Inputs) -> None:
        self._session = session
        self.peak = float(np.abs(run(session, probe)).max())

    can_join = at_ease = False

    def __call__(self, inputs: Inputs, ahead: float = 0.0) -> Iterator[Floats]:  # noqa: ARG002
        """Yield the sound of a whole sentence."""
        yield run(self._session, inputs, _run_options(inputs)).reshape(-1)

    def carry_on(
        self,
        inputs: Inputs,
        begun: "_Spoken",  # noqa: ARG002 - the signature of _Windowed
        joint: int,  # noqa: ARG002
        end: int | None,  # noqa: ARG002
        ahead: float,  # noqa: ARG002
    ) -> Iterator[Floats]:
        """Yield the sound of a sentence."""
        return self(inputs)

    def finish(
        self, inputs: Inputs, begun: "_Spoken", ahead: float
    ) -> Iterator[Floats]:  # pragma: no cover - nothing is ever begun
        """Yield nothing."""
        del inputs, begun, ahead
        yield from ()


def _run_options(inputs: Inputs) -> onnxruntime.RunOptions:
    """Return options by which a long passage leaves nothing behind.

    onnxruntime keeps what a run needed for the next one, however rarely that needs as much. (To
    keep nothing at all makes every sentence slower by a tenth.)
    """
    options = onnxruntime.RunOptions()
    if inputs["input"].shape[-1] > _LONG_PHONEMES:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


class PiperEngine:
    """Every Piper voice in the data folders and the catalogue, loaded when first spoken with."""

    def __init__(self, settings: TtsSettings) -> None:
        return_large_blocks()
        self._settings = settings
        self._store = ModelStore(settings.data_dir)
        own = Path(settings.voice).expanduser()
        self._own = voice_file(own) if settings.voice and own.exists() else None
        self._folders = VoiceFolders(settings.data_dir)
        self._loaded: OrderedDict[str, PiperVoice] = OrderedDict()
        self._phonemizer = EspeakPhonemizer()

    def load(self) -> None:
        self._voice(self.default)

    @property
    def default(self) -> str:
        if self._own is not None:
            return self._own.voice.name
        return self._settings.voice or DEFAULT_VOICE

    def voices(self) -> Sequence[Voice]:
        voices = {
            entry.name: Voice(
                entry.name,
                tuple(entry.languages),
                installed=False,
                description=entry.description,
                attribution="piper",
            )
            for entry in self._store.catalogue.values()
            if entry.kind == "tts" and any(f.name.endswith(".onnx.json") for f in entry.files)
        }
        voices |= {name: file.voice for name, file in self._files().items()}
        return list(voices.values())

    def identity(self, voice: str) -> str:
        file = self._files().get(voice)
        if file is None:
            return ""
        stat = file.model.stat()
        return f"{stat.st_size}-{stat.st_mtime_ns}"

    def fetch(self, voice: str) -> None:
        self._store.ensure(voice)

    def sample_rate(self, voice: str) -> int:
        return self._voice(voice).sample_rate

    def can_open(self, voice: str) -> bool:
        loaded = self._loaded.get(voice)
        return loaded is not None and loaded.can_open

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        return self._voice(phrase.voice).synthesize(phrase)

    def close(self) -> None:
        self._loaded.clear()
        self._phonemizer.close()

    def _files(self) -> dict[str, VoiceFile]:
        files = self._folders()
        if self._own is not None:
            files[self._own.voice.name] = self._own
        return files

    def _voice(self, name: str) -> PiperVoice:
        file = self._files().get(name)
        if file is None:
            raise UnknownVoice(f"Voice '{name:.80}' is not installed")
        voice = self._loaded.get(name)
        if voice is None or voice.stale(file):
            voice = self._load(file, voice)
        self._loaded[name] = voice
        self._loaded.move_to_end(name)
        self._keep_within_memory(name)
        return voice

    def _load(self, file: VoiceFile, before: PiperVoice | None) -> PiperVoice:
        try:
            return PiperVoice(file, self._settings, self._phonemizer)
        except ModelError as err:
            if before is None:
                raise
            # The new file may be half copied: the old voice speaks on until the file changes again.
            _LOGGER.warning("%s; the voice that was loaded before is used", err)
            before.accept(file)
            return before

    def _keep_within_memory(self, current: str) -> None:
        """Unload the voices unused for longest, but neither `current` nor the default."""
        for name in list(self._loaded):
            if (
                sum(voice.size for voice in self._loaded.values())
                <= self._settings.voice_memory * _MB
            ):
                return
            if name not in (current, self.default):
                _LOGGER.info("Unloading %s", name)
                del self._loaded[name]
