"""Codes of languages, as clients write them and as Whisper knows them."""

from collections.abc import Sequence

from wyoming_common.errors import UnknownLanguage

_CODES = """
en af am ar as az ba be bg bn bo br bs ca cs cy da de el es et eu fa fi fo fr gl gu ha haw he hi
hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn
no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi
yi yo zh
"""
WHISPER = tuple(_CODES.split())
"""The languages of OpenAI's multilingual Whisper models, their codes; large-v3 adds `yue`."""

_SAME = {"nb": "no", "jv": "jw", "iw": "he", "in": "id", "cmn": "zh", "fil": "tl", "zh-hk": "yue"}
"""Codes that clients use for what Whisper has under another one."""


def match(wanted: str | None, languages: Sequence[str], model: str) -> str | None:
    """Return which of `languages` a client means by `wanted`, e.g. `en` for `en_US`.

    None, "" and "auto" mean none in particular. Raises UnknownLanguage, which lists them.
    """
    if wanted in (None, "", "auto", "*"):
        return languages[0] if len(languages) == 1 else None
    code = str(wanted).lower().replace("_", "-")
    for candidate in (code, _SAME.get(code), code.split("-")[0], _SAME.get(code.split("-")[0])):
        if candidate in languages:
            return candidate
    known = ", ".join(languages[:12]) + (", ..." if len(languages) > 12 else "")
    raise UnknownLanguage(f"language: {model} understands {known}; got '{wanted!s:.40}'")


def chosen(wanted: Sequence[str], known: Sequence[str], model: str) -> tuple[str, ...]:
    """Return those of `known` that `wanted` names, all if it names none. Raises UnknownLanguage."""
    codes = [match(code, known, model) for code in wanted]
    return tuple(dict.fromkeys(code for code in codes if code)) or tuple(known)
