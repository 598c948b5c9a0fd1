"""The context of a connection: what a service gives to the handler of each of its clients."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from wyoming.event import Event
from wyoming.info import Info

from wyoming_common.net.connections import Connection
from wyoming_common.net.fairness import FairScheduler
from wyoming_common.net.input_budget import InputBudget
from wyoming_common.net.limits import Limits
from wyoming_common.telemetry.recorder import Telemetry


class InfoCache:
    """The `info` event of a service, rebuilt at most every `max_age_seconds`.

    To describe a hundred languages or voices takes milliseconds, and any client may ask often.
    """

    def __init__(self, make: Callable[[], Info], max_age_seconds: float = 0.1) -> None:
        self._make = make
        self._max_age_seconds = max_age_seconds
        self._made_at = float("-inf")
        self._event = Event("info")

    def event(self) -> Event:
        """Return the answer to `describe`."""
        now = time.monotonic()
        if now - self._made_at >= self._max_age_seconds:
            self._event, self._made_at = self._make().event(), now
        return self._event


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionContext:
    """All fields but `peer` are shared by the connections of one service."""

    info: InfoCache
    limits: Limits
    budget: InputBudget
    """Memory for large events that are arriving."""
    scheduler: FairScheduler
    """Decides when a client's next event is read or written."""
    telemetry: Telemetry
    admit: Callable[[Connection, str], None]
    """Gives a connection, with its `peer`, a place among the connections that are served.

    Called at its first request. Raises Busy when no place is free.
    """
    peer: str = ""
    """Address of the client, "" on a unix socket or standard input."""


def make_context(
    info: Callable[[], Info],
    admit: Callable[[Connection, str], None],
    limits: Limits,
    telemetry: Telemetry,
) -> ConnectionContext:
    """Return the context that the connections of one service share."""
    return ConnectionContext(
        info=InfoCache(info),
        limits=limits,
        budget=InputBudget(limits.memory_bytes),
        scheduler=FairScheduler(),
        telemetry=telemetry,
        admit=admit,
    )
