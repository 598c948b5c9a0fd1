"""A client of Home Assistant's HTTP and websocket interfaces."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.homeassistant.hass import URL

MAX_WAITING_SECONDS = 120.0
"""Generous: it only bounds a test that fails."""
_FLOWS = "/api/config/config_entries/flow"


class Client:
    """One websocket connection, used by one task at a time, and the HTTP session beside it."""

    def __init__(
        self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self.session = session
        self.socket = socket
        self._number = 0

    async def send(self, kind: str, **fields: Any) -> int:
        """Send a command and return its number."""
        self._number += 1
        await self.socket.send_json({"id": self._number, "type": kind, **fields})
        return self._number

    async def receive(self, number: int) -> dict[str, Any]:
        """Return the next message that belongs to a command."""
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while (message := await self.socket.receive_json()).get("id") != number:
                pass
        return dict(message)

    async def call(self, kind: str, **fields: Any) -> Any:
        """Run a command and return its result."""
        message = await self.receive(await self.send(kind, **fields))
        assert message["success"], (kind, message.get("error"))
        return message["result"]

    async def service(self, name: str, **data: Any) -> None:
        """Call a service such as input_boolean.turn_on."""
        domain, _, service = name.partition(".")
        await self.call("call_service", domain=domain, service=service, service_data=data)

    async def response(self, name: str, **data: Any) -> Any:
        """Call a service that answers, and return its answer."""
        domain, _, service = name.partition(".")
        result = await self.call(
            "call_service", domain=domain, service=service, service_data=data, return_response=True
        )
        return result["response"]

    async def state(self, entity_id: str) -> str:
        states = await self.call("get_states")
        found = [state["state"] for state in states if state["entity_id"] == entity_id]
        return str(found[0]) if found else "absent"

    async def until(self, entity_id: str, holds: Callable[[str], bool]) -> str:
        """Wait until the state of an entity is as wanted, and return it."""
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while not holds(state := await self.state(entity_id)):  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.2)
        return state

    async def loaded(self, titles: set[str]) -> None:
        """Wait until the Wyoming entries of these titles are loaded.

        What was away when Home Assistant started, it tries again after 5, 10, 20 s and so on.
        """
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while True:
                entries = await self.call("config_entries/get", domain="wyoming")
                if titles <= {entry["title"] for entry in entries if entry["state"] == "loaded"}:
                    return
                await asyncio.sleep(0.2)

    async def entities(self, platform: str = "wyoming") -> list[str]:
        registry = await self.call("config/entity_registry/list")
        return [entity["entity_id"] for entity in registry if entity["platform"] == platform]

    async def flow(self, handler: str, *steps: dict[str, Any]) -> dict[str, Any]:
        """Go through a config flow as the user interface does and return its last answer."""
        answer = await self._post(_FLOWS, {"handler": handler, "show_advanced_options": False})
        for step in steps:
            answer = await self._post(f"{_FLOWS}/{answer['flow_id']}", step)
        return answer

    async def discovered(self, names: int) -> list[dict[str, Any]]:
        """Wait until `names` Wyoming services were discovered, and return their flows."""
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while len(flows := await self._flows()) < names:  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.2)
        return flows

    async def discovers(self, title: str, handler: str = "wyoming") -> dict[str, Any]:
        """Wait until an integration has discovered this title, and return its flow.

        Others may be on offer as well: what was removed is discovered again at once, and that
        offer stays open when the same service is added by host and port meanwhile.
        """
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while True:
                for flow in await self._flows(handler):
                    name = flow["context"].get("title_placeholders", {}).get("name", "")
                    # ESPHome's integration adds the host name in brackets.
                    if name == title or (handler == "esphome" and name.startswith(f"{title} (")):
                        return flow
                await asyncio.sleep(0.2)

    async def confirm(self, flow: dict[str, Any], **answers: Any) -> dict[str, Any]:
        """Accept a discovered service, or answer what its flow asks for, as a person does."""
        return await self._post(f"{_FLOWS}/{flow['flow_id']}", answers)

    async def _flows(self, handler: str = "wyoming") -> list[dict[str, Any]]:
        flows = await self.call("config_entries/flow/progress")
        return [flow for flow in flows if flow["handler"] == handler]

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self.session.post(path, json=body) as response:
            assert response.ok, (path, body, response.status, await response.text())
            return dict(await response.json())


@asynccontextmanager
async def connect(token: str) -> AsyncIterator[Client]:
    """Open a connection as the owner."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(URL, headers=headers) as session,
        session.ws_connect("/api/websocket", max_msg_size=0) as socket,
    ):
        assert (await socket.receive_json())["type"] == "auth_required"
        await socket.send_json({"type": "auth", "access_token": token})
        assert (await socket.receive_json())["type"] == "auth_ok"
        yield Client(session, socket)
