"""Fake Home Assistant over real HTTP and WebSockets: states, registries, intents."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

TOKEN = "a-token"  # noqa: S105
ENTITIES: dict[str, dict[str, Any]] = {
    "light.kitchen": {"name": "Kitchen light", "area": "kitchen"},
    "light.bedroom": {"name": "Bedroom lamp", "area": "bedroom", "aliases": [None, "night lamp"]},
    "light.dead": {"name": "Dead light", "state": "unavailable"},
    "light.lazy": {"name": "Lazy light", "works": False},
    "switch.coffee": {"name": "Coffee machine", "area": "kitchen"},
    "cover.garage": {"name": "Garage door", "class": "garage", "state": "closed"},
    "lock.front": {"name": "Front door", "state": "locked"},
    "light.secret": {"name": "Secret light", "exposed": False},
}
AREAS = {"kitchen": "Kitchen", "bedroom": "Bedroom"}


class FakeHome:
    """A home whose devices obey, except those with `works` false.

    The `refused` commands get an error; the `silent` ones get no answer.
    """

    def __init__(self, **more: dict[str, Any]) -> None:
        self.entities = {name: dict(entity) for name, entity in (ENTITIES | more).items()}
        self.handled: list[dict[str, Any]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.broken = False
        self.refused: set[str] = set()
        self.silent: set[str] = set()

    def state(self, name: str) -> str:
        return str(self.entities[name].get("state", "off"))

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/websocket", self._socket)
        app.router.add_post("/api/intent/handle", self._handle)
        return app

    async def change(self, name: str, state: str) -> None:
        self.entities[name]["state"] = state
        data = {"entity_id": name, "old_state": {}, "new_state": self._shown(name)}
        event = {"event_type": "state_changed", "data": data}
        for socket in self.sockets:
            await socket.send_json({"id": 1, "type": "event", "event": event})

    async def rename(self, name: str, called: str) -> None:
        self.entities[name]["name"] = called
        for socket in self.sockets:
            event = {"event_type": "entity_registry_updated", "data": {}}
            await socket.send_json({"id": 2, "type": "event", "event": event})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "auth_required"})
        if (await socket.receive_json()).get("access_token") != TOKEN:
            await socket.send_json({"type": "auth_invalid"})
            return socket
        await socket.send_json({"type": "auth_ok"})
        self.sockets.append(socket)
        async for message in socket:
            command = message.json()
            answer: dict[str, Any] = {"id": command["id"], "type": "result"}
            if command["type"] in self.silent:
                continue
            if command["type"] in self.refused:
                answer |= {"success": False, "error": {"message": "not allowed"}}
            else:
                answer |= {"success": True, "result": self._result(command)}
            await socket.send_json(answer)
        self.sockets.remove(socket)
        return socket

    def _result(self, command: dict[str, Any]) -> Any:
        entities = self.entities
        answers: dict[str, Callable[[], Any]] = {
            "get_states": lambda: [self._shown(name) for name in entities],
            "homeassistant/expose_entity/list": lambda: {
                "exposed_entities": {
                    name: {"conversation": entity.get("exposed", True)}
                    for name, entity in entities.items()
                }
            },
            "config/device_registry/list": lambda: [{"id": "sat", "area_id": "kitchen"}],
            "config/entity_registry/get_entries": lambda: {
                name: {"aliases": entity.get("aliases"), "area_id": entity.get("area")}
                for name, entity in entities.items()
            },
            "config/area_registry/list": lambda: [
                {"area_id": key, "name": name, "aliases": [], "floor_id": None}
                for key, name in AREAS.items()
            ],
            "config/floor_registry/list": list,
            "get_config": lambda: {"language": "en"},
        }
        return answers.get(command["type"], lambda: None)()

    def _shown(self, name: str) -> dict[str, Any]:
        entity = self.entities[name]
        attributes = {"friendly_name": entity["name"]} | entity.get("attributes", {})
        if "class" in entity:
            attributes["device_class"] = entity["class"]
        return {"entity_id": name, "state": self.state(name), "attributes": attributes}

    async def _handle(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if self.broken:
            return web.Response(status=500)
        body = await request.json()
        self.handled.append(body)
        states = {"HassTurnOn": "on", "HassTurnOff": "off", "HassLightSet": "on"}
        special = {("cover", "on"): "open", ("cover", "off"): "closed",
                   ("lock", "on"): "locked", ("lock", "off"): "unlocked"}  # fmt: skip
        for name in self._targets(body["data"]):
            domain = name.partition(".")[0]
            state = states[body["name"]]
            if self.entities[name].get("works", True) and self.state(name) != "unavailable":
                if "brightness" in body["data"]:
                    level = round(body["data"]["brightness"] * 2.55)
                    self.entities[name]["attributes"] = {"brightness": level}
                await self.change(name, special.get((domain, state), state))
        return web.json_response({"response_type": "action_done", "data": {"failed": []}})

    def _targets(self, slots: dict[str, Any]) -> list[str]:
        if "name" in slots:
            return [n for n, e in self.entities.items() if slots["name"] in (n, e["name"])]
        area = next((key for key, name in AREAS.items() if name == slots.get("area")), None)
        return [
            name
            for name, entity in self.entities.items()
            if (area is None or entity.get("area") == area)
            and name.startswith(f"{slots.get('domain', '')}.")
        ]


@asynccontextmanager
async def serving(home: FakeHome, port: int = 0) -> AsyncIterator[str]:
    """Serve `home` on loopback until the block ends; yields its URL."""
    runner = web.AppRunner(home.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        for socket in list(home.sockets):
            await socket.close()
        await runner.cleanup()
