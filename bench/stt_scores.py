"""Recordings and how well a transcript fits them: what the speech-to-text benches share."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True, slots=True)
class Clip:
    name: str
    kind: str
    text: str
    slots: tuple[str, ...]
    pcm: bytes
    """Mono s16le, 16 kHz"""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 32_000


def clips(manifest: Path, kinds: Iterable[str], step: int, offset: int = 0) -> list[Clip]:
    """Read every `step`-th recording of each of `kinds` that has a reference text.

    `manifest` is JSON lines with `audio` (a path beside it), `kind`, `text` and maybe `slots`.
    """
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    found = []
    for kind in kinds:
        of_kind = [row for row in rows if row["kind"] == kind and row["text"]]
        for row in of_kind[offset::step]:
            samples, rate = soundfile.read(manifest.parent / row["audio"], dtype="int16")
            assert rate == 16_000
            slots = row.get("slots") or {}
            values = slots.values() if isinstance(slots, dict) else slots
            found.append(
                Clip(row["audio"], kind, row["text"], tuple(map(str, values)), samples.tobytes())
            )
    return found


def words(text: str) -> list[str]:
    """Lower case, punctuation dropped, as the public Wyoming benchmark counts words."""
    return re.sub(r"[^\w\s]", " ", text.lower()).split()


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Return errors in percent of the reference's words, over all (reference, text) pairs."""
    errors = total = 0
    for reference, text in pairs:
        expected = words(reference)
        errors += Levenshtein.distance(expected, words(text))
        total += len(expected)
    return 100 * errors / max(total, 1)


def slot_accuracy(pairs: Iterable[tuple[Clip, str]]) -> float | None:
    """Return the percentage of clips with slots whose every slot value is in the text."""
    hits = [
        all(" ".join(words(slot)) in " ".join(words(text)) for slot in clip.slots)
        for clip, text in pairs
        if clip.slots
    ]
    return 100 * sum(hits) / len(hits) if hits else None


def quantile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else float("nan")
