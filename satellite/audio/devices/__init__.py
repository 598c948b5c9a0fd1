"""Microphones and speakers, chosen by a word of the settings."""

from pathlib import Path

from satellite.audio.devices.device import Microphone, Speaker
from satellite.audio.player import Player
from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from wyoming_common.audio.pcm import PcmFormat
from wyoming_common.errors import ConfigError

_WORDS = "portaudio[:NAME], file:PATH or pipe"


def open_microphone(settings: SatelliteSettings, clock: RunClock) -> Microphone:
    """Return the microphone of `settings.mic`; entering its block opens it.

    Raises ConfigError for an unknown word, BadAudio for a file that cannot be read.
    """
    word, _, name = settings.mic.partition(":")
    match word:
        case "file" if name:
            from satellite.audio.devices.files import FileMicrophone

            return FileMicrophone(Path(name), clock)
        case "pipe" if not name:
            from satellite.audio.devices.pipes import PipeMicrophone

            return PipeMicrophone(PcmFormat(settings.mic_rate, 2, settings.mic_channels), clock)
        case "portaudio":
            from satellite.audio.devices.portaudio import PortAudioMicrophone

            return PortAudioMicrophone(name, clock)
    raise ConfigError(f"mic: expected {_WORDS}, got '{settings.mic}'")


def open_speaker(settings: SatelliteSettings, player: Player, clock: RunClock) -> Speaker:
    """Return the speaker of `settings.speaker`; entering its block opens it.

    Raises ConfigError for an unknown word; entering raises it for a device or a file that cannot
    be opened.
    """
    word, _, name = settings.speaker.partition(":")
    match word:
        case "file" if name:
            from satellite.audio.devices.files import FileSpeaker

            return FileSpeaker(Path(name), player, clock)
        case "pipe" if not name:
            from satellite.audio.devices.pipes import PipeSpeaker

            return PipeSpeaker(player, clock)
        case "portaudio":
            from satellite.audio.devices.portaudio import PortAudioSpeaker

            return PortAudioSpeaker(name, player, clock)
    raise ConfigError(f"speaker: expected {_WORDS}, got '{settings.speaker}'")
