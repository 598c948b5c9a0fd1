"""When a reply that comes in pieces may be played. No clock, no audio, no I/O: times come in.

Played from its first piece on, a reply has a gap wherever its audio comes late. How late it comes
is learned from one reply to the next: over a good line a reply begins at once, over a bad one it
begins as much later as its pieces come late.
"""

_MOST_HEAD_SECONDS = 0.4
"""A person would rather hear a gap than wait longer."""
_SLOW_SECONDS = 1.0
"""Audio that comes so late was not held up on the line: whoever makes it is slow."""
_RISES = 0.5
_FALLS = 0.1
"""How much of the way the head start goes towards what a reply would have needed."""
_MARGIN = 1.1
"""Lines are never quite as they were."""
_REBUFFER_SECONDS = 0.06
"""Audio behind a gap with which the reply goes on, so that it does not stutter; twice as much after
each further gap."""


class JitterBuffer:
    """One reply at a time; seconds throughout."""

    def __init__(self) -> None:
        self.head_seconds = 0.0
        """The head start that the next reply is given."""
        self._finished = True
        self.begin()

    def begin(self) -> None:
        """A reply begins; what was learned of the line stays."""
        if not self._finished:
            self._learn()
        self.waiting = True
        """Whether nothing is to be played yet."""
        self.underruns = 0
        """Gaps of this reply."""
        self._first_at: float | None = None
        self._arrived = 0.0
        self._piece = self._late = 0.0
        self._finished = False

    def arrived(self, seconds: float, at: float) -> None:
        """A piece of the reply has come."""
        if self._first_at is None:
            self._first_at = at
        late = at - self._first_at - self._arrived
        if late < _SLOW_SECONDS:
            self._late = max(self._late, late)
        else:
            # What comes behind it is measured from here on.
            self._first_at = at - self._arrived
        self._arrived += seconds
        self._piece = seconds

    def finish(self) -> None:
        """The reply is whole: nothing is worth waiting for any more."""
        if not self._finished:
            self._finished = True
            self._learn()

    def may_play(self, buffered: float, at: float) -> bool:
        """Whether what is buffered may be played now."""
        if self.waiting and buffered > 0:
            self.waiting = not (self._finished or self._is_safe(buffered, at))
        return not self.waiting

    def starved(self) -> None:
        """The reply goes on, and there was nothing to play."""
        if not self.waiting and not self._finished:
            self.waiting = True
            self.underruns += 1

    def _is_safe(self, buffered: float, at: float) -> bool:
        if self.underruns:
            needed = _REBUFFER_SECONDS * 2.0 ** min(self.underruns - 1, 8)
            return buffered >= min(needed, _MOST_HEAD_SECONDS)
        since = 0.0 if self._first_at is None else at - self._first_at
        # What came before its time counts, but for the piece that came last: all come in pieces.
        ahead = buffered - since - self._piece
        return max(since, ahead) >= self.head_seconds * _MARGIN

    def _learn(self) -> None:
        if self._first_at is None:
            return
        way = self._late - self.head_seconds
        self.head_seconds += way * (_RISES if way > 0 else _FALLS)
        self.head_seconds = min(self.head_seconds, _MOST_HEAD_SECONDS)
