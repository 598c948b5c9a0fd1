"""Home Assistant integration that holds one home of simulated devices at a time.

`bench.home_control` copies this folder into the configuration of the Home Assistant it starts; it
runs there, not here. Its actions are `build` (replace the whole home), `put` (put entities into a
state, all others back to their first one) and `look` (return what every entity holds).
"""

import asyncio
from typing import Any

from homeassistant.components import intent
from homeassistant.components.intent.const import TIMER_DATA
from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities import DOMAIN, KINDS, MadeEntity


class MadeHome:
    """The entities, rooms and devices of one home at a time."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.entry: ConfigEntry | None = None
        self.add: dict[str, AddConfigEntryEntitiesCallback] = {}
        self.entities: list[MadeEntity] = []
        self.described: dict[str, Any] = {}
        self.generation = 0
        self.timers: dict[str, dict[str, Any]] = {}
        self._waiting: list[asyncio.TimerHandle] = []
        self._handlers: list[Any] = []

    def later(self, seconds: float, change: Any) -> None:
        """Call `change` after some seconds, unless the home is put back before."""
        self._waiting.append(self.hass.loop.call_later(seconds, change))

    def cancel(self) -> None:
        """Drop what waits."""
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()

    async def build(self, call: ServiceCall) -> ServiceResponse:
        """Replace the home; return the devices of the rooms and the ids that entities got."""
        await self._clear()
        self.described = described = call.data["home"]
        self.generation += 1
        floors, areas = fr.async_get(self.hass), ar.async_get(self.hass)
        ids = {
            name: floors.async_create(name).floor_id
            for name in dict.fromkeys(one.get("floor") for one in described["areas"])
            if name
        }
        rooms = {}
        for one in described["areas"]:
            area = areas.async_create(
                one["name"],
                floor_id=ids.get(one.get("floor")),
                aliases=set(one.get("aliases") or ()),
            )
            rooms[one["id"]] = area.id
        devices = dr.async_get(self.hass)
        satellites = {}
        for one in described.get("devices") or ():
            self._device(
                devices, one["id"], one["name"], rooms.get(one.get("area")), one.get("info")
            )
        for key, area_id in rooms.items():
            device = self._device(devices, f"satellite-{key}", f"Satellite {key}", area_id, None)
            satellites[key] = device.id
            self._handlers.append(
                intent.async_register_timer_handler(self.hass, device.id, self._timer)
            )
        made: dict[str, list[MadeEntity]] = {}
        for number, one in enumerate(described["entities"]):
            domain = one["id"].partition(".")[0]
            made.setdefault(domain, []).append(KINDS[domain](self, one, number))
        for domain, entities in made.items():
            self.add[domain](entities)
            self.entities += entities
        await self.hass.async_block_till_done()
        registry = er.async_get(self.hass)
        for entity in self.entities:
            area_id = rooms.get(entity.described.get("area"))
            if area_id and not entity.described.get("device"):
                registry.async_update_entity(entity.entity_id, area_id=area_id)
        await self.hass.async_block_till_done()
        return {
            "satellites": satellites,
            "entities": [[entity.described["id"], entity.entity_id] for entity in self.entities],
        }

    def _device(
        self, devices: Any, key: str, name: str, area_id: str | None, info: Any
    ) -> dr.DeviceEntry:
        device = devices.async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={(DOMAIN, key)},
            name=name,
            manufacturer=(info or {}).get("manufacturer"),
            model=(info or {}).get("model"),
        )
        devices.async_update_device(device.id, area_id=area_id)
        return devices.async_get(device.id)

    async def _clear(self) -> None:
        self.cancel()
        for forget in self._handlers:
            forget()
        self._handlers.clear()
        self.timers.clear()
        entities, devices = er.async_get(self.hass), dr.async_get(self.hass)
        for entry in er.async_entries_for_config_entry(entities, self.entry.entry_id):
            entities.async_remove(entry.entity_id)
        for device in dr.async_entries_for_config_entry(devices, self.entry.entry_id):
            devices.async_remove_device(device.id)
        areas, floors = ar.async_get(self.hass), fr.async_get(self.hass)
        for area in list(areas.async_list_areas()):
            areas.async_delete(area.id)
        for floor in list(floors.async_list_floors()):
            floors.async_delete(floor.floor_id)
        self.entities.clear()
        await self.hass.async_block_till_done()

    def put(self, states: dict[str, Any]) -> None:
        """Put entities into a state."""
        by_id = {entity.entity_id: entity for entity in self.entities}
        for entity_id, wanted in states.items():
            entity = by_id[entity_id]
            entity.put(wanted.get("state"), wanted.get("attributes") or {})
            entity.async_write_ha_state()

    async def reset(self, call: ServiceCall) -> ServiceResponse:
        """Put every entity back to its first state, those of the call into another."""
        self.cancel()
        manager = self.hass.data[TIMER_DATA]
        for timer_id in list(self.timers):
            if timer_id in manager.timers:
                manager.cancel_timer(timer_id)
        self.timers.clear()
        for entity in self.entities:
            entity.restore()
            entity.async_write_ha_state()
        self.put(call.data["states"])
        await self.hass.async_block_till_done()
        return self.look(call)

    def look(self, call: ServiceCall) -> ServiceResponse:
        """Return what every entity holds, and the timers that run."""
        held: dict[str, Any] = {entity.entity_id: entity.look() for entity in self.entities}
        held["timers"] = {
            "seconds": sorted(timer["seconds"] for timer in self.timers.values()),
            "names": sorted(str(timer["name"] or "") for timer in self.timers.values()),
        }
        return {"held": held}

    def _timer(self, event: Any, timer: Any) -> None:
        if str(event) in {"cancelled", "finished"}:
            self.timers.pop(timer.id, None)
        else:
            self.timers[timer.id] = {"seconds": timer.seconds, "name": timer.name}


async def async_setup(hass: HomeAssistant, config: Any) -> bool:
    """Offer the actions."""
    home = hass.data[DOMAIN] = MadeHome(hass)
    for name, action in (("build", home.build), ("put", home.reset), ("look", home.look)):
        hass.services.async_register(DOMAIN, name, action, supports_response=SupportsResponse.ONLY)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Load the platforms."""
    hass.data[DOMAIN].entry = entry
    await hass.config_entries.async_forward_entry_setups(entry, list(KINDS))
    return True


def platform_of(domain: str) -> Any:
    """Return what Home Assistant calls to set up the platform of a domain."""

    async def async_setup_entry(
        hass: HomeAssistant, entry: ConfigEntry, add: AddConfigEntryEntitiesCallback
    ) -> None:
        hass.data[DOMAIN].add[domain] = add

    return async_setup_entry


class MadeHomeFlow(ConfigFlow, domain=DOMAIN):
    """A config flow without questions."""

    async def async_step_user(self, user_input: Any = None) -> ConfigFlowResult:
        return self.async_create_entry(title="Made home", data={})
