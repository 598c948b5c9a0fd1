"""Enrolment: recordings of a person become a voice profile, if they are good enough."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from wyoming_common.audio.endpointing import Endpointer
from wyoming_common.audio.pcm import MODEL_RATE, PcmFormat
from wyoming_common.errors import BadAudio
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import SpeechSegmenter
from wyoming_stt.audio.vad import SileroModel, VadModel
from wyoming_stt.engine import Audio
from wyoming_stt.speakers.campplus import CAMPPLUS, CamPlusPlus
from wyoming_stt.speakers.engine import Embedding, SpeakerModel, unit
from wyoming_stt.speakers.profiles import VoiceProfile, VoiceProfiles, check_name, made_now

SENTENCES: Final = (
    "Good morning, what will the weather be like in town this afternoon?",
    "Please turn the lamp beside my bed down to thirty percent.",
    "Set a timer of twelve minutes for the potatoes in the oven.",
    "My favourite music sounds best on a quiet Sunday evening.",
    "Could you remind me to water the yellow flowers by the window?",
)
"""Sentences to read aloud; any other five do as well."""
MIN_SAMPLES: Final = len(SENTENCES)

_MIN_SPEECH_SECONDS: Final = 1.2
_MIN_LEVEL: Final = 0.003
"""Root mean square of speech that a microphone has heard"""
_MAX_CLIPPED: Final = 0.02
_MIN_ALIKE: Final = 0.5
"""Similarity that a sentence has to the others of the same person at least"""
_TOO_ALIKE: Final = 0.75
"""Similarity from which two profiles cannot be told apart"""


class SeveralVoices(BadAudio):
    """Sentences of several people."""


class AlikeVoices(BadAudio):
    """A voice that cannot be told apart from that of `person`."""

    def __init__(self, person: str, similarity: float) -> None:
        super().__init__(
            f"this voice is like that of {person} ({similarity:.2f}): the two cannot be told "
            f"apart safely"
        )
        self.person = person


def speech_of(pcm: bytes, vad: VadModel, name: str) -> Audio:
    """Return the speech in mono s16le PCM at 16 kHz.

    Raises BadAudio for a recording of too little, too soft or clipped speech; `name` is what the
    error calls it.
    """
    segmenter = SpeechSegmenter(vad.stream(), Endpointer(), may_end=False)
    first = segmenter.feed([PcmChunk(pcm, PcmFormat(MODEL_RATE), 0.0)])
    last = segmenter.finish()
    found = [*first.completed, *last.completed, *filter(None, [last.open_segment])]
    speech = np.concatenate([np.zeros(0, np.float32), *(segment.audio for segment in found)])
    check_speech(speech, name)
    return speech


def check_speech(speech: Audio, name: str) -> None:
    """Raise BadAudio for too little, too soft or clipped speech, which the error calls `name`."""
    if len(speech) < _MIN_SPEECH_SECONDS * MODEL_RATE:
        raise BadAudio(
            f"{name}: {len(speech) / MODEL_RATE:.1f} s of speech; read a whole sentence aloud"
        )
    if float(np.sqrt(np.mean(speech**2))) < _MIN_LEVEL:
        raise BadAudio(f"{name}: too soft; come nearer, or raise the microphone's gain")
    if float(np.mean(np.abs(speech) > 0.99)) > _MAX_CLIPPED:
        raise BadAudio(f"{name}: clipped; lower the microphone's gain, or step back")


def enrolled(
    name: str, samples: Sequence[Embedding], others: Sequence[VoiceProfile] = ()
) -> VoiceProfile:
    """Return the profile of the person who says five sentences or more.

    `others` are the profiles there are; an older one of the same name is replaced. Raises
    SeveralVoices, AlikeVoices, and BadAudio for too few.
    """
    if len(samples) < MIN_SAMPLES:
        raise BadAudio(f"{len(samples)} sentences of {MIN_SAMPLES} that are needed")
    check_one_voice(samples)
    profile = made_now(name, samples)
    rest = [one for one in others if one.name.casefold() != profile.name.casefold()]
    for one in rest:
        if (alike := float(one.centre @ profile.centre)) >= _TOO_ALIKE:
            raise AlikeVoices(one.name, alike)
    return profile


def check_one_voice(embeddings: Sequence[Embedding]) -> None:
    """Raise SeveralVoices unless all embeddings, two at least, may be of one voice."""
    total = np.sum(embeddings, axis=0)
    if any(float(unit(total - one) @ one) < _MIN_ALIKE for one in embeddings):
        raise SeveralVoices(
            "the sentences sound like several people: record them again, one person alone and "
            "without other voices in the room"
        )


class Enroller:
    """Makes profiles and saves them; its models load when they are first needed. Blocking."""

    def __init__(
        self,
        data_dirs: Sequence[Path],
        make_model: Callable[[], SpeakerModel] | None = None,
        make_vad: Callable[[], VadModel] = SileroModel,
    ) -> None:
        self.profiles = VoiceProfiles(data_dirs)
        self._make_model = make_model or (lambda: _installed(data_dirs))
        self._make_vad = make_vad

    @cached_property
    def _model(self) -> SpeakerModel:
        return self._make_model()

    @cached_property
    def _vad(self) -> VadModel:
        return self._make_vad()

    def sample(self, pcm: bytes, name: str) -> Embedding:
        """Return the voice in the recording of one sentence.

        Raises BadAudio, and ModelError or DownloadError for the model.
        """
        return self._model.embed(speech_of(pcm, self._vad, name))

    def enrol(self, name: str, samples: Sequence[Embedding]) -> Path:
        """Save the profile of the person who speaks, and return its file.

        Raises BadAudio and ConfigError.
        """
        check_name(name)
        return self.profiles.save(enrolled(name, samples, self.profiles.all()))


def _installed(data_dirs: Sequence[Path]) -> SpeakerModel:
    # A page may list profiles where no model can be fetched.
    from wyoming_common.models import ModelStore

    return CamPlusPlus(ModelStore(data_dirs).ensure(CAMPPLUS))
