"""Client of Home Assistant's WebSocket API: exposed entities, areas, floors and states.

https://developers.home-assistant.io/docs/api/websocket
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp

from wyoming_common.backoff import Backoff
from wyoming_common.errors import ConfigError, Unavailable
from wyoming_common.home_assistant.home import Area, Entity, Home, State

_LOGGER = logging.getLogger(__name__)

SUPERVISOR: Final = "http://supervisor/core"
"""Home Assistant as an add-on sees it; its token is in SUPERVISOR_TOKEN."""
_MAX_RETRY_SECONDS: Final = 30.0
_REREAD_SECONDS: Final = 60.0
"""Time after which everything is read again: exposing an entity has no event of its own."""
_BURST_SECONDS: Final = 0.2
_MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_REGISTRIES: Final = (
    "entity_registry_updated",
    "device_registry_updated",
    "area_registry_updated",
    "floor_registry_updated",
)


class HomeAssistant:
    """One connection, kept up while its `open` block runs.

    `home` and `states` keep what was last known while Home Assistant is away. For the event loop
    only.
    """

    def __init__(
        self,
        url: str,
        token: str,
        first_retry_seconds: float = 1.0,
        max_answer_seconds: float = 10.0,
    ) -> None:
        """Raises ConfigError for a `url` that is not http://HOST:PORT."""
        target = urlsplit(url)
        if target.scheme not in ("http", "https") or not target.hostname:
            raise ConfigError(f"home_assistant: expected http://HOST:PORT, got '{url}'")
        self._url = url.rstrip("/")
        self._token = token
        self._first_retry_seconds = first_retry_seconds
        self._max_answer_seconds = max_answer_seconds
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._stale = asyncio.Event()
        self._since: dict[str, State | None] = {}
        """States that have changed since all were asked for last; None for one that is gone."""
        self._changed: dict[str, list[asyncio.Future[State]]] = {}
        self.home = Home()
        self.states: dict[str, State] = {}
        self.ready = asyncio.Event()
        """Set while connected and everything is read."""
        self.listeners: list[Callable[[Home], None]] = []
        """Called with every new `home`."""

    @classmethod
    def from_settings(cls, url: str, token_file: Path | None) -> Self | None:
        """Return the connection that the settings ask for, if any.

        Without a URL an app (add-on) goes through the Supervisor. Raises ConfigError.
        """
        token = os.environ.get("SUPERVISOR_TOKEN", "")
        if not url and not token:
            return None
        if token_file is not None:
            try:
                token = token_file.expanduser().read_text(encoding="utf-8").strip()
            except OSError as err:
                path = token_file.expanduser().absolute()
                raise ConfigError(f"token_file: cannot read {path}: {err.strerror}") from err
            except UnicodeDecodeError as err:
                raise ConfigError(f"token_file: {token_file} is not a text file") from err
        if not token:
            raise ConfigError("token_file: expected a file with a long-lived access token")
        return cls(url or SUPERVISOR, token)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Stay connected until the block ends, coming back whenever the connection is lost."""
        task = asyncio.create_task(self._stay())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send one websocket command and return its result.

        Raises Unavailable when there is no connection, no answer, or a refusal.
        """
        socket = self._socket
        if socket is None:
            raise Unavailable("Home Assistant is not connected")
        self._last_id += 1
        number = self._last_id
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await socket.send_json({"id": number, "type": kind, **fields})
            async with asyncio.timeout(self._max_answer_seconds):
                return await answer
        except (TimeoutError, ConnectionError, aiohttp.ClientError) as err:
            raise Unavailable(f"Home Assistant did not answer {kind}") from err
        finally:
            self._answers.pop(number, None)

    async def post(self, path: str, data: Mapping[str, Any]) -> Any:
        """POST to the REST API and return the JSON answer. Raises Unavailable."""
        headers = {"Authorization": f"Bearer {self._token}"}
        timeout = aiohttp.ClientTimeout(self._max_answer_seconds)
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
                session.post(f"{self._url}{path}", json=dict(data)) as response,
            ):
                if response.status >= 400:
                    raise Unavailable(f"Home Assistant answered {path} with {response.status}")
                return await response.json()
        except (TimeoutError, OSError, ValueError, aiohttp.ClientError) as err:
            raise Unavailable(f"Home Assistant did not answer {path}") from err

    async def next_state(self, entity: str, seconds: float) -> State | None:
        """Return the next state of `entity`, None when it does not change in time."""
        change: asyncio.Future[State] = asyncio.get_running_loop().create_future()
        self._changed.setdefault(entity, []).append(change)
        try:
            async with asyncio.timeout(seconds):
                return await change
        except TimeoutError:
            return None
        finally:
            self._changed[entity].remove(change)
            if not self._changed[entity]:
                del self._changed[entity]

    async def _stay(self) -> None:
        backoff, said = Backoff(self._first_retry_seconds, _MAX_RETRY_SECONDS), ""
        while True:
            try:
                async with aiohttp.ClientSession() as session:
                    await self._session(session)
                problem = "the connection was closed"
            except Unavailable as err:
                problem = str(err)
            except (OSError, TimeoutError, ValueError, KeyError, aiohttp.ClientError) as err:
                problem = f"{self._url} cannot be reached ({type(err).__name__}: {err})"
            if self.ready.is_set():
                said = ""
                backoff.reset()
            self.ready.clear()
            if problem != said:
                _LOGGER.warning("Home Assistant: %s; trying again", problem)
                said = problem
            await asyncio.sleep(backoff.next())

    async def _session(self, session: aiohttp.ClientSession) -> None:
        url = "ws" + self._url.removeprefix("http")
        # The Supervisor's proxy leaves `/api` out.
        url += "/websocket" if self._url == SUPERVISOR else "/api/websocket"
        async with asyncio.timeout(self._max_answer_seconds):
            socket = await session.ws_connect(url, heartbeat=30, max_msg_size=_MAX_MESSAGE_BYTES)
        try:
            async with asyncio.timeout(self._max_answer_seconds):
                await self._authenticate(socket)
            await self._follow(socket)
        finally:
            await socket.close()

    async def _follow(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Read everything, and keep it up to date until the connection ends."""
        self._socket = socket
        reader = asyncio.create_task(self._read(socket))
        keeper = asyncio.create_task(self._keep_up())
        try:
            done, _ = await asyncio.wait((reader, keeper), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._socket = None
            for task in (reader, keeper):
                task.cancel()
            await asyncio.gather(reader, keeper, return_exceptions=True)
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Unavailable("Home Assistant went away"))

    async def _authenticate(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": self._token})
        answer = await socket.receive_json()
        if answer.get("type") != "auth_ok":
            raise Unavailable("the access token was refused; see --token-file")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            event = message.json()
            if event.get("type") == "result":
                self._answer(event)
            elif event.get("type") == "event":
                self._event(event["event"])

    def _answer(self, event: Mapping[str, Any]) -> None:
        answer = self._answers.get(event.get("id", 0))
        if answer is None or answer.done():
            return
        if event.get("success"):
            answer.set_result(event.get("result"))
        else:
            problem = (event.get("error") or {}).get("message", "no reason given")
            answer.set_exception(Unavailable(f"Home Assistant refused: {problem}"))

    def _event(self, event: Mapping[str, Any]) -> None:
        if event.get("event_type") != "state_changed":
            self._stale.set()
            return
        data = event["data"]
        entity, new = data["entity_id"], data.get("new_state")
        if new is None:
            self.states.pop(entity, None)
            self._since[entity] = None
        else:
            self.states[entity] = self._since[entity] = state = _state(new)
            for change in self._changed.get(entity, []):
                if not change.done():
                    change.set_result(state)
        if new is None or data.get("old_state") is None:
            self._stale.set()

    async def _keep_up(self) -> None:
        await self.command("subscribe_events", event_type="state_changed")
        for kind in _REGISTRIES:
            await self.command("subscribe_events", event_type=kind)
        while True:
            self._stale.clear()
            home = await self._read_home()
            if home != self.home or not self.ready.is_set():
                self.home = home
                for listener in self.listeners:
                    listener(home)
            self.ready.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_REREAD_SECONDS):
                    await self._stale.wait()
                    # Registries change in bursts.
                    await asyncio.sleep(_BURST_SECONDS)

    async def _read_home(self) -> Home:
        self.states = await self._read_states()
        exposed = (await self.command("homeassistant/expose_entity/list"))["exposed_entities"]
        ids = [name for name, where in exposed.items() if where.get("conversation")]
        ids = [name for name in ids if name in self.states]
        devices = {
            item["id"]: item.get("area_id") or ""
            for item in await self.command("config/device_registry/list")
        }
        details: Mapping[str, Any] = await self.command(
            "config/entity_registry/get_entries", entity_ids=ids
        )
        config: Mapping[str, Any] = await self.command("get_config")
        return Home(
            entities={name: self._entity(name, details.get(name) or {}, devices) for name in ids},
            areas={item["area_id"]: _area(item, "area_id") for item in await self._list("area")},
            floors={
                item["floor_id"]: _area(item, "floor_id") for item in await self._list("floor")
            },
            devices={device: area for device, area in devices.items() if area},
            language=config.get("language") or "",
            temperature_unit=(config.get("unit_system") or {}).get("temperature") or "°C",
        )

    async def _read_states(self) -> dict[str, State]:
        self._since.clear()
        states = {item["entity_id"]: _state(item) for item in await self.command("get_states")}
        # An event may be read before the task that waits for the answer goes on: it is the newer.
        for entity, state in self._since.items():
            if state is None:
                states.pop(entity, None)
            else:
                states[entity] = state
        return states

    async def _list(self, kind: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = await self.command(f"config/{kind}_registry/list")
        return listed

    def _entity(self, name: str, entry: Mapping[str, Any], devices: Mapping[str, str]) -> Entity:
        shown = str(self.states[name].attributes.get("friendly_name") or name).strip()
        return Entity(
            id=name,
            name=shown,
            called=_aliases(entry, own=shown),
            area=entry.get("area_id") or devices.get(entry.get("device_id") or "", ""),
        )


def _state(item: Mapping[str, Any]) -> State:
    changed = str(item.get("last_changed") or "")
    return State(str(item["state"]), item.get("attributes") or {}, changed)


def _area(item: Mapping[str, Any], key: str) -> Area:
    floor, level = item.get("floor_id") or "", item.get("level")
    return Area(
        item[key],
        item["name"].strip(),
        _aliases(item),
        floor,
        level if isinstance(level, int) else None,
    )


def _aliases(item: Mapping[str, Any], own: str = "") -> tuple[str, ...]:
    # A null among an entity's aliases stands for its own name.
    names = [own if alias is None else str(alias).strip() for alias in item.get("aliases") or ()]
    return tuple(dict.fromkeys(name for name in names if name))
