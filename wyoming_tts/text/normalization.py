"""Text normalisation: what is written becomes the words that a voice is to read.

Characters first (one spelling for each, none that a voice cannot speak), then markdown and tags,
then the grammar of the language.
"""

import re
import unicodedata
from decimal import localcontext
from typing import Final

from wyoming_tts.text.languages import grammar_of
from wyoming_tts.text.markup import without_markup
from wyoming_tts.text.scripts import in_latin_letters

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""Terminal colours and movements, ECMA-48 §5.4."""
_UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\ufffd]"
)
_INVISIBLE = re.compile("[\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Soft hyphens, marks of direction and zero-width spaces; joiners stay, they shape words."""
_APOSTROPHES = str.maketrans({"\u02bc": "'", "\u02bb": "'", "\u2018": "'", "\u201b": "'",
                              "\u00b4": "'", "\uff07": "'", "\u02b9": "'"})  # fmt: skip
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_FORMS = ("<wide>", "<narrow>", "<font>", "<circle>", "<square>", "<compat>", "<super>", "<sub>")
_OWN_SIGNS = frozenset("ªº™℠№…µ¨´¯¸˘˙˚˛˜˝‗‥″‴‶‷⁗")  # noqa: RUF001
"""Signs whose other spelling would be read as something else"""
_POWER_OF_LENGTH = re.compile(r"(?<=\d)(\s?(?:[cdkm]?m|in|ft|yd|mi))\^([23])(?!\w)")
_MIN_DIGITS: Final = 50
"""Precision of numbers, which are computed with as they stand in the text."""
_SPACES = re.compile(r"\s+")
_SPACE_BEFORE_MARK = re.compile(r"\s+([,.;:!?])(?=\s|$)")
_TIGHT_COMMA = re.compile(r"(?<=[^\W\d_]),(?=[^\W\d_])")
"""A comma without its space: a voice makes no pause at it."""
_REPEATED = re.compile(r"([!?,;:])\1+|\.{4,}")


def clean(text: str) -> str:
    """Return text without control characters, lone surrogates and marks without a sound."""
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE.sub(" ", text).replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub("", _UNSPEAKABLE.sub(" ", text))


def spoken(text: str, language: str) -> str:
    """Return `text` as a voice of `language` ("en_US") is to read it; "" when nothing is said."""
    text = _POWER_OF_LENGTH.sub(lambda match: match[1] + "²³"[match[2] == "3"], text)
    text = in_latin_letters(without_markup(_normalized(text), language), language)
    with localcontext(prec=_MIN_DIGITS + len(text)):
        if (grammar := grammar_of(language)) is not None:
            text = grammar.read(text)
    text = _TIGHT_COMMA.sub(", ", text)
    text = _REPEATED.sub(lambda match: match[1] or "...", text)
    text = _SPACE_BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text)).strip()
    return text if any(character.isalnum() for character in text) else ""


def _normalized(text: str) -> str:
    """Return `text` in NFC, with letters and digits of other forms as plain ones.

    Bold, wide and raised letters are among them, and the digits of other scripts. Raised digits
    and fractions stay, for they mean something.
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text.translate(_APOSTROPHES).translate(_LOWERED))
    return "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character < "\u00a8" or character in _OWN_SIGNS:
        return character
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    form, _, _ = unicodedata.decomposition(character).partition(" ")
    if form not in _FORMS:
        return character
    if form in ("<super>", "<sub>") and not character.isalpha():
        return character
    plain = unicodedata.normalize("NFKC", character)
    return f" {plain} " if form == "<circle>" else plain
