"""Directory of the three services: given by URI, or found and watched by zeroconf."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

from wyoming.info import Describe, Info

from satellite.wyoming.link import Link, check_uri
from wyoming_common.discovery.zeroconf import Watcher
from wyoming_common.errors import Unavailable

_LOGGER = logging.getLogger(__name__)

SERVICE_NAMES = {"asr": "speech-to-text", "handle": "conversation", "tts": "text-to-speech"}
"""Name of each kind of service in messages."""
_FLAGS = {"asr": "--stt", "handle": "--llm", "tts": "--tts"}
_DESCRIBE_SECONDS = 3.0
_AVOID_SECONDS = 30.0
"""Time for which a service that has failed is asked last."""
_STALE_SECONDS = 300.0
"""Time after which a measured wait no longer counts."""
_NEWEST_WEIGHT = 0.4
"""Weight of the newest wait in the moving average."""
_MAX_REMEMBERED = 100
"""Services whose waits and failures are remembered."""


@dataclass(frozen=True, slots=True)
class ServiceCandidate:
    """One service that can be asked."""

    kind: str
    uri: str
    info: Info

    @property
    def name(self) -> str:
        """Name of its kind in messages."""
        return SERVICE_NAMES[self.kind]


class ServiceDirectory:
    """The known services of each kind, ordered by their last waits and failures.

    `uris` gives fixed addresses by kind, "" for a kind that zeroconf finds. Entering raises
    Unavailable, which names the kind, when a service cannot be found or does not answer.
    """

    def __init__(
        self,
        uris: Mapping[str, str],
        discover_seconds: float,
        connect_seconds: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._uris = dict(uris)
        self._discover_seconds = discover_seconds
        self._connect_seconds = connect_seconds
        self._tls = tls
        self._fixed: dict[str, ServiceCandidate] = {}
        self._failed: dict[str, float] = {}
        self._waits: dict[str, tuple[float, float]] = {}
        self._watcher: Watcher | None = None
        for kind, uri in self._uris.items():
            if uri:
                check_uri(_FLAGS[kind].removeprefix("--"), uri)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        try:
            sought = [kind for kind, uri in self._uris.items() if not uri]
            if sought:
                self._watcher = await self._stack.enter_async_context(Watcher())
            given = [kind for kind, uri in self._uris.items() if uri]
            await asyncio.gather(*(self._describe(kind) for kind in given))
            if self._watcher is not None:
                await self._watcher.wait_for(sought, self._discover_seconds)
                self._require(sought)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def candidates(self, kind: str) -> list[ServiceCandidate]:
        """Return the services of a kind in the order in which to ask them.

        Services that have failed lately come last. The others are ordered by their wait: a service
        that other clients keep busy is slow. One that was never asked comes first.
        """
        if kind in self._fixed:
            return [self._fixed[kind]]
        assert self._watcher is not None
        found = [ServiceCandidate(kind, one.uri, one.info) for one in self._watcher.of(kind)]
        now = asyncio.get_running_loop().time()

        def order(service: ServiceCandidate) -> tuple[bool, float]:
            failed = self._failed.get(service.uri, -_AVOID_SECONDS)
            seconds, at = self._waits.get(service.uri, (0.0, now))
            return now - failed < _AVOID_SECONDS, seconds if now - at < _STALE_SECONDS else 0.0

        return sorted(found, key=order)

    def link(self, service: ServiceCandidate) -> Link:
        """Return a connection to `service`, still to be entered."""
        return Link(service.name, service.uri, self._connect_seconds, self._tls)

    def failed(self, service: ServiceCandidate) -> None:
        """Remember that `service` could not be reached or went away."""
        self._failed[service.uri] = asyncio.get_running_loop().time()
        if len(self._failed) > _MAX_REMEMBERED:
            self._failed.pop(next(iter(self._failed)))

    def answered(self, service: ServiceCandidate, seconds: float) -> None:
        """Remember how long `service` took to answer."""
        before, _ = self._waits.get(service.uri, (seconds, 0.0))
        mean = before + _NEWEST_WEIGHT * (seconds - before)
        self._waits[service.uri] = mean, asyncio.get_running_loop().time()
        if len(self._waits) > _MAX_REMEMBERED:
            self._waits.pop(next(iter(self._waits)))

    async def _describe(self, kind: str) -> None:
        uri = self._uris[kind]
        link = Link(f"{SERVICE_NAMES[kind]} {_FLAGS[kind]}", uri, self._connect_seconds, self._tls)
        async with link:
            await link.send(Describe().event(), self._connect_seconds)
            while not Info.is_type((event := await link.receive(_DESCRIBE_SECONDS, "info")).type):
                pass
        try:
            info = Info.from_event(event)
        except (KeyError, TypeError, ValueError) as err:
            raise Unavailable(f"{link.name}: sent a malformed info event") from err
        if not getattr(info, kind):
            raise Unavailable(f"{uri} ({_FLAGS[kind]}): serves no {SERVICE_NAMES[kind]}")
        self._fixed[kind] = ServiceCandidate(kind, uri, info)

    def _require(self, kinds: list[str]) -> None:
        assert self._watcher is not None
        if missing := [kind for kind in kinds if not self._watcher.of(kind)]:
            what = " and no ".join(
                f"{SERVICE_NAMES[kind]} ({_FLAGS[kind]} URI)" for kind in missing
            )
            raise Unavailable(
                f"Found no {what} on the network within {self._discover_seconds:g} s; "
                "start one or give its URI"
            )
