"""Pretend home for `parley demo`: the part of Home Assistant's API that home control uses.

It speaks the websocket API and POST /api/intent/handle, holds the states of a few devices, and
turns them on and off. https://developers.home-assistant.io/docs/api/websocket
"""

import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

_AREAS: Final = {"kitchen": "Kitchen", "living_room": "Living room", "bedroom": "Bedroom"}
_DEVICES: Final = {
    "light.kitchen": ("Kitchen light", "kitchen"),
    "switch.coffee": ("Coffee machine", "kitchen"),
    "light.living_room": ("Living room light", "living_room"),
    "fan.living_room": ("Ceiling fan", "living_room"),
    "light.bedroom": ("Bedside lamp", "bedroom"),
    "switch.heater": ("Heater", "bedroom"),
}
_STATES: Final = {"HassTurnOn": "on", "HassTurnOff": "off"}


@dataclass(frozen=True, slots=True)
class StateChange:
    """A device that changed its state; `at` is seconds of the monotonic clock."""

    name: str
    before: str
    after: str
    at: float


@dataclass(slots=True)
class PretendHome:
    """Devices with states, and a record of the intents and changes."""

    token: str = field(default_factory=secrets.token_urlsafe)
    states: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_DEVICES, "off"))
    intents: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """Name and slots of each handled intent, with the names of devices instead of ids."""
    changes: list[StateChange] = field(default_factory=list)
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the websocket API."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "auth_required"})
        if (await socket.receive_json()).get("access_token") != self.token:
            await socket.send_json({"type": "auth_invalid"})
            return socket
        await socket.send_json({"type": "auth_ok"})
        self._sockets.add(socket)
        try:
            async for message in socket:
                command = message.json()
                result = {"result": self._result(command["type"]), "success": True}
                await socket.send_json({"id": command["id"], "type": "result", **result})
        finally:
            self._sockets.discard(socket)
        return socket

    async def handle_intent(self, request: web.Request) -> web.Response:
        """Execute an intent on the devices that its slots name."""
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        body = await request.json()
        name, slots = body["name"], body["data"]
        called = _DEVICES.get(slots.get("name", ""), (slots.get("name"), ""))[0]
        self.intents.append((name, {**slots, "name": called} if called else slots))
        if name not in _STATES:
            speech = {"plain": {"speech": "The pretend home only turns things on and off"}}
            return web.json_response({"response_type": "error", "speech": speech})
        for device in self._targets(slots):
            await self._set(device, _STATES[name])
        return web.json_response({"response_type": "action_done", "data": {"failed": []}})

    async def close(self) -> None:
        """Close the connections of the clients."""
        for socket in list(self._sockets):
            await socket.close()

    async def _set(self, device: str, state: str) -> None:
        before = self.states[device]
        self.states[device] = state
        self.changes.append(StateChange(_DEVICES[device][0], before, state, time.monotonic()))
        data = {"entity_id": device, "old_state": {}, "new_state": self._state(device)}
        event = {"event_type": "state_changed", "data": data}
        for socket in list(self._sockets):
            with suppress(ConnectionError):
                await socket.send_json({"id": 1, "type": "event", "event": event})

    def _targets(self, slots: Mapping[str, Any]) -> list[str]:
        name, area = str(slots.get("name", "")), str(slots.get("area", ""))
        domains = slots.get("domain", ())
        allowed = {domains} if isinstance(domains, str) else set(domains)
        return [
            device
            for device, (called, room) in _DEVICES.items()
            if name in ("", device, called)
            and area in ("", room, _AREAS[room])
            and (not allowed or device.partition(".")[0] in allowed)
        ]

    def _state(self, device: str) -> dict[str, Any]:
        attributes = {"friendly_name": _DEVICES[device][0]}
        return {"entity_id": device, "state": self.states[device], "attributes": attributes}

    def _result(self, command: str) -> Any:
        exposed = {device: {"conversation": True} for device in _DEVICES}
        results = {
            "get_states": [self._state(device) for device in _DEVICES],
            "homeassistant/expose_entity/list": {"exposed_entities": exposed},
            "config/entity_registry/get_entries": {
                device: {"area_id": room} for device, (_, room) in _DEVICES.items()
            },
            "config/area_registry/list": [
                {"area_id": key, "name": name} for key, name in _AREAS.items()
            ],
            "config/device_registry/list": [],
            "config/floor_registry/list": [],
            "get_config": {"language": "en"},
        }
        return results.get(command)


@asynccontextmanager
async def serve_pretend_home(home: PretendHome) -> AsyncIterator[str]:
    """Serve a pretend home on loopback until the block ends; yield its URL."""
    app = web.Application()
    app.router.add_get("/api/websocket", home.socket)
    app.router.add_post("/api/intent/handle", home.handle_intent)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await home.close()
        await runner.cleanup()
