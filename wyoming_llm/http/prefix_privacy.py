"""Prefix privacy: a client learns of prefix hits only for prefixes that it has sent itself.

The number of tokens that were cached would otherwise tell a client what others have asked.
"""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import astuple
from typing import Final

from wyoming_common.net.fairness import current_client
from wyoming_llm.engine import Prompt

_MAX_PREFIXES: Final = 8192


class SentPrefixes:
    """Digests of the prompt prefixes that each client has sent, cut at messages. Bounded."""

    def __init__(self, max_prefixes: int = _MAX_PREFIXES) -> None:
        self._max = max_prefixes
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._counts: Counter[str] = Counter()

    def share(self, prompt: Prompt) -> float:
        """Return the share of `prompt` that the current client has sent before, 0 to 1.

        Measured in characters. The prompt counts as sent from then on.
        """
        client, part = current_client(), 0.0
        for digest, until in _prefixes(prompt):
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
        if len(self._known) > self._max:
            largest, _ = self._counts.most_common(1)[0]
            del self._known[next(key for key in self._known if key[0] == largest)]
            self._counts[largest] -= 1


def _prefixes(prompt: Prompt) -> Iterator[tuple[bytes, float]]:
    """Yield the digest of the prompt up to the end of each message, and its share of the prompt."""
    first = repr((prompt.tools, prompt.tool_choice, prompt.thinking)) if prompt.tools else ""
    parts = [first, *(repr(astuple(message)) for message in prompt.messages)]
    whole, done, digest = sum(map(len, parts)), 0, hashlib.sha256()
    for number, part in enumerate(parts):
        done += len(part)
        digest.update(f"{len(part)} {part}".encode(errors="surrogatepass"))
        if number:
            yield digest.digest()[:16], done / whole
