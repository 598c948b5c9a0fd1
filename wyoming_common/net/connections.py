"""Admission of connections: which clients may connect, and which connection makes room. No I/O.

Defends against T4 of docs/threat-model.md.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from wyoming_common.errors import Busy, Refused, ServiceError
from wyoming_common.net.access import Access, is_local
from wyoming_common.net.limits import Limits

_DISPLACING_RATIO: Final = 2
"""A client that is being served is sent away only if its address has more than this many times the
connections that the newcomer's would have."""


class Connection(Protocol):
    """A connection of one client."""

    @property
    def waiting_since(self) -> float | None:
        """Time since which the service waits for the client, None while it works for it."""
        ...

    @property
    def silent(self) -> bool:
        """Whether the client has not sent a single event."""
        ...

    @property
    def hung_up(self) -> bool:
        """Whether the client has closed the connection, which reading may not have shown yet."""
        ...

    def drop(self) -> None:
        """Hang up at once."""
        ...


class Connections:
    """The open connections of one service. Past a limit, the client that has been waited for the
    longest makes room for a new one, so that idle connections keep no client out.
    """

    def __init__(
        self, limits: Limits, access: Access, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._access = access
        self._clock = clock
        self._open: dict[Connection, str] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._open

    def admit(self, connection: Connection, peer: str) -> ServiceError | None:
        """Count `connection` of a client at address `peer` in, or return why it cannot be."""
        if not self._access.allows(peer):
            return Refused(f"{peer} is not in a network that --allow names")
        # Loopback has many addresses, and is one machine.
        client = "" if is_local(peer) else peer
        own = [known for known, other in self._open.items() if other == client]
        if len(own) >= self._max_share(client) and not self._make_room(own):
            return Busy(f"{len(own)} connections from {peer or 'this machine'} are open already")
        if len(self._open) >= self._limits.connections:
            largest = self._of_largest_clients()
            if not self._make_room(largest) and not self._displace(largest[-1], len(own)):
                return Busy(f"{len(self._open)} connections are open already")
        self._open[connection] = client
        return None

    def remove(self, connection: Connection) -> None:
        """Count a connection out; does nothing for one that never was in."""
        self._open.pop(connection, None)

    def _max_share(self, client: str) -> int:
        total = self._limits.connections
        # Proxies and Home Assistant itself come from loopback: it gets more than another address,
        # but never everything.
        return self._limits.connections_per_client if client else total - total // 4

    def _of_largest_clients(self) -> list[Connection]:
        """Return the connections of the clients that have the most."""
        counts = Counter(self._open.values())
        most = max(counts.values(), default=0)
        return [known for known, client in self._open.items() if counts[client] == most]

    def _make_room(self, among: list[Connection]) -> bool:
        if (gone := next((known for known in among if known.hung_up), None)) is not None:
            self._send_away(gone)
            return True
        now, limits = self._clock(), self._limits
        waited = [
            (known.silent, now - since, known)
            for known in among
            if (since := known.waiting_since) is not None
            and now - since >= (limits.silent_seconds if known.silent else limits.waiting_seconds)
        ]
        if not waited:
            return False
        _, _, dropped = max(waited, key=lambda entry: entry[:2])
        self._send_away(dropped)
        return True

    def _displace(self, newest: Connection, newcomers: int) -> bool:
        """Send away the newest connection of the largest client, for a client with `newcomers`."""
        client = self._open[newest]
        most = sum(other == client for other in self._open.values())
        if most <= _DISPLACING_RATIO * (newcomers + 1):
            return False
        self._send_away(newest)
        return True

    def _send_away(self, connection: Connection) -> None:
        self.remove(connection)
        connection.drop()
