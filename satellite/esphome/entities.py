"""Entities of the satellite in Home Assistant: description, state and commands. No I/O."""

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aioesphomeapi import api_pb2 as api

from satellite.esphome.connection import ApiMessage

CONFIG_CATEGORY, DIAGNOSTIC_CATEGORY = 1, 2
"""`entity_category` of an entity that configures the device, and of one that describes it."""


def key_of(object_id: str) -> int:
    """Return the key of an entity, the same after every restart."""
    return zlib.crc32(object_id.encode())


class DeviceEntity(Protocol):
    """One entity of the device."""

    @property
    def key(self) -> int:
        """Number of the entity in all messages."""
        ...

    def describe(self) -> ApiMessage:
        """Return its ListEntities response."""
        ...

    def state(self) -> ApiMessage | None:
        """Return its state; None for an entity without one."""
        ...

    def command(self, message: Any) -> bool:
        """Execute a command with its key; False if it is of another kind of entity."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A switch that reads and sets a value of the satellite."""

    object_id: str
    name: str
    icon: str
    is_on: Callable[[], bool]
    turn: Callable[[bool], None]

    @property
    def key(self) -> int:
        return key_of(self.object_id)

    def describe(self) -> ApiMessage:
        """Return its ListEntities response."""
        return api.ListEntitiesSwitchResponse(
            object_id=self.object_id,
            key=self.key,
            name=self.name,
            icon=self.icon,
            entity_category=CONFIG_CATEGORY,
        )

    def state(self) -> ApiMessage | None:
        """Return its state."""
        return api.SwitchStateResponse(key=self.key, state=self.is_on())

    def command(self, message: Any) -> bool:
        """Turn the switch."""
        if not isinstance(message, api.SwitchCommandRequest):
            return False
        self.turn(message.state)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button that has the satellite do something."""

    object_id: str
    name: str
    icon: str
    press: Callable[[], None]

    @property
    def key(self) -> int:
        return key_of(self.object_id)

    def describe(self) -> ApiMessage:
        """Return its ListEntities response."""
        return api.ListEntitiesButtonResponse(
            object_id=self.object_id, key=self.key, name=self.name, icon=self.icon
        )

    def state(self) -> ApiMessage | None:
        """Return None: a button has no state."""
        return None

    def command(self, message: Any) -> bool:
        """Press the button."""
        if not isinstance(message, api.ButtonCommandRequest):
            return False
        self.press()
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number that sets a value of the satellite."""

    object_id: str
    name: str
    icon: str
    unit: str
    highest: float
    """Highest value; the lowest is 0."""
    step: float
    value: Callable[[], float]
    set_value: Callable[[float], None]

    @property
    def key(self) -> int:
        return key_of(self.object_id)

    def describe(self) -> ApiMessage:
        """Return its ListEntities response."""
        return api.ListEntitiesNumberResponse(
            object_id=self.object_id,
            key=self.key,
            name=self.name,
            icon=self.icon,
            unit_of_measurement=self.unit,
            min_value=0.0,
            max_value=self.highest,
            step=self.step,
            mode=api.NUMBER_MODE_SLIDER,
            entity_category=CONFIG_CATEGORY,
        )

    def state(self) -> ApiMessage | None:
        """Return its state."""
        return api.NumberStateResponse(key=self.key, state=self.value())

    def command(self, message: Any) -> bool:
        """Set the value, or the nearest that is allowed."""
        if not isinstance(message, api.NumberCommandRequest):
            return False
        if math.isfinite(message.state):
            self.set_value(min(self.highest, max(0.0, message.state)))
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A measured value, for diagnosis."""

    object_id: str
    name: str
    icon: str
    unit: str
    decimals: int
    value: Callable[[], float | None]
    """The value; None while it is not known."""

    @property
    def key(self) -> int:
        return key_of(self.object_id)

    def describe(self) -> ApiMessage:
        """Return its ListEntities response."""
        return api.ListEntitiesSensorResponse(
            object_id=self.object_id,
            key=self.key,
            name=self.name,
            icon=self.icon,
            unit_of_measurement=self.unit,
            accuracy_decimals=self.decimals,
            state_class=api.STATE_CLASS_MEASUREMENT,
            entity_category=DIAGNOSTIC_CATEGORY,
        )

    def state(self) -> ApiMessage | None:
        """Return its state."""
        value = self.value()
        return api.SensorStateResponse(
            key=self.key, state=value or 0.0, missing_state=value is None
        )

    def command(self, message: Any) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: a sensor takes no command."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSensor:
    """A text, for diagnosis."""

    object_id: str
    name: str
    icon: str
    text: str

    @property
    def key(self) -> int:
        return key_of(self.object_id)

    def describe(self) -> ApiMessage:
        """Return its ListEntities response."""
        return api.ListEntitiesTextSensorResponse(
            object_id=self.object_id,
            key=self.key,
            name=self.name,
            icon=self.icon,
            entity_category=DIAGNOSTIC_CATEGORY,
        )

    def state(self) -> ApiMessage | None:
        """Return its state."""
        return api.TextSensorStateResponse(key=self.key, state=self.text)

    def command(self, message: Any) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: a sensor takes no command."""
        return False


_MEDIA_FEATURES = sum(
    1 << bit
    for bit in (
        0,  # pause
        2,  # volume set
        3,  # volume mute
        9,  # play media
        10,  # volume step
        12,  # stop
        14,  # play
        17,  # browse media
        20,  # media announce
    )
)
"""Home Assistant's MediaPlayerEntityFeature, which a device names since version 1.11 of the API."""
_VOLUME_STEP = 0.1


class MediaControls(Protocol):
    """Commands of a media player."""

    def play(self, url: str, *, announcement: bool) -> None:
        """Play the audio at a URL, as an announcement over the music or as the music."""
        ...

    def pause(self) -> None:
        """Interrupt the music."""
        ...

    def resume(self) -> None:
        """Continue the music."""
        ...

    def stop(self) -> None:
        """End the music."""
        ...

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        ...

    def mute(self, *, on: bool) -> None:
        """Mute the speaker, or unmute it."""
        ...


@dataclass(frozen=True, slots=True)
class MediaState:
    """State of the media player."""

    playing: bool = False
    paused: bool = False
    announcing: bool = False
    volume: float = 1.0
    muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPlayer:
    """The speaker as a media player; Home Assistant converts all media to its WAV format."""

    object_id: str
    name: str
    rate: int
    """Hertz of the speaker, mono s16le."""
    controls: MediaControls
    media_state: Callable[[], MediaState]

    @property
    def key(self) -> int:
        return key_of(self.object_id)

    def describe(self) -> ApiMessage:
        """Return its ListEntities response."""
        return api.ListEntitiesMediaPlayerResponse(
            object_id=self.object_id,
            key=self.key,
            name=self.name,
            supports_pause=True,
            feature_flags=_MEDIA_FEATURES,
            supported_formats=[
                api.MediaPlayerSupportedFormat(
                    format="wav",
                    sample_rate=self.rate,
                    num_channels=1,
                    sample_bytes=2,
                    purpose=api.MEDIA_PLAYER_FORMAT_PURPOSE_DEFAULT,
                ),
                # Speech is taken at any rate: a conversion would delay its first sound.
                api.MediaPlayerSupportedFormat(
                    format="wav", purpose=api.MEDIA_PLAYER_FORMAT_PURPOSE_ANNOUNCEMENT
                ),
            ],
        )

    def state(self) -> ApiMessage | None:
        """Return its state."""
        now = self.media_state()
        if now.paused and not now.announcing:
            state = api.MEDIA_PLAYER_STATE_PAUSED
        elif now.playing or now.announcing:
            # Home Assistant has no state for an announcement; ESPHome's firmware says playing too.
            state = api.MEDIA_PLAYER_STATE_PLAYING
        else:
            state = api.MEDIA_PLAYER_STATE_IDLE
        return api.MediaPlayerStateResponse(
            key=self.key, state=state, volume=now.volume, muted=now.muted
        )

    def command(self, message: Any) -> bool:
        """Execute the command, the volume and the URL of a request, whichever it has."""
        if not isinstance(message, api.MediaPlayerCommandRequest):
            return False
        if message.has_volume:
            self.controls.set_volume(min(1.0, max(0.0, message.volume)))
        if message.has_media_url:
            announcement = message.has_announcement and message.announcement
            self.controls.play(message.media_url, announcement=announcement)
        if message.has_command:
            self._command(message.command)
        return True

    def _command(self, command: int) -> None:
        now, controls = self.media_state(), self.controls
        match command:
            case api.MEDIA_PLAYER_COMMAND_PLAY:
                controls.resume()
            case api.MEDIA_PLAYER_COMMAND_PAUSE:
                controls.pause()
            case api.MEDIA_PLAYER_COMMAND_TOGGLE:
                (controls.resume if now.paused else controls.pause)()
            case api.MEDIA_PLAYER_COMMAND_STOP:
                controls.stop()
            case api.MEDIA_PLAYER_COMMAND_VOLUME_UP:
                controls.set_volume(min(1.0, now.volume + _VOLUME_STEP))
            case api.MEDIA_PLAYER_COMMAND_VOLUME_DOWN:
                controls.set_volume(max(0.0, now.volume - _VOLUME_STEP))
            case api.MEDIA_PLAYER_COMMAND_MUTE | api.MEDIA_PLAYER_COMMAND_UNMUTE:
                controls.mute(on=command == api.MEDIA_PLAYER_COMMAND_MUTE)


class Entities:
    """All entities of the device, by key."""

    def __init__(self, entities: Sequence[DeviceEntity]) -> None:
        self._entities = {entity.key: entity for entity in entities}
        self._sent: dict[int, bytes] = {}

    def describe(self) -> list[ApiMessage]:
        """Return the ListEntities responses."""
        return [entity.describe() for entity in self._entities.values()]

    def states(self) -> list[ApiMessage]:
        """Return the states."""
        states = [entity.state() for entity in self._entities.values()]
        return [state for state in states if state is not None]

    def changed_states(self) -> list[ApiMessage]:
        """Return the states that have changed since the last call."""
        changed = []
        for key, entity in self._entities.items():
            state = entity.state()
            if state is not None and self._sent.get(key) != (data := state.SerializeToString()):
                self._sent[key] = data
                changed.append(state)
        return changed

    def command(self, message: Any) -> bool:
        """Execute a command; False if no entity takes it."""
        entity = self._entities.get(getattr(message, "key", -1))
        return entity is not None and entity.command(message)
