"""The open connections of one service: who may come in, and who makes room. No I/O."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from wyoming_common.access import Access, is_local
from wyoming_common.errors import Busy, Refused, ServiceError
from wyoming_common.limits import Limits

_SILENT_SECONDS = 0.25
"""A client that has not sent one event for so long makes room for others..."""
_WAITING_SECONDS = 1.0
"""...and one that is waited for."""
_FAR_MORE = 2
"""Times as many connections as a newcomer's address would have, past which others lose one"""


class Connection(Protocol):
    """One client."""

    @property
    def waited_for_since(self) -> float | None:
        """When this service began to wait for the client, None while it works for it."""
        ...

    @property
    def silent(self) -> bool:
        """Whether the client has not sent a single event."""
        ...

    @property
    def left(self) -> bool:
        """Whether the client has hung up, which we may not have noticed otherwise."""
        ...

    def drop(self) -> None:
        """Hang up."""
        ...


class Connections:
    """Past a limit, the client that was waited for the longest makes room for a new one.

    So connections that do nothing cannot keep others out. Somebody who is being served is sent
    away only where all places are taken, and by an address that has far fewer of them.
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
        theirs = [known for known, other in self._open.items() if other == client]
        if len(theirs) >= self._share(client) and not self._make_room(theirs):
            return Busy(f"{len(theirs)} connections from {peer or 'here'} are open already")
        if len(self._open) >= self._limits.connections:
            largest = self._largest()
            if not self._make_room(largest) and not self._displace(largest[-1], len(theirs)):
                return Busy(f"{len(self._open)} connections are open already")
        self._open[connection] = client
        return None

    def remove(self, connection: Connection) -> None:
        """Count it out; does nothing for one that never was in."""
        self._open.pop(connection, None)

    def _share(self, client: str) -> int:
        most = self._limits.connections
        # Loopback is the home of proxies and of Home Assistant itself: they get more than
        # another address, but never all.
        return self._limits.connections_per_client if client else most - most // 4

    def _largest(self) -> list[Connection]:
        """Return the connections of the addresses that have the most."""
        counts = Counter(self._open.values())
        most = max(counts.values(), default=0)
        return [known for known, client in self._open.items() if counts[client] == most]

    def _make_room(self, among: list[Connection]) -> bool:
        if (gone := next((known for known in among if known.left), None)) is not None:
            self._send_away(gone)
            return True
        now = self._clock()
        waited = [
            (known.silent, now - since, known)
            for known in among
            if (since := known.waited_for_since) is not None
            and now - since >= (_SILENT_SECONDS if known.silent else _WAITING_SECONDS)
        ]
        if not waited:
            return False
        _, _, dropped = max(waited, key=lambda entry: entry[:2])
        self._send_away(dropped)
        return True

    def _displace(self, newest: Connection, theirs: int) -> bool:
        """Send away the newest of the address that has the most, for one that has `theirs`."""
        client = self._open[newest]
        most = sum(other == client for other in self._open.values())
        if most <= _FAR_MORE * (theirs + 1):
            return False
        self._send_away(newest)
        return True

    def _send_away(self, connection: Connection) -> None:
        self.remove(connection)
        connection.drop()
