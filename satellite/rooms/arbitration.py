"""Agreement of a group on which satellite answers a wake word. No clock, no socket, no I/O.

    LISTENING --wake word--> HELD --best of all--> ANSWERING --claim of a better one--> YIELDED
                               \\------- claim of another ------------------------------/

The first satellite that detects the wake word sends a bid, with the envelopes of the word. Each of
the others answers with its bid, with an offer where it may still detect the word, or with a pass,
and compares its envelopes with those of the first bid; a later pass takes an offer back. The one
with the highest merit claims the round; the others wait for that claim, for a bounded time, and
answer themselves where it does not come. So a message that is lost can delay the answer, or make
two satellites begin, of which the worse withdraws at the first claim that it receives; it cannot
silence all.

Times are seconds of a clock of this satellite alone: no message carries a time. Messages of one
sender count only in the order of their numbers, which makes duplicates and late ones harmless.

Defends against T12 of docs/threat-model.md.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Final

from satellite.rooms.envelopes import relative_merit
from satellite.rooms.messages import ANYONE, NO_WORD, ROUND_KINDS, GroupMessage, MessageKind

MAX_PEERS: Final = 16
_MAX_FORGOTTEN: Final = 64
"""Satellites that have left whose last number is remembered."""
_MAX_WELCOMES_A_SECOND: Final = 32
_MAX_REPLIES: Final = 3
"""Answers to repeated messages of one peer in one round."""

Address = Hashable
"""Address of a peer, as its transport has it."""


class RoundState(Enum):
    LISTENING = "listening"
    """A peer has detected the wake word; this satellite has not."""
    HELD = "held"
    """This satellite has detected the wake word and waits for the decision."""
    ANSWERING = "answering"
    YIELDED = "yielded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbitrationSettings:
    """All durations are in seconds."""

    answer_seconds: float = 0.05
    """Time for the answers of peers; what a peer that has just died costs, once. To appraise a word
    takes 11 ms of a slow core, and longer beside other work."""
    offer_seconds: float = 0.12
    """Time for a better placed peer to detect the wake word too: 19 of 20 satellites that detect a
    wake word do so within 0.12 s of the first one (`bench.rooms`)."""
    bid_seconds: float = 0.2
    """Time for the claim of a better peer, which may itself wait for an offer."""
    held_seconds: float = 0.35
    """Longest time until an answer."""
    round_seconds: float = 1.0
    """Detections within this time are of one wake word."""
    hello_seconds: float = 5.0
    peer_seconds: float = 16.0
    """A peer that has sent nothing in this time is gone."""
    first_hellos: tuple[float, ...] = (0.0, 0.3, 1.0)
    """Times of the hellos at the start."""
    bid_repeats: tuple[float, ...] = (0.008, 0.016, 0.05, 0.1, 0.15, 0.2, 0.3)
    claim_repeats: tuple[float, ...] = (0.01, 0.03, 0.07, 0.15, 0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message; to the whole link where there is no address."""

    message: GroupMessage
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class BeginTurn:
    """Go on with the turn of the wake word that was held."""

    delay_seconds: float
    """Time since the wake word was detected."""


@dataclass(frozen=True, slots=True)
class Yield:
    """Forget the wake word that was held: a peer answers it."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """End the turn that has just begun: a better placed peer has begun too."""


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A satellite's part in a wake word."""

    merit: int
    envelope: bytes = b""
    """`envelopes` of the word."""


ArbitrationAction = Send | BeginTurn | Yield | Withdraw


@dataclass(slots=True)
class _Peer:
    address: Address
    seen_at: float
    answers: bool = True
    """Whether it has answered lately, so that it is worth waiting for."""


@dataclass(slots=True)
class _Entry:
    """The last word of a peer in a round."""

    kind: MessageKind
    merit: int
    relative: int
    reference: bytes
    at: float
    envelope: bytes = b""
    replies: int = 0


@dataclass(slots=True)
class _Round:
    word: bytes
    opened_at: float
    state: RoundState = RoundState.LISTENING
    own: Appraisal | None = None
    """Part of this satellite; it does not change once it was told."""
    relative: int = 0
    reference: bytes = ANYONE
    """Bid with whose envelopes those of this satellite were compared; ANYONE: none yet."""
    compared: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    """Relative merits of bids."""
    since: float = inf
    """Time of the detection; while answering, of the claim."""
    repeats: int = 0
    appraised: bool = False
    """Whether the peers were told about this satellite's part."""
    missed: bool = False
    """Whether its offer was taken back."""
    entries: dict[bytes, _Entry] = field(default_factory=dict)


class Arbiter:
    """Member `own_id` of a group. Inputs return actions, to be performed in order.

    `appraise` returns the part of this satellite in a wake word that a peer has detected, or None
    where it can have none. It is asked at most once in a round. `compare` is `relative_merit`.
    """

    def __init__(
        self,
        own_id: bytes,
        appraise: Callable[[bytes], Appraisal | None],
        settings: ArbitrationSettings | None = None,
        compare: Callable[[bytes, bytes], int] = relative_merit,
    ) -> None:
        self.own_id = own_id
        self._appraise = appraise
        self._compare = compare
        self._settings = settings or ArbitrationSettings()
        self._peers: dict[bytes, _Peer] = {}
        self._last_numbers: OrderedDict[bytes, int] = OrderedDict()
        self._number = 0
        self._round: _Round | None = None
        self._hello_at = -inf
        self._hellos = 0
        self._welcomes: tuple[float, int] = (-inf, 0)

    @property
    def peers(self) -> int:
        """Number of satellites of the group that are known, without this one."""
        return len(self._peers)

    @property
    def state(self) -> RoundState:
        """State of the current or last round."""
        return RoundState.LISTENING if self._round is None else self._round.state

    def start(self, at: float) -> list[ArbitrationAction]:
        """Say hello to the link."""
        self._hello_at = at
        return self.tick(at)

    def stop(self) -> list[ArbitrationAction]:
        """Say goodbye to the peers."""
        return self._tell(self._peers, MessageKind.GOODBYE)

    def detected(self, word: bytes, own: Appraisal, at: float) -> list[ArbitrationAction]:
        """Take a wake word that this satellite has detected, `messages.word_key` of it."""
        current = self._current(word, at)
        if current is None:
            current = self._round = _Round(word, at)
        if current.state in (RoundState.HELD, RoundState.YIELDED):
            return [Yield()] if current.state is RoundState.YIELDED else []
        self._take_part(current, own)
        if current.state is RoundState.ANSWERING or not self._peers:
            current.state, current.since = RoundState.ANSWERING, at
            return [BeginTurn(0.0)]
        current.state, current.since = RoundState.HELD, at
        decision = self._decide(at)
        if current.state is RoundState.HELD:
            return self._tell(self._peers, MessageKind.BID)
        return decision

    def missed(self, word: bytes, at: float) -> list[ArbitrationAction]:
        """Take back the offer for a wake word that will hardly be detected here any more.

        It may be detected all the same, as one for which there was no offer.
        """
        current = self._current(word, at)
        if current is None or self._standing(current) is not MessageKind.OFFER:
            return []
        current.missed = True
        return self._tell(self._peers, MessageKind.PASS)

    def received(
        self, message: GroupMessage, address: Address, at: float
    ) -> list[ArbitrationAction]:
        """Take a message of the group."""
        sender = message.sender
        if sender == self.own_id or message.number <= self._last_numbers.get(sender, -1):
            return []
        if message.kind is MessageKind.HELLO and message.recipient == ANYONE:
            return self._welcome(message, address, at)
        # Only a message to this very run of the program shows that the peer receives its messages.
        is_new = sender not in self._peers
        if message.recipient != self.own_id or not self._meet(sender, address, at):
            return []
        self._remember_number(sender, message.number)
        actions: list[ArbitrationAction] = []
        match message.kind:
            case MessageKind.GOODBYE:
                del self._peers[sender]
                actions = self._decide(at)
            case MessageKind.WELCOME if is_new:
                # The peer may not have received any hello of ours.
                actions = self._tell([sender], MessageKind.WELCOME)
            case kind if kind in ROUND_KINDS:
                actions = self._take(message, at)
        return actions

    def tick(self, at: float) -> list[ArbitrationAction]:
        """Do what is due; called at `next_at` at the latest."""
        actions: list[ArbitrationAction] = []
        if at >= self._hello_at:
            actions.append(Send(self._message(MessageKind.HELLO, ANYONE)))
            self._hellos += 1
            first = self._settings.first_hellos
            if self._hellos < len(first):
                self._hello_at = at + first[self._hellos] - first[self._hellos - 1]
            else:
                self._hello_at = at + self._settings.hello_seconds
        for sender, peer in list(self._peers.items()):
            if at > peer.seen_at + self._settings.peer_seconds:
                del self._peers[sender]
        actions += self._decide(at)
        if self._round is not None and at >= self._repeat_at(self._round):
            actions += self._repeat(self._round, at)
        return actions

    @property
    def next_at(self) -> float:
        """Time at which `tick` has something to do."""
        times = [self._hello_at]
        if (current := self._round) is not None:
            times.append(self._repeat_at(current))
            if current.state is RoundState.HELD:
                times.append(self._held_until(current))
        return min(times)

    # Peers.

    def _welcome(self, hello: GroupMessage, address: Address, at: float) -> list[ArbitrationAction]:
        begun, sent = self._welcomes
        self._welcomes = (at, 1) if at >= begun + 1.0 else (begun, sent + 1)
        if self._welcomes[1] > _MAX_WELCOMES_A_SECOND:
            return []
        message = self._message(MessageKind.WELCOME, hello.sender)
        return [Send(message, address)]

    def _meet(self, sender: bytes, address: Address, at: float) -> bool:
        peer = self._peers.get(sender)
        if peer is None:
            if len(self._peers) >= MAX_PEERS:
                return False
            self._peers[sender] = _Peer(address, at)
        else:
            peer.address, peer.seen_at, peer.answers = address, at, True
        return True

    def _remember_number(self, sender: bytes, number: int) -> None:
        self._last_numbers[sender] = number
        self._last_numbers.move_to_end(sender)
        while len(self._last_numbers) > MAX_PEERS + _MAX_FORGOTTEN:
            self._last_numbers.popitem(last=False)

    # Rounds.

    def _current(self, word: bytes, at: float) -> _Round | None:
        """Return the round that a message or detection belongs to; None: a new one."""
        current = self._round
        if current is None or current.word != word:
            return None
        held = current.state is RoundState.HELD
        return current if held or at <= current.opened_at + self._settings.round_seconds else None

    def _take(self, message: GroupMessage, at: float) -> list[ArbitrationAction]:
        current = self._current(message.word, at)
        if current is None:
            if message.kind in (MessageKind.OFFER, MessageKind.PASS):
                return []
            if self._round is not None and self._busy(self._round, at):
                # One round at a time, for any number of words that peers claim to have detected.
                return self._reply(message.sender, MessageKind.PASS, message.word)
            current = self._round = _Round(message.word, at)
        entry = current.entries.get(message.sender)
        repeated = entry is not None and entry.kind is message.kind
        if entry is None:
            entry = current.entries[message.sender] = _Entry(
                message.kind, message.merit, message.relative, message.reference, at
            )
        elif not repeated:
            entry.kind, entry.merit, entry.at = message.kind, message.merit, at
            entry.relative, entry.reference = message.relative, message.reference
        entry.envelope = entry.envelope or message.envelope
        # Merits alone decide between claims: all know them, also where messages were lost.
        own = 0 if current.own is None else current.own.merit
        better = (message.merit, message.sender) > (own, self.own_id)
        if current.state is RoundState.ANSWERING and message.kind is MessageKind.CLAIM and better:
            current.state = RoundState.YIELDED
            return [Withdraw()]
        actions = self._respond(current, message, entry, repeated=repeated)
        return actions + self._decide(at)

    def _busy(self, current: _Round, at: float) -> bool:
        held = current.state is RoundState.HELD
        return held or at <= current.opened_at + self._settings.round_seconds

    def _respond(
        self, current: _Round, message: GroupMessage, entry: _Entry, *, repeated: bool
    ) -> list[ArbitrationAction]:
        """Tell the sender, or all, where this satellite stands."""
        asks = message.kind is MessageKind.BID
        match current.state:
            case RoundState.LISTENING if asks and not current.appraised:
                if (part := self._appraise(message.word)) is not None:
                    self._take_part(current, part)
                current.appraised = True
                return self._tell(self._peers, self._standing(current))
            case RoundState.LISTENING | RoundState.HELD if not (asks and repeated):
                return []
            case RoundState.YIELDED:
                return []
            case RoundState.ANSWERING if message.kind not in (
                MessageKind.BID,
                MessageKind.OFFER,
                MessageKind.CLAIM,
            ):
                return []
        # It repeats itself, or knows nothing of our claim: ours was lost, or is on its way.
        if entry.replies >= _MAX_REPLIES:
            return []
        entry.replies += 1
        return self._reply(message.sender, self._standing(current), current.word)

    @staticmethod
    def _standing(current: _Round) -> MessageKind:
        match current.state:
            case RoundState.ANSWERING:
                return MessageKind.CLAIM
            case RoundState.HELD:
                return MessageKind.BID
        offers = current.own is not None and not current.missed
        return MessageKind.OFFER if offers else MessageKind.PASS

    def _decide(self, at: float) -> list[ArbitrationAction]:
        current = self._round
        if current is None or current.state is not RoundState.HELD:
            return []
        if any(entry.kind is MessageKind.CLAIM for entry in current.entries.values()):
            current.state = RoundState.YIELDED
            return [Yield()]
        if at < self._held_until(current):
            return []
        for sender, peer in self._peers.items():
            peer.answers = peer.answers and sender in current.entries
        delay = at - current.since
        current.state, current.since, current.repeats = RoundState.ANSWERING, at, 0
        return [BeginTurn(delay), *self._tell(self._peers, MessageKind.CLAIM)]

    def _held_until(self, current: _Round) -> float:
        """Return the time at which this satellite answers if nothing more is received."""
        settings, own = self._settings, self._rank(current)
        until = -inf
        if any(
            peer.answers and sender not in current.entries for sender, peer in self._peers.items()
        ):
            until = current.since + settings.answer_seconds
        for sender, entry in current.entries.items():
            if sender not in self._peers or self._rank_of(current, sender, entry) < own:
                continue
            if entry.kind is MessageKind.OFFER:
                until = max(until, current.since + settings.offer_seconds)
            elif entry.kind is MessageKind.BID:
                until = max(until, entry.at + settings.bid_seconds)
        return min(until, current.since + settings.held_seconds)

    def _take_part(self, current: _Round, own: Appraisal) -> None:
        """Take the part of this satellite, and compare it with the bid that all know first."""
        if current.own is not None:
            return
        current.own = own
        current.reference = self._base(current) or self.own_id
        if (first := current.entries.get(current.reference)) is not None:
            current.relative = self._compare(own.envelope, first.envelope)

    def _rank(self, current: _Round) -> tuple[int, bytes]:
        merit = 0 if current.own is None else current.own.merit + current.relative
        return merit + self._from_base(current, current.reference), self.own_id

    def _rank_of(self, current: _Round, sender: bytes, entry: _Entry) -> tuple[int, bytes]:
        merit = entry.merit + entry.relative
        return merit + self._from_base(current, entry.reference), sender

    def _base(self, current: _Round) -> bytes | None:
        """Return the bid with which all are compared: of bids that knew no other, the lowest id."""
        known = [
            sender
            for sender, entry in current.entries.items()
            if entry.envelope and entry.reference == sender
        ]
        return min(known, default=None)

    def _from_base(self, current: _Round, reference: bytes) -> int:
        """Return the relative merit of a bid to the one with which all are compared."""
        own = [self.own_id] if current.reference == self.own_id else []
        base = min([*own, *filter(None, [self._base(current)])], default=reference)
        if reference == base:
            return 0
        if (reference, base) not in current.compared:
            envelopes = [self._envelope(current, bid) for bid in (reference, base)]
            # An answer to a bid may be received before the bid.
            if not all(envelopes):
                return 0
            current.compared[reference, base] = self._compare(*envelopes)
        return current.compared[reference, base]

    def _envelope(self, current: _Round, bid: bytes) -> bytes:
        if bid == self.own_id:
            return b"" if current.own is None else current.own.envelope
        return current.entries[bid].envelope if bid in current.entries else b""

    # Messages.

    def _repeat_at(self, current: _Round) -> float:
        settings = self._settings
        match current.state:
            case RoundState.HELD:
                times = settings.bid_repeats
            case RoundState.ANSWERING:
                times = settings.claim_repeats
            case _:
                return inf
        return current.since + times[current.repeats] if current.repeats < len(times) else inf

    def _repeat(self, current: _Round, at: float) -> list[ArbitrationAction]:
        while self._repeat_at(current) <= at:
            current.repeats += 1
        if current.state is RoundState.ANSWERING:
            return self._tell(self._peers, MessageKind.CLAIM)
        # Peers that have answered need no second bid, unless their claim is awaited.
        own = self._rank(current)
        entries = current.entries
        waiting = [
            sender
            for sender in self._peers
            if sender not in entries
            or (
                entries[sender].kind is MessageKind.BID
                and self._rank_of(current, sender, entries[sender]) > own
            )
        ]
        return self._tell(waiting, MessageKind.BID)

    def _tell(self, recipients: Iterable[bytes], kind: MessageKind) -> list[ArbitrationAction]:
        word = self._round.word if self._round is not None and kind in ROUND_KINDS else NO_WORD
        return [action for recipient in recipients for action in self._reply(recipient, kind, word)]

    def _reply(self, recipient: bytes, kind: MessageKind, word: bytes) -> list[ArbitrationAction]:
        peer = self._peers.get(recipient)
        if peer is None:
            return []
        return [Send(self._message(kind, recipient, word), peer.address)]

    def _message(self, kind: MessageKind, recipient: bytes, word: bytes = NO_WORD) -> GroupMessage:
        self._number += 1
        current = self._round
        if current is None or current.own is None or kind not in ROUND_KINDS:
            return GroupMessage(kind, self.own_id, recipient, self._number, word)
        return GroupMessage(
            kind,
            self.own_id,
            recipient,
            self._number,
            word,
            current.own.merit,
            current.relative,
            current.reference,
            current.own.envelope if kind is MessageKind.BID else b"",
        )
