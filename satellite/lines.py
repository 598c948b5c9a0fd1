"""The lines that Home Assistant holds to us: one for each satellite that it takes us for.

A Wyoming satellite has one pipeline in Home Assistant, whatever its wake words. One of them gets a
pipeline of its own by being a satellite of its own: with a port and a name, and with the
microphone and the speaker of all.
"""

import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from math import inf
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from wyoming.info import Info

from satellite.about import satellite_info
from satellite.config import SatelliteSettings
from satellite.session import Owner, Session
from wyoming_common.access import Access
from wyoming_common.errors import ConfigError, Refused
from wyoming_common.limits import Limits
from wyoming_common.publish import publish
from wyoming_common.server import serve
from wyoming_common.settings import NO_ZEROCONF
from wyoming_common.telemetry import Telemetry

_LOGGER = logging.getLogger(__name__)

DEAD_SECONDS = 15.0
"""Home Assistant pings every 2 s; a line that is silent for so long is dead."""
_AWAY_SECONDS = 120.0
"""Home Assistant that is being restarted is away; after so long another machine may take us."""
MAIN = ""
"""The line of every wake word that has none of its own."""


class Lines:
    """Entering the block opens the ports and announces them. One line is the current one: its
    pipeline is run, and it is told what comes of it.
    """

    def __init__(
        self,
        settings: SatelliteSettings,
        owner: Owner,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.uri = ""
        """Where the main one is."""
        self.uris: dict[str, str] = {}
        """Where the others are, by wake word."""
        self._settings = settings
        self._owner = owner
        self._telemetry = telemetry
        self._own = own_lines(settings)
        self._there: dict[str, Session] = {}
        self._first: dict[str, str] = {}
        """The machine that each belongs to"""
        self._seen: dict[str, float] = {}
        """When whoever had it left"""
        self._paused: set[str] = set()
        self._chosen = MAIN
        self._now = clock

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        try:
            self.uri = await self._open(MAIN, self._settings.uri)
            for word, uri in self._own.items():
                self.uris[word] = await self._open(word, uri)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def current(self) -> Session | None:
        """Home Assistant on the line of the current turn, if it is there and wants to hear us."""
        return None if self._chosen in self._paused else self._there.get(self._chosen)

    def __iter__(self) -> Iterator[Session]:
        """Those on which Home Assistant listens."""
        return iter([session for line, session in self._there.items() if line not in self._paused])

    def __contains__(self, session: Session) -> bool:
        return self._there.get(session.line) is session

    def muted(self, word: str) -> bool:
        """Whether Home Assistant does not want to hear this wake word."""
        return (word if word in self._own else MAIN) in self._paused

    @property
    def all_muted(self) -> bool:
        """Whether Home Assistant wants to hear nothing at all."""
        return len(self._paused) == 1 + len(self._own)

    def has_turn(self, session: Session) -> bool:
        """Whether the turn is on this line, muted or not."""
        return session in self and session.line == self._chosen

    def choose(self, word: str | None) -> None:
        """A turn begins with this wake word; without one it goes on with the line before."""
        if word is not None:
            self._chosen = word if word in self._own else MAIN

    def turn_to(self, session: Session) -> None:
        """This line has begun something by itself."""
        self._chosen = session.line

    def connect(self, session: Session) -> None:
        """Home Assistant is there; it comes anew before it knows that the last time is over.

        The first machine that has asked for us is the one, and gets us back whenever it comes.
        Raises Refused for another: it may not lose the microphone to whoever is quicker.
        """
        line, old = session.line, self._there.get(session.line)
        if session.peer != self._first.setdefault(line, session.peer):
            same = old is not None and old.peer == session.peer
            away = self._now() - self._seen.get(line, -inf) if old is None else old.silent_seconds
            if away <= _AWAY_SECONDS and not same:
                owner = self._first[line] or "this machine"
                raise Refused(f"Home Assistant at {owner} uses this satellite")
        self._there[line] = session
        self._paused.discard(line)
        if old is not None and old is not session:
            old.drop()

    def pause(self, session: Session) -> None:
        """Home Assistant does not want to hear us; it may have something to say all the same."""
        if session in self:
            self._paused.add(session.line)

    def leave(self, session: Session) -> None:
        """Home Assistant is gone."""
        if session in self:
            self._seen[session.line] = self._now()
            del self._there[session.line]
            self._paused.discard(session.line)

    async def _open(self, line: str, address: str) -> str:
        settings = self._settings
        # A line may be idle only as long as a dead one is believed in.
        limits = Limits(idle_seconds=2 * DEAD_SECONDS, write_seconds=DEAD_SECONDS)
        handler = partial(Session, self._owner, line, partial(self._info, line), limits)
        uri = await self._stack.enter_async_context(
            serve(address, handler, limits, Access(settings.allow), self._telemetry)
        )
        await self._stack.enter_async_context(publish(uri, self._info(line), self._name(uri, line)))
        _LOGGER.info("Home Assistant can reach us at %s%s", uri, f" for {line}" if line else "")
        return uri

    def _name(self, uri: str, line: str) -> str:
        """Return an instance name that is the same after every restart."""
        given = self._settings.zeroconf
        if given:
            return given if line == MAIN or given == NO_ZEROCONF else f"{given}-{Path(line).stem}"
        return f"{socket.gethostname().split('.')[0]}-parley-satellite-{urlsplit(uri).port}"

    def _info(self, line: str) -> Info:
        others = [word for word in self._settings.wake if word not in self._own]
        return satellite_info(self._settings, [line] if line else others, line)


def own_lines(settings: SatelliteSettings) -> Mapping[str, str]:
    """Return the address of each wake word that has a pipeline of its own. Raises ConfigError."""
    lines: dict[str, str] = {}
    for given in settings.pipeline:
        word, _, uri = given.rpartition("=")
        if word not in settings.wake or not uri:
            words = ", ".join(settings.wake)
            raise ConfigError(
                f"pipeline: expected WORD=tcp://HOST:PORT, WORD one of {words}, got '{given}'"
            )
        lines[word] = uri
    return lines
