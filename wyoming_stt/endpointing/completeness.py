"""Turn completeness at a pause, from the sound and the words of the turn so far.

Every piece of evidence shifts the log odds that the speaker has finished. Weights were fitted by
logistic regression to the ends of commands and to pauses spliced into them, of one half of the
speakers of docs/benchmarks-stt.md.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wyoming_stt.engine import SentenceStage

_OPEN_WORDS = {
    "en": "a an the and or of at for with from my your our their than if to into because",
    "de": """der die den dem des eine einen einem einer und oder im am vom beim zum zur von für mein
        meine meinen meinem meiner dein deine unser unsere weil wenn dass""",
    "fr": """le la les l un une des du de d et ou à au aux en dans sur pour avec mon ma mes ton ta
        tes notre nos ce cet cette que qu si""",
    "es": """el la los las un una unos unas del de y o e u al a en con por para mi mis tu tus su sus
        nuestro nuestra que si""",
    "it": """il lo la i gli le l un uno una di del dello della dei degli delle a al allo alla ai
        agli alle da dal dalla in nel nello nella nei nelle sul sullo sulla con per e o mio mia
        miei mie che se""",
    "nl": "de een en of van met naar tot mijn jouw onze haar omdat als",
}
"""Articles, conjunctions, prepositions and possessives, with which no command ends. What is also a
particle of verbs or a pronoun is none of them: "turn the light on", "schalte die Lampe ein",
"hoe laat is het"."""
_OPEN = {language: frozenset(words.split()) for language, words in _OPEN_WORDS.items()}
_OTHER_WORDS = (
    *("on", "in", "by", "is", "are", "but", "please"),
    *("das", "ein", "an", "auf", "mit", "zu", "bitte", "het", "op", "aan"),
)
FUNCTION_WORDS = frozenset(_OTHER_WORDS).union(*_OPEN.values())
"""Words of grammar of all languages, which are never a misrecognised name."""
_STATEMENT_WORDS = {
    "en": """a an the he she it it's we they this that these those there my our his her its their
        and but so as if when while who which where because since although before after then until
        some many most at by from with well""",
    "de": """der die das ein eine er sie es wir ihr man sein seine mein meine unser unsere dieser
        diese dieses und aber oder als wenn weil da dann dass ob""",
    "fr": """le la les un une il elle on nous ils elles ce c'est cette ces son sa ses mon ma mes
        notre leur et mais donc car quand comme si""",
    "es": """el la los las un una él ella ellos ellas nosotros este esta estos su sus mi mis y pero
        cuando como si porque aunque""",
    "it": """il lo la i gli le un uno una lui lei loro noi questo questa suo sua mio mia e ma quando
        come se poi""",
    "nl": """de het een hij zij ze wij we dit dat deze haar ons onze mijn en maar als toen omdat
        want dan er""",
}
"""Articles, pronouns and conjunctions with which a clause begins that tells something. Orders begin
with a verb, or with what is asked for; "I" and "please" in any language begin both."""
_STATEMENTS = {language: frozenset(words.split()) for language, words in _STATEMENT_WORDS.items()}
_QUESTION_MARKS = "?？؟"  # noqa: RUF001
_CLOSING_MARKS = ".!?。？！؟।"  # noqa: RUF001

_BIAS = -0.5
_SOUND_WEIGHT = 0.5
"""Of the log odds that the turn model gives"""
_CLOSING_WEIGHT = 0.76
"""Of the log odds that the recogniser closes the sentence here"""
_LIKELY_SOUND = 0.8
"""Stands for the turn model's score without one"""
_LIKELY_CLOSED = 0.8
_LIKELY_TRAILING = 0.4
"""Stand for the probability of a closing mark where only the text is known, with one and without"""
_FEW_WORDS = 3
_LIKELY_CLOSED_SOON = 0.85
"""Stands for the probability of the mark that a text of few words has"""
_CERTAIN_SOUND = 0.98
_MAX_DOUBLED_CLOSING = 0.4
"""Up to this the probability of the mark that a text has is doubled where the sound is certain of
an end: behind short commands the recogniser leaves marks out. One of 67 spliced pauses has both."""
_MIN_CLOSING = 0.02
_MIN_SOUND = 0.005
"""Bounds of a probability, and of its distance from 1"""
_STAGE_WEIGHTS = {
    SentenceStage.BEGUN: -2.5,
    SentenceStage.CONTINUABLE: 0.0,
    SentenceStage.WHOLE: 2.0,
}
_OPEN_WEIGHT = -3.0
_MAX_SOUND_ALONE = 2.4
"""Bound on the log odds until the words are known"""
_MAX_WORDS_ALONE = 1.2
"""The same without a turn model"""
_LOG_ODDS = (-2.0, 0.5, 1.1, 2.4, 2.7)
_COMPLETENESS = (0.0, 0.3, 0.73, 0.8, 1.0)
"""Completeness by log odds. Of the ends of commands of that half of the speakers two in three are
above 2.4 and one in twenty below 1.2, of the spliced pauses 1 of 27 and three in four: only the
surest may hurry."""
_UNKNOWN = 0.75
"""Completeness at which a turn ends after the silence that ends one of which nothing is known"""
_COMMAND_SECONDS = 6.0
"""Length of speech up to which it may well be a command: 95 % of spoken commands are shorter."""
_LONG_SECONDS = 7.0
"""Length from which speech is a question or a story, whose speaker pauses between clauses"""
_FREE_SECONDS = 3.0
"""The same for speech that is like no sentence of the home"""
_STATEMENT_SECONDS = 2.0
"""The same for a statement: what is wanted is still to come"""
_MAX_LONG = 0.15
"""Bound on the completeness of long speech: a pause of less than 1.2 s there says little"""
_MAX_LONG_STATEMENT = -0.375
"""The same if it does not end with a question: 1.8 s. Of 44 readers of 8 to 22 s the longest pause
is below 0.9 s for half, 1.3 s for 80 % and 1.8 s for 90 %."""


def completeness(
    sound: float | None,
    text: str | None,
    language: str | None,
    stage: SentenceStage | None = None,
    spoken_seconds: float = 0.0,
    *,
    closing: float | None = None,
) -> float | None:
    """Return how complete a turn is, -1 to 1; None without any evidence of short speech.

    Below 0 are turns of which the rest is surely to come, and whose speaker may have to think.

    `sound` is the turn model's opinion of the sound, `text` the transcript so far, `stage` how far
    a sentence of the home has been said, `closing` the probability that the recogniser closes the
    sentence with a full stop or the like, each None while or where it is not known;
    `spoken_seconds` is the length of the turn so far. How this speaker has paused is weighed by
    the endpointer.
    """
    most = _bound(spoken_seconds, text, language, stage)
    if sound is None and text is None:
        return min(_UNKNOWN, most) if spoken_seconds > _COMMAND_SECONDS else None
    odds = _BIAS + _SOUND_WEIGHT * _log_odds(_LIKELY_SOUND if sound is None else sound, _MIN_SOUND)
    if closing is not None and (sound or 0.0) >= _CERTAIN_SOUND and _is_closed(text or ""):
        closing = max(closing, min(2.0 * closing, _MAX_DOUBLED_CLOSING))
    if text is None:
        likely = odds + _CLOSING_WEIGHT * _log_odds(_LIKELY_CLOSED, _MIN_CLOSING)
        odds = min(likely, _MAX_SOUND_ALONE)
    else:
        odds += _of_words(text, language, stage, closing)
        if sound is None and stage is not SentenceStage.WHOLE:
            odds = min(odds, _MAX_WORDS_ALONE)
    opinion = float(np.interp(odds, _LOG_ODDS, _COMPLETENESS))
    return min(opinion, most)


def _bound(
    spoken_seconds: float, text: str | None, language: str | None, stage: SentenceStage | None
) -> float:
    """Return the most completeness that speech of a length may have, by what it says."""
    if stage in (SentenceStage.WHOLE, SentenceStage.CONTINUABLE):
        return 1.0
    asks = text is not None and text.rstrip().endswith(tuple(_QUESTION_MARKS))
    if not asks and spoken_seconds >= _STATEMENT_SECONDS and _states(text or "", language):
        return _MAX_LONG_STATEMENT
    span = _LONG_SECONDS - _COMMAND_SECONDS
    long = min(max((spoken_seconds - _COMMAND_SECONDS) / span, 0.0), 1.0)
    most = 1.0 - long * (1.0 - (_MAX_LONG if asks else _MAX_LONG_STATEMENT))
    if stage is SentenceStage.OTHER and not asks and spoken_seconds >= _FREE_SECONDS:
        return min(most, _MAX_LONG)
    return most


@dataclass(slots=True)
class PauseEvidence:
    """Evidence at a pause, as it comes in: the arguments of `completeness`."""

    language: str | None = None
    spoken_seconds: float = 0.0
    sound: float | None = None
    text: str | None = None
    stage: SentenceStage | None = None
    closing: float | None = None

    @property
    def completeness(self) -> float | None:
        """Completeness of the turn, -1 to 1; None without any evidence of short speech."""
        return completeness(
            self.sound,
            self.text,
            self.language,
            self.stage,
            self.spoken_seconds,
            closing=self.closing,
        )

    @property
    def wants_sound(self) -> bool:
        """Whether an opinion of the turn model, or another one later in the pause, may matter.

        One that is certain of an end is not asked for again: recogniser and language model want
        the processor at that time.
        """
        return self.completeness != 1.0 and (self.sound is None or self.sound < _CERTAIN_SOUND)


def closing_probability(
    text: str, score: Callable[[Sequence[str]], Sequence[float] | None]
) -> float | None:
    """Return the probability that the recogniser closes `text` with a mark, None without scores.

    `score` returns the log probability of texts given the audio.
    """
    words = text.rstrip(_CLOSING_MARKS + " ,;:-…")
    if not words:
        return None
    # French has a space before a question mark, other scripts have marks of their own.
    own = text.rstrip()[len(words) :]
    marks = [".", "?", *({own} - {".", "?"} if own.strip() in set(_CLOSING_MARKS) else ())]
    scores = score([words, *(words + mark for mark in marks)])
    if not scores:
        return None
    bare, *closed = scores
    return min(1.0, sum(math.exp(min(one - bare, 0.0)) for one in closed))


def _of_words(
    text: str, language: str | None, stage: SentenceStage | None, closing: float | None
) -> float:
    if closing is None:
        closing = _LIKELY_CLOSED if _is_closed(text) else _LIKELY_TRAILING
    # Of few words, and where it leaves out capitals, a recogniser leaves out marks whole or not.
    if text[:1].islower() or len(text.split()) <= _FEW_WORDS:
        closing = max(closing, _LIKELY_CLOSED_SOON if _is_closed(text) else _LIKELY_TRAILING)
    odds = _CLOSING_WEIGHT * _log_odds(closing, _MIN_CLOSING)
    if stage in _STAGE_WEIGHTS:
        return odds + _STAGE_WEIGHTS[stage]
    return odds + (_OPEN_WEIGHT if _ends_open(text, language) else 0.0)


def _log_odds(probability: float, least: float) -> float:
    bounded = min(max(probability, least), 1.0 - least)
    return math.log(bounded / (1.0 - bounded))


def _ends_open(text: str, language: str | None) -> bool:
    # "Éteins-la" ends with a pronoun, not with an article.
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", text.lower())
    return bool(words) and words[-1] in _OPEN.get(language or "", frozenset())


def _states(text: str, language: str | None) -> bool:
    """Return whether a sentence of `text` begins like a statement, not like an order."""
    begins = _STATEMENTS.get(language or "", frozenset())
    sentences = re.split(r"[.!?]\s+", text.lower().replace("’", "'"))  # noqa: RUF001
    first = (re.match(r"\W*([^\W_]+(?:'[^\W_]+)?)", sentence) for sentence in sentences)
    return any(word is not None and word.group(1) in begins for word in first)


def _is_closed(text: str) -> bool:
    ended = text.rstrip().endswith(tuple(_CLOSING_MARKS))
    return ended and not text.rstrip().endswith("...")
