"""A simulated link between the arbiters of a group: loss, delay, duplicates, wrong clocks."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import inf

from satellite.rooms.arbitration import (
    Appraisal,
    Arbiter,
    ArbitrationAction,
    BeginTurn,
    Send,
    Withdraw,
    Yield,
)
from satellite.rooms.envelopes import relative_merit
from satellite.rooms.messages import GroupCodec, word_key

WORD = word_key("okay_nabu")
_SETTLED_SECONDS = 3.0
"""Time after which nothing more happens in a round."""


@dataclass(slots=True)
class Member:
    """One satellite, its clock and what it has done in the round."""

    arbiter: Arbiter
    offset: float = 0.0
    """Seconds by which its clock is ahead of the link's."""
    rate: float = 1.0
    """Speed of its clock against the link's."""
    merit: int = 0
    offer: int | None = 0
    """Merit before it has detected the word; None: it makes no offer."""
    envelope: bytes = b""
    misses: float | None = None
    """Lag after which it takes its offer back; None: never."""
    alive: bool = True
    answered: list[float] = field(default_factory=list)
    """Delay of each answer, by its own clock."""
    yields: int = 0
    withdrawals: int = 0

    @property
    def answers(self) -> bool:
        return len(self.answered) > self.withdrawals


@dataclass(frozen=True, slots=True)
class Link:
    """Properties of the network. Delays are seconds."""

    loss: float = 0.0
    duplicates: float = 0.0
    min_delay: float = 0.001
    max_delay: float = 0.004
    late: float = 0.0
    """Share of datagrams that take up to a second more."""


class Group:
    """Members on one link, in simulated time."""

    def __init__(
        self,
        merits: Sequence[int],
        link: Link,
        seed: int = 0,
        offers: Sequence[int | None] | None = None,
        envelopes: Sequence[bytes] | None = None,
        compare: Callable[[bytes, bytes], int] = relative_merit,
    ) -> None:
        self.link = link
        self.now = 0.0
        self._random = random.Random(seed)  # noqa: S311 - a simulation
        self._codec = GroupCodec("home")
        self._order = count()
        self._flying: list[tuple[float, int, int, bytes, int]] = []
        self.members: list[Member] = []
        sounds = envelopes or [b""] * len(merits)
        parts = zip(merits, offers or merits, sounds, strict=True)
        for number, (merit, offer, sound) in enumerate(parts):
            own_id = self._random.randbytes(7) + bytes([number + 1])
            arbiter = Arbiter(own_id, partial(self._appraise, number), compare=compare)
            self.members.append(Member(arbiter, merit=merit, offer=offer, envelope=sound))

    def meet(self) -> None:
        """Let all find each other, on a link without loss."""
        link, self.link = self.link, Link()
        for member in self.members:
            self._perform(member, member.arbiter.start(self._time(member)))
        self.run(2.0)
        self.link = link

    def wake(self, *lags: float | None) -> None:
        """Let each member detect the wake word after its lag, None: not at all; and settle."""
        begin = self.now
        detections = [(lag, n, True) for n, lag in enumerate(lags) if lag is not None]
        misses = [
            (member.misses, n, False)
            for n, member in enumerate(self.members)
            if member.misses is not None
        ]
        for lag, number, detects in sorted([*detections, *misses]):
            self.run(begin + lag - self.now)
            member = self.members[number]
            if not member.alive:
                continue
            arbiter, at = member.arbiter, self._time(member)
            if detects:
                part = Appraisal(member.merit, member.envelope)
                self._perform(member, arbiter.detected(WORD, part, at))
            else:
                self._perform(member, arbiter.missed(WORD, at))
        self.run(_SETTLED_SECONDS)

    @property
    def answering(self) -> list[int]:
        """Numbers of the members that go on in the end."""
        return [number for number, member in enumerate(self.members) if member.answers]

    def forget(self) -> None:
        """Forget what the members did, before another round."""
        for member in self.members:
            member.answered.clear()
            member.yields = member.withdrawals = 0

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while True:
            ticks = [
                (self._link_time(member, member.arbiter.next_at), number)
                for number, member in enumerate(self.members)
                if member.alive
            ]
            tick_at, number = min(ticks, default=(inf, 0))
            arrives = self._flying[0][0] if self._flying else inf
            if min(tick_at, arrives) > until:
                break
            self.now = max(self.now, min(tick_at, arrives))
            if arrives <= tick_at:
                _, _, to, datagram, sender = heappop(self._flying)
                self._deliver(to, datagram, sender)
            else:
                member = self.members[number]
                self._perform(member, member.arbiter.tick(self._time(member) + 1e-9))
        self.now = until

    def _appraise(self, number: int, _word: bytes) -> Appraisal | None:
        member = self.members[number]
        return None if member.offer is None else Appraisal(member.offer, member.envelope)

    def _deliver(self, to: int, datagram: bytes, sender: int) -> None:
        member = self.members[to]
        message = self._codec.decode(datagram)
        if member.alive and message is not None:
            at = self._time(member)
            self._perform(member, member.arbiter.received(message, sender, at))

    def _perform(self, member: Member, actions: list[ArbitrationAction]) -> None:
        own = self.members.index(member)
        for action in actions:
            match action:
                case Send(message, None):
                    for other in range(len(self.members)):
                        self._send(own, other, self._codec.encode(message))
                case Send(message, address):
                    assert isinstance(address, int)
                    self._send(own, address, self._codec.encode(message))
                case BeginTurn(delay):
                    member.answered.append(delay)
                case Yield():
                    member.yields += 1
                case Withdraw():
                    member.withdrawals += 1

    def _send(self, own: int, other: int, datagram: bytes) -> None:
        if own == other:
            return
        link, draw = self.link, self._random
        for _ in range(1 + (draw.random() < link.duplicates)):
            if draw.random() >= link.loss:
                delay = draw.uniform(link.min_delay, link.max_delay)
                delay += draw.random() if draw.random() < link.late else 0.0
                heappush(self._flying, (self.now + delay, next(self._order), other, datagram, own))

    def _time(self, member: Member) -> float:
        return self.now * member.rate + member.offset

    @staticmethod
    def _link_time(member: Member, at: float) -> float:
        return (at - member.offset) / member.rate
