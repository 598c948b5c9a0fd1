"""SSML split into passages: https://www.w3.org/TR/speech-synthesis11/, in part.

break, say-as, sub, emphasis, prosody (rate, volume), p and s are followed; of any other element
the text inside is spoken. What is not well-formed is spoken as text without its tags.
"""

import html.entities
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from wyoming_tts.text.languages import boundaries_of
from wyoming_tts.text.numbers import speller
from wyoming_tts.text.sentences import Passage, PlainScript

_LOGGER = logging.getLogger(__name__)

_MAX_BREAK_SECONDS = 10.0
"""Of all breaks side by side."""
_SLOWEST, _FASTEST, _LOUDEST = 4.0, 0.25, 4.0
"""Factors on length and volume, also where a document multiplies them"""
_BREAKS = {
    "none": 0.0, "x-weak": 0.1, "weak": 0.25, "medium": 0.5, "strong": 0.8, "x-strong": 1.2,
}  # fmt: skip
_PARAGRAPH = 0.6
"""Seconds after a paragraph"""
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.35, "x-fast": 1.7}
_VOLUMES = {
    "silent": 0.0, "x-soft": 0.4, "soft": 0.65, "medium": 1.0, "default": 1.0, "loud": 1.4,
    "x-loud": 1.8,
}  # fmt: skip
_EMPHASIS = {"strong": (1.15, 1.3), "moderate": (1.08, 1.15), "reduced": (0.95, 0.8)}
"""Level to factors on length and volume."""
_TAG = re.compile(r"<[^<>]*>")
_DECLARATION = re.compile(r"<!(?!--|\[CDATA\[)")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)(\w{1,32};)?")
"""An ampersand that XML has no reading for."""
_DURATION = re.compile(r"\+?(\d+(?:\.\d+)?|\.\d+)\s*(ms|s)")
_PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?)%")
_DECIBEL = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*dB")
_MAX_DECIBEL = 12.0
_MAX_DEPTH = 50
_MAX_SPELLED_CHARACTERS = 300
"""Longer texts are read instead of being spelled."""
_ENDS = (".", "!", "?", "…", "\n")


@dataclass(frozen=True, slots=True)
class _Manner:
    length: float = 1.0
    volume: float = 1.0


class SsmlScript:
    """Waits for the whole document: only its end tells whether it is well-formed."""

    def __init__(self, language: str, first_clause: int = 0) -> None:
        self._language = language
        self._first_clause = first_clause
        self._pieces: list[str] = []

    def feed(self, text: str) -> Iterator[Passage]:
        self._pieces.append(text)
        return iter(())

    def finish(self) -> Iterator[Passage]:
        document = "".join(self._pieces).strip()
        self._pieces.clear()
        try:
            root = _parse(document)
            parts = list(_Reader(self._language).read(root))
        except (ElementTree.ParseError, ValueError) as err:
            _LOGGER.info("Not well-formed SSML, spoken as text: %s", err)
            parts = [_TAG.sub(" ", document)]
        yield from self._passages(parts)

    def _passages(self, parts: list["str | _Run | float"]) -> Iterator[Passage]:
        script = PlainScript(boundaries_of(self._language), self._first_clause)
        last: Passage | None = None
        for part in parts:
            if isinstance(part, float):
                silence = ((last and last.pause) or 0.0) + part
                last = replace(last or Passage(""), pause=min(silence, _MAX_BREAK_SECONDS))
                continue
            manner = part.manner if isinstance(part, _Run) else _Manner()
            text = part.text if isinstance(part, _Run) else part
            for passage in (*script.feed(text), *script.finish()):
                if last is not None:
                    yield last
                last = replace(passage, length=manner.length, volume=manner.volume)
            if last is not None and not text.rstrip(" ").endswith(_ENDS):
                last = replace(last, pause=0.0)  # the sentence goes on, in another manner
        if last is not None:
            yield last


@dataclass(slots=True)
class _Run:
    """Text spoken in one manner."""

    text: str
    manner: _Manner


class _Reader:
    """Reads a document into runs of text and, as floats, seconds of silence between them."""

    def __init__(self, language: str) -> None:
        self._language = language

    def read(self, root: ElementTree.Element) -> "Iterator[str | _Run | float]":
        run: _Run | None = None
        for item in self._walk(root, _Manner(), 0):
            if isinstance(item, _Run) and run is not None and item.manner == run.manner:
                run.text += item.text
                continue
            if run is not None and run.text.strip():
                yield run
            run = item if isinstance(item, _Run) else None
            if isinstance(item, float):
                yield item
        if run is not None and run.text.strip():
            yield run

    def _walk(
        self, element: ElementTree.Element, manner: _Manner, depth: int
    ) -> "Iterator[_Run | float]":
        if depth > _MAX_DEPTH:
            raise ValueError("elements are nested too deep")
        name = element.tag.rpartition("}")[2]
        inner = _manner_of(name, element, manner)
        if name == "break":
            yield _break_of(element)
        elif name == "sub" and "alias" in element.attrib:
            yield _Run(element.attrib["alias"], inner)
        elif name == "say-as":
            yield _Run(self._say_as(element), inner)
        elif name not in ("desc", "metadata", "meta", "lexicon"):
            yield from self._inside(element, inner, depth)
        if name == "s":
            yield _Run("\n\n", manner)
        elif name == "p":
            yield _PARAGRAPH

    def _inside(
        self, element: ElementTree.Element, manner: _Manner, depth: int
    ) -> "Iterator[_Run | float]":
        yield _Run(element.text or "", manner)
        for child in element:
            yield from self._walk(child, manner, depth + 1)
            yield _Run(child.tail or "", manner)

    def _say_as(self, element: ElementTree.Element) -> str:
        text = "".join(element.itertext()).strip()
        match element.get("interpret-as", "") if len(text) <= _MAX_SPELLED_CHARACTERS else "":
            case "characters" | "spell-out" | "verbatim":
                return " ".join(self._spelled(part) for part in re.findall(r"\d|[^\W\d]+", text))
            case "digits":
                return speller(self._language).digits(text)
            case "telephone":
                groups = re.findall(r"\d+", text)
                return ", ".join(speller(self._language).digits(group) for group in groups)
            case "ordinal" if text.isdecimal() and len(text) < 10:
                return speller(self._language).ordinal(int(text))
            case "expletive" | "bleep":
                return "bleep"
            case _:
                return text

    def _spelled(self, part: str) -> str:
        return speller(self._language).digits(part) if part.isdigit() else ".".join(part.upper())


def _parse(document: str) -> ElementTree.Element:
    if _DECLARATION.search(document):
        # Entities could blow a short document up to gigabytes.
        raise ValueError("a document type is not allowed")
    document = _ENTITY.sub(_escaped, document)
    try:
        return ElementTree.fromstring(document)  # noqa: S314 - no entities, see above
    except ElementTree.ParseError:
        return ElementTree.fromstring(f"<speak>{document}</speak>")  # noqa: S314


def _escaped(match: re.Match[str]) -> str:
    """ "Tom & Jerry" and the names of HTML, "&nbsp;", as XML has them."""
    known = html.entities.html5.get(match[1] or "")
    return known if known and known not in "<>&" else f"&amp;{match[1] or ''}"


def _manner_of(name: str, element: ElementTree.Element, manner: _Manner) -> _Manner:
    if name == "emphasis":
        length, volume = _EMPHASIS.get(element.get("level", "moderate"), (1.0, 1.0))
        return _bounded(manner.length * length, manner.volume * volume)
    if name == "prosody":
        rate = _factor(element.get("rate", "medium"), _RATES)
        volume = min(_factor(element.get("volume", "medium"), _VOLUMES), _LOUDEST)
        return _bounded(manner.length / max(rate, _FASTEST), manner.volume * volume)
    return manner


def _bounded(length: float, volume: float) -> _Manner:
    return _Manner(min(max(length, _FASTEST), _SLOWEST), min(volume, _LOUDEST))


def _factor(text: str, names: dict[str, float]) -> float:
    text = text.strip()
    if text in names:
        return names[text]
    if match := _PERCENT.fullmatch(text):
        percent = float(match[1])
        return max(0.0, 1 + percent / 100 if text[0] in "+-" else percent / 100)
    if match := _DECIBEL.fullmatch(text):
        return float(10 ** (min(float(match[1]), _MAX_DECIBEL) / 20))
    return 1.0


def _break_of(element: ElementTree.Element) -> float:
    if match := _DURATION.fullmatch(element.get("time", "").strip()):
        seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
        return min(seconds, _MAX_BREAK_SECONDS)
    return _BREAKS.get(element.get("strength", "medium"), 0.5)
