"""Connections that Home Assistant holds to the satellite, one for each of its pipelines.

A Wyoming satellite has one pipeline in Home Assistant for all its wake words. A wake word gets a
pipeline of its own by being a satellite of its own: with a port and a name, and with the
microphone and the speaker of all.

Defends against T9 of docs/threat-model.md.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from math import inf
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

from wyoming.audio import AudioChunk
from wyoming.event import Event
from wyoming.info import Info

from satellite.config import SatelliteSettings
from satellite.info import satellite_info
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.config.settings import OFF
from wyoming_common.discovery.advertise import publish
from wyoming_common.discovery.zeroconf import instance_name
from wyoming_common.errors import ConfigError, Refused
from wyoming_common.net.access import Access
from wyoming_common.net.context import ConnectionContext
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.limits import Limits
from wyoming_common.net.server import serve
from wyoming_common.net.sockets import ListenOptions, OnClient
from wyoming_common.telemetry.recorder import Telemetry

_LOGGER = logging.getLogger(__name__)

DEAD_SECONDS = 15.0
"""Home Assistant pings every 2 s; a connection that is silent for this time is dead."""
AWAY_SECONDS = 120.0
"""A restart of Home Assistant takes less; afterwards another machine may take the satellite."""
MAIN = ""
"""Pipeline of every wake word that has none of its own."""
_MAX_CHUNK_BYTES = int(0.1 * MODEL_RATE) * 2
_MAX_WAITING_EVENTS = 3000
"""Half a minute of audio on a connection that is stuck; the oldest events are dropped."""


class ConnectionOwner(Protocol):
    """Receiver of what Home Assistant sends."""

    def refusal(self) -> Refused | None:
        """Return why no client is served at present; None: all are."""
        ...

    def received(self, connection: "HaConnection", event: Event) -> None:
        """Act on an event, without waiting.

        Raises Refused to end the connection, ValueError and the like for a malformed event.
        """
        ...

    def lost(self, connection: "HaConnection") -> None:
        """Take note that the connection has ended."""
        ...


class HaConnection(ServiceHandler):
    """One connection of Home Assistant, which opens others beside it to ask for our info.

    Events to send are queued; audio that waits is sent in larger pieces: 10 ms while the
    connection is fast, up to 100 ms when it is slow.
    """

    def __init__(
        self,
        owner: ConnectionOwner,
        pipeline: str,
        context: ConnectionContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(context, reader, writer)
        self.pipeline = pipeline
        """Wake word whose pipeline the connection is for, or MAIN."""
        self.peer = context.peer
        """Address of the other side, "" on a unix socket."""
        self._owner = owner
        self._received_at = asyncio.get_running_loop().time()
        self._waiting: deque[Event | bytes] = deque(maxlen=_MAX_WAITING_EVENTS)
        self._any_waiting = asyncio.Event()

    async def handle_event(self, event: Event) -> bool:
        """Take note that the other side is alive, by any event."""
        self._received_at = asyncio.get_running_loop().time()
        if (refusal := self._owner.refusal()) is not None:
            await self._turn_away(refusal)
            return False
        return await super().handle_event(event)

    async def on_request(self, event: Event) -> None:
        """Hand an event to the owner."""
        if not self.busy:
            await self.start(self._send_all())
        try:
            self._owner.received(self, event)
        except Refused as err:
            # Home Assistant would keep the connection open and never ask again.
            await self._turn_away(err)

    async def disconnect(self) -> None:
        """Tell the owner that the other side has hung up."""
        await super().disconnect()
        self._owner.lost(self)

    @property
    def silent_seconds(self) -> float:
        """Seconds since the other side last sent anything."""
        return asyncio.get_running_loop().time() - self._received_at

    def send(self, event: Event) -> None:
        """Queue an event."""
        self._waiting.append(event)
        self._any_waiting.set()

    def send_audio(self, pcm: bytes) -> None:
        """Queue microphone audio, mono s16le at 16 kHz."""
        self._waiting.append(pcm)
        self._any_waiting.set()

    def drop(self) -> None:
        """End the connection at once."""
        self.writer.transport.abort()

    async def _turn_away(self, refusal: Refused) -> None:
        _LOGGER.warning("%s: %s", refusal.code, refusal)
        await self.refuse(refusal)
        self.drop()

    async def _send_all(self) -> None:
        while True:
            await self._any_waiting.wait()
            self._any_waiting.clear()
            while self._waiting:
                item = self._waiting.popleft()
                event = self._chunk(item).event() if isinstance(item, bytes) else item
                await self.write_event(event)

    def _chunk(self, pcm: bytes) -> AudioChunk:
        parts, size = [pcm], len(pcm)
        while self._waiting and size < _MAX_CHUNK_BYTES:
            following = self._waiting[0]
            if not isinstance(following, bytes):
                break
            parts.append(following)
            size += len(following)
            self._waiting.popleft()
        return AudioChunk(MODEL_RATE, 2, 1, b"".join(parts))


class HaConnections:
    """Ports for Home Assistant, one a pipeline; entering the block opens and announces them.

    One pipeline is the current one: it is run, and its connection is told what comes of it.
    """

    def __init__(
        self,
        settings: SatelliteSettings,
        owner: ConnectionOwner,
        telemetry: Telemetry,
        *,
        away_seconds: float = AWAY_SECONDS,
        by_first_byte: Mapping[int, OnClient] | None = None,
    ) -> None:
        """`by_first_byte` takes clients of another protocol on the main pipeline's port."""
        self.uri = ""
        """Address of the main pipeline."""
        self.uris: dict[str, str] = {}
        """Addresses of the other pipelines, by wake word."""
        self._settings = settings
        self._owner = owner
        self._telemetry = telemetry
        self._away_seconds = away_seconds
        self._by_first_byte = by_first_byte or {}
        self._own_uris = own_pipelines(settings)
        self._connected: dict[str, HaConnection] = {}
        self._first_peer: dict[str, str] = {}
        """Address of the machine that each pipeline belongs to."""
        self._left_at: dict[str, float] = {}
        self._muted: set[str] = set()
        self._current = MAIN

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        try:
            self.uri = await self._open(MAIN, self._settings.uri)
            for word, uri in self._own_uris.items():
                self.uris[word] = await self._open(word, uri)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def current(self) -> HaConnection | None:
        """Connection of the current pipeline; None while it is away or muted."""
        return None if self._current in self._muted else self._connected.get(self._current)

    def __iter__(self) -> Iterator[HaConnection]:
        """Iterate over the connections that are not muted."""
        there = self._connected.items()
        return iter([one for pipeline, one in there if pipeline not in self._muted])

    def __contains__(self, connection: HaConnection) -> bool:
        return self._connected.get(connection.pipeline) is connection

    def is_muted(self, word: str) -> bool:
        """Return whether Home Assistant has muted the pipeline of a wake word."""
        return (word if word in self._own_uris else MAIN) in self._muted

    @property
    def all_muted(self) -> bool:
        """Whether Home Assistant has muted every pipeline."""
        return len(self._muted) == 1 + len(self._own_uris)

    def is_current(self, connection: HaConnection) -> bool:
        """Return whether a connection is that of the current pipeline, muted or not."""
        return connection in self and connection.pipeline == self._current

    def choose(self, word: str | None) -> None:
        """Make the pipeline of a wake word the current one; None keeps the one before."""
        if word is not None:
            self._current = word if word in self._own_uris else MAIN

    def switch_to(self, connection: HaConnection) -> None:
        """Make the pipeline of a connection the current one."""
        self._current = connection.pipeline

    def connect(self, connection: HaConnection) -> None:
        """Register a connection on which Home Assistant runs the satellite.

        It replaces the one before: Home Assistant comes back before it knows that the last
        connection has ended. The first machine that runs the satellite owns it, and gets it back
        whenever it comes. Raises Refused for another machine, which may not take the microphone.
        """
        pipeline, old = connection.pipeline, self._connected.get(connection.pipeline)
        owner = self._first_peer.setdefault(pipeline, connection.peer)
        if connection.peer != owner:
            replaces_itself = old is not None and old.peer == connection.peer
            if old is None:
                away = time.monotonic() - self._left_at.get(pipeline, -inf)
            else:
                away = old.silent_seconds
            if away <= self._away_seconds and not replaces_itself:
                machine = owner or "this machine"
                raise Refused(f"Home Assistant at {machine} uses this satellite")
        self._connected[pipeline] = connection
        self._muted.discard(pipeline)
        if old is not None and old is not connection:
            old.drop()

    def mute(self, connection: HaConnection) -> None:
        """Send nothing more on a connection, which may have something to play all the same."""
        if connection in self:
            self._muted.add(connection.pipeline)

    def remove(self, connection: HaConnection) -> None:
        """Forget a connection that has ended."""
        if connection in self:
            self._left_at[connection.pipeline] = time.monotonic()
            del self._connected[connection.pipeline]
            self._muted.discard(connection.pipeline)

    async def _open(self, pipeline: str, address: str) -> str:
        settings = self._settings
        # A dead connection is noticed by its silence, before this limit closes it.
        limits = Limits(idle_seconds=2 * DEAD_SECONDS, write_seconds=DEAD_SECONDS)
        info = partial(self._info, pipeline)
        handler = partial(HaConnection, self._owner, pipeline)
        access = Access(settings.allow)
        options = ListenOptions(by_first_byte=self._by_first_byte if pipeline == MAIN else {})
        uri = await self._stack.enter_async_context(
            serve(address, info, handler, limits, access, self._telemetry, options)
        )
        if settings.protocol == "wyoming":
            name = self._instance_name(uri, pipeline)
            await self._stack.enter_async_context(publish(uri, self._info(pipeline), name))
        purpose = f" for {pipeline}" if pipeline else ""
        _LOGGER.info("Home Assistant can connect to %s%s", uri, purpose)
        return uri

    def _instance_name(self, uri: str, pipeline: str) -> str:
        """Return a zeroconf instance name that is the same after every restart."""
        given = self._settings.zeroconf
        if given:
            plain = pipeline == MAIN or given == OFF
            return given if plain else f"{given}-{Path(pipeline).stem}"
        return instance_name("satellite", urlsplit(uri).port)

    def _info(self, pipeline: str) -> Info:
        others = [word for word in self._settings.wake if word not in self._own_uris]
        return satellite_info(self._settings, [pipeline] if pipeline else others, pipeline)


def own_pipelines(settings: SatelliteSettings) -> Mapping[str, str]:
    """Return the address of each wake word that has a pipeline of its own.

    Raises ConfigError for a setting that is not WORD=tcp://HOST:PORT.
    """
    uris: dict[str, str] = {}
    for given in settings.pipeline:
        word, _, uri = given.rpartition("=")
        if word not in settings.wake or not uri:
            words = ", ".join(settings.wake)
            raise ConfigError(
                f"pipeline: expected WORD=tcp://HOST:PORT, WORD one of {words}, got '{given}'"
            )
        uris[word] = uri
    return uris
