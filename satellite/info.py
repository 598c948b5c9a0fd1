"""Wyoming info of the satellite."""

import socket
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from wyoming.info import Attribution, Info, Satellite, WakeModel, WakeProgram

from satellite.config import NO_WAKE, SatelliteSettings

_ABOUT = Attribution(name="Parley", url="")


def satellite_info(
    settings: SatelliteSettings, wake: Sequence[str], own_pipeline: str = ""
) -> Info:
    """Return the info of a satellite with these wake words and their phrases.

    `own_pipeline` is the wake word of a satellite that exists only for that word's pipeline.
    """
    words = [word for word in wake if word != NO_WAKE]
    machine = socket.gethostname().split(".")[0]
    name = settings.name or f"Parley {machine}"
    release = version("parley-voice")
    satellite = Satellite(
        name=f"{name} ({_phrase(own_pipeline)})" if own_pipeline else name,
        description="A Parley satellite",
        attribution=_ABOUT,
        installed=True,
        version=release,
        area=settings.area,
        has_vad=True,
        active_wake_words=words,
        max_active_wake_words=max(1, len(words)),
        supports_trigger=True,
    )
    models = [
        WakeModel(
            name=word,
            description=None,
            attribution=_ABOUT,
            installed=True,
            version=None,
            languages=[],
            phrase=_phrase(word),
        )
        for word in words
    ]
    program = WakeProgram(
        name=settings.wake_engine,
        description="Wake words of the satellite",
        attribution=_ABOUT,
        installed=True,
        version=release,
        models=models,
    )
    return Info(satellite=satellite, wake=[program] if models else [])


def _phrase(word: str) -> str:
    """Return the phrase that a user says for a wake word model."""
    return Path(word).stem.replace("_", " ")
