"""Characters that no voice can speak, taken out before anything else looks at the text."""

import re

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""Terminal colours and movements, ECMA-48 §5.4."""
_UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\ufffd]"
)
_INVISIBLE = re.compile("[\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Soft hyphens, marks of direction and zero-width spaces; joiners stay, they shape words."""


def clean(text: str) -> str:
    """Return text without control characters, lone surrogates and marks nobody hears."""
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE.sub(" ", text).replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub("", _UNSPEAKABLE.sub(" ", text))
