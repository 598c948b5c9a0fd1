"""The workshop of wake words: folders, voices and models that training needs."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from parley.wake_word.corpus import disk_error
from parley.wake_word.embeddings import speech_embeddings
from parley.wake_word.phonemes import ACCENTS
from parley.wake_word.quality import Judgement, checked_phrase, judge
from parley.wake_word.recordings import kept_recordings, samples_of
from parley.wake_word.training import Made, TrainingRequest, train
from parley.wake_word.voices import installed_voices
from satellite.wake import ENGINES, builtin_words
from satellite.wake.trained_words import (
    FOLDER,
    TrainedWord,
    file_name,
    read_word,
    trained_words,
    write_word,
)
from wyoming_common.errors import MissingDependency, ModelError
from wyoming_tts.phonemes.espeak import EspeakPhonemizer

CACHE = "cache"
"""Folder of half-made examples, among the trained words."""


class Workshop:
    """Trains wake words into the first writable of the data folders."""

    def __init__(self, data_dirs: Sequence[Path], threads: int) -> None:
        self._data_dirs = [path.expanduser() for path in data_dirs]
        self._threads = threads

    @property
    def folder(self) -> Path:
        """Folder of the trained words."""
        return self._data_dirs[0] / FOLDER

    def judge(self, text: str, language: str) -> Judgement:
        """Judge a phrase. Raises BadRequest for one that no wake word can be made of."""
        phrase, language = checked_phrase(text), _code(language)
        espeak = EspeakPhonemizer()
        try:
            accent = ACCENTS.get(language, (language,))[0]
            return judge(phrase, language, accent, espeak, self._other_wake_words(phrase))
        finally:
            espeak.close()

    def train(
        self,
        phrase: str,
        language: str,
        samples: Path | None,
        tell: Made,
        left_out: Sequence[str] = (),
    ) -> tuple[Path, TrainedWord]:
        """Train a phrase that `judge` has accepted, and return its file and the word.

        Voices named in `left_out` do not speak. Raises ConfigError, BadAudio, ModelError
        and NoSpace.
        """
        language = _code(language)
        recordings = samples_of(samples) if samples is not None else []
        path = self.folder / file_name(phrase)
        kept = kept_recordings(self.folder / path.stem)
        try:
            (self.folder / CACHE).mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise disk_error(err, self.folder) from err
        speakers = installed_voices(self._data_dirs, language, left_out)
        request = TrainingRequest(
            phrase,
            language,
            self.folder / CACHE,
            [*recordings, *kept.phrase],
            kept.false_alarms,
            self._threads,
        )
        espeak = EspeakPhonemizer()
        try:
            word = train(request, speakers, speech_embeddings, espeak, tell)
        finally:
            espeak.close()
        try:
            write_word(word, path)
        except OSError as err:
            raise disk_error(err, self.folder) from err
        return path, word

    def forget(self, name: str) -> None:
        """Remove a trained word and its recordings; unknown names are ignored."""
        for path in trained_words(self._data_dirs):
            if path.stem == name:
                path.unlink(missing_ok=True)
                shutil.rmtree(path.with_suffix(""), ignore_errors=True)

    def _other_wake_words(self, phrase: str) -> Iterable[str]:
        found = set()
        for engine in ENGINES:
            try:
                found |= {word.replace("_", " ") for word in builtin_words(engine)}
            except MissingDependency:
                continue
        for path in trained_words(self._data_dirs):
            try:
                found.add(read_word(path).phrase)
            except ModelError:
                continue
        return sorted(found - {phrase})


def _code(language: str) -> str:
    """Return the code of a language without its country: "en" of "en_US"."""
    return language.replace("_", "-").partition("-")[0].lower()
