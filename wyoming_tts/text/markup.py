"""What is written for eyes alone: Markdown, HTML tags, emoji. Only what it says is kept."""

import re
import unicodedata

_FENCE = re.compile(r"^\s*(?:```|~~~).*$", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?)?\s*$", re.MULTILINE)
_LINE_START = re.compile(r"^[^\S\n]*(?:#{1,6}\s+|>\s?|[-*+•◦▪]\s+(?:\[[ xX]\]\s+)?)", re.MULTILINE)
_NUMBERED = re.compile(r"^\s*(\d{1,3})[.)]\s+(?=\S)")
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\](?:\([^)\n]*\)|\[[^\]\n]*\])")
_FOOTNOTE = re.compile(r"\[\^?\d{1,3}\](?!\()")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^>\s]+)>")
_TAG = re.compile(
    r"</?(?:b|i|u|s|em|strong|p|br|hr|div|span|sub|sup|code|pre|ul|ol|li|h[1-6]|a|small|mark|kbd|table|tr|td|th)\b[^<>]*>",
    re.IGNORECASE,
)
_CODE = re.compile(r"(`+)([^`\n]+)\1")
_STRONG = re.compile(r"(?<![\w*])(\*{1,3})(?=\S)([^*\n]+?)(?<=\S)\1(?!\*)")
_UNDERLINED = re.compile(r"(?<![\w_])(_{1,3})(?=\S)([^_\n]+?)(?<=\S)\1(?![\w_])")
_STRUCK = re.compile(r"~~([^~\n]+)~~")
_CELLS = re.compile(r"\s*\|\s*")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_STRAY = re.compile(r"(?<!\w)(?<!\d )[*_`~#]+(?![\w$€£¥₹⁻])|[*_`]{2,}|(?<=\s)[|](?=\s)")
_EMOTICON = re.compile(r"(?<!\S)(?:[:;=8][-o^']?[)(\]\[DPpOo/\\|*3]|<3|\^_\^|xD|XD)(?!\S)")
_MODIFIERS = "\u200d\ufe0e\ufe0f\u20e3"
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2600-\u26ff\u2700-\u27bf\u2b50-\u2b55"
    "\u231a-\u231b\u23e9-\u23fa\u25aa-\u25fe\u2934-\u2935\u3030\u303d\u3297\u3299]"
    f"[{_MODIFIERS}\U0001f3fb-\U0001f3ff]*"
)
_ENTITIES = {"&amp;": "&", "&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'"}


def without_markup(text: str) -> str:
    """Return what a person would read aloud of `text`."""
    if text.isalpha():
        return text
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    for pattern in (_FENCE, _TABLE_RULE, _RULE, _FOOTNOTE):
        text = pattern.sub(" ", text)
    text = _LINE_START.sub("", text)
    text = _NUMBERED.sub(r"\1, ", text)
    for pattern in (_IMAGE, _LINK, _AUTOLINK, _STRUCK):
        text = pattern.sub(r"\1", text)
    text = _TAG.sub(" ", text)
    for pattern in (_CODE, _STRONG, _STRONG, _UNDERLINED):
        text = pattern.sub(r"\2", text)
    if text.count("|") > 1:
        text = _CELLS.sub(", ", text.strip().strip("|"))
    text = _ESCAPED.sub(r"\1", _STRAY.sub(" ", text))
    return without_emoji(text)


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
