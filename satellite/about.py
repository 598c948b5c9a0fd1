"""What a satellite tells about itself."""

import socket
from importlib.metadata import version
from pathlib import Path

from wyoming.info import Attribution, Info, Satellite, WakeModel, WakeProgram

from satellite.config import NO_WAKE, SatelliteSettings

_ABOUT = Attribution(name="Parley", url="")


def satellite_info(settings: SatelliteSettings) -> Info:
    """Return the Wyoming info of a satellite, its wake words and their phrases included."""
    words = [word for word in settings.wake if word != NO_WAKE]
    machine = socket.gethostname().split(".")[0]
    release = version("parley-voice")
    satellite = Satellite(
        name=settings.name or f"Parley {machine}",
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
            phrase=Path(word).stem.replace("_", " "),
        )
        for word in words
    ]
    wake = WakeProgram(
        name=settings.wake_engine,
        description="Wake words of the satellite",
        attribution=_ABOUT,
        installed=True,
        version=release,
        models=models,
    )
    return Info(satellite=satellite, wake=[wake] if models else [])
