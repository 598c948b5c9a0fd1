"""Jitter buffer: the start of a reply that arrives in pieces. No clock, no audio, no I/O.

Played from its first piece on, a reply has a gap wherever its audio comes late. How late it comes
is learned from one reply to the next: over a good connection a reply begins at once, over a bad
one it gets a head start of as much as its pieces come late.
"""

_MAX_HEAD_SECONDS = 0.4
"""A listener prefers a gap to a longer delay."""
_MAX_NETWORK_DELAY_SECONDS = 1.0
"""Audio that comes later was not held up by the network: its service is slow."""
_RISE = 0.5
_FALL = 0.1
"""Part of the way that the head start moves, after each reply, to what it would have needed; it
rises faster than it falls, because a gap is worse than a delay."""
_MARGIN = 1.1
"""Factor on the head start, since no two replies arrive alike."""
_MIN_REBUFFER_SECONDS = 0.06
"""Audio behind a gap with which the reply continues, so that it does not stutter; doubled after
each further gap."""


class JitterBuffer:
    """One reply at a time; seconds throughout."""

    def __init__(self) -> None:
        self.head_seconds = 0.0
        """Head start of the next reply."""
        self._finished = True
        self.begin()

    def begin(self) -> None:
        """Begin a reply; what was learned of the connection is kept."""
        if not self._finished:
            self._learn()
        self.waiting = True
        """Whether nothing is to be played yet."""
        self.underruns = 0
        """Gaps of this reply."""
        self._first_at: float | None = None
        self._arrived_seconds = 0.0
        self._last_piece_seconds = self._delay_seconds = 0.0
        self._finished = False

    def arrived(self, seconds: float, at: float) -> None:
        """Take note of a piece of the reply of `seconds`."""
        if self._first_at is None:
            self._first_at = at
        delay = at - self._first_at - self._arrived_seconds
        if delay < _MAX_NETWORK_DELAY_SECONDS:
            self._delay_seconds = max(self._delay_seconds, delay)
        else:
            # Later pieces are measured from here on.
            self._first_at = at - self._arrived_seconds
        self._arrived_seconds += seconds
        self._last_piece_seconds = seconds

    def finish(self) -> None:
        """Take note that the reply is whole: there is nothing left to wait for."""
        if not self._finished:
            self._finished = True
            self._learn()

    def may_play(self, buffered: float, at: float) -> bool:
        """Return whether the buffered audio may be played now."""
        if self.waiting and buffered > 0:
            self.waiting = not (self._finished or self._is_safe(buffered, at))
        return not self.waiting

    def starved(self) -> None:
        """Take note that the reply continues and there was nothing to play."""
        if not self.waiting and not self._finished:
            self.waiting = True
            self.underruns += 1

    def _is_safe(self, buffered: float, at: float) -> bool:
        if self.underruns:
            needed = _MIN_REBUFFER_SECONDS * 2.0 ** min(self.underruns - 1, 8)
            return buffered >= min(needed, _MAX_HEAD_SECONDS)
        since = 0.0 if self._first_at is None else at - self._first_at
        # Audio that came before its time is a head start too, except for the last piece: a piece
        # always comes as a whole.
        ahead = buffered - since - self._last_piece_seconds
        return max(since, ahead) >= self.head_seconds * _MARGIN

    def _learn(self) -> None:
        if self._first_at is None:
            return
        way = self._delay_seconds - self.head_seconds
        self.head_seconds += way * (_RISE if way > 0 else _FALL)
        self.head_seconds = min(self.head_seconds, _MAX_HEAD_SECONDS)
