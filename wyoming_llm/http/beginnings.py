"""What each client has sent before: of what the model remembers, it may learn that alone.

A prompt that begins like another client's is answered sooner. To say by how many tokens would be
to say what others asked.
"""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import astuple
from typing import Final

from wyoming_common.turns import current_client
from wyoming_llm.engine import Prompt

_MOST: Final = 8192
"""Beginnings of prompts that are known"""


class Beginnings:
    """Knows beginnings of prompts by client, whole messages each. Bounded."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._counts: Counter[str] = Counter()

    def share(self, prompt: Prompt) -> float:
        """Return which part of `prompt` the current client has sent before, 0 to 1.

        By its characters. What there is of it is known from then on.
        """
        client, part = current_client(), 0.0
        for digest, until in _beginnings(prompt):
            if (client, digest) in self._known:
                part = until
            self._add(client, digest)
        return part

    def _add(self, client: str, digest: bytes) -> None:
        if (client, digest) in self._known:
            self._known.move_to_end((client, digest))
            return
        self._known[client, digest] = None
        self._counts[client] += 1
        if len(self._known) > self._most:
            largest, _ = self._counts.most_common(1)[0]
            del self._known[next(key for key in self._known if key[0] == largest)]
            self._counts[largest] -= 1


def _beginnings(prompt: Prompt) -> Iterator[tuple[bytes, float]]:
    """Yield each message's beginning, and the part of the prompt that lies before its end."""
    first = repr((prompt.tools, prompt.tool_choice, prompt.thinking)) if prompt.tools else ""
    parts = [first, *(repr(astuple(message)) for message in prompt.messages)]
    whole, done, digest = sum(map(len, parts)), 0, hashlib.sha256()
    for number, part in enumerate(parts):
        done += len(part)
        digest.update(f"{len(part)} {part}".encode(errors="surrogatepass"))
        if number:
            yield digest.digest()[:16], done / whole
