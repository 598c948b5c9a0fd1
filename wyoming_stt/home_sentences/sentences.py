"""Sentences of the home: grammars of its languages, compiled ahead in a thread of their own."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

import yaml
from hassil.util import merge_dict
from home_assistant_intents import get_intents

from wyoming_common.errors import ConfigError
from wyoming_common.home_assistant.home import Home
from wyoming_stt.home_sentences.grammar import compile_grammar
from wyoming_stt.home_sentences.search import PhoneticSearch

_LOGGER = logging.getLogger(__name__)

_MAX_LANGUAGES: Final = 4
"""Grammars in memory, the ones that were used last: about 10 MB each"""


class HomeSentences(Protocol):
    """The sentences that can be said in this home."""

    def search(self, language: str | None) -> PhoneticSearch | None:
        """Return the sentences of `language`, None while they are not ready or not known."""
        ...

    def refresh(self, languages: Sequence[str] = ()) -> None:
        """Begin to compile `languages` and the ones in use, if the home has changed."""
        ...

    async def ready(self) -> None:
        """Wait until nothing is being compiled."""
        ...

    async def aclose(self) -> None:
        """End the work in progress."""
        ...


class NoHomeSentences:
    """No sentences: every transcript stays as it was recognised."""

    def search(self, language: str | None) -> PhoneticSearch | None:  # noqa: ARG002
        return None

    def refresh(self, languages: Sequence[str] = ()) -> None:
        """Nothing to compile."""

    async def ready(self) -> None:
        """Nothing to wait for."""

    async def aclose(self) -> None:
        """Nothing to end."""


class CompiledSentences:
    """Compiles the grammar of a language when it is asked for first, and when the home changes.

    No caller waits for a grammar: until the first one is ready transcripts stay as they were
    recognised, and until a new one is ready the last one serves. `search` may be called from any
    thread.
    """

    def __init__(
        self,
        home: Callable[[], Home],
        folders: Sequence[Path] = (),
        names: Sequence[str] = (),
        *,
        base: bool = True,
    ) -> None:
        """`home` returns the home as it is now, `folders` hold custom sentences, `names` are more
        names of things; `base` adds Home Assistant's own sentences.

        Raises ConfigError for a folder that is missing.
        """
        for folder in folders:
            if not folder.is_dir():
                raise ConfigError(f"sentences: expected a folder, got {folder}")
        self._home = home
        self._folders = folders
        self._names = names
        self._base = base
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stt-sentences")
        self._compiled: OrderedDict[str, tuple[Home, PhoneticSearch | None]] = OrderedDict()
        self._compiling: dict[str, Future[None]] = {}

    def search(self, language: str | None) -> PhoneticSearch | None:
        code = language or ""
        home = self._home()
        known = self._compiled.get(code)
        if code and (known is None or known[0] is not home) and code not in self._compiling:
            self._compiling[code] = self._pool.submit(self._compile, code, home)
        return known[1] if known is not None else None

    def refresh(self, languages: Sequence[str] = ()) -> None:
        """Begin to compile `languages`, the home's own and the ones in use, where they are old."""
        ahead = dict.fromkeys([self._home().language, *languages])
        for language in [*list(ahead)[:_MAX_LANGUAGES], *self._compiled]:
            self.search(language)

    async def ready(self) -> None:
        """Wait until nothing is being compiled."""
        for compiling in list(self._compiling.values()):
            await asyncio.wait([asyncio.wrap_future(compiling)])

    def wait(self, language: str, timeout_seconds: float = 60.0) -> PhoneticSearch | None:
        """Return the sentences of `language` once they are compiled. Blocking."""
        self.search(language)
        if (compiling := self._compiling.get(language)) is not None:
            compiling.result(timeout_seconds)
        return self.search(language)

    async def aclose(self) -> None:
        """Wait for the grammar that is being compiled, and drop the ones that wait."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    def _compile(self, language: str, home: Home) -> None:
        try:
            content = read_sentences(language, self._folders, base=self._base)
            grammar = compile_grammar(content, home, language, self._names)
            search = PhoneticSearch(grammar) if grammar.templates else None
        except Exception:  # a mistake in sentences must not end recognition
            _LOGGER.exception("The sentences of language '%s' are not used", language)
            search = None
        self._compiled[language] = (home, search)
        self._compiled.move_to_end(language)
        while len(self._compiled) > _MAX_LANGUAGES:
            self._compiled.popitem(last=False)
        self._compiling.pop(language, None)


def read_sentences(language: str, folders: Sequence[Path], *, base: bool = True) -> dict[str, Any]:
    """Return Home Assistant's sentences of a language merged with custom ones, {} without any.

    Custom sentences are FOLDER/LANGUAGE/*.yaml, as in Home Assistant's `custom_sentences`. A file
    with mistakes is left out with a warning.
    """
    content: dict[str, Any] = dict((get_intents(language) if base else None) or {})
    for folder in folders:
        for path in sorted((folder / language).glob("*.yaml")):
            try:
                merge_dict(content, _read(path))
            except ConfigError as err:
                _LOGGER.warning("%s; the file is not used", err)
    return content if content.get("intents") else {}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        reason = " ".join(str(err).split())
        raise ConfigError(f"sentences: cannot read {path}: {reason}") from err
    if not isinstance(content, dict) or not isinstance(content.get("intents", {}), dict):
        raise ConfigError(f"sentences: expected a mapping with intents in {path}")
    return content
