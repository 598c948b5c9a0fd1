"""Entities of the satellite: what Home Assistant may read and set on its page."""

from importlib.metadata import version
from typing import Final

import numpy as np

from satellite.audio.devices.device import SILENCE, Frame
from satellite.audio.pipeline import AudioPipeline
from satellite.config import SatelliteSettings
from satellite.core.turn import TurnState
from satellite.drivers.driver import TurnHost
from satellite.esphome.entities import (
    Button,
    DeviceEntity,
    MediaPlayer,
    Number,
    Sensor,
    Switch,
    TextSensor,
)
from satellite.esphome.media_player import MusicPlayer
from satellite.esphome.names import entity_names
from satellite.esphome.store import DeviceStore
from satellite.esphome.wake_loader import WakeWordLoader

MAX_FOLLOW_UP_SECONDS: Final = 60.0
_LEVEL_SECONDS: Final = 10.0
"""Time over which the level is averaged; Home Assistant records each value."""
_LEVEL_STEP_DB: Final = 2.0
_SILENCE_DBFS: Final = -96.0
"""One step of 16 bits."""


class LevelMeter:
    """Average level of the microphone, in dBFS."""

    def __init__(self) -> None:
        self.dbfs: float | None = None
        """Level of the last whole period; None before."""
        self._power = 0.0
        self._frames = 0
        self._since: float | None = None

    def feed(self, frame: Frame) -> None:
        """Take the next frame."""
        samples = np.frombuffer(frame.pcm, "<i2").astype(np.float32)
        self._power += float(np.dot(samples, samples)) / max(1, samples.size)
        self._frames += 1
        self._since = frame.at if self._since is None else self._since
        if frame.at - self._since >= _LEVEL_SECONDS:
            power = self._power / self._frames / 32768.0**2
            level = max(_SILENCE_DBFS, 10 * float(np.log10(power)) if power > 0 else _SILENCE_DBFS)
            self.dbfs = _LEVEL_STEP_DB * round(level / _LEVEL_STEP_DB)
            self._power, self._frames, self._since = 0.0, 0, frame.at


class DeviceControls:
    """The entities, and their values across restarts."""

    def __init__(
        self,
        settings: SatelliteSettings,
        host: TurnHost,
        audio: AudioPipeline,
        music: MusicPlayer,
        words: WakeWordLoader,
        store: DeviceStore,
    ) -> None:
        self._settings = settings
        self._host = host
        self._audio = audio
        self._music = music
        self._words = words
        self._store = store
        self._level = LevelMeter()
        self._muted = bool(store.flag("mute"))

    def restore(self) -> None:
        """Set the values that were set before the restart."""
        if (seconds := self._store.number("follow_up", MAX_FOLLOW_UP_SECONDS)) is not None:
            self._host.machine.follow_up_seconds = seconds
        if (sounds := self._store.flag("sounds")) is not None:
            self._host.sounds = sounds
        if self._muted:
            self._host.mute(on=True)

    def measure(self, frame: Frame) -> None:
        """Take a frame of the microphone; a muted one is silence."""
        muted = self._host.microphone_off
        if muted is not self._muted:
            # A button of the satellite mutes it as well.
            self._muted = muted
            self._store.set_value("mute", muted)
        self._level.feed(Frame(SILENCE, frame.at) if muted else frame)

    def entities(self) -> list[DeviceEntity]:
        """Return the entities."""
        names = entity_names(self._settings.language)
        entities: list[DeviceEntity] = [
            MediaPlayer(
                object_id="media_player",
                name=names["media_player"],
                rate=self._music.rate,
                controls=self._music,
                media_state=lambda: self._music.state(
                    announcing=self._host.machine.state is TurnState.SPEAKING
                ),
            ),
            Switch(
                object_id="mute",
                name=names["mute"],
                icon="mdi:microphone-off",
                is_on=lambda: self._host.microphone_off,
                turn=lambda on: self._host.mute(on=on),
            ),
            Switch(
                object_id="sounds",
                name=names["sounds"],
                icon="mdi:music-note",
                is_on=lambda: self._host.sounds,
                turn=self._set_sounds,
            ),
            Button(
                object_id="listen",
                name=names["listen"],
                icon="mdi:microphone-message",
                press=self._host.press,
            ),
            Number(
                object_id="follow_up",
                name=names["follow_up"],
                icon="mdi:timer-outline",
                unit="s",
                highest=MAX_FOLLOW_UP_SECONDS,
                step=1.0,
                value=lambda: self._host.machine.follow_up_seconds,
                set_value=self._set_follow_up,
            ),
            Number(
                object_id="volume",
                name=names["volume"],
                icon="mdi:volume-high",
                unit="%",
                highest=100.0,
                step=1.0,
                value=lambda: round(100 * self._music.volume),
                set_value=lambda percent: self._music.set_volume(percent / 100),
            ),
            Sensor(
                object_id="microphone_level",
                name=names["microphone_level"],
                icon="mdi:microphone",
                unit="dBFS",
                decimals=0,
                value=lambda: self._level.dbfs,
            ),
            TextSensor(
                object_id="firmware",
                name=names["firmware"],
                icon="mdi:chip",
                text=f"Parley {version('parley-voice')}",
            ),
        ]
        if self._words.adjustable:
            entities += [
                Number(
                    object_id="wake_sensitivity",
                    name=names["wake_sensitivity"],
                    icon="mdi:ear-hearing",
                    unit="",
                    highest=1.0,
                    step=0.05,
                    value=lambda: self._words.sensitivity,
                    set_value=self._words.set_sensitivity,
                ),
                Sensor(
                    object_id="wake_score",
                    name=names["wake_score"],
                    icon="mdi:account-voice",
                    unit="",
                    decimals=2,
                    value=lambda: self._audio.last_wake_score,
                ),
            ]
        return entities

    def _set_sounds(self, on: bool) -> None:
        self._host.sounds = on
        self._store.set_value("sounds", on)

    def _set_follow_up(self, seconds: float) -> None:
        self._host.machine.follow_up_seconds = seconds
        self._store.set_value("follow_up", seconds)
