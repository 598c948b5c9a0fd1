"""Text normalisation: what is written becomes the words that a voice is to read.

Characters first (one spelling for each, none that a voice cannot speak), then markdown, HTML tags
and emoji, of which only what they say is kept, then the grammar of the language.
"""

import re
import unicodedata
from decimal import localcontext
from functools import partial
from typing import Final

from wyoming_tts.text.languages import boundaries_of, grammar_of, months_of
from wyoming_tts.text.latex import without_latex
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

_FENCE = re.compile(r"^\s*(?:```|~~~).*$", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?)?\s*$", re.MULTILINE)
_LINE_START = re.compile(
    r"^[^\S\n]*(?:#{1,6}\s+|>\s+(?=\D)|>(?=[^\d\s=])"
    r"|[-*+•◦▪](?!\s+[\d.,]+\s?°)\s+(?:\[[ xX]\]\s+)?)",
    re.MULTILINE,
)
_NUMBERED = re.compile(r"^\s*(\d{1,3})([.)])\s+(?=([^\W\d_]*))(?=\S)")
_PHONEMES = re.compile(r"\[\[([^\[\]]{0,200})\]\]")
"""Piper's raw phonemes"""
_IMAGE = re.compile(r"!\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)")
_LINK = re.compile(r"\[([^\]\[\n]{1,200})\](?:\([^)\n]{0,500}\)|\[[^\]\n]{0,200}\])")
_FOOTNOTE = re.compile(r"(?<=[\w.,;:!?\"')])\[\^?\d{1,3}\](?!\()|\[\^\d{1,3}\]:?")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^>\s]{1,500})>")
_TAG = re.compile(
    r"</?(?:b|i|u|s|em|strong|p|br|hr|div|span|sub|sup|code|pre|ul|ol|li|h[1-6]|a|small|mark|kbd|table|tr|td|th"
    r"|speak|voice|prosody|emphasis|break|say-as|audio|phoneme|mstts:[a-z-]+)\b[^<>]{0,500}>|<!--[^<>]{0,500}-->",
    re.IGNORECASE,
)
_CODE = re.compile(r"(`{1,3})([^`\n]{1,300})\1")
_STRONG = re.compile(r"(?<![\w*])(\*{1,3})(?=\S)([^*\n]{1,300}?)(?<=\S)\1(?!\*)")
_UNDERLINED = re.compile(r"(?<![\w_])(_{1,3})(?=\S)([^_\n]{1,300}?)(?<=\S)\1(?![\w_])")
_STRUCK = re.compile(r"~~([^~\n]{1,300})~~")
_CELLS = re.compile(r"\s*\|\s*")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_STRAY = re.compile(
    r"(?<!\w)(?<!\d )(?<!\W\w )(?<!\A\w )[*_`~#]+(?![\w$€£¥₹⁻])|[*_`]{2,}"
    r"|(?<!\S)[|](?!\S)|^\|(?=\s?\w)"
)
_TO_THE_POWER = re.compile(r"(?<=\d)\s?\*\*\s?(?=\d)|(?<=\b[a-z])\*\*(?=\d)")
_PANDOC_LOWERED = re.compile(r"(?<=[A-Za-z])~(\w{1,3})~(?!~)")
"""Pandoc's subscripts, as in H~2~O"""
_RAISED = re.compile(r"(?<=\w)\^(\d{1,3})\^")
_CUT_LINK = re.compile(r"\]\((?:https?:|/|#|mailto:)[^)\s]{0,500}\)?|\[(?=[^\]]{0,500}$)")
_CUT_EMPHASIS = re.compile(
    r"`+|(?<![\w*])\*{1,3}(?=[^\W\d])|(?<=[^\W\d])\*{1,3}(?!\w)|(?<=[.,;:!?])\*{1,3}(?=\s|$)"
    r"|(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w)|(?<=[.,;:!?])_{1,3}(?=\s|$)"
    r"|(?<!\S)~~(?=\w)|(?<=[\w.,;:!?])~~(?!\S)"
)
"""A mark whose partner stands in another sentence"""
_EMOTICON = re.compile(r"(?<!\S)(?:[:;=][-o^']?[)(\]\[DPpOo/\\|*]|\^_\^|xD|XD)(?!\S)")
_MODIFIERS = "\u200d\ufe0e\ufe0f\u20e3"
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2600-\u26ff\u2700-\u27bf\u2b50-\u2b55"
    "\u231a-\u231b\u23e9-\u23fa\u25aa-\u25fe\u2934-\u2935\u3030\u303d\u3297\u3299]"
    f"[{_MODIFIERS}\U0001f3fb-\U0001f3ff]*"
)
_ENTITIES = {"&amp;": "&", "&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'"}


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


def without_markup(text: str, language: str) -> str:
    """Return what a person would read aloud of `text`, one passage."""
    if text.isalpha():
        return text
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    text = without_latex(text)
    text = _TO_THE_POWER.sub("^", text)
    text = _PANDOC_LOWERED.sub(r"\1", _RAISED.sub(r"^\1", text))
    for pattern in (_FENCE, _TABLE_RULE, _RULE, _FOOTNOTE):
        text = pattern.sub(" ", text)
    text = _LINE_START.sub("", text)
    text = _NUMBERED.sub(partial(_item, language), text)
    text = _PHONEMES.sub(r" \1 ", text)
    for pattern in (_IMAGE, _LINK, _AUTOLINK, _STRUCK):
        text = pattern.sub(r"\1", text)
    text = _TAG.sub(" ", text)
    for pattern in (_CODE, _STRONG, _STRONG, _UNDERLINED):
        text = pattern.sub(r"\2", text)
    text = _CUT_EMPHASIS.sub("", _CUT_LINK.sub(" ", text))
    if text.count("|") > 1:
        text = _CELLS.sub(", ", text.strip().strip("|"))
    text = _ESCAPED.sub(r"\1", _STRAY.sub(" ", text))
    return without_emoji(text)


def _item(language: str, match: re.Match[str]) -> str:
    """Return the number of a list's item with a pause; a day or an ordinal keeps its full stop."""
    following = match[3]
    stop = boundaries_of(language).ordinal_stop and match[2] == "." and following[:1].islower()
    if stop or (match[2] == "." and following.lower() in months_of(language)):
        return match[0]
    return f"{match[1]}, "


def without_emoji(text: str) -> str:
    """Return text without pictures; keycaps keep their digit."""
    if text.isascii():
        return _EMOTICON.sub(" ", text)
    text = _EMOTICON.sub(" ", _EMOJI.sub(" ", text))
    return "".join(
        character
        for place, character in enumerate(text)
        if character not in _MODIFIERS or _joins_letters(text, place)
    )


def _joins_letters(text: str, place: int) -> bool:
    """A zero-width joiner between letters shapes them, in Hindi or Persian."""
    if text[place] != "\u200d" or not 0 < place < len(text) - 1:
        return False
    return unicodedata.category(text[place + 1])[0] in "LM"
