"""A satellite's membership in a group: the arbiter, its link and its timer."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from typing import Protocol, Self, cast

from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from satellite.rooms.arbitration import (
    Appraisal,
    Arbiter,
    ArbitrationAction,
    ArbitrationSettings,
    BeginTurn,
    Send,
    Withdraw,
    Yield,
)
from satellite.rooms.link import PORT, UdpAddress, UdpLink
from satellite.rooms.messages import GroupCodec, word_key
from wyoming_common.net.access import Access

_LOGGER = logging.getLogger(__name__)


class GroupHost(Protocol):
    """The satellite as its group sees it."""

    def appraise(self, word: bytes) -> Appraisal | None:
        """Return the part of this satellite in a wake word that a peer has detected.

        `word` is the `word_key` of it. None where this satellite has no part in it.
        """
        ...

    def answer(self, delay_seconds: float) -> None:
        """Go on with the wake word that was reported by `detected` a while ago."""
        ...

    def yield_to_peer(self) -> None:
        """Forget the wake word that was reported by `detected`."""
        ...

    def withdraw(self) -> None:
        """End the turn that has just begun, without a sound."""
        ...


class WakeGroup(Protocol):
    """The group as its satellite sees it."""

    @property
    def peers(self) -> int:
        """Number of other satellites that are known now."""
        ...

    def attach(self, host: GroupHost) -> None:
        """Take the satellite to decide for; called once, before any other method."""
        ...

    def detected(self, word: str, own: Appraisal) -> None:
        """Take a wake word; the host is told at once or soon whether it answers."""
        ...

    def missed(self, word: str) -> None:
        """Take that an appraised wake word will hardly be detected here: peers need not wait."""
        ...


class SatelliteGroup:
    """Decides with the other satellites of the group which of them answers; an async context."""

    def __init__(
        self,
        codec: GroupCodec,
        access: Access,
        now: Callable[[], float],
        *,
        settings: ArbitrationSettings | None = None,
        port: int = PORT,
    ) -> None:
        self._codec = codec
        self._now = now
        self._link = UdpLink(access, self._on_datagram, port)
        self._arbiter = Arbiter(os.urandom(8), self._appraise, settings)
        self._host: GroupHost | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._announced_peers = 0

    def attach(self, host: GroupHost) -> None:
        """Take the satellite to decide for."""
        self._host = host

    async def __aenter__(self) -> Self:
        self._link.open()
        self._perform(self._arbiter.start(self._now()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._perform(self._arbiter.stop())
        if self._timer is not None:
            self._timer.cancel()
        self._link.close()

    @property
    def peers(self) -> int:
        """Number of other satellites that are known now."""
        return self._arbiter.peers

    def detected(self, word: str, own: Appraisal) -> None:
        """Take a wake word; the host is told at once or soon whether it answers."""
        self._perform(self._arbiter.detected(word_key(word), own, self._now()))

    def missed(self, word: str) -> None:
        """Take that an appraised wake word will hardly be detected here: peers need not wait."""
        self._perform(self._arbiter.missed(word_key(word), self._now()))

    def _appraise(self, word: bytes) -> Appraisal | None:
        return None if self._host is None else self._host.appraise(word)

    def _on_datagram(self, datagram: bytes, address: UdpAddress) -> None:
        message = self._codec.decode(datagram)
        if message is not None:
            self._perform(self._arbiter.received(message, address, self._now()))

    def _on_timer(self) -> None:
        self._perform(self._arbiter.tick(self._now()))

    def _perform(self, actions: Iterable[ArbitrationAction]) -> None:
        for action in actions:
            match action:
                case Send(message, None):
                    self._link.send_to_all(self._codec.encode(message))
                case Send(message, address):
                    self._link.send(self._codec.encode(message), cast(UdpAddress, address))
                case _ if self._host is not None:
                    self._tell(self._host, action)
        self._log_peers()
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0.0, self._arbiter.next_at - self._now())
        self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)

    @staticmethod
    def _tell(host: GroupHost, action: BeginTurn | Yield | Withdraw) -> None:
        match action:
            case BeginTurn(delay):
                host.answer(delay)
            case Yield():
                host.yield_to_peer()
            case Withdraw():
                host.withdraw()

    def _log_peers(self) -> None:
        if (peers := self._arbiter.peers) != self._announced_peers:
            self._announced_peers = peers
            _LOGGER.info("Other satellites of the group: %d", peers)


def make_group(settings: SatelliteSettings, clock: RunClock) -> SatelliteGroup | None:
    """Return the group that the settings name, still to be entered; None: none."""
    name = settings.group_name
    if not name:
        return None
    return SatelliteGroup(GroupCodec(name, settings.group_key), Access(settings.allow), clock.now)
