"""Names of the entities in the languages of the apps; Home Assistant does not translate them."""

import os
from collections.abc import Mapping
from typing import Final

ENTITY_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "media_player": "Media player",
        "mute": "Mute microphone",
        "sounds": "Play sounds",
        "listen": "Listen",
        "wake_sensitivity": "Wake word sensitivity",
        "follow_up": "Follow-up time",
        "volume": "Volume",
        "wake_score": "Last wake word score",
        "microphone_level": "Microphone level",
        "firmware": "Firmware version",
    },
    "de": {
        "media_player": "Mediaplayer",
        "mute": "Mikrofon stummschalten",
        "sounds": "Töne abspielen",
        "listen": "Zuhören",
        "wake_sensitivity": "Empfindlichkeit des Aktivierungsworts",
        "follow_up": "Zeit für Rückfragen",
        "volume": "Lautstärke",
        "wake_score": "Letzter Wert des Aktivierungsworts",
        "microphone_level": "Mikrofonpegel",
        "firmware": "Firmware-Version",
    },
    "es": {
        "media_player": "Reproductor multimedia",
        "mute": "Silenciar micrófono",
        "sounds": "Reproducir sonidos",
        "listen": "Escuchar",
        "wake_sensitivity": "Sensibilidad de la palabra de activación",
        "follow_up": "Tiempo para seguir hablando",
        "volume": "Volumen",
        "wake_score": "Última puntuación de la palabra de activación",
        "microphone_level": "Nivel del micrófono",
        "firmware": "Versión del firmware",
    },
    "fr": {
        "media_player": "Lecteur multimédia",
        "mute": "Couper le microphone",
        "sounds": "Jouer des sons",
        "listen": "Écouter",
        "wake_sensitivity": "Sensibilité du mot de réveil",
        "follow_up": "Délai pour poursuivre",
        "volume": "Volume",
        "wake_score": "Dernier score du mot de réveil",
        "microphone_level": "Niveau du microphone",
        "firmware": "Version du micrologiciel",
    },
    "nl": {
        "media_player": "Mediaspeler",
        "mute": "Microfoon dempen",
        "sounds": "Geluiden afspelen",
        "listen": "Luisteren",
        "wake_sensitivity": "Gevoeligheid van het activeringswoord",
        "follow_up": "Tijd om door te praten",
        "volume": "Volume",
        "wake_score": "Laatste score van het activeringswoord",
        "microphone_level": "Microfoonniveau",
        "firmware": "Firmwareversie",
    },
    "it": {
        "media_player": "Lettore multimediale",
        "mute": "Disattiva microfono",
        "sounds": "Riproduci suoni",
        "listen": "Ascolta",
        "wake_sensitivity": "Sensibilità della parola di attivazione",
        "follow_up": "Tempo per continuare a parlare",
        "volume": "Volume",
        "wake_score": "Ultimo punteggio della parola di attivazione",
        "microphone_level": "Livello del microfono",
        "firmware": "Versione del firmware",
    },
}
"""Name by language and object id."""


def entity_names(language: str | None) -> Mapping[str, str]:
    """Return the names in a language such as "de" or "de-AT"; None: the language of the system.

    A language without names gives the English ones.
    """
    given = language or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return ENTITY_NAMES.get(given[:2].lower(), ENTITY_NAMES["en"])
