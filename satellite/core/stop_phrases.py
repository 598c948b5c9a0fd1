"""Phrases that are meant for the satellite itself and not for the conversation service."""

import re
from pathlib import Path

_STOP = frozenset(
    {
        *("stop", "stop it", "stop talking", "please stop", "okay stop", "be quiet", "quiet"),
        *("shut up", "cancel", "never mind", "nevermind", "enough", "that's enough", "forget it"),
        *("stopp", "halt", "ruhe", "sei still", "abbrechen"),
        *("arrête", "tais-toi", "basta", "para", "cállate", "fermo", "silenzio", "pare", "stil"),
    }
)


def is_only(phrase: str, text: str) -> bool:
    """Return whether a transcript is only a wake word, e.g. "Okay, Nabu." for "okay_nabu"."""
    wanted = re.sub(r"[^\w]|_", "", Path(phrase).stem.casefold())
    return bool(wanted) and re.sub(r"[^\w]|_", "", text.casefold()) == wanted


def is_stop(text: str) -> bool:
    """Return whether a transcript only asks to stop the reply."""
    words = re.sub(r"[^\w' -]", "", text.casefold().replace("\u2019", "'"))
    return " ".join(words.split()) in _STOP
