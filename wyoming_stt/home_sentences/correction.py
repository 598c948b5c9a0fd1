"""Correction of a transcript to a sentence of the home, if the sound supports it.

The sentences that sound most like the transcript are found first (`search.py`). An engine that can
score a text against the audio then judges them: a sentence replaces the transcript only if the
audio is not much less probable with it. Without scores only very near sentences replace it.
"""

import logging
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wyoming_stt.engine import SentenceStage
from wyoming_stt.home_sentences.phonetics import plain
from wyoming_stt.home_sentences.search import Nearest, NearSentence, PhoneticSearch

_LOGGER = logging.getLogger(__name__)

Score = Callable[[Sequence[str]], Sequence[float] | None]
"""Returns the log probability of each text given the audio, None if the engine has none."""

_MAX_CANDIDATES: Final = 6
_MAX_SHARE: Final = 0.35
"""Distance, as a share of the transcript, above which only short sentences are considered"""
_MAX_SHORT_COST: Final = 3.0
"""Distance up to which a sentence is considered in any case, for speech of few sounds"""
_MAX_SHORT_SHARE: Final = 0.65
"""Share up to which that holds"""
_MAX_ALTERNATIVES: Final = 3
"""Sentences near an alternative that are considered"""
_MAX_SHARE_UNSCORED: Final = 0.16
"""The same without scores"""
_MIN_LEAD_UNSCORED: Final = 0.5
"""Distance by which the next sentence is farther, without scores"""
_MIN_SCORE: Final = -18.0
"""Log probability of a sentence relative to the transcript, at least. Calibrated on commands in six
languages and English speech that holds none, with tiny.en and base: at the same distance 98 % of
the sentences that were said are above it, and speech without a command stays below -24."""
_MIN_SCORE_IF_CERTAIN: Final = -10.0
"""The same if the recogniser is certain of its transcript (log probability 0)"""
_CERTAINTY_WEIGHT: Final = 2.0
"""Change of that bound per unit of the transcript's own log probability"""
_MIN_SCORE_IF_FAR: Final = -3.0
"""The same for a short sentence that is farther than `_MAX_SHARE`"""
_MIN_SCORE_IF_GUESSED: Final = 0.0
"""The same for a sentence with a value of which nothing was heard: most likely it was not said"""
_MIN_SCORE_IF_SILENT: Final = 2.0
"""The same if the recogniser most likely heard no speech"""
_CLOSENESS_WEIGHT: Final = 13.0
"""Change of these bounds per share by which a sentence is nearer than it must be"""
_MIN_SURE_RATE: Final = -8.0
"""Log probability, less the distance, from which no better sentence is looked for"""
_MIN_INTENT_LEAD: Final = 3.0
"""Log probability by which a sentence leads the best one that asks for something else: a door that
may have been meant to be locked or unlocked stays as it is"""
_MAX_PREFIX_LEAD: Final = 0.05
"""Share by which a beginning may be nearer than the sentence that is taken: else it is open"""
_MAX_SPELLING_COST: Final = 0.2
"""Distance of a sentence that only spells words and numbers in another way"""
_COST_WEIGHT: Final = 1.0
"""Log probability that one edit of a sound costs"""
_WORD: Final = re.compile(r"[^\W_]+")
_NOUN_LANGUAGES: Final = frozenset({"de", "lb"})
"""Languages that write every noun with a capital letter"""


@dataclass(frozen=True, slots=True)
class Correction:
    """A transcript after the comparison with the sentences of the home."""

    text: str
    stage: SentenceStage | None
    """None without a text"""
    margin: float | None = None
    """Lead of the nearest sentence over what it needs; None where it was not judged"""


def correct(
    search: PhoneticSearch, text: str, score: Score, alternatives: Sequence[str] = ()
) -> Correction:
    """Return the sentence of the home that `text` was meant to be, or `text` itself.

    `alternatives` are other texts that the recogniser considered. With an empty `text`, they are
    what it wrote although it most likely heard no speech; a sentence is then taken only if it is
    more probable than they are.
    """
    heard, *others = [text, *alternatives] if text else alternatives or [""]
    found = search.nearest(heard, _MAX_CANDIDATES)
    near = [one for one in found.sentences if one.cost <= _max_cost(one)]
    if text and near and _sounds_the_same(near):
        return Correction(_styled(near[0].text, text), _stage(found, near[0]))
    near = _with_alternatives(search, heard, others, near)
    chosen, margin = None, None
    if near:
        chosen, margin = _judge(search, near, heard, bool(text), score)
    if chosen is not None:
        return Correction(_styled(chosen.text, heard), _stage(found, chosen), margin)
    return Correction(text, _stage_of_other(found, near) if text else None, margin)


def _stage_of_other(found: Nearest, near: Sequence[NearSentence]) -> SentenceStage:
    """Return the stage of a text that stays as it was heard."""
    if found.is_open:
        return SentenceStage.BEGUN
    is_near = any(one.share <= _MAX_SHARE for one in near)
    return SentenceStage.CONTINUABLE if is_near else SentenceStage.OTHER


def _stage(found: Nearest, chosen: NearSentence) -> SentenceStage:
    """Return how far the sentence is said, by the beginnings that are as near as it is."""
    lead = chosen.share - found.prefix_share
    if lead > _MAX_PREFIX_LEAD:
        return SentenceStage.BEGUN
    return SentenceStage.CONTINUABLE if lead > -_MAX_PREFIX_LEAD else SentenceStage.WHOLE


def _max_cost(near: NearSentence) -> float:
    """Return the distance up to which a sentence is considered."""
    total = near.cost / max(near.share, 1e-3)
    return max(_MAX_SHARE * total, min(_MAX_SHORT_COST, _MAX_SHORT_SHARE * total))


def _with_alternatives(
    search: PhoneticSearch, heard: str, others: Sequence[str], near: list[NearSentence]
) -> list[NearSentence]:
    """Return `near` with the sentences that are nearest to the alternatives."""
    known = {one.text for one in near}
    seen = {plain(heard)}
    for other in others:
        if plain(other) not in seen:
            seen.add(plain(other))
            for one in search.nearest(other, _MAX_ALTERNATIVES).sentences:
                if one.text not in known and one.cost <= _max_cost(one):
                    known.add(one.text)
                    near = [*near, one]
    return near


@dataclass(frozen=True, slots=True)
class _Rated:
    """A sentence and its log probability relative to the transcript, less its distance."""

    sentence: NearSentence
    rate: float


def _judge(
    search: PhoneticSearch, near: Sequence[NearSentence], text: str, certain: bool, score: Score
) -> tuple[NearSentence | None, float | None]:
    """Return the sentence that may replace `text`, None for none, and its margin.

    `certain` tells whether the recogniser believes that it heard speech.
    """

    def probabilities(texts: Sequence[str]) -> Sequence[float] | None:
        written = [_as_recognised(one, text, search.language) for one in texts]
        return score([_with_end(one) for one in written])

    first = [one.text for one in near]
    scores = probabilities([text, *first])
    if scores is None:
        chosen, margin = _choose_unscored(near) if certain else (None, 0.0)
    else:
        heard, *others = scores
        rated = _rated(near, heard, others)
        best = max(rated, key=lambda one: one.rate)
        if best.rate < _MIN_SURE_RATE:
            # The best one may be right but for a word that the transcript does not hint at.
            more = _neighbours(search, best.sentence, set(first))
            again = probabilities([one.text for one in more]) if more else None
            rated += _rated(more, heard, again or [])
        chosen, margin = _choose(rated, heard, certain)
    _LOGGER.debug(
        "Heard '%s', nearest sentence '%s', margin %.1f: %s",
        text,
        near[0].text if chosen is None else chosen.text,
        margin,
        "the transcript stays" if chosen is None else "the sentence is taken",
    )
    return chosen, None if scores is None and not certain else margin


def _rated(near: Sequence[NearSentence], heard: float, scores: Sequence[float]) -> list[_Rated]:
    return [
        _Rated(one, score - heard - _COST_WEIGHT * one.cost)
        for one, score in zip(near, scores, strict=False)
    ]


def _neighbours(search: PhoneticSearch, best: NearSentence, known: set[str]) -> list[NearSentence]:
    """Return sentences that sound like `best` and were not found before, as far as it is."""
    found = search.nearest(best.text, _MAX_CANDIDATES + 1).sentences
    return [
        replace(one, cost=best.cost, share=best.share, is_guessed=best.is_guessed)
        for one in found
        if one.text not in known
    ]


def _choose(
    rated: Sequence[_Rated], heard: float, certain: bool
) -> tuple[NearSentence | None, float]:
    """Return the best sentence if it is good enough, and by what margin it is or is not."""
    best = max(rated, key=lambda one: one.rate)
    intent = best.sentence.intent
    rival = max((one.rate for one in rated if one.sentence.intent != intent), default=-math.inf)
    closeness = _CLOSENESS_WEIGHT * max(0.0, _MAX_SHARE - best.sentence.share)
    least = _MIN_SCORE - closeness
    if best.sentence.share > _MAX_SHARE:
        least = _MIN_SCORE_IF_FAR
    if best.sentence.is_guessed:
        least = _MIN_SCORE_IF_GUESSED
    if not certain:
        least = _MIN_SCORE_IF_SILENT
    if_certain = _MIN_SCORE_IF_CERTAIN - closeness + _CERTAINTY_WEIGHT * heard
    needed = max(least, if_certain, rival + _MIN_INTENT_LEAD)
    return (best.sentence if best.rate >= needed else None), best.rate - needed


def _choose_unscored(near: Sequence[NearSentence]) -> tuple[NearSentence | None, float]:
    others = [one.cost for one in near if not one.means(near[0])]
    lead = min(others, default=math.inf) - near[0].cost
    good = near[0].share <= _MAX_SHARE_UNSCORED and lead >= _MIN_LEAD_UNSCORED
    return (near[0] if good else None), _MAX_SHARE_UNSCORED - near[0].share


def _sounds_the_same(near: Sequence[NearSentence]) -> bool:
    """Return whether the first sentence, and no other, sounds exactly like the transcript."""
    return near[0].cost < _MAX_SPELLING_COST and not any(
        one.cost < near[0].cost + _MAX_SPELLING_COST / 2 and not one.means(near[0])
        for one in near[1:]
    )


def _as_recognised(sentence: str, text: str, language: str) -> str:
    """Return `sentence` in the capitals and the punctuation that the recogniser used.

    A recogniser writes the names of a home in small letters; in capitals they would seem
    improbable.
    """
    written = {word.casefold(): word for word in _WORD.findall(text)}

    def spell(hit: re.Match[str]) -> str:
        word = hit.group()
        unseen = word if language in _NOUN_LANGUAGES else word.lower()
        return str(written.get(word.casefold(), unseen))

    return _styled(_WORD.sub(spell, sentence), text)


def _with_end(text: str) -> str:
    """Return `text` with a full stop if it ends without a mark.

    Otherwise the beginning of a sentence would be more probable than the whole.
    """
    return text if text.endswith((".", "?", "!")) else text + "."


def _styled(sentence: str, text: str) -> str:
    """Return `sentence` with the first capital and the last punctuation mark of `text`."""
    if text[:1].isupper():
        sentence = sentence[:1].upper() + sentence[1:]
    end = text.rstrip()[-1:]
    return sentence + end if end in ".!?" else sentence
