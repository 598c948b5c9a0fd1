"""Exponential back-off: the delays between attempts at something that fails."""

import random
from collections.abc import Callable


class Backoff:
    """Delays that double from `first_seconds` to `max_seconds`, until `reset`.

    `jitter` spreads each delay by that part of it, up or down, so that programs that have failed
    together do not try again together.
    """

    def __init__(
        self,
        first_seconds: float = 1.0,
        max_seconds: float = 60.0,
        jitter: float = 0.0,
        random_fraction: Callable[[], float] = random.random,
    ) -> None:
        self._first_seconds = self._delay = first_seconds
        self._max_seconds = max_seconds
        self._jitter = jitter
        self._random_fraction = random_fraction

    def next(self) -> float:
        """Return how many seconds to wait before the next attempt."""
        delay = self._delay
        self._delay = min(2 * delay, self._max_seconds)
        return delay * (1 + self._jitter * (2 * self._random_fraction() - 1))

    def reset(self) -> None:
        """Begin with the first delay again, after a success."""
        self._delay = self._first_seconds
