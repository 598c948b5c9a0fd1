"""Language codes: the ones of clients matched to the ones of a model."""

from collections.abc import Sequence

from wyoming_common.errors import UnknownLanguage

_CODES = """
en af am ar as az ba be bg bn bo br bs ca cs cy da de el es et eu fa fi fo fr gl gu ha haw he hi
hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn
no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi
yi yo zh
"""
WHISPER = tuple(_CODES.split())
"""Language codes of OpenAI's multilingual Whisper models; large-v3 adds `yue`."""

_SYNONYMS = {
    "nb": "no",
    "jv": "jw",
    "iw": "he",
    "in": "id",
    "cmn": "zh",
    "fil": "tl",
    "zh-hk": "yue",
}
"""Codes of clients, and the ones that Whisper has for the same languages."""


def match_language(wanted: str | None, languages: Sequence[str], model: str) -> str | None:
    """Return the one of `languages` that a client means by `wanted`, e.g. `en` for `en_US`.

    None, "" and "auto" leave the language open. Raises UnknownLanguage, which lists them.
    """
    if wanted in (None, "", "auto", "*"):
        return languages[0] if len(languages) == 1 else None
    code = str(wanted).lower().replace("_", "-")
    for candidate in (
        code,
        _SYNONYMS.get(code),
        code.split("-")[0],
        _SYNONYMS.get(code.split("-")[0]),
    ):
        if candidate in languages:
            return candidate
    known = ", ".join(languages[:12]) + (", ..." if len(languages) > 12 else "")
    raise UnknownLanguage(f"language: {model} understands {known}; got '{wanted!s:.40}'")


def choose_languages(wanted: Sequence[str], known: Sequence[str], model: str) -> tuple[str, ...]:
    """Return the ones of `known` in `wanted`, all if that is empty. Raises UnknownLanguage."""
    codes = [match_language(code, known, model) for code in wanted]
    return tuple(dict.fromkeys(code for code in codes if code)) or tuple(known)
