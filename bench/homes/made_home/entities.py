"""Simulated devices: entities of each domain whose services change what they hold."""

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Protocol

from homeassistant.components.alarm_control_panel import (
    AlarmControlPanelEntity,
    AlarmControlPanelEntityFeature,
    AlarmControlPanelState,
    CodeFormat,
)
from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.button import ButtonEntity
from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.components.climate import ClimateEntity, ClimateEntityFeature, HVACMode
from homeassistant.components.cover import CoverEntity, CoverEntityFeature
from homeassistant.components.fan import FanEntity, FanEntityFeature
from homeassistant.components.humidifier import HumidifierEntity
from homeassistant.components.lawn_mower import (
    LawnMowerActivity,
    LawnMowerEntity,
    LawnMowerEntityFeature,
)
from homeassistant.components.light import ColorMode, LightEntity
from homeassistant.components.lock import LockEntity, LockEntityFeature
from homeassistant.components.media_player import (
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
)
from homeassistant.components.scene import Scene
from homeassistant.components.sensor import SensorEntity
from homeassistant.components.switch import SwitchEntity
from homeassistant.components.todo import (
    TodoItem,
    TodoItemStatus,
    TodoListEntity,
    TodoListEntityFeature,
)
from homeassistant.components.vacuum import (
    StateVacuumEntity,
    VacuumActivity,
    VacuumEntityFeature,
)
from homeassistant.components.valve import ValveEntity, ValveEntityFeature
from homeassistant.components.weather import Forecast, WeatherEntity, WeatherEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.util import dt as dt_util

DOMAIN = "made_home"


class Site(Protocol):
    """The home that entities belong to."""

    generation: int
    described: dict[str, Any]

    def later(self, seconds: float, change: Any) -> None: ...

    def cancel(self) -> None: ...

    def put(self, states: dict[str, Any]) -> None: ...


class MadeEntity(Entity):
    """An entity that holds what it was last put to. `MEMORY` names what `look` reports."""

    _attr_should_poll = False
    MEMORY: tuple[str, ...] = ()

    def __init__(self, home: Site, described: dict[str, Any], number: int) -> None:
        self.home = home
        self.described = described
        self.entity_id = described["id"]
        self._attr_unique_id = f"{home.generation}-{number}"
        self._attr_name = described["name"]
        if device := described.get("device"):
            self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, device)})
        self.slow = 0.0
        self.broken = False
        self.restore()

    def restore(self) -> None:
        """Go back to the state of the description."""
        self._attr_available = True
        self.slow, self.broken = 0.0, False
        self.first()
        self.put(self.described.get("state"), self.described.get("attributes") or {})

    def first(self) -> None:
        """Set what the description may leave open."""

    def put(self, state: Any, attributes: dict[str, Any]) -> None:
        """Take a state (None keeps it) and attributes by the names that Home Assistant has."""
        for key, value in attributes.items():
            if key == "slow":
                self.slow = float(value)
            elif key == "broken":
                self.broken = bool(value)
            else:
                self.take(key, value)
        if state is not None:
            self._attr_available = state != "unavailable"
            self.become(_state_of(state))

    def take(self, key: str, value: Any) -> None:
        """Take one attribute."""
        if key == "supported_features":
            value = self.features(value)
        setattr(self, f"_attr_{key}", value)

    def features(self, names: list[str]) -> Any:
        """Return the flags of these names."""
        kinds = type(self._attr_supported_features) if self._attr_supported_features else None
        kinds = getattr(self, "FEATURES", kinds)
        found = [getattr(kinds, str(name).rpartition(".")[2], 0) for name in names]
        return reduce(or_, found, kinds(0))

    def become(self, state: str) -> None:
        """Take a state."""
        self._attr_state = state

    def look(self) -> dict[str, Any]:
        """Return what this entity holds."""
        held = {key: getattr(self, f"_attr_{key}", None) for key in self.MEMORY}
        state = self.hass.states.get(self.entity_id)
        return {"state": state.state if state else "absent", **held}

    def keep(self, **changes: Any) -> None:
        """Change what is held and tell Home Assistant; a broken device keeps what it held."""
        if self.broken:
            return
        for key, value in changes.items():
            setattr(self, f"_attr_{key}", value)
        self.async_write_ha_state()

    async def move(self, on_the_way: dict[str, Any], arrived: dict[str, Any]) -> None:
        """Change at once, or through a state on the way where the device is slow."""
        if not self.slow:
            self.keep(**on_the_way | arrived)
            return
        self.keep(**on_the_way)
        self.home.later(self.slow, lambda: self.keep(**arrived))


def _state_of(value: Any) -> str:
    """Return the state that a description means: YAML's booleans are on and off."""
    if isinstance(value, dict):
        value = value.get("out")
    return (
        {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )


class Toggled(MadeEntity):
    """An entity that is on or off."""

    def first(self) -> None:
        self._attr_is_on = False

    def become(self, state: str) -> None:
        self._attr_is_on = state == "on"

    async def async_turn_on(self, **kwargs: Any) -> None:
        self.keep(is_on=True)

    async def async_turn_off(self, **kwargs: Any) -> None:
        self.keep(is_on=False)


class MadeSwitch(Toggled, SwitchEntity):
    """A switch or a plug."""

    def take(self, key: str, value: Any) -> None:
        super().take(key, _class_of(value) if key == "device_class" else value)


class MadeLight(Toggled, LightEntity):
    """A light with the colour modes of its description."""

    MEMORY = ("brightness", "rgb_color", "color_temp_kelvin")

    def first(self) -> None:
        super().first()
        self._attr_brightness, self._attr_rgb_color, self._attr_color_temp_kelvin = 255, None, None
        self.take("supported_color_modes", ["brightness"])

    def take(self, key: str, value: Any) -> None:
        if key == "supported_color_modes":
            modes = {ColorMode(mode) for mode in value}
            self._attr_supported_color_modes = modes
            self._attr_color_mode = max(modes)
            colored = modes & {ColorMode.RGB, ColorMode.RGBW, ColorMode.HS}
            self._attr_rgb_color = (255, 255, 255) if colored else None
            self._attr_rgbw_color = (255, 255, 255, 0) if ColorMode.RGBW in modes else None
            self._attr_color_temp_kelvin = 3000 if ColorMode.COLOR_TEMP in modes else None
        elif key in {"rgb_color", "rgbw_color"}:
            setattr(self, f"_attr_{key}", tuple(value))
        elif key != "color_mode":
            super().take(key, value)

    def become(self, state: str) -> None:
        super().become("off" if state == "None" else state)

    async def async_turn_on(self, **kwargs: Any) -> None:
        changes: dict[str, Any] = {"is_on": True}
        if "brightness" in kwargs:
            changes["brightness"] = kwargs["brightness"]
        if "rgb_color" in kwargs:
            changes |= {"rgb_color": kwargs["rgb_color"], "color_mode": ColorMode.RGB}
        if "rgbw_color" in kwargs:
            changes["rgbw_color"] = kwargs["rgbw_color"]
            changes["rgb_color"] = tuple(kwargs["rgbw_color"][:3])
        if "color_temp_kelvin" in kwargs:
            changes["color_temp_kelvin"] = kwargs["color_temp_kelvin"]
            changes["color_mode"] = ColorMode.COLOR_TEMP
        self.keep(**changes)


class MadeCover(MadeEntity, CoverEntity):
    """A cover; `slow` is the seconds that it moves."""

    MEMORY = ("current_cover_position", "current_cover_tilt_position")
    FEATURES = CoverEntityFeature

    def first(self) -> None:
        self._attr_is_opening = self._attr_is_closing = False
        self._attr_current_cover_tilt_position = None
        self.take("supported_features", ["OPEN", "CLOSE", "STOP", "SET_POSITION"])
        self._set(0)

    def _set(self, position: int) -> None:
        held = CoverEntityFeature.SET_POSITION in self._attr_supported_features
        self._attr_current_cover_position = position if held else None
        self._attr_is_closed = position == 0

    def take(self, key: str, value: Any) -> None:
        if key == "current_position":
            self._set(int(value))
        elif key == "current_tilt_position":
            self._attr_current_cover_tilt_position = int(value)
        elif key == "device_class":
            self._attr_device_class = _class_of(value)
        else:
            super().take(key, value)

    def become(self, state: str) -> None:
        if state in {"on", "open"} and not self._attr_is_closed:
            return
        self._set(100 if state in {"on", "open"} else 0)

    async def _go(self, position: int) -> None:
        held = CoverEntityFeature.SET_POSITION in self._attr_supported_features
        before = self._attr_current_cover_position
        opens = position > before if before is not None else position > 0
        await self.move(
            {"is_opening": opens, "is_closing": not opens},
            {
                "is_opening": False,
                "is_closing": False,
                "is_closed": position == 0,
                "current_cover_position": position if held else None,
            },
        )

    async def async_open_cover(self, **kwargs: Any) -> None:
        await self._go(100)

    async def async_close_cover(self, **kwargs: Any) -> None:
        await self._go(0)

    async def async_set_cover_position(self, **kwargs: Any) -> None:
        await self._go(int(kwargs["position"]))

    async def async_set_cover_tilt_position(self, **kwargs: Any) -> None:
        self.keep(current_cover_tilt_position=int(kwargs["tilt_position"]))

    async def async_stop_cover(self, **kwargs: Any) -> None:
        self.home.cancel()
        self.keep(is_opening=False, is_closing=False)


class MadeValve(MadeEntity, ValveEntity):
    """A valve."""

    MEMORY = ("current_valve_position",)
    FEATURES = ValveEntityFeature

    def first(self) -> None:
        self._attr_reports_position = False
        self._attr_current_valve_position = None
        self._attr_is_closed = True
        self.take("supported_features", ["OPEN", "CLOSE"])

    def take(self, key: str, value: Any) -> None:
        if key in {"current_position", "current_valve_position"}:
            self._attr_current_valve_position = int(value)
            self._attr_is_closed = int(value) == 0
        elif key == "device_class":
            self._attr_device_class = _class_of(value)
        else:
            super().take(key, value)
            if (
                key == "supported_features"
                and ValveEntityFeature.SET_POSITION in self._attr_supported_features
            ):
                self._attr_reports_position = True
                self._attr_current_valve_position = 0

    def become(self, state: str) -> None:
        closed = state in {"closed", "off", "None"}
        if closed != self._attr_is_closed and self._attr_reports_position:
            self._attr_current_valve_position = 0 if closed else 100
        self._attr_is_closed = closed

    def _go(self, position: int) -> None:
        shown = position if self._attr_reports_position else None
        self.keep(is_closed=position == 0, current_valve_position=shown)

    async def async_open_valve(self) -> None:
        self._go(100)

    async def async_close_valve(self) -> None:
        self._go(0)

    async def async_set_valve_position(self, position: int) -> None:
        self._go(position)


class MadeLock(MadeEntity, LockEntity):
    """A lock; `slow` is the seconds that its bolt moves, `jammed` where it does not."""

    FEATURES = LockEntityFeature

    def first(self) -> None:
        self._attr_is_locking = self._attr_is_unlocking = self._attr_is_jammed = False
        self._attr_is_locked = True
        self.jams = False

    def take(self, key: str, value: Any) -> None:
        if key == "jams":
            self.jams = bool(value)
        else:
            super().take(key, value)

    def become(self, state: str) -> None:
        self._attr_is_locked = state == "locked"

    async def async_lock(self, **kwargs: Any) -> None:
        end = {"is_jammed": True} if self.jams else {"is_locked": True}
        await self.move({"is_locking": True}, {"is_locking": False, **end})

    async def async_unlock(self, **kwargs: Any) -> None:
        await self.move({"is_unlocking": True}, {"is_unlocking": False, "is_locked": False})


class MadeFan(Toggled, FanEntity):
    """A fan; its speed is kept while it is off."""

    MEMORY = ("held", "preset_mode", "oscillating", "current_direction")
    FEATURES = FanEntityFeature

    def first(self) -> None:
        super().first()
        self._attr_held, self._attr_preset_mode = 100, None
        self._attr_oscillating = self._attr_current_direction = None
        self.take("supported_features", [])

    def take(self, key: str, value: Any) -> None:
        if key == "percentage":
            self._attr_held = int(value)
        elif key == "supported_features":
            super().take(key, [*value, "TURN_ON", "TURN_OFF"])
        else:
            super().take(key, value)

    @property
    def is_on(self) -> bool:
        return bool(self._attr_is_on)

    @property
    def percentage(self) -> int:
        return self._attr_held if self._attr_is_on else 0

    async def async_turn_on(
        self, percentage: int | None = None, preset_mode: str | None = None, **kwargs: Any
    ) -> None:
        changes: dict[str, Any] = {"is_on": True}
        if percentage:
            changes["held"] = percentage
        if preset_mode:
            changes["preset_mode"] = preset_mode
        self.keep(**changes)

    async def async_set_percentage(self, percentage: int) -> None:
        if percentage:
            self.keep(is_on=True, held=percentage)
        else:
            self.keep(is_on=False)

    async def async_set_preset_mode(self, preset_mode: str) -> None:
        self.keep(is_on=True, preset_mode=preset_mode)

    async def async_oscillate(self, oscillating: bool) -> None:
        self.keep(oscillating=oscillating)

    async def async_set_direction(self, direction: str) -> None:
        self.keep(current_direction=direction)


class MadeClimate(MadeEntity, ClimateEntity):
    """A thermostat. Its range has both ends at the temperature that was set."""

    MEMORY = ("target_temperature", "preset_mode", "fan_mode")
    FEATURES = ClimateEntityFeature

    def first(self) -> None:
        self._attr_temperature_unit = self.hass_unit()
        self._attr_hvac_modes = [HVACMode.OFF, HVACMode.HEAT, HVACMode.COOL, HVACMode.AUTO]
        self._attr_hvac_mode = HVACMode.HEAT
        self._attr_target_temperature = 20.0
        self._attr_min_temp, self._attr_max_temp = 5, 95
        self._attr_fan_modes, self._attr_fan_mode = ["auto", "low", "high"], "auto"
        self._attr_preset_modes, self._attr_preset_mode = ["home", "away", "eco"], "home"
        self.take("supported_features", ["TARGET_TEMPERATURE"])

    def hass_unit(self) -> str:
        return "°C" if self.home.described.get("unit_system") != "imperial" else "°F"

    def take(self, key: str, value: Any) -> None:
        if key == "supported_features":
            # A range cannot be set by voice: a fault of the description, not of the agent.
            given = [name for name in value if not str(name).endswith("TARGET_TEMPERATURE_RANGE")]
            super().take(key, [*given, "TURN_ON", "TURN_OFF", "TARGET_TEMPERATURE"])
        elif key in {"temperature", "target_temperature"}:
            self._attr_target_temperature = float(value)
        elif key == "hvac_modes":
            self._attr_hvac_modes = [HVACMode(_state_of(mode)) for mode in value]
        elif key == "hvac_mode":
            self._attr_hvac_mode = HVACMode(_state_of(value))
        elif key not in {"unit_of_measurement", "hvac_action"}:
            super().take(key, value)

    def become(self, state: str) -> None:
        if state in HVACMode:
            self._attr_hvac_mode = HVACMode(state)

    async def async_set_temperature(self, **kwargs: Any) -> None:
        changes = {"target_temperature": kwargs.get("temperature")}
        if "hvac_mode" in kwargs:
            changes["hvac_mode"] = kwargs["hvac_mode"]
        self.keep(**changes)

    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        self.keep(hvac_mode=hvac_mode)

    async def async_set_fan_mode(self, fan_mode: str) -> None:
        self.keep(fan_mode=fan_mode)

    async def async_set_preset_mode(self, preset_mode: str) -> None:
        self.keep(preset_mode=preset_mode)


class MadePlayer(MadeEntity, MediaPlayerEntity):
    """A media player with a list of tracks; `track` is the number of the one that plays."""

    MEMORY = ("volume_level", "is_volume_muted", "track", "source", "shuffle")
    FEATURES = MediaPlayerEntityFeature

    def first(self) -> None:
        self._attr_state = MediaPlayerState.IDLE
        self._attr_volume_level, self._attr_is_volume_muted = 0.4, False
        self._attr_track, self._attr_source, self._attr_shuffle = 5, None, False
        self.take(
            "supported_features",
            [
                "PLAY",
                "PAUSE",
                "STOP",
                "VOLUME_STEP",
                "VOLUME_MUTE",
                "VOLUME_SET",
                "TURN_ON",
                "TURN_OFF",
                "NEXT_TRACK",
                "PREVIOUS_TRACK",
                "SELECT_SOURCE",
                "SHUFFLE_SET",
            ],
        )

    def take(self, key: str, value: Any) -> None:
        if key == "volume_level":
            self._attr_volume_level = float(value) if float(value) <= 1 else float(value) / 100
        elif key == "device_class":
            self._attr_device_class = _class_of(value)
        elif key == "track":
            self._attr_track = int(value)
        else:
            super().take(key, value)

    def become(self, state: str) -> None:
        self._attr_state = MediaPlayerState(state)

    async def async_turn_on(self) -> None:
        self.keep(state=MediaPlayerState.ON)

    async def async_turn_off(self) -> None:
        self.keep(state=MediaPlayerState.OFF)

    async def async_media_play(self) -> None:
        self.keep(state=MediaPlayerState.PLAYING)

    async def async_media_pause(self) -> None:
        self.keep(state=MediaPlayerState.PAUSED)

    async def async_media_stop(self) -> None:
        self.keep(state=MediaPlayerState.IDLE)

    async def async_media_next_track(self) -> None:
        self.keep(track=self._attr_track + 1)

    async def async_media_previous_track(self) -> None:
        self.keep(track=self._attr_track - 1)

    async def async_set_volume_level(self, volume: float) -> None:
        self.keep(volume_level=round(volume, 3))

    async def async_mute_volume(self, mute: bool) -> None:
        self.keep(is_volume_muted=mute)

    async def async_select_source(self, source: str) -> None:
        self.keep(source=source)

    async def async_set_shuffle(self, shuffle: bool) -> None:
        self.keep(shuffle=shuffle)


class MadeVacuum(MadeEntity, StateVacuumEntity):
    """A vacuum cleaner."""

    MEMORY = ("fan_speed", "cleaned")
    FEATURES = VacuumEntityFeature

    def first(self) -> None:
        self._attr_activity = VacuumActivity.DOCKED
        self._attr_fan_speed_list, self._attr_fan_speed = ["quiet", "standard", "turbo"], "standard"
        self._attr_cleaned = None
        self.take(
            "supported_features", ["START", "STOP", "STATE", "PAUSE", "RETURN_HOME", "LOCATE"]
        )

    def become(self, state: str) -> None:
        self._attr_activity = VacuumActivity(state)

    async def async_start(self) -> None:
        self.keep(activity=VacuumActivity.CLEANING)

    async def async_pause(self) -> None:
        self.keep(activity=VacuumActivity.PAUSED)

    async def async_stop(self, **kwargs: Any) -> None:
        self.keep(activity=VacuumActivity.IDLE)

    async def async_return_to_base(self, **kwargs: Any) -> None:
        self.keep(activity=VacuumActivity.RETURNING)

    async def async_set_fan_speed(self, fan_speed: str, **kwargs: Any) -> None:
        self.keep(fan_speed=fan_speed)

    async def async_locate(self, **kwargs: Any) -> None:
        self.keep(cleaned="located")


class MadeMower(MadeEntity, LawnMowerEntity):
    """A lawn mower."""

    FEATURES = LawnMowerEntityFeature

    def first(self) -> None:
        self._attr_activity = LawnMowerActivity.DOCKED
        self.take("supported_features", ["START_MOWING", "PAUSE", "DOCK"])

    def become(self, state: str) -> None:
        self._attr_activity = LawnMowerActivity(state)

    async def async_start_mowing(self) -> None:
        self.keep(activity=LawnMowerActivity.MOWING)

    async def async_dock(self) -> None:
        self.keep(activity=LawnMowerActivity.DOCKED)

    async def async_pause(self) -> None:
        self.keep(activity=LawnMowerActivity.PAUSED)


class MadeList(MadeEntity, TodoListEntity):
    """A to-do list; `look` has the words of open items, and of done ones."""

    FEATURES = TodoListEntityFeature

    def first(self) -> None:
        self._attr_todo_items = []
        self.take(
            "supported_features",
            ["CREATE_TODO_ITEM", "UPDATE_TODO_ITEM", "DELETE_TODO_ITEM", "SET_DUE_DATE_ON_ITEM"],
        )

    def take(self, key: str, value: Any) -> None:
        if key == "todo_items":
            self._attr_todo_items = [
                TodoItem(summary=str(item), uid=str(at), status=TodoItemStatus.NEEDS_ACTION)
                for at, item in enumerate(value)
            ]
        else:
            super().take(key, value)

    def become(self, state: str) -> None:
        self.take("todo_items", [f"thing {at}" for at in range(int(state))])

    def look(self) -> dict[str, Any]:
        named: dict[str, list[str]] = {"items": [], "done": []}
        for item in self._attr_todo_items:
            done = item.status == TodoItemStatus.COMPLETED
            named["done" if done else "items"].append(str(item.summary).strip().casefold())
        return {**super().look(), **{key: sorted(value) for key, value in named.items()}}

    async def async_create_todo_item(self, item: TodoItem) -> None:
        item.uid = str(len(self._attr_todo_items) + 1000)
        item.status = item.status or TodoItemStatus.NEEDS_ACTION
        self.keep(todo_items=[*self._attr_todo_items, item])

    async def async_update_todo_item(self, item: TodoItem) -> None:
        for old in self._attr_todo_items:
            if old.uid == item.uid:
                old.summary = item.summary or old.summary
                old.status = item.status or old.status
        self.keep()

    async def async_delete_todo_items(self, uids: list[str]) -> None:
        self.keep(todo_items=[item for item in self._attr_todo_items if item.uid not in uids])


class MadeCalendar(MadeEntity, CalendarEntity):
    """A calendar; an event has `summary`, `in_days`, `hours`, and `at` (HH:MM) or whole days."""

    def first(self) -> None:
        self.events: list[CalendarEvent] = []

    def take(self, key: str, value: Any) -> None:
        if key == "events":
            self.events = [_event_of(one) for one in value]

    def become(self, state: str) -> None:
        """Calendars have the state of their events."""

    @property
    def event(self) -> CalendarEvent | None:
        coming = [one for one in self.events if one.end_datetime_local > dt_util.now()]
        return min(coming, key=lambda one: one.start_datetime_local, default=None)

    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        return [
            one
            for one in self.events
            if one.end_datetime_local > start_date and one.start_datetime_local < end_date
        ]


def _event_of(one: dict[str, Any]) -> CalendarEvent:
    day = dt_util.now().date() + timedelta(days=one.get("in_days", 0))
    if "at" not in one:
        return CalendarEvent(start=day, end=day + timedelta(days=1), summary=one["summary"])
    hour, minute = map(int, one["at"].split(":"))
    start = datetime(
        day.year, day.month, day.day, hour, minute, tzinfo=dt_util.get_default_time_zone()
    )
    end = start + timedelta(hours=one.get("hours", 1))
    return CalendarEvent(start=start, end=end, summary=one["summary"])


class MadeWeather(MadeEntity, WeatherEntity):
    """The weather; `forecast` is a list of days from today on."""

    FEATURES = WeatherEntityFeature

    def first(self) -> None:
        self._attr_native_temperature_unit = "°C"
        self._attr_native_wind_speed_unit = "km/h"
        self.days: list[Forecast] = []
        self._attr_supported_features = WeatherEntityFeature.FORECAST_DAILY

    def take(self, key: str, value: Any) -> None:
        renamed = {"temperature": "native_temperature", "wind_speed": "native_wind_speed"}
        if key == "forecast":
            today = dt_util.start_of_local_day()
            self.days = [
                Forecast(datetime=(today + timedelta(days=at)).isoformat(), **day)
                for at, day in enumerate(value)
            ]
        elif key == "temperature_unit":
            self._attr_native_temperature_unit = value
        elif key in {
            "temperature",
            "native_temperature",
            "humidity",
            "wind_speed",
            "native_wind_speed",
        }:
            setattr(self, f"_attr_{renamed.get(key, key)}", float(value))
        else:
            super().take(key, value)

    def become(self, state: str) -> None:
        self._attr_condition = state

    async def async_forecast_daily(self) -> list[Forecast]:
        return self.days


class MadeSensor(MadeEntity, SensorEntity):
    """A sensor."""

    def take(self, key: str, value: Any) -> None:
        if key == "unit_of_measurement":
            self._attr_native_unit_of_measurement = value
        elif key == "device_class":
            self._attr_device_class = (
                None if _class_of(value) in {"date", "timestamp"} else _class_of(value)
            )
        elif key == "state_class":
            self._attr_state_class = _class_of(value)
        else:
            super().take(key, value)

    def become(self, state: str) -> None:
        try:
            self._attr_native_value = float(state) if "." in state else int(state)
        except ValueError:
            self._attr_native_value = state


class MadeBinarySensor(Toggled, BinarySensorEntity):
    """A binary sensor."""

    def take(self, key: str, value: Any) -> None:
        super().take(key, _class_of(value) if key == "device_class" else value)


class MadeScene(MadeEntity, Scene):
    """A scene that puts other entities into states: `effects` by entity id."""

    def first(self) -> None:
        self.effects: dict[str, Any] = {}

    def take(self, key: str, value: Any) -> None:
        if key == "effects":
            self.effects = value

    def become(self, state: str) -> None:
        """Scenes have the time of their last use as state."""

    async def async_activate(self, **kwargs: Any) -> None:
        self.home.put(self.effects)

    def look(self) -> dict[str, Any]:
        return {}


class MadeButton(MadeEntity, ButtonEntity):
    """A button; `look` has how often it was pressed."""

    def first(self) -> None:
        self.pressed = 0

    def become(self, state: str) -> None:
        """Buttons have the time of their last use as state."""

    async def async_press(self) -> None:
        self.pressed += 1

    def look(self) -> dict[str, Any]:
        return {"pressed": self.pressed}


class MadeAlarm(MadeEntity, AlarmControlPanelEntity):
    """An alarm system without a code."""

    _attr_code_arm_required = False
    _attr_code_format: CodeFormat | None = None
    _attr_supported_features = (
        AlarmControlPanelEntityFeature.ARM_HOME | AlarmControlPanelEntityFeature.ARM_AWAY
    )

    def become(self, state: str) -> None:
        self._attr_alarm_state = AlarmControlPanelState(state)

    async def async_alarm_disarm(self, code: str | None = None) -> None:
        self.keep(alarm_state=AlarmControlPanelState.DISARMED)

    async def async_alarm_arm_home(self, code: str | None = None) -> None:
        self.keep(alarm_state=AlarmControlPanelState.ARMED_HOME)

    async def async_alarm_arm_away(self, code: str | None = None) -> None:
        self.keep(alarm_state=AlarmControlPanelState.ARMED_AWAY)


class MadeHumidifier(Toggled, HumidifierEntity):
    """A humidifier."""

    MEMORY = ("target_humidity",)

    def first(self) -> None:
        super().first()
        self._attr_target_humidity = 50

    def take(self, key: str, value: Any) -> None:
        super().take("target_humidity" if key == "humidity" else key, value)

    async def async_set_humidity(self, humidity: int) -> None:
        self.keep(target_humidity=humidity)


def _class_of(value: Any) -> str:
    """Return a class by its name: `cover.CoverDeviceClass.GARAGE` is garage."""
    return str(value).rpartition(".")[2].lower()


KINDS: dict[str, type[MadeEntity]] = {
    "alarm_control_panel": MadeAlarm,
    "binary_sensor": MadeBinarySensor,
    "button": MadeButton,
    "calendar": MadeCalendar,
    "climate": MadeClimate,
    "cover": MadeCover,
    "fan": MadeFan,
    "humidifier": MadeHumidifier,
    "lawn_mower": MadeMower,
    "light": MadeLight,
    "lock": MadeLock,
    "media_player": MadePlayer,
    "scene": MadeScene,
    "sensor": MadeSensor,
    "switch": MadeSwitch,
    "todo": MadeList,
    "vacuum": MadeVacuum,
    "valve": MadeValve,
    "weather": MadeWeather,
}
